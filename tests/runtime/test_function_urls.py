"""Function URLs over real HTTP: payloads, policies, signatures, CORS."""

import base64
import http.client
import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minilambda import Cloud

from .conftest import Lab
from .function_url_clients import ECHO, ask

GIVEN = "import json\ndef handler(event, context): return json.loads(event['body'])\n"
HELP = ("Forbidden. For troubleshooting Function URL authorization issues, see: "
        "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html")
TEXT = {"Content-Type": "text/plain"}


@pytest.fixture(scope="module")
def cloud():
    with Cloud(durations="modelled", limits="today") as cloud:
        yield cloud


@pytest.fixture(scope="module")
def lab(cloud):
    return Lab(cloud)


def allow(lab, name, **qualifier):
    """What the console adds for AuthType NONE."""
    lab.client.add_permission(
        FunctionName=name, StatementId="FunctionURLAllowPublicAccess", Principal="*",
        Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE", **qualifier)
    lab.client.add_permission(
        FunctionName=name, StatementId="FunctionURLInvokeAllowPublicAccess", Principal="*",
        Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True, **qualifier)


def public(lab, source, **options):
    name = lab.deploy(source)
    made = lab.client.create_function_url_config(FunctionName=name, AuthType="NONE", **options)
    allow(lab, name)
    return made["FunctionUrl"]


def signed(url, key, secret, token=None, method="GET", data=None, headers=None,
           region="eu-west-2", service="lambda"):
    request = AWSRequest(method, url, data=data, headers=headers or {})
    SigV4Auth(Credentials(key, secret, token), service, region).add_auth(request)
    return dict(request.headers)


def code_of(call, **options):
    with pytest.raises(ClientError) as refused:
        call(**options)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


# -- the configuration -----------------------------------------------------------------------------

def test_its_configuration_from_birth_to_death(cloud, lab):
    name = lab.deploy(ECHO)
    assert code_of(lab.client.get_function_url_config, FunctionName=name) == (
        "ResourceNotFoundException", "The resource you requested does not exist.")
    cors = {"AllowOrigins": ["https://example.com"], "MaxAge": 60}
    made = lab.client.create_function_url_config(FunctionName=name, AuthType="NONE", Cors=cors)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    arn = f"arn:aws:lambda:eu-west-2:123456789012:function:{name}"
    parts = urlsplit(made["FunctionUrl"])
    label, rest = parts.hostname.split(".", 1)
    assert (len(label), rest) == (32, "lambda-url.eu-west-2.localhost") and parts.path == "/"
    assert f":{parts.port}" in cloud.endpoint_url
    assert {key: made.get(key) for key in ("FunctionArn", "AuthType", "Cors", "InvokeMode")} == {
        "FunctionArn": arn, "AuthType": "NONE", "Cors": cors, "InvokeMode": "BUFFERED"}
    assert "LastModifiedTime" not in made
    assert code_of(lab.client.create_function_url_config, FunctionName=name, AuthType="NONE") == (
        "ResourceConflictException", f"Failed to create function url config for [functionArn = {arn}]"
        ". Error message:  FunctionUrlConfig exists for this Lambda function")
    cloud.run(seconds=5)
    changed = lab.client.update_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    assert changed["Cors"] == cors and changed["FunctionUrl"] == made["FunctionUrl"]
    assert changed["LastModifiedTime"] > changed["CreationTime"] == made["CreationTime"]
    found = lab.client.get_function_url_config(FunctionName=name)
    assert found["AuthType"] == "AWS_IAM"
    listed = lab.client.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    assert listed == [{k: v for k, v in found.items() if k != "ResponseMetadata"}]
    gone = lab.client.delete_function_url_config(FunctionName=name)
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert code_of(lab.client.delete_function_url_config, FunctionName=name)[0] == (
        "ResourceNotFoundException")
    assert ask(made["FunctionUrl"])[0] == 403


def test_of_an_alias_but_not_of_a_version(lab):
    name = lab.deploy("def handler(e, c): return c.invoked_function_arn + ' ' + c.function_version\n")
    lab.client.publish_version(FunctionName=name)
    lab.client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1")
    lab.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    unchecked = boto3.client("lambda", config=Config(parameter_validation=False))
    for qualifier in ("1", "$LATEST"):
        code, message = code_of(unchecked.create_function_url_config, FunctionName=name,
                                AuthType="NONE", Qualifier=qualifier)
        assert code == "ValidationException" and message.startswith(
            f"1 validation error detected: Value '{qualifier}' at 'qualifier' failed to satisfy")
    assert code_of(lab.client.create_function_url_config, FunctionName=name, AuthType="NONE",
                   Qualifier="other") == ("ResourceNotFoundException", "Function does not exist")
    assert code_of(lab.client.create_function_url_config, FunctionName="none", AuthType="NONE") == (
        "ResourceNotFoundException", "Function does not exist")
    made = lab.client.create_function_url_config(FunctionName=name, AuthType="NONE",
                                                 Qualifier="live")
    lab.client.create_function_url_config(FunctionName=name, AuthType="NONE")
    allow(lab, name)  # not the alias's policy
    assert ask(made["FunctionUrl"])[0] == 403
    allow(lab, name, Qualifier="live")
    status, _, body = ask(made["FunctionUrl"])
    assert status == 200 and body.decode().endswith(f":{name}:live 1")
    first = lab.client.list_function_url_configs(FunctionName=name, MaxItems=1)
    second = lab.client.list_function_url_configs(FunctionName=name, Marker=first["NextMarker"])
    assert [page["FunctionUrlConfigs"][0]["FunctionArn"].rsplit(":", 1)[1]
            for page in (first, second)] == [name, "live"]
    lab.client.delete_alias(FunctionName=name, Name="live")
    assert ask(made["FunctionUrl"])[0] == 403
    assert len(lab.client.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]) == 1


