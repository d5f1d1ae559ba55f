"""REST APIs in front of functions, asked over HTTP as anybody would."""

import base64
import http.client
import json

import boto3
import pytest
import requests

from minilambda import Cloud

from .conftest import Lab

ECHO = """
    import json

    def handler(event, context):
        return {"statusCode": 200, "body": json.dumps(event)}
"""
INTERNAL = '{"message": "Internal server error"}'


class Api:
    """A REST API, made with boto3."""

    def __init__(self, lab, **options):
        self.lab, self.client = lab, boto3.client("apigateway")
        self.id = self.client.create_rest_api(name="pets", **options)["id"]
        [root] = self.client.get_resources(restApiId=self.id)["items"]
        self.resources = {"/": root["id"]}

    def resource(self, path):
        if path not in self.resources:
            parent, _, part = path.rpartition("/")
            self.resources[path] = self.client.create_resource(
                restApiId=self.id, parentId=self.resource(parent or "/"), pathPart=part)["id"]
        return self.resources[path]

    def put(self, verb, path, function, method=None, **integration):
        resource = self.resource(path)
        self.client.put_method(restApiId=self.id, resourceId=resource, httpMethod=verb,
                               **{"authorizationType": "NONE"} | (method or {}))
        arn = f"arn:aws:lambda:eu-west-2:123456789012:function:{function}"
        self.client.put_integration(
            restApiId=self.id, resourceId=resource, httpMethod=verb,
            **{"type": "AWS_PROXY", "integrationHttpMethod": "POST",
               "uri": "arn:aws:apigateway:eu-west-2:lambda:path/2015-03-31/functions/"
                      f"{arn}/invocations"} | integration)

    def permit(self, function, source="*/*/*", **options):
        self.lab.client.add_permission(
            FunctionName=function, StatementId="api", Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:eu-west-2:123456789012:{self.id}/{source}", **options)

    def deploy(self, stage="prod", **options):
        return self.client.create_deployment(restApiId=self.id, stageName=stage, **options)["id"]

    def url(self, path, stage="prod"):
        return f"{self.lab.cloud.endpoint_url}/_aws/execute-api/{self.id}/{stage}{path}"

    def get(self, path, **options):
        return requests.get(self.url(path), **options)


@pytest.fixture
def api(fresh):
    return Api(fresh)


def behind(lab, source, verb="ANY", path="/{proxy+}", api=None, **configuration):
    """A deployed API with one function behind it."""
    api = api or Api(lab)
    function = lab.deploy(source, **configuration)
    api.put(verb, path, function)
    api.permit(function)
    api.deploy()
    return api


def test_the_event_has_every_member_that_awss_page_has(fresh, api):
    function = fresh.deploy(ECHO)
    api.put("POST", "/pets/{kind}", function)
    api.permit(function, "prod/POST/pets/*")
    deployment = api.deploy(variables={"colour": "blue"})
    fresh.cloud.run(seconds=1.25)
    answer = requests.post(
        api.url("/pets/guinea%20pig?a=1&a=2&b="), data='{"name": "Ömer"}'.encode(), headers={
            "User-Agent": "tests", "Content-Type": "application/json", "x-lower": "kept",
            "Accept": "*/*", "Accept-Encoding": "identity", "X-Forwarded-For": "10.1.2.3"})
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/json"
    event = answer.json()
    trace = event["headers"]["X-Amzn-Trace-Id"]
    assert trace.startswith("Root=1-5e5ccb11-") and len(trace) == len("Root=1-") + 8 + 1 + 24
    domain = f"{api.id}.execute-api.eu-west-2.amazonaws.com"
    headers = {"Accept": "*/*", "Accept-Encoding": "identity", "Content-Type": "application/json",
               "Host": domain, "User-Agent": "tests", "X-Amzn-Trace-Id": trace,
               "X-Forwarded-For": "10.1.2.3, 127.0.0.1", "X-Forwarded-Port": "443",
               "X-Forwarded-Proto": "https", "x-lower": "kept"}
    assert event == {
        "resource": "/pets/{kind}", "path": "/pets/guinea%20pig", "httpMethod": "POST",
        "headers": headers, "multiValueHeaders": {name: [headers[name]] for name in headers},
        "queryStringParameters": {"a": "2", "b": ""},
        "multiValueQueryStringParameters": {"a": ["1", "2"], "b": [""]},
        "pathParameters": {"kind": "guinea pig"}, "stageVariables": {"colour": "blue"},
        "requestContext": {
            "resourceId": api.resources["/pets/{kind}"], "resourcePath": "/pets/{kind}",
            "httpMethod": "POST", "extendedRequestId": answer.headers["x-amz-apigw-id"],
            "requestTime": "02/Mar/2020:09:00:01 +0000", "path": "/prod/pets/guinea%20pig",
            "accountId": "123456789012", "protocol": "HTTP/1.1", "stage": "prod",
            "domainPrefix": api.id, "requestTimeEpoch": 1583139601250,
            "requestId": answer.headers["x-amzn-RequestId"],
            "identity": {
                "cognitoIdentityPoolId": None, "accountId": None, "cognitoIdentityId": None,
                "caller": None, "sourceIp": "127.0.0.1", "principalOrgId": None, "accessKey": None,
                "cognitoAuthenticationType": None, "cognitoAuthenticationProvider": None,
                "userArn": None, "userAgent": "tests", "user": None},
            "domainName": domain, "deploymentId": deployment, "apiId": api.id},
        "body": '{"name": "Ömer"}', "isBase64Encoded": False}


def test_what_is_not_in_a_request_is_null_in_the_event(fresh):
    event = behind(fresh, ECHO, "GET", "/").get("/").json()
    assert {name for name in event if event[name] is None} == {
        "queryStringParameters", "multiValueQueryStringParameters", "pathParameters",
        "stageVariables", "body"}
    assert event["path"] == event["resource"] == "/"


def test_addresses_of_one_api(fresh):
    api = behind(fresh, ECHO)
    base, port = fresh.cloud.endpoint_url, int(fresh.cloud.endpoint_url.rpartition(":")[2])
    for path in (f"/_aws/execute-api/{api.id}/prod/a/b", f"/restapis/{api.id}/prod/_user_request_/a/b"):
        assert requests.get(base + path).json()["pathParameters"] == {"proxy": "a/b"}
    for name in (f"{api.id}.execute-api.eu-west-2.localhost:{port}",
                 f"{api.id}.execute-api.eu-west-2.amazonaws.com"):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/prod/a/b", headers={"Host": name})
        assert json.loads(connection.getresponse().read())["path"] == "/a/b"
        connection.close()
    # The control plane's own addresses stay what they were.
    assert api.client.get_rest_api(restApiId=api.id)["name"] == "pets"


def test_the_most_specific_resource_is_asked(fresh, api):
    function = fresh.deploy(ECHO)
    api.permit(function)
    for verb, path in (("ANY", "/{proxy+}"), ("GET", "/pets/{kind}"), ("GET", "/pets/cat")):
        api.put(verb, path, function)
    api.deploy()
    found = {path: api.get(path).json()["resource"]
             for path in ("/pets/cat", "/pets/dog", "/pets/dog/1", "/pets")}
    assert found == {"/pets/cat": "/pets/cat", "/pets/dog": "/pets/{kind}",
                     "/pets/dog/1": "/{proxy+}", "/pets": "/{proxy+}"}
    assert requests.put(api.url("/pets/cat")).json()["resource"] == "/{proxy+}"


def test_who_asks_for_what_is_not_there(fresh):
    api = behind(fresh, ECHO, "GET", "/pets")
    for answer in (api.get("/dogs"), requests.post(api.url("/pets"))):
        assert (answer.status_code, answer.text) == (
            403, '{"message":"Missing Authentication Token"}')
        assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    for url in (api.url("/pets", "beta"), api.url("/pets").replace(api.id, "nosuchapi1")):
        answer = requests.get(url)
        assert (answer.status_code, answer.text) == (403, '{"message":"Forbidden"}')


def test_an_api_is_what_it_was_when_it_was_deployed(fresh):
    api = behind(fresh, ECHO, "GET", "/pets")
    api.put("GET", "/dogs", fresh.deploy(ECHO, name="dogs"))
    api.permit("dogs")
    assert api.get("/dogs").status_code == 403
    api.deploy()
    assert api.get("/dogs").json()["resource"] == "/dogs"


def test_responses_that_are_all_right(fresh):
    api = behind(fresh, "def handler(event, context):\n    return eval(event['body'])\n")

    def answer(result):
        return requests.post(api.url("/x"), data=repr(result))

    found = answer({"statusCode": "201", "headers": {"X-A": 1, "X-B": True, "Content-Type": "text/plain"},
                    "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"], "X-a": ["won"]},
                    "body": "made", "isBase64Encoded": False})
    assert (found.status_code, found.text) == (201, "made")
    assert (found.headers["X-A"], found.headers["X-B"]) == ("won", "true")
    assert found.headers["Content-Type"] == "text/plain"
    assert found.raw.headers.getlist("Set-Cookie") == ["a=1", "b=2"]
    assert (answer({}).status_code, answer({}).text) == (200, "")
    assert answer({"statusCode": 404, "body": None}).status_code == 404


