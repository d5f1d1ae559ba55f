"""Pipelines that have functions do their jobs, and wait for them to call back."""

import io
import json
import zipfile

import boto3
import pytest
from aws_lambda_powertools.utilities import data_classes
from botocore.exceptions import ClientError

CALLS_BACK = """
import boto3, json, time
codepipeline = boto3.client("codepipeline")
def handler(event, context):
    print(json.dumps(event))
    job = event["CodePipeline.job"]
    said = json.loads(job["data"]["actionConfiguration"]["configuration"].get("UserParameters", "{}"))
    if said.get("raises"):
        raise RuntimeError("no luck")
    time.sleep(said.get("seconds", 0))
    if "again" in said and int(job["data"].get("continuationToken", 0)) < said["again"]:
        token = str(int(job["data"].get("continuationToken", 0)) + 1)
        codepipeline.put_job_success_result(jobId=job["id"], continuationToken=token)
    elif "fails" in said:
        codepipeline.put_job_failure_result(jobId=job["id"], failureDetails={
            "type": "JobFailed", "message": said["fails"], "externalExecutionId": context.aws_request_id})
    elif not said.get("silent"):
        codepipeline.put_job_success_result(jobId=job["id"], outputVariables=said.get("variables", {}),
                                            executionDetails={"summary": "done", "percentComplete": 100})
"""
ROLE = "arn:aws:iam::123456789012:role/pipeline"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}]})


def role(*actions):
    iam = boto3.client("iam")
    iam.create_role(RoleName="pipeline", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName="pipeline", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Resource": "*",
            "Action": list(actions) or ["lambda:InvokeFunction", "s3:*", "codecommit:*"]}]}))


def bucket(name, versioned=True):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return s3


def source(**configuration):
    provider = "CodeCommit" if "RepositoryName" in configuration else "S3"
    return {"name": "Source", "actions": [{
        "name": "Fetch", "configuration": configuration, "outputArtifacts": [{"name": "code"}],
        "namespace": "Source", "actionTypeId": {
            "category": "Source", "owner": "AWS", "provider": provider, "version": "1"}}]}


def invoke(function, name="Check", order=1, **said):
    return {"name": name, "runOrder": order, "namespace": f"{name}Variables",
            "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"},
            "configuration": {"FunctionName": function, "UserParameters": json.dumps(said)},
            "inputArtifacts": [{"name": "code"}], "outputArtifacts": []}


def pipeline(*actions, more=(), start=None):
    codepipeline = boto3.client("codepipeline")
    codepipeline.create_pipeline(pipeline={
        "name": "shop", "roleArn": ROLE, "artifactStore": {"type": "S3", "location": "store"},
        "stages": [start or source(S3Bucket="source", S3ObjectKey="code.zip"),
                   {"name": "Test", "actions": list(actions)}, *more]})
    return codepipeline


@pytest.fixture
def ready(fresh):
    """A cloud with a role, a versioned source, an artifact store and a function that calls back."""
    role()
    bucket("source").put_object(Bucket="source", Key="code.zip", Body=b"zip")
    bucket("store", versioned=False)
    fresh.function = fresh.deploy(CALLS_BACK, Timeout=900)
    return fresh


def told(lab):
    return [json.loads(line) for line in lab.log_lines(lab.function) if line.startswith("{")]


def only(codepipeline):
    (one,) = codepipeline.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"]
    return one


def action(codepipeline, stage=1, number=0):
    return codepipeline.get_pipeline_state(name="shop")["stageStates"][stage]["actionStates"][number].get(
        "latestExecution")


def test_a_pipeline_waits_for_its_function_and_goes_on(ready):
    codepipeline = pipeline(invoke(ready.function))
    assert only(codepipeline)["status"] == "InProgress"
    ready.cloud.run_until_idle()
    assert only(codepipeline)["status"] == "Succeeded"
    done = action(codepipeline)
    assert (done["status"], done["summary"], done["percentComplete"]) == ("Succeeded", "done", 100)
    assert ready.cloud.clock.seconds < 60


