"""A user pool's triggers, pulled by what boto3 asks of Cognito."""

import base64
import json

import boto3
import pytest
from botocore.exceptions import ClientError

from minilambda import Cloud

from .conftest import Lab

ECHO = "import json\n\ndef handler(event, context):\n    print(json.dumps(event))\n    return event\n"


class Pool:
    def __init__(self, lab, permit=True, **triggers):
        self.lab, self.client = lab, boto3.client("cognito-idp")
        self.functions = {name: lab.deploy(source, name=name, Timeout=20)
                          for name, source in triggers.items()}
        arns = {name: f"arn:aws:lambda:eu-west-2:123456789012:function:{name}"
                for name in self.functions}
        pool = self.client.create_user_pool(PoolName="people", LambdaConfig=arns)["UserPool"]
        self.id, self.arn = pool["Id"], pool["Arn"]
        self.app = self.client.create_user_pool_client(
            UserPoolId=self.id, ClientName="app", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])[
            "UserPoolClient"]["ClientId"]
        for name in self.functions if permit else ():
            lab.client.add_permission(
                FunctionName=name, StatementId="cognito", Action="lambda:InvokeFunction",
                Principal="cognito-idp.amazonaws.com", SourceArn=self.arn)

    def sign_up(self, **options):
        return self.client.sign_up(
            ClientId=self.app, Username="ada", Password="Passw0rd!", UserAttributes=[
                {"Name": "email", "Value": "ada@example.com"}], **options)

    def confirm(self):
        self.client.confirm_sign_up(ClientId=self.app, Username="ada", ConfirmationCode="1")

    def sign_in(self, password="Passw0rd!", **options):
        return self.client.initiate_auth(
            ClientId=self.app, AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "ada", "PASSWORD": password}, **options)

    def attributes(self):
        return {a["Name"]: a["Value"] for a in self.client.admin_get_user(
            UserPoolId=self.id, Username="ada")["UserAttributes"]}

    def heard(self, function):
        """The events that an echo was given."""
        return [json.loads(line) for line in self.lab.log_lines(function) if line[0] == "{"]

    def event(self, source, request, response, client=None):
        return {"version": "1", "region": "eu-west-2", "userPoolId": self.id, "userName": "ada",
                "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown",
                                  "clientId": client or self.app},
                "triggerSource": source, "request": request, "response": response}