def test_streaming_is_refused_aloud(lab):
    name = lab.deploy(ECHO)
    for call in (lab.client.create_function_url_config, lab.client.update_function_url_config):
        code, message = code_of(call, FunctionName=name, AuthType="NONE",
                                InvokeMode="RESPONSE_STREAM")
        assert code == "NotImplementedException" and "RESPONSE_STREAM" in message


# -- the request -----------------------------------------------------------------------------------

def test_the_event_is_of_payload_format_2_0(cloud, lab):
    url = public(lab, ECHO)
    began = cloud.now
    status, headers, body = ask(
        f"{url}my/p%C3%A4th?a=1&b=x%20y&a=2&empty=", b"Hello from client!",
        {**TEXT, "Cookie": "one=1; two=2", "X-Header": "v", "User-Agent": "agent"}, "PUT")
    said = json.loads(body)
    event, host = said["event"], urlsplit(url).hostname
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert headers["x-amzn-RequestId"] == said["id"] == event["requestContext"]["requestId"]
    sent = event.pop("headers")
    assert sent["x-header"] == "v" and sent["host"] == urlsplit(url).netloc
    assert "cookie" not in sent and sent["x-forwarded-for"] == "127.0.0.1"
    context = event.pop("requestContext")
    assert abs(context.pop("timeEpoch") / 1000 - began.timestamp()) < 1
    assert context.pop("time") == f"{began:%d/%b/%Y:%H:%M:%S} +0000"
    assert context == {
        "accountId": "anonymous", "apiId": host.partition(".")[0], "domainName": host,
        "domainPrefix": host.partition(".")[0], "requestId": said["id"], "routeKey": "$default",
        "stage": "$default", "http": {
            "method": "PUT", "path": "/my/p%C3%A4th", "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1", "userAgent": "agent"}}
    assert event == {
        "version": "2.0", "routeKey": "$default", "rawPath": "/my/p%C3%A4th",
        "rawQueryString": "a=1&b=x%20y&a=2&empty=", "cookies": ["one=1", "two=2"],
        "queryStringParameters": {"a": "1,2", "b": "x y", "empty": ""},
        "body": "Hello from client!", "isBase64Encoded": False}
    plain = json.loads(ask(url)[2])["event"]
    assert plain["isBase64Encoded"] is False and plain["rawPath"] == "/"
    assert not {"body", "cookies", "queryStringParameters"} & plain.keys()