def test_the_event_field_by_field(ready):
    pipeline(invoke(ready.function, a=1))
    ready.cloud.run_until_idle()
    (event,) = told(ready)
    parsed = data_classes.CodePipelineJobEvent(json.loads(json.dumps(event)))
    assert parsed.decoded_user_parameters == {"a": 1} and parsed.input_bucket_name == "store"
    job = event["CodePipeline.job"]
    assert len(job.pop("id")) == 36
    data = job["data"]
    credentials = data.pop("artifactCredentials")
    assert credentials.keys() == {"accessKeyId", "secretAccessKey", "sessionToken", "expirationTime"}
    (artifact,) = data.pop("inputArtifacts")
    key = artifact["location"]["s3Location"].pop("objectKey")
    assert key.startswith("shop/code/")
    version = boto3.client("s3").head_object(Bucket="source", Key="code.zip")["VersionId"]
    assert artifact == {"location": {"s3Location": {"bucketName": "store"}, "type": "S3"}, "name": "code",
                        "revision": version}
    assert boto3.client("s3").get_object(Bucket="store", Key=key)["Body"].read() == b"zip"
    assert job == {"accountId": "123456789012", "data": {
        "actionConfiguration": {"configuration": {"FunctionName": ready.function,
                                                  "UserParameters": '{"a": 1}'}},
        "outputArtifacts": []}}


def test_a_function_that_never_calls_back_fails_the_action_after_twenty_minutes(ready):
    codepipeline = pipeline(invoke(ready.function, silent=True))
    ready.cloud.run(seconds=19 * 60)
    assert action(codepipeline)["status"] == "InProgress"
    ready.cloud.run_until_idle()
    failed = action(codepipeline)
    assert failed["status"] == "Failed" and failed["errorDetails"]["code"] == "JobFailed"
    assert "failed to return a result" in failed["errorDetails"]["message"]
    assert only(codepipeline)["status"] == "Failed"
    assert 1200 <= failed["lastStatusChange"].timestamp() - only(codepipeline)["startTime"].timestamp() < 1201


def test_a_function_that_raises_is_tried_again_and_the_pipeline_knows_nothing_of_it(ready):
    codepipeline = pipeline(invoke(ready.function, raises=True))
    ready.cloud.run(seconds=10 * 60)
    assert len(told(ready)) == 3 and action(codepipeline)["status"] == "InProgress"
    ready.cloud.run_until_idle()
    assert action(codepipeline)["status"] == "Failed"


def test_a_failure_that_is_reported_fails_the_action_at_once(ready):
    codepipeline = pipeline(invoke(ready.function, fails="bad words"))
    ready.cloud.run_until_idle()
    failed = action(codepipeline)
    assert failed["errorDetails"] == {"code": "JobFailed", "message": "bad words"}
    assert len(failed["externalExecutionId"]) == 36
    assert len(told(ready)) == 1 and ready.cloud.clock.seconds < 60


def test_a_job_that_goes_on_is_called_again_with_its_token(ready):
    codepipeline = pipeline(invoke(ready.function, again=3))
    ready.cloud.run_until_idle()
    jobs = [event["CodePipeline.job"] for event in told(ready)]
    assert [one["data"].get("continuationToken") for one in jobs] == [None, "1", "2", "3"]
    assert len({one["id"] for one in jobs}) == 4
    assert only(codepipeline)["status"] == "Succeeded"


def test_a_job_that_goes_on_for_ever_ends_after_a_day(ready):
    codepipeline = pipeline(invoke(ready.function, again=10**9, seconds=800))
    ready.cloud.run(seconds=23 * 3600)
    assert only(codepipeline)["status"] == "InProgress"
    ready.cloud.run(seconds=2 * 3600)
    assert only(codepipeline)["status"] == "Failed"


def test_a_job_can_be_answered_once(ready):
    codepipeline = pipeline(invoke(ready.function))
    ready.cloud.run_until_idle()
    job = told(ready)[0]["CodePipeline.job"]["id"]
    for call, more in ((codepipeline.put_job_success_result, {}), (codepipeline.put_job_failure_result, {
            "failureDetails": {"type": "JobFailed", "message": "m"}})):
        with pytest.raises(ClientError) as refused:
            call(jobId=job, **more)
        assert refused.value.response["Error"]["Code"] == "InvalidJobStateException"
    with pytest.raises(ClientError) as refused:
        codepipeline.put_job_success_result(jobId=job, continuationToken="t", outputVariables={"a": "b"})
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError) as refused:
        codepipeline.put_job_success_result(jobId="0" * 8 + "-0000-0000-0000-" + "0" * 12)
    assert refused.value.response["Error"]["Code"] == "JobNotFoundException"
    details = codepipeline.get_job_details(jobId=job)["jobDetails"]
    assert details["data"]["pipelineContext"]["pipelineName"] == "shop"
    assert "artifactCredentials" not in details["data"]