def claims(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def failure(call, *args, **kwargs):
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_users_life_pulls_the_triggers_in_order(fresh):
    pool = Pool(fresh, **dict.fromkeys((
        "PreSignUp", "PostConfirmation", "PreAuthentication", "PostAuthentication",
        "PreTokenGeneration"), ECHO))
    sub = pool.sign_up(ValidationData=[{"Name": "code", "Value": "7"}],
                       ClientMetadata={"via": "web"})["UserSub"]
    assert pool.heard("PreSignUp") == [pool.event(
        "PreSignUp_SignUp", {"userAttributes": {"email": "ada@example.com"},
                             "validationData": {"code": "7"}, "clientMetadata": {"via": "web"}},
        {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False})]
    pool.confirm()
    user = {"email": "ada@example.com", "sub": sub, "cognito:user_status": "CONFIRMED"}
    assert pool.heard("PostConfirmation") == [pool.event(
        "PostConfirmation_ConfirmSignUp", {"userAttributes": user}, {})]
    tokens = pool.sign_in()["AuthenticationResult"]
    assert pool.heard("PreAuthentication") == [pool.event(
        "PreAuthentication_Authentication", {"userAttributes": user}, {})]
    assert pool.heard("PostAuthentication") == [pool.event(
        "PostAuthentication_Authentication", {"userAttributes": user, "newDeviceUsed": False}, {})]
    assert pool.heard("PreTokenGeneration") == [pool.event(
        "TokenGeneration_Authentication", {"userAttributes": user, "groupConfiguration": {
            "groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": None}},
        {"claimsOverrideDetails": None})]
    pool.client.initiate_auth(ClientId=pool.app, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={
        "REFRESH_TOKEN": tokens["RefreshToken"]})
    assert [event["triggerSource"] for event in pool.heard("PreTokenGeneration")] == [
        "TokenGeneration_Authentication", "TokenGeneration_RefreshTokens"]
    order = [event.function for event in fresh.cloud.trace.select("invoke.ended")]
    assert order == ["PreSignUp", "PostConfirmation", "PreAuthentication", "PreTokenGeneration",
                     "PostAuthentication", "PreTokenGeneration"]


def test_a_function_may_confirm_and_verify(fresh):
    pool = Pool(fresh, PreSignUp="""
        def handler(event, context):
            event["response"] |= {"autoConfirmUser": True, "autoVerifyEmail": True}
            return event
    """, PostConfirmation=ECHO)
    assert pool.sign_up()["UserConfirmed"] is True
    assert pool.attributes()["email_verified"] == "true"
    assert len(pool.heard("PostConfirmation")) == 1
    assert "AuthenticationResult" in pool.sign_in()


def test_a_function_that_raises_refuses_the_user(fresh):
    refuses = "def handler(event, context):\n    raise Exception('not from there')\n"
    pool = Pool(fresh, PreSignUp=refuses)
    assert failure(pool.sign_up) == ("UserLambdaValidationException",
                                     "PreSignUp failed with error not from there.")
    assert pool.client.list_users(UserPoolId=pool.id)["Users"] == []
    assert failure(pool.client.admin_create_user, UserPoolId=pool.id, Username="ada")[0] == (
        "UserLambdaValidationException")


def test_who_may_not_sign_in(fresh):
    pool = Pool(fresh, PreAuthentication="""
        def handler(event, context):
            raise Exception("closed on Mondays")
    """)
    pool.sign_up()
    pool.confirm()
    for password in ("Passw0rd!", "wrong"):  # it is asked before the password is looked at
        assert failure(pool.sign_in, password) == (
            "UserLambdaValidationException", "PreAuthentication failed with error closed on Mondays.")


def test_claims_of_the_id_token(fresh):
    pool = Pool(fresh, PreTokenGeneration="""
        def handler(event, context):
            event["response"] = {"claimsOverrideDetails": {
                "claimsToAddOrOverride": {"tier": "gold", "sub": "forged"},
                "claimsToSuppress": ["origin_jti"],
                "groupOverrideDetails": {"groupsToOverride": ["staff"]}}}
            return event
    """)
    pool.sign_up()
    pool.confirm()
    result = pool.sign_in()["AuthenticationResult"]
    found = claims(result["IdToken"])
    assert found["tier"] == "gold" and found["cognito:groups"] == ["staff"]
    assert found["sub"] == pool.attributes()["sub"] and "origin_jti" in found
    assert "tier" not in claims(result["AccessToken"])


def test_five_seconds_are_all_that_a_function_has(fresh):
    pool = Pool(fresh, PreSignUp="import time\n\ndef handler(event, context):\n    time.sleep(7)\n")
    assert failure(pool.sign_up) == (
        "UnexpectedLambdaException", "PreSignUp invocation failed due to error Socket timeout while "
        "invoking Lambda function.")
    assert fresh.cloud.seconds == 5.0
    fresh.cloud.run_until_idle()
    assert fresh.cloud.trace.select("invoke.ended")[0]["status"] == "success"


@pytest.mark.parametrize("result", ["None", "'yes'", "{}", "[1]"])
def test_an_answer_that_is_no_event(fresh, result):
    pool = Pool(fresh, PreSignUp=f"def handler(event, context):\n    return {result}\n")
    assert failure(pool.sign_up) == ("InvalidLambdaResponseException", "Unrecognizable lambda output")


def test_a_function_that_can_not_be_invoked(fresh):
    pool = Pool(fresh, permit=False, PreSignUp=ECHO)
    assert failure(pool.sign_up) == (
        "UnexpectedLambdaException", "PreSignUp invocation failed due to error AccessDeniedException.")
    assert not fresh.cloud.trace.select("request.accepted")
    fresh.client.add_permission(FunctionName="PreSignUp", StatementId="c", SourceArn=pool.arn,
                                Action="lambda:InvokeFunction", Principal="cognito-idp.amazonaws.com")
    fresh.client.put_function_concurrency(FunctionName="PreSignUp", ReservedConcurrentExecutions=0)
    assert failure(pool.sign_up) == (
        "UnexpectedLambdaException", "PreSignUp invocation failed due to error "
        "TooManyRequestsException.")


def test_triggers_that_are_not_there_are_refused(fresh):
    with pytest.raises(ClientError) as caught:
        Pool(fresh, CustomMessage=ECHO)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_pool_without_triggers_is_as_ever():
    with Cloud(durations="modelled") as cloud:
        pool = Pool(Lab(cloud))
        pool.sign_up()
        pool.confirm()
        assert "AuthenticationResult" in pool.sign_in()
        assert not list(cloud.trace)