@pytest.mark.parametrize(("kind", "body", "encoded"), [
    ("text/plain; charset=utf-8", "grüß".encode(), False), ("application/json", b"{}", False),
    ("application/problem+json", b"{}", False), ("image/svg+xml", b"<svg/>", False),
    ("application/octet-stream", b"\0\xff", True), ("image/png", b"text", True),
    ("application/x-www-form-urlencoded", b"a=b", True), ("text/plain", b"\xff\xfe", True),
])
def test_binary_bodies_come_in_base64(lab, body_url, kind, body, encoded):
    event = json.loads(ask(body_url, body, {"Content-Type": kind})[2])["event"]
    assert event["isBase64Encoded"] is encoded
    got = base64.b64decode(event["body"]) if encoded else event["body"].encode()
    assert got == body


@pytest.fixture(scope="module")
def body_url(lab):
    return public(lab, ECHO)


def test_a_header_sent_twice_is_joined_and_chunks_are_put_together(lab, body_url):
    parts = urlsplit(body_url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    connection.putrequest("POST", "/")
    for name, value in (("X-Many", "a"), ("X-Many", "b"), ("Content-Type", "text/plain"),
                        ("Transfer-Encoding", "chunked")):
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
    event = json.loads(connection.getresponse().read())["event"]
    assert event["headers"]["x-many"] == "a,b" and event["body"] == "abc"
    connection.request("GET", "/again")  # the connection is kept
    assert json.loads(connection.getresponse().read())["event"]["rawPath"] == "/again"
    connection.close()


def test_other_ways_to_the_same_address(cloud, lab, body_url):
    parts = urlsplit(body_url)
    status, _, body = ask(f"http://127.0.0.1:{parts.port}/x", headers={"Host": parts.netloc})
    assert (status, json.loads(body)["event"]["rawPath"]) == (200, "/x")
    on_aws = parts.hostname.replace(".localhost", ".on.aws")
    body = ask(f"http://127.0.0.1:{parts.port}/x", headers={"Host": on_aws})[2]
    assert json.loads(body)["event"]["requestContext"]["domainName"] == on_aws
    other = parts.netloc.replace("eu-west-2", "eu-west-1")
    assert ask(f"http://127.0.0.1:{parts.port}/", headers={"Host": other})[0] == 403
    if shutil.which("curl"):
        found = subprocess.run(["curl", "-sS", "--noproxy", "*", f"{body_url}curl"], check=True,
                               capture_output=True, text=True).stdout
        assert json.loads(found)["event"]["rawPath"] == "/curl"


# -- the response ----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def given_url(lab):
    return public(lab, GIVEN)


@pytest.mark.parametrize(("returned", "body"), [
    ({"message": "Hello"}, b'{"message":"Hello"}'), ("Hello", b"Hello"), (3, b"3"), (None, b"null"),
    ([1, "zwei", True], b'[1,"zwei",true]'), ({"body": "no status"}, b'{"body":"no status"}'),
])
def test_without_a_status_code_the_result_is_the_body(given_url, returned, body):
    status, headers, said = ask(given_url, json.dumps(returned).encode(), TEXT)
    assert (status, headers["Content-Type"], said) == (200, "application/json", body)


def test_with_one_it_is_a_response(given_url):
    status, headers, said = ask(given_url, json.dumps({
        "statusCode": 201, "headers": {"Content-Type": "text/html", "My-Header": "v", "Count": 3,
                                       "Transfer-Encoding": "chunked", "Content-Length": "1"},
        "body": "<p>grüß</p>", "cookies": ["one=1; Secure", "two=2"]}).encode(), TEXT)
    assert (status, said.decode()) == (201, "<p>grüß</p>")
    assert (headers["Content-Type"], headers["My-Header"], headers["Count"]) == (
        "text/html", "v", "3")
    assert headers.get_all("Set-Cookie") == ["one=1; Secure", "two=2"]
    status, headers, said = ask(given_url, json.dumps({
        "statusCode": "404", "isBase64Encoded": True,
        "body": base64.b64encode(b"\0\xff").decode()}).encode(), TEXT)
    assert (status, headers["Content-Type"], said) == (404, "application/json", b"\0\xff")
    assert ask(given_url, b'{"statusCode": 204}', TEXT)[::2] == (204, b"")
    assert ask(given_url, b'{"statusCode": 200, "body": {"a": 1}}', TEXT)[2] == b'{"a":1}'


@pytest.mark.parametrize("returned", [
    {"statusCode": "x"}, {"statusCode": 99}, {"statusCode": True}, {"statusCode": None},
    {"statusCode": 200, "headers": ["a"]}, {"statusCode": 200, "headers": {"a": {"b": 1}}},
    {"statusCode": 200, "headers": {"a b": "c"}}, {"statusCode": 200, "headers": {"a": "b\r\nc: d"}},
    {"statusCode": 200, "cookies": "a=b"}, {"statusCode": 200, "cookies": ["a\nb"]},
    {"statusCode": 200, "isBase64Encoded": True, "body": "not base64!"},
])
def test_what_is_no_response_is_502(given_url, returned):
    assert ask(given_url, json.dumps(returned).encode(), TEXT)[::2] == (502, b"Internal Server Error")


def test_a_function_that_fails_is_502_and_its_log_says_why(lab):
    url = public(lab, "def handler(event, context): raise ValueError('secret')\n")
    status, headers, body = ask(url)
    assert (status, body) == (502, b"Internal Server Error") and headers["x-amzn-RequestId"]
    name = f"function-{lab.count}"
    assert any("ValueError: secret" in line for line in lab.log_lines(name))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(returned=st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["statusCode", "headers", "cookies", "body", "isBase64Encoded", "x"]), inner, max_size=5)))