@pytest.mark.parametrize("result", [
    "hello", None, [1], {"message": "hi"}, {"statusCode": 200, "body": {"a": 1}},
    {"statusCode": "ok"}, {"statusCode": 200, "headers": {"X": {"a": 1}}},
    {"statusCode": 200, "multiValueHeaders": {"X": "a"}}, {"statusCode": 200, "headers": []},
    {"statusCode": 200, "isBase64Encoded": "yes"}], ids=repr)
def test_malformed_responses(malformed, result):
    answer = requests.post(malformed.url("/x"), data=repr(result))
    assert (answer.status_code, answer.text) == (502, INTERNAL)
    assert answer.headers["x-amzn-ErrorType"] == "InternalServerErrorException"


@pytest.fixture(scope="module")
def malformed():
    with Cloud(durations="modelled") as cloud:
        yield behind(Lab(cloud), "def handler(event, context):\n    return eval(event['body'])\n")


def test_a_function_that_fails_or_times_out_itself(fresh):
    api = behind(fresh, "def handler(event, context):\n    raise ValueError('no')\n")
    assert (api.get("/x").status_code, api.get("/x").text) == (502, INTERNAL)
    api = behind(fresh, "import time\n\ndef handler(event, context):\n    time.sleep(9)\n", Timeout=3)
    assert api.get("/x").status_code == 502


