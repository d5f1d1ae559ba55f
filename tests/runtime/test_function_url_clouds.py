"""Function URLs in clouds of other kinds."""

import json
import socket

from minilambda import Cloud

from .conftest import Lab
from .function_url_clients import ECHO, ask


def test_names_below_localhost_are_given_back():
    before = socket.getaddrinfo
    with Cloud(durations="modelled"):
        assert {found[4][0] for found in socket.getaddrinfo("a.b.localhost", 80)} == {"127.0.0.1"}
    assert socket.getaddrinfo is before


def test_in_the_course_one_permission_is_enough():
    with Cloud(durations="modelled") as cloud:
        lab = Lab(cloud)
        name = lab.deploy(ECHO)
        url = lab.client.create_function_url_config(
            FunctionName=name, AuthType="NONE")["FunctionUrl"]
        assert json.loads(ask(url)[2]) == {"Message": "Forbidden"}
        lab.client.add_permission(FunctionName=name, StatementId="url", Principal="*",
                                  Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
        assert ask(url)[0] == 200