def test_whatever_a_function_returns_the_answer_is_http(given_url, returned):
    status, _, body = ask(given_url, json.dumps(returned).encode(), TEXT)
    if isinstance(returned, dict) and "statusCode" in returned:
        assert status == 502 or status == int(returned["statusCode"])
    else:
        assert status == 200
        assert body.decode() == returned if isinstance(returned, str) else (
            json.loads(body) == returned)


def test_throttles_are_429_and_too_much_is_413(lab):
    url = public(lab, ECHO)
    lab.client.put_function_concurrency(FunctionName=f"function-{lab.count}",
                                        ReservedConcurrentExecutions=0)
    status, headers, body = ask(url)
    assert (status, headers["x-amzn-ErrorType"]) == (429, "TooManyRequestsException")
    assert json.loads(body) == {
        "Type": "User", "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
        "message": "Rate Exceeded."}
    assert ask(url, b"x" * (6 << 20), TEXT)[0] == 413


def test_many_callers_at_once(lab, body_url):
    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(lambda n: json.loads(ask(f"{body_url}{n}")[2]), range(60)))
    assert [one["event"]["rawPath"] for one in said] == [f"/{n}" for n in range(60)]
    assert len({one["id"] for one in said}) == 60
    assert all(one["id"] == one["event"]["requestContext"]["requestId"] for one in said)


# -- who may ---------------------------------------------------------------------------------------