def test_nobody_waits_for_more_than_29_seconds(fresh):
    api = behind(fresh, "import time\n\ndef handler(event, context):\n    time.sleep(40)\n", Timeout=60)
    before = fresh.cloud.seconds
    answer = api.get("/x")
    assert (answer.status_code, answer.text) == (504, '{"message": "Endpoint request timed out"}')
    assert fresh.cloud.seconds - before == 29.0
    fresh.cloud.run(seconds=60)  # the function goes on
    [ended] = fresh.cloud.trace.select("invoke.ended")
    assert ended["status"] == "success" and ended.at > 40


def test_an_integration_may_be_given_less(fresh, api):
    function = fresh.deploy("import time\n\ndef handler(event, context):\n    time.sleep(4)\n", Timeout=6)
    api.put("GET", "/x", function, timeoutInMillis=1500)
    api.permit(function)
    api.deploy()
    assert api.get("/x").status_code == 504 and fresh.cloud.seconds == 1.5


def test_a_function_that_is_throttled(fresh):
    api = behind(fresh, ECHO, "GET", "/x")
    [function] = [f["FunctionName"] for f in fresh.client.list_functions()["Functions"]]
    fresh.client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    assert (api.get("/x").status_code, api.get("/x").text) == (500, INTERNAL)
    assert len(fresh.cloud.trace.select("request.throttled")) == 2


def test_a_request_that_is_too_large_for_a_function(fresh):
    api = behind(fresh, "def handler(event, context):\n    return {'body': str(len(event['body']))}\n")
    assert requests.post(api.url("/x"), data=b"x" * 5_000_000).text == "5000000"
    answer = requests.post(api.url("/x"), data=b"x" * 6_291_456)
    assert (answer.status_code, answer.text) == (413, '{"message":"Request Too Long"}')


