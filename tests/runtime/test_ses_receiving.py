"""Mails that SES receives, and the rules they go through."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

PRINTS = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
SAYS = PRINTS + "    return {'disposition': '%s'}\n"
RULE = "arn:aws:ses:eu-west-2:123456789012:receipt-rule-set/set:receipt-rule/"


@pytest.fixture
def ses(fresh):
    ses = boto3.client("ses")
    ses.verify_domain_identity(Domain="tea.example")
    ses.create_receipt_rule_set(RuleSetName="set")
    ses.set_active_receipt_rule_set(RuleSetName="set")
    return ses


def function(lab, source=PRINTS, source_arn=RULE + "*"):
    name = lab.deploy(source)
    if source_arn:
        lab.client.add_permission(
            FunctionName=name, StatementId="ses", Action="lambda:InvokeFunction",
            Principal="ses.amazonaws.com", SourceArn=source_arn, SourceAccount="123456789012")
    return lab.client.get_function_configuration(FunctionName=name)["FunctionArn"]


def rule(*actions, name="one", after=None, **settings):
    boto3.client("ses").create_receipt_rule(
        RuleSetName="set", Rule={"Name": name, "Enabled": True, "Actions": list(actions), **settings},
        **({"After": after} if after else {}))


def to(arn, how=None):
    return {"LambdaAction": {"FunctionArn": arn} | ({"InvocationType": how} if how else {})}


def send(*to, text="hello"):
    boto3.client("ses").send_email(
        Source="ada@tea.example", Destination={"ToAddresses": list(to)},
        Message={"Subject": {"Data": "Tea"}, "Body": {"Text": {"Data": text}}})


def told(lab, arn):
    return [event["Records"][0] for event in lab.printed(arn)]


def test_the_event_field_by_field(fresh, ses):
    arn = function(fresh)
    rule(to(arn), ScanEnabled=True, Recipients=["bob@tea.example"])
    sent = ses.send_email(
        Source="ada@tea.example", Destination={"ToAddresses": ["bob@tea.example"]},
        Message={"Subject": {"Data": "Tea"}, "Body": {"Text": {"Data": "hello"}}})["MessageId"]
    (record,) = told(fresh, arn)
    assert record.keys() == {"eventSource", "eventVersion", "ses"}
    assert (record["eventSource"], record["eventVersion"]) == ("aws:ses", "1.0")
    mail, receipt = record["ses"]["mail"], record["ses"]["receipt"]
    headers = {one["name"]: one["value"] for one in mail.pop("headers")}
    assert headers["Return-Path"] == "<ada@tea.example>" and headers["Subject"] == "Tea"
    assert len(mail.pop("messageId")) == 40
    at = mail.pop("timestamp")
    assert at == receipt.pop("timestamp") and at.startswith("2020-03-02T09:00:00")
    assert mail == {
        "source": "ada@tea.example", "destination": ["bob@tea.example"], "headersTruncated": False,
        "commonHeaders": {"returnPath": "ada@tea.example", "from": ["ada@tea.example"],
                          "date": headers["Date"], "to": ["bob@tea.example"],
                          "messageId": f"<{sent}@eu-west-2.amazonses.com>", "subject": "Tea"}}
    passed = {"status": "PASS"}
    assert receipt == {
        "processingTimeMillis": 1, "recipients": ["bob@tea.example"], "spamVerdict": passed,
        "virusVerdict": passed, "spfVerdict": passed, "dkimVerdict": passed,
        "dmarcVerdict": {"status": "GRAY"},
        "action": {"type": "Lambda", "functionArn": arn, "invocationType": "Event"}}


@pytest.mark.parametrize(("wanted", "taken"), [
    ("bob@tea.example", ["bob@tea.example"]), ("tea.example", ["bob@tea.example", "eve@tea.example"]),
    (".tea.example", ["bob@eu.tea.example"])])
def test_recipients(fresh, ses, wanted, taken):
    arn = function(fresh)
    rule(to(arn), Recipients=[wanted])
    send("bob@tea.example", "eve@tea.example", "bob@eu.tea.example", "x@other.example")
    (record,) = told(fresh, arn)
    assert record["ses"]["receipt"]["recipients"] == taken
    assert record["ses"]["receipt"]["spamVerdict"] == {"status": "DISABLED"}


@pytest.mark.parametrize(("said", "runs"), [
    ("CONTINUE", (1, 1)), ("STOP_RULE", (0, 1)), ("STOP_RULE_SET", (0, 0))])
def test_a_functions_answer_says_how_it_goes_on(fresh, ses, said, runs):
    asked, then, next_rule = function(fresh, SAYS % said), function(fresh), function(fresh)
    rule(to(asked, "RequestResponse"), to(then))
    rule(to(next_rule), name="two", after="one")
    send("bob@tea.example")
    assert len(told(fresh, asked)) == 1
    assert (len(told(fresh, then)), len(told(fresh, next_rule))) == runs


def test_a_header_a_bucket_and_an_end(fresh, ses):
    s3, arn = boto3.client("s3"), function(fresh)
    s3.create_bucket(Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    write = {"S3Action": {"BucketName": "bkt", "ObjectKeyPrefix": "in/"}}
    with pytest.raises(ClientError) as error:
        rule(write)
    assert error.value.response["Error"]["Code"] == "InvalidS3Configuration"
    s3.put_bucket_policy(Bucket="bkt", Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::bkt/*"}]}))
    rule({"AddHeaderAction": {"HeaderName": "X-Kind", "HeaderValue": "tea"}}, write,
         {"StopAction": {"Scope": "RuleSet"}}, to(arn))
    send("bob@tea.example")
    assert told(fresh, arn) == []
    (stored,) = s3.list_objects_v2(Bucket="bkt")["Contents"]
    body = s3.get_object(Bucket="bkt", Key=stored["Key"])["Body"].read().decode()
    assert stored["Key"].startswith("in/") and body.startswith("X-Kind: tea") and "hello" in body


def test_raw_mails_and_those_of_the_second_api_come_in_too(fresh, ses):
    arn = function(fresh)
    rule(to(arn))
    raw = b"From: Ada <ada@tea.example>\r\nTo: Bob <bob@tea.example>\r\nSubject: raw\r\n\r\nhi"
    ses.send_raw_email(RawMessage={"Data": raw})
    boto3.client("sesv2").send_email(
        FromEmailAddress="ada@tea.example", Destination={"ToAddresses": ["bob@tea.example"]},
        Content={"Simple": {"Subject": {"Data": "v2"}, "Body": {"Text": {"Data": "hi"}}}})
    assert sorted(one["ses"]["mail"]["commonHeaders"]["subject"] for one in told(fresh, arn)) == [
        "raw", "v2"]


@pytest.mark.parametrize("settings", [{"Enabled": False}, {"Recipients": ["eve@tea.example"]}])
def test_a_rule_that_is_off_or_for_others(fresh, ses, settings):
    arn = function(fresh)
    rule(to(arn), **settings)
    send("bob@tea.example")
    assert told(fresh, arn) == []


def test_who_may_not_be_invoked_is_refused_and_later_dropped(fresh, ses):
    with pytest.raises(ClientError) as error:
        rule(to(function(fresh, source_arn=RULE + "other")))
    assert error.value.response["Error"]["Code"] == "InvalidLambdaFunction"
    assert error.value.response["Error"]["Message"].startswith("Could not invoke Lambda function")
    arn = function(fresh)
    rule(to(arn))
    fresh.client.remove_permission(FunctionName=arn, StatementId="ses")
    send("bob@tea.example")
    assert told(fresh, arn) == []
    (dropped,) = fresh.cloud.trace.select("trigger.dropped")
    assert "policy" in dropped.data["reason"]


def test_other_actions_are_refused(fresh, ses):
    with pytest.raises(ClientError) as error:
        rule({"BounceAction": {"SmtpReplyCode": "550", "Message": "no", "Sender": "ada@tea.example"}})
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