def test_the_pipelines_role_must_be_allowed(fresh):
    role("s3:*")
    bucket("source").put_object(Bucket="source", Key="code.zip", Body=b"zip")
    bucket("store", versioned=False)
    fresh.function = fresh.deploy(CALLS_BACK)
    codepipeline = pipeline(invoke(fresh.function))
    fresh.cloud.run_until_idle()
    failed = action(codepipeline)["errorDetails"]
    assert failed["code"] == "PermissionError" and "lambda:InvokeFunction" in failed["message"]
    assert [one.data["source"] for one in fresh.cloud.trace if one.kind == "trigger.dropped"] == [
        "codepipeline"]


@pytest.mark.parametrize(("function", "settings", "code"), [
    ("nobody", {}, "ConfigurationError"),
    (None, {"S3Bucket": "store", "S3ObjectKey": "code.zip"}, "ConfigurationError"),
    (None, {"S3Bucket": "source", "S3ObjectKey": "other.zip"}, "ConfigurationError")])
def test_what_is_not_there_fails_an_action(ready, function, settings, code):
    start = source(**settings) if settings else None
    codepipeline = pipeline(invoke(function or ready.function), start=start)
    ready.cloud.run_until_idle()
    failed = action(codepipeline, stage=0 if settings else 1)
    assert failed["status"] == "Failed" and failed["errorDetails"]["code"] == code
    assert only(codepipeline)["status"] == "Failed"


@pytest.mark.parametrize(("change", "reason"), [
    (lambda start: start["actions"][0].update(outputArtifacts=[]), "one output artifact, not 0"),
    (lambda start: start["actions"][0]["configuration"].clear(), "isn't there, or has no versioning")])
def test_a_source_that_is_not_declared_well_fails(ready, change, reason):
    start = source(S3Bucket="source", S3ObjectKey="code.zip")
    change(start)
    codepipeline = pipeline(invoke(ready.function), start=start)
    ready.cloud.run_until_idle()
    failed = action(codepipeline, stage=0)["errorDetails"]
    assert failed["code"] == "ConfigurationError" and reason in failed["message"]


def test_an_artifact_store_that_is_not_there_fails_the_source(ready):
    boto3.client("s3").delete_bucket(Bucket="store")
    codepipeline = pipeline(invoke(ready.function))
    ready.cloud.run_until_idle()
    assert "artifact store store" in action(codepipeline, stage=0)["errorDetails"]["message"]


def test_actions_side_by_side_and_one_after_another(ready):
    codepipeline = pipeline(
        invoke(ready.function, "One"), invoke(ready.function, "Two", fails="no"),
        invoke(ready.function, "Later", 2), more=[{"name": "Deploy", "actions": [
            invoke(ready.function, "Never")]}])
    ready.cloud.run_until_idle()
    stages = codepipeline.get_pipeline_state(name="shop")["stageStates"]
    assert [one.get("latestExecution", {}).get("status") for one in stages] == ["Succeeded", "Failed", None]
    assert [one.get("latestExecution", {}).get("status") for one in stages[1]["actionStates"]] == [
        "Succeeded", "Failed", None]
    done = codepipeline.list_action_executions(pipelineName="shop")["actionExecutionDetails"]
    assert {(one["actionName"], one["status"]) for one in done} == {
        ("Fetch", "Succeeded"), ("One", "Succeeded"), ("Two", "Failed")}


def test_variables_reach_later_actions(ready):
    later = invoke(ready.function, "Later", 2)
    later["configuration"]["UserParameters"] = json.dumps({
        "x": "#{CheckVariables.answer}", "key": "#{Source.ObjectKey}",
        "id": "#{codepipeline.PipelineExecutionId}"})
    codepipeline = pipeline(invoke(ready.function, variables={"answer": "42"}), later)
    ready.cloud.run_until_idle()
    said = told(ready)[1]["CodePipeline.job"]["data"]["actionConfiguration"]["configuration"]
    assert json.loads(said["UserParameters"]) == {
        "x": "42", "key": "code.zip", "id": only(codepipeline)["pipelineExecutionId"]}