def test_none_needs_both_permissions_today(lab):
    name = lab.deploy(ECHO)
    url = lab.client.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    status, headers, body = ask(url)
    assert (status, json.loads(body)) == (403, {"Message": HELP})
    assert headers["x-amzn-ErrorType"] == "AccessDeniedException"
    said = lab.client.add_permission(
        FunctionName=name, StatementId="url", Principal="*", Action="lambda:InvokeFunctionUrl",
        FunctionUrlAuthType="NONE")["Statement"]
    assert json.loads(said)["Condition"] == {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}
    assert ask(url)[0] == 403
    said = lab.client.add_permission(
        FunctionName=name, StatementId="invoke", Principal="*", Action="lambda:InvokeFunction",
        InvokedViaFunctionUrl=True)["Statement"]
    assert json.loads(said)["Condition"] == {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
    assert ask(url)[0] == 200
    lab.client.update_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    assert ask(url)[0] == 403  # the first statement is for NONE only, and nobody has signed
    assert code_of(lab.client.add_permission, FunctionName=name, StatementId="x", Principal="*",
                   Action="lambda:InvokeFunction", FunctionUrlAuthType="NONE") == (
        "InvalidParameterValueException",
        "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")


def test_signatures_are_checked(cloud, lab):
    name = lab.deploy(ECHO)
    url = lab.client.create_function_url_config(
        FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]
    mine = boto3.Session().get_credentials()
    path = f"{url}a%20b/c?q=1%202&b=&a=x"
    body = b'{"a": 1}'
    good = signed(path, mine.access_key, mine.secret_key, data=body, method="POST",
                  headers={"Content-Type": "application/json", "X-Mine": "  a   b "})
    status, _, said = ask(path, body, good, "POST")
    event = json.loads(said)["event"]
    assert status == 200 and event["body"] == body.decode()
    iam = event["requestContext"]["authorizer"]["iam"]
    assert (iam["accessKey"], iam["accountId"]) == (mine.access_key, "123456789012")
    assert event["requestContext"]["accountId"] == "123456789012"
    wrong = [(path, b'{"a": 2}', good), (path + "1", body, good), (path, body, good | {"X-Mine": "c"}),
             (path, body, signed(path, mine.access_key, "wrong", data=body, method="POST")),
             (path, body, signed(path, mine.access_key, mine.secret_key, data=body, method="PUT")),
             (path, body, signed(path, mine.access_key, mine.secret_key, data=body, method="POST",
                                 service="s3")),
             (path, body, signed(path, mine.access_key, mine.secret_key, data=body, method="POST",
                                 region="eu-west-1"))]
    for where, what, headers in wrong:
        status, headers, said = ask(where, what, headers, "POST")
        assert (status, headers["x-amzn-ErrorType"]) == (403, "InvalidSignatureException"), said
    status, headers, said = ask(url, headers=signed(url, "AKIANOBODY0000000000", "x"))
    assert (status, json.loads(said)["message"]) == (
        403, "The security token included in the request is invalid.")
    assert ask(url, headers={"Authorization": "Bearer x"})[0] == 403


def test_an_iam_user_needs_a_policy_of_his_or_the_function_s(lab):
    name = lab.deploy(ECHO)
    made = lab.client.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    url, arn, iam = made["FunctionUrl"], made["FunctionArn"], boto3.client("iam")
    for user in ("ada", "bob", "eve"):
        iam.create_user(UserName=user)
    keys = {user: iam.create_access_key(UserName=user)["AccessKey"] for user in ("ada", "bob", "eve")}

    def call(user):
        key = keys[user]
        status, _, body = ask(url, headers=signed(url, key["AccessKeyId"], key["SecretAccessKey"]))
        return json.loads(body)["event"]["requestContext"]["authorizer"]["iam"]["userArn"] if (
            status == 200) else status

    actions = ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]

    def policy(effect, *actions):
        return json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": effect, "Action": list(actions), "Resource": arn}]})

    assert [call(user) for user in keys] == [403, 403, 403]
    iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=policy("Allow", actions[0]))
    assert call("ada") == 403
    iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=policy("Allow", *actions))
    assert call("ada") == "arn:aws:iam::123456789012:user/ada"
    for number, action in enumerate(actions):
        lab.client.add_permission(FunctionName=name, StatementId=str(number), Action=action,
                                  Principal="arn:aws:iam::123456789012:user/bob")
    assert call("bob") == "arn:aws:iam::123456789012:user/bob" and call("eve") == 403
    iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=policy("Deny", actions[0]))
    assert call("bob") == 403