@pytest.mark.parametrize("source", [None, "prod/POST/x", "beta/GET/x", "prod/GET/y"])
def test_the_functions_policy_decides(fresh, api, source):
    function = fresh.deploy(ECHO)
    api.put("GET", "/x", function)
    api.deploy()
    if source:
        api.permit(function, source)
    assert (api.get("/x").status_code, api.get("/x").text) == (500, INTERNAL)
    assert not fresh.cloud.trace.select("request.accepted")
    if source:
        fresh.client.remove_permission(FunctionName=function, StatementId="api")
    api.permit(function, "*/GET/x")
    assert api.get("/x").status_code == 200


def test_an_alias_has_its_own_policy_and_stage_variables_name_it(fresh, api):
    function = fresh.deploy(ECHO)
    fresh.client.publish_version(FunctionName=function)
    fresh.client.create_alias(FunctionName=function, Name="live", FunctionVersion="1")
    api.put("GET", "/x", function + ":${stageVariables.alias}")
    api.permit(function)
    api.deploy(variables={"alias": "live"})
    assert api.get("/x").status_code == 500
    api.permit(function, Qualifier="live")
    assert api.get("/x").json()["stageVariables"] == {"alias": "live"}


def test_binary_bodies_both_ways(fresh):
    pixels = bytes(range(256))
    source = ("def handler(event, context):\n    assert event['isBase64Encoded']\n"
              "    return {'body': event['body'], 'isBase64Encoded': True,\n"
              "            'headers': {'Content-Type': 'image/png'}}\n")
    api = behind(fresh, source, api=Api(fresh, binaryMediaTypes=["image/png"]))
    headers = {"Content-Type": "image/png", "Accept": "image/png"}
    answer = requests.post(api.url("/x"), data=pixels, headers=headers)
    assert answer.content == pixels and answer.headers["Content-Type"] == "image/png"
    text = requests.post(api.url("/x"), data=pixels, headers=headers | {"Accept": "text/html"})
    assert text.content == base64.b64encode(pixels)
    change = {"restApiId": api.id}
    api.client.update_rest_api(**change, patchOperations=[
        {"op": "remove", "path": "/binaryMediaTypes/image~1png"},
        {"op": "add", "path": "/binaryMediaTypes/image~1gif"}])
    assert api.client.get_rest_api(**change)["binaryMediaTypes"] == ["image/gif"]
    assert requests.post(api.url("/x"), data=pixels, headers=headers).status_code == 502


def test_an_endpoint_that_is_disabled(fresh):
    api = behind(fresh, ECHO)
    for value, status in (("true", 403), ("false", 200)):
        api.client.update_rest_api(restApiId=api.id, patchOperations=[
            {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": value}])
        assert api.get("/x").status_code == status


def test_what_is_not_implemented_says_so(fresh, api):
    function = fresh.deploy(ECHO)
    api.put("GET", "/x", function, {"apiKeyRequired": True})
    api.put("GET", "/y", function, type="HTTP", uri="http://example.com")
    api.put("GET", "/z", function, {"authorizationType": "AWS_IAM"})
    api.permit(function)
    api.deploy()
    for path, words in (("/x", "API keys"), ("/y", "HTTP"), ("/z", "AWS_IAM")):
        answer = api.get(path)
        assert answer.status_code == 501 and words in answer.json()["message"]
    assert not fresh.cloud.trace.select("request.accepted")


def test_a_cold_start_and_a_warm_one_take_their_time_on_the_clock(fresh):
    api = behind(fresh, "import time\n\ndef handler(event, context):\n    time.sleep(1)\n    return {}\n")
    assert api.get("/x").status_code == 200
    assert fresh.cloud.seconds > 1
    assert [e["cold"] for e in fresh.cloud.trace.select("invoke.started")] == [True]


def test_one_seed_one_story():
    def story():
        with Cloud(durations="modelled", seed=3) as cloud:
            api = behind(Lab(cloud), ECHO)
            event = api.get("/x", headers={"User-Agent": "t"}).json()
            return event, [(e.at, e.kind, dict(e.data)) for e in cloud.trace]

    assert story() == story()