def test_a_repository_is_a_source(ready):
    codecommit = boto3.client("codecommit")
    codecommit.create_repository(repositoryName="shop")
    commit = codecommit.put_file(repositoryName="shop", branchName="main", filePath="src/a.py",
                                 fileContent=b"print()")["commitId"]
    codepipeline = pipeline(invoke(ready.function),
                            start=source(RepositoryName="shop", BranchName="main"))
    ready.cloud.run_until_idle()
    (artifact,) = told(ready)[0]["CodePipeline.job"]["data"]["inputArtifacts"]
    place = artifact["location"]["s3Location"]
    body = boto3.client("s3").get_object(Bucket=place["bucketName"], Key=place["objectKey"])["Body"].read()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.read("src/a.py") == b"print()"
    # As a handler reads it, with the credentials of its job.
    assert data_classes.CodePipelineJobEvent(told(ready)[0]).get_artifact("code", "src/a.py") == "print()"
    execution = codepipeline.get_pipeline_execution(
        pipelineName="shop", pipelineExecutionId=only(codepipeline)["pipelineExecutionId"])
    assert execution["pipelineExecution"]["artifactRevisions"] == [{"name": "code", "revisionId": commit}]


def test_its_states_come_on_the_default_bus(ready):
    events, sqs = boto3.client("events"), boto3.client("sqs")
    url = sqs.create_queue(QueueName="states")["QueueUrl"]
    arn = "arn:aws:sqs:eu-west-2:123456789012:states"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": arn}]})})
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["aws.codepipeline"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": arn}])
    codepipeline = pipeline(invoke(ready.function))
    ready.cloud.run_until_idle()
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(one["Body"]) for one in messages]
    assert sorted((one["detail-type"].split()[1], one["detail"]["state"]) for one in found) == sorted(
        [("Pipeline", "STARTED"), ("Pipeline", "SUCCEEDED"), *[("Stage", "STARTED")] * 2,
         *[("Stage", "SUCCEEDED")] * 2, *[("Action", "STARTED")] * 2, *[("Action", "SUCCEEDED")] * 2])
    one = next(one for one in found if one["detail"].get("action") == "Check")
    assert one["resources"] == ["arn:aws:codepipeline:eu-west-2:123456789012:shop"]
    assert one["detail"] == {
        "pipeline": "shop", "execution-id": only(codepipeline)["pipelineExecutionId"], "stage": "Test",
        "action": "Check", "state": one["detail"]["state"], "version": 1.0,
        "type": {"owner": "AWS", "category": "Invoke", "provider": "Lambda", "version": "1"}}


def test_a_later_execution_supersedes_one_that_waits(ready):
    codepipeline = pipeline(invoke(ready.function, silent=True))
    ready.cloud.run(seconds=5)
    later = []
    for _ in range(2):
        later.append(codepipeline.start_pipeline_execution(name="shop")["pipelineExecutionId"])
        ready.cloud.run(seconds=5)
    ready.cloud.run_until_idle()
    found = {one["pipelineExecutionId"]: one["status"] for one in codepipeline.list_pipeline_executions(
        pipelineName="shop")["pipelineExecutionSummaries"]}
    assert [found[one] for one in later] == ["Superseded", "Failed"]
    assert len(told(ready)) == 2


def test_the_same_request_twice_starts_one(ready):
    codepipeline = pipeline(invoke(ready.function))
    ready.cloud.run_until_idle()
    ids = {codepipeline.start_pipeline_execution(name="shop", clientRequestToken="t")["pipelineExecutionId"]
           for _ in range(2)}
    assert len(ids) == 1


def test_a_change_of_the_pipeline_cancels_what_runs(ready):
    codepipeline = pipeline(invoke(ready.function, silent=True))
    ready.cloud.run(seconds=5)
    changed = codepipeline.get_pipeline(name="shop")["pipeline"]
    changed["stages"][1]["actions"][0]["configuration"]["UserParameters"] = "{}"
    codepipeline.update_pipeline(pipeline=changed)
    ready.cloud.run_until_idle()
    assert only(codepipeline)["status"] == "Cancelled" and ready.cloud.clock.seconds < 60
    codepipeline.start_pipeline_execution(name="shop")
    ready.cloud.run_until_idle()
    assert action(codepipeline)["status"] == "Succeeded"


def test_a_pipeline_with_other_actions_can_be_made_and_not_started(ready):
    build = invoke(ready.function)
    build["actionTypeId"] |= {"category": "Build", "provider": "CodeBuild"}
    codepipeline = pipeline(build)
    assert codepipeline.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"] == []
    with pytest.raises(ClientError, match="Build actions by CodeBuild"):
        codepipeline.start_pipeline_execution(name="shop")
