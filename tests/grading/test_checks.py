"""What check cells are written with, in a reader's own notebook."""

import json

import boto3
import pytest
from IPython.core.interactiveshell import InteractiveShell

from minilambda import Cloud, zip_handler
from minilambda.grading.checks import (
    NotYet,
    files_in,
    find_alias,
    find_function,
    find_layer,
    find_role,
    require,
    shown,
    trusts,
)


def policy(**statement):
    return {"AssumeRolePolicyDocument": {"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole"} | statement]}}


def test_a_check_looks_at_the_cloud(tmp_path):
    (tmp_path / "f.py").write_text(
        "def handler(event, context):\n    print('seen', event)\n    return 1 / event\n")
    with Cloud(durations="modelled") as cloud:
        with pytest.raises(NotYet, match="no role named 'r'. Make it with create_role"):
            find_role("r")
        with pytest.raises(NotYet, match="no function named 'f'. Make it with create_function"):
            find_function(cloud, "f")
        trust = policy()["AssumeRolePolicyDocument"] | {"Version": "2012-10-17"}
        role = boto3.client("iam").create_role(RoleName="r",
                                               AssumeRolePolicyDocument=json.dumps(trust))
        assert trusts(find_role("r"), "lambda.amazonaws.com")
        client = boto3.client("lambda")
        client.create_function(FunctionName="f", Runtime="python3.8", Handler="f.handler",
                               Role=role["Role"]["Arn"], Tags={"a": "b"},
                               Code={"ZipFile": zip_handler(tmp_path / "f.py")})
        found = find_function(cloud, "f")
        assert found.tags == {"a": "b"} and found.configuration["MemorySize"] == 128

        good, bad = found.invoke(4), found.invoke(0)
        assert (good.result, good.error) == (0.25, None)
        assert "seen 4" in good.log and "seen 0" not in good.log
        assert bad.error == "ZeroDivisionError"
        assert found.invocations() == []  # those were the check's own
        mine = client.invoke(FunctionName="f", Payload=b"2")["ResponseMetadata"]["RequestId"]
        assert [ended["request_id"] for ended in found.invocations()] == [mine]
        assert found.errors() == 1

        client.delete_function(FunctionName="f")
        with pytest.raises(NotYet, match="was refused"):
            found.invoke(1)


def test_a_check_looks_at_versions_and_aliases(tmp_path):
    (tmp_path / "f.py").write_text("def handler(event, context):\n    print('seen', event)\n"
                                   "    return context.function_version\n")
    with Cloud(durations="modelled") as cloud:
        role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(
            policy()["AssumeRolePolicyDocument"] | {"Version": "2012-10-17"}))
        client = boto3.client("lambda")
        with pytest.raises(NotYet, match="no function named 'f'. Make it with create_function"):
            find_function(cloud, "f:1")
        client.create_function(FunctionName="f", Runtime="python3.8", Handler="f.handler",
                               Role=role["Role"]["Arn"], Code={"ZipFile": zip_handler(tmp_path)})
        with pytest.raises(NotYet, match="no version of 'f' named '1'. Make it with publish_version"):
            find_function(cloud, "f:1")
        with pytest.raises(NotYet, match="no alias of 'f' named 'live'. Make it with create_alias"):
            find_alias("f", "live")
        client.publish_version(FunctionName="f")
        made = client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
        assert find_alias("f", "live") == {
            name: value for name, value in made.items() if name != "ResponseMetadata"}
        found = find_function(cloud, "f:live")
        answer = found.invoke(7)
        assert answer.result == "1" and "seen 7" in answer.log and found.errors() == 0
        assert found.invocations() == []
        client.invoke(FunctionName="f:1", Payload=b"8")
        assert len(found.invocations()) == 1  # the trace names functions only


def test_a_check_looks_into_a_layer(tmp_path):
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "tone.py").write_text("style = 1")
    (tmp_path / "a.txt").write_text("")
    with Cloud(durations="modelled"):
        with pytest.raises(NotYet, match="no layer named 'l'. Make it with publish_layer_version"):
            find_layer("l")
        client = boto3.client("lambda")
        for folder in (tmp_path, tmp_path / "python"):
            client.publish_layer_version(LayerName="l", Content={"ZipFile": zip_handler(folder)})
        assert files_in(find_layer("l")["Content"]) == ["tone.py"]
        assert files_in(find_layer("l", 1)["Content"]) == ["a.txt", "python/tone.py"]
        client.delete_layer_version(LayerName="l", VersionNumber=1)
        with pytest.raises(NotYet, match="'l' has no version 1. Publish it"):
            find_layer("l", 1)
        with pytest.raises(NotYet, match="looking for the layer 'not this' failed"):
            find_layer("not this")


@pytest.mark.parametrize("statement, answer", [
    ({}, True), ({"Action": ["sts:TagSession", "sts:AssumeRole"]}, True),
    ({"Principal": {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}}, True),
    ({"Effect": "Deny"}, False), ({"Action": "sts:TagSession"}, False), ({"Principal": "*"}, False),
    ({"Principal": {"AWS": "lambda.amazonaws.com"}}, False)])
def test_trust(statement, answer):
    assert trusts(policy(**statement), "lambda.amazonaws.com") is answer


def test_not_yet_is_one_line_of_advice(capsys):
    shell = InteractiveShell.instance()
    shell.run_cell("from minilambda.grading.checks import require\nrequire(False, 'do it first')")
    assert capsys.readouterr().out.strip() == "Not yet: do it first"
    InteractiveShell.clear_instance()
    require(True, "never said")


def test_long_values_are_cut():
    assert len(shown("x" * 10_000_000)) < 300
    assert shown({"b": 1, "a": 2}) == "{'b': 1, 'a': 2}"
