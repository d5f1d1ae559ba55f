"""HTTP APIs in front of functions, asked over HTTP as anybody would."""

import json

import boto3
import pytest
import requests

from .conftest import Lab  # noqa: F401 (the fixtures' module)

ECHO = "import json\n\ndef handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps(event)}\n"
RESULT = "def handler(event, context):\n    return eval(event['body'])\n"
SLEEP = "import time\n\ndef handler(event, context):\n    time.sleep(40)\n"


class Api:
    def __init__(self, lab, source=ECHO, version="2.0", permit=True, **configuration):
        self.lab, self.client = lab, boto3.client("apigatewayv2")
        self.function = lab.deploy(source, **configuration)
        self.arn = f"arn:aws:lambda:eu-west-2:123456789012:function:{self.function}"
        self.id = self.client.create_api(Name="pets", ProtocolType="HTTP")["ApiId"]
        self.integration = self.client.create_integration(
            ApiId=self.id, IntegrationType="AWS_PROXY", IntegrationUri=self.arn,
            PayloadFormatVersion=version)["IntegrationId"]
        if permit:
            self.permit()

    def permit(self, source="*", statement="api"):
        self.lab.client.add_permission(
            FunctionName=self.function, StatementId=statement, Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:eu-west-2:123456789012:{self.id}/{source}")

    def route(self, *keys):
        for key in keys:
            self.client.create_route(ApiId=self.id, RouteKey=key,
                                     Target=f"integrations/{self.integration}")
        return self

    def stage(self, name="$default", **options):
        self.client.create_stage(ApiId=self.id, StageName=name, AutoDeploy=True, **options)
        return self

    def url(self, path):
        return f"{self.lab.cloud.endpoint_url}/_aws/execute-api/{self.id}{path}"


def test_the_event_of_format_2(fresh):
    api = Api(fresh).route("POST /pets/{kind}").stage("beta", StageVariables={"colour": "blue"})
    answer = requests.post(
        api.url("/beta/pets/guinea%20pig?a=1&a=2&b="), data="{}", headers={
            "User-Agent": "tests", "Content-Type": "application/json", "X-Up": "kept",
            "Accept": "*/*", "Accept-Encoding": "identity", "Cookie": "x=1; y=2"})
    event, domain = answer.json(), f"{api.id}.execute-api.eu-west-2.amazonaws.com"
    assert event == {
        "version": "2.0", "routeKey": "POST /pets/{kind}", "rawPath": "/beta/pets/guinea%20pig",
        "rawQueryString": "a=1&a=2&b=", "cookies": ["x=1", "y=2"],
        "headers": {"accept": "*/*", "accept-encoding": "identity", "content-length": "2",
                    "content-type": "application/json", "host": domain, "user-agent": "tests",
                    "x-amzn-trace-id": event["headers"]["x-amzn-trace-id"],
                    "x-forwarded-for": "127.0.0.1", "x-forwarded-port": "443",
                    "x-forwarded-proto": "https", "x-up": "kept"},
        "queryStringParameters": {"a": "1,2", "b": ""},
        "requestContext": {
            "accountId": "123456789012", "apiId": api.id, "domainName": domain,
            "domainPrefix": api.id, "http": {
                "method": "POST", "path": "/beta/pets/guinea%20pig", "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1", "userAgent": "tests"},
            "requestId": answer.headers["apigw-requestid"], "routeKey": "POST /pets/{kind}",
            "stage": "beta", "time": "02/Mar/2020:09:00:00 +0000", "timeEpoch": 1583139600000},
        "pathParameters": {"kind": "guinea pig"}, "stageVariables": {"colour": "blue"},
        "body": "{}", "isBase64Encoded": False}


def test_the_event_of_format_1(fresh):
    api = Api(fresh, version="1.0").route("GET /pets/{kind}").stage()
    event = requests.get(api.url("/pets/cat?a=1&a=2"), headers={"User-Agent": "t"}).json()
    assert (event["version"], event["resource"], event["path"]) == ("1.0", "/pets/{kind}", "/pets/cat")
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["pathParameters"] == {"kind": "cat"} and event["body"] is None
    assert event["requestContext"]["stage"] == "$default"
    assert event["requestContext"]["identity"]["userAgent"] == "t"


def test_quick_create(fresh):
    function = fresh.deploy(ECHO)
    arn = f"arn:aws:lambda:eu-west-2:123456789012:function:{function}"
    client = boto3.client("apigatewayv2")
    api = client.create_api(Name="quick", ProtocolType="HTTP", Target=arn)["ApiId"]
    fresh.client.add_permission(
        FunctionName=function, StatementId="api", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:eu-west-2:123456789012:{api}/*/$default")
    [route] = client.get_routes(ApiId=api)["Items"]
    assert route["RouteKey"] == "$default"
    found = requests.get(f"{fresh.cloud.endpoint_url}/_aws/execute-api/{api}/any/thing").json()
    assert found["rawPath"] == "/any/thing" and found["routeKey"] == "$default"
    assert "body" not in found and "pathParameters" not in found


def test_the_most_specific_route_is_asked(fresh):
    api = Api(fresh).route("$default", "ANY /{proxy+}", "GET /pets/{kind}", "ANY /pets/cat",
                           "GET /pets/cat").stage()
    asked = {(verb, path): requests.request(verb, api.url(path)).json()["routeKey"]
             for verb, path in (("GET", "/pets/cat"), ("PUT", "/pets/cat"), ("GET", "/pets/dog"),
                                ("PUT", "/pets/dog"), ("GET", "/"))}
    assert list(asked.values()) == ["GET /pets/cat", "ANY /pets/cat", "GET /pets/{kind}",
                                    "ANY /{proxy+}", "$default"]
    api = Api(fresh).route("GET /x").stage()
    for answer in (requests.get(api.url("/y")), requests.post(api.url("/x"))):
        assert (answer.status_code, answer.text) == (404, '{"message":"Not Found"}')


def test_results_of_format_2(fresh):
    api = Api(fresh, RESULT).route("$default").stage()

    def answer(result):
        found = requests.post(api.url("/"), data=repr(result), headers={"Content-Type": "text/plain"})
        return found.status_code, found.headers["Content-Type"], found.content

    assert answer({"message": "hi"}) == (200, "application/json", b'{"message":"hi"}')
    assert answer("hello") == (200, "application/json", b"hello")
    assert answer([1, 2]) == (200, "application/json", b"[1,2]")
    assert answer({"statusCode": 201, "body": "made"}) == (
        201, "text/plain; charset=utf-8", b"made")
    assert answer({"statusCode": 200, "headers": {"content-type": "image/gif"}, "body": "AAH/",
                   "isBase64Encoded": True}) == (200, "image/gif", b"\x00\x01\xff")
    found = requests.post(api.url("/"), data=repr({"statusCode": 204, "cookies": ["a=1", "b=2"]}),
                          headers={"Content-Type": "text/plain"})
    assert found.raw.headers.getlist("Set-Cookie") == ["a=1", "b=2"]
    for wrong in ({"statusCode": "x"}, {"statusCode": 200, "body": {}},
                  {"statusCode": 200, "headers": []}):
        assert answer(wrong) == (500, "application/json", b'{"message":"Internal Server Error"}')


def test_format_1_takes_nothing_for_granted(fresh):
    api = Api(fresh, "def handler(event, context):\n    return {'hello': 1}\n", "1.0").route("$default")
    assert requests.get(api.stage().url("/")).status_code == 500


def test_bodies_that_are_no_text(fresh):
    api = Api(fresh).route("$default").stage()
    event = requests.post(api.url("/"), data=b"\x00\xff", headers={"Content-Type": "image/png"}).json()
    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)


def test_failures(fresh):
    api = Api(fresh, "def handler(event, context):\n    raise ValueError()\n").route("$default").stage()
    internal = (500, '{"message":"Internal Server Error"}')

    def get():
        found = requests.get(api.url("/"))
        return found.status_code, found.text

    assert get() == internal
    fresh.client.put_function_concurrency(FunctionName=api.function, ReservedConcurrentExecutions=0)
    assert get() == internal and len(fresh.cloud.trace.select("request.throttled")) == 1
    api = Api(fresh, SLEEP, Timeout=60).route("$default").stage()
    before = fresh.cloud.seconds
    assert get() == (503, '{"message":"Service Unavailable"}')
    assert fresh.cloud.seconds - before == pytest.approx(30)


def test_the_functions_policy_decides(fresh):
    api = Api(fresh, permit=False).route("GET /pets/{id}").stage()
    assert requests.get(api.url("/pets/1")).status_code == 500
    api.permit("$default/POST/*", "other")
    assert requests.get(api.url("/pets/1")).status_code == 500
    api.permit("*/*/pets/*", "right")
    assert json.loads(requests.get(api.url("/pets/1")).text)["pathParameters"] == {"id": "1"}


def test_what_is_not_implemented_says_so(fresh):
    api = Api(fresh)
    with pytest.raises(api.client.exceptions.ClientError) as caught:
        api.client.create_stage(ApiId=api.id, StageName="manual")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    api.client.create_route(ApiId=api.id, RouteKey="GET /x", AuthorizationType="AWS_IAM",
                            Target=f"integrations/{api.integration}")
    answer = requests.get(api.stage().url("/x"))
    assert answer.status_code == 501 and "AWS_IAM" in answer.json()["message"]