def test_a_session_and_a_function_ask_with_their_roles(lab):
    callee = lab.deploy(ECHO, name="callee")
    made = lab.client.create_function_url_config(FunctionName=callee, AuthType="AWS_IAM")
    url, iam = made["FunctionUrl"], boto3.client("iam")
    given = boto3.client("sts").assume_role(RoleArn=lab.role, RoleSessionName="me")["Credentials"]
    session = lambda: ask(url, headers=signed(  # noqa: E731
        url, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]))
    caller = lab.deploy("""
        import boto3, time, urllib.request, urllib.error
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        def handler(event, context):
            endpoint = boto3.client("lambda").meta.endpoint_url
            request = AWSRequest("GET", endpoint + "/from-within", headers={"Host": event["host"]})
            SigV4Auth(boto3.Session().get_credentials(), "lambda", "eu-west-2").add_auth(request)
            asked = urllib.request.Request(request.url, headers=dict(request.headers))
            began = time.time()
            try:
                with urllib.request.urlopen(asked) as answer:
                    return [answer.status, answer.read().decode(), time.time() - began]
            except urllib.error.HTTPError as error:
                return [error.code]
    """, name="caller", Timeout=30)
    event = {"host": urlsplit(url).netloc}
    assert session()[0] == 403 and lab.invoke(caller, event).value == [403]
    iam.put_role_policy(RoleName="role", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "lambda:Invoke*", "Resource": "*"}]}))
    assert session()[0] == 200
    status, body, took = lab.invoke(caller, event).value
    said = json.loads(body)["event"]["requestContext"]
    assert status == 200 and said["http"]["path"] == "/from-within"
    assert said["authorizer"]["iam"]["userArn"].endswith(":assumed-role/role/caller")
    assert took > 0  # on the cloud's clock
    iam.delete_role_policy(RoleName="role", PolicyName="p")


# -- CORS ------------------------------------------------------------------------------------------

def test_preflights_are_answered_without_an_invocation(cloud, lab):
    url = public(lab, GIVEN, Cors={
        "AllowOrigins": ["https://example.com"], "AllowMethods": ["GET", "PUT"],
        "AllowHeaders": ["x-mine", "content-type"], "MaxAge": 300, "AllowCredentials": True,
        "ExposeHeaders": ["x-shown"]})
    name = f"function-{lab.count}"
    asks = {"Origin": "https://example.com", "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "x-mine"}
    status, headers, _ = ask(url, headers=asks, method="OPTIONS")
    allowed = {key: value for key, value in headers.items() if key.startswith("Access-")}
    assert status == 200 and allowed == {
        "Access-Control-Allow-Origin": "https://example.com", "Access-Control-Max-Age": "300",
        "Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Methods": "GET,PUT",
        "Access-Control-Allow-Headers": "x-mine,content-type"}
    headers = ask(url, headers=asks | {"Origin": "https://evil.example"}, method="OPTIONS")[1]
    assert not [key for key in headers if key.startswith("Access-")]
    headers = ask(url, headers=asks | {"Access-Control-Request-Method": "DELETE"},
                  method="OPTIONS")[1]
    assert "Access-Control-Allow-Methods" not in headers
    assert cloud.trace.select("request.accepted", function=name) == []
    body = json.dumps({"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "x"}}).encode()
    headers = ask(url, body, TEXT | {"Origin": "https://example.com"})[1]
    assert headers.get_all("Access-Control-Allow-Origin") == ["https://example.com"]
    assert headers["Access-Control-Expose-Headers"] == "x-shown" and headers["Vary"] == "Origin"


def test_without_settings_all_is_the_function_s_affair(lab, body_url):
    asks = {"Origin": "https://example.com", "Access-Control-Request-Method": "PUT"}
    status, headers, body = ask(body_url, headers=asks, method="OPTIONS")
    assert json.loads(body)["event"]["requestContext"]["http"]["method"] == "OPTIONS"
    assert not [key for key in headers if key.startswith("Access-")]
