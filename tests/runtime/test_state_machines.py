"""State machines whose tasks are functions, on the clock."""

import datetime
import json

import boto3
import pytest

from minilambda import Cloud

from .conftest import Lab

ADD = "def handler(event, context):\n    return {'n': event['n'] + 1}\n"
SLOW = "import time\n\ndef handler(event, context):\n    time.sleep(event['s'])\n    return event['s']\n"
FAIL = "def handler(event, context):\n    raise ValueError('no ' + event['what'])\n"


class Machines:
    def __init__(self, lab):
        self.lab, self.client, self.count = lab, boto3.client("stepfunctions"), 0

    def arn(self, source, **options):
        return self.lab.client.get_function(FunctionName=self.lab.deploy(source, **options))[
            "Configuration"]["FunctionArn"]

    def start(self, states, value=None, **options):
        self.count += 1
        machine = self.client.create_state_machine(
            name=f"machine-{self.count}", roleArn=self.lab.role, definition=json.dumps(
                {"StartAt": next(iter(states)), "States": states} | options))["stateMachineArn"]
        return self.client.start_execution(stateMachineArn=machine, input=json.dumps(value or {}))[
            "executionArn"]

    def describe(self, execution):
        found = self.client.describe_execution(executionArn=execution)
        return found["status"], json.loads(found["output"]) if "output" in found else (
            found.get("error"), found.get("cause"))

    def run(self, states, value=None, **options):
        execution = self.start(states, value, **options)
        self.lab.cloud.run_until_idle()
        return self.describe(execution)

    def history(self, execution):
        """Kinds of events and the seconds at which they happened."""
        start = self.lab.cloud.clock.start
        return [(event["type"], (event["timestamp"] - start) / datetime.timedelta(seconds=1))
                for event in self.client.get_execution_history(executionArn=execution)["events"]]

    def execution(self):
        machines = self.client.list_state_machines()["stateMachines"]
        return self.client.list_executions(
            stateMachineArn=machines[-1]["stateMachineArn"])["executions"][0]["executionArn"]


@pytest.fixture
def machines(fresh):
    return Machines(fresh)


def task(resource, **more):
    return {"Type": "Task", "Resource": resource, "End": True} | more


def invoke(arn, **more):
    return task("arn:aws:states:::lambda:invoke",
                Parameters={"FunctionName": arn, "Payload.$": "$"}, **more)


def test_tasks_and_waits_take_the_clouds_time(machines, fresh):
    arn = machines.arn(ADD)
    execution = machines.start({
        "First": {"Type": "Task", "Resource": arn, "Next": "Pause"},
        "Pause": {"Type": "Wait", "Seconds": 3600, "Next": "Second"}, "Second": invoke(arn)}, {"n": 1})
    assert machines.describe(execution)[0] == "RUNNING"
    assert fresh.cloud.seconds == 0 and not fresh.cloud.trace.select("request.accepted")
    fresh.cloud.run(seconds=60)
    assert len(fresh.cloud.trace.select("invoke.ended")) == 1
    fresh.cloud.run_until_idle()
    assert machines.describe(execution) == (
        "SUCCEEDED", {"ExecutedVersion": "$LATEST", "Payload": {"n": 3}, "StatusCode": 200})
    at = dict(machines.history(execution))
    assert at["WaitStateExited"] - at["WaitStateEntered"] == pytest.approx(3600)
    assert 3600 < fresh.cloud.seconds < 3601


def test_a_wait_until(machines, fresh):
    assert machines.run({"Pause": {"Type": "Wait", "Timestamp": "2020-03-02T10:30:00Z", "End": True}}
                        )[0] == "SUCCEEDED"
    assert fresh.cloud.seconds == 5400


@pytest.mark.parametrize("kind", [task, invoke])
def test_retries_back_off_on_the_clock(machines, fresh, kind):
    name = fresh.deploy(ADD)
    fresh.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    arn = f"arn:aws:lambda:eu-west-2:123456789012:function:{name}"
    status, (error, cause) = machines.run({"Add": kind(arn, Retry=[{
        "ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 2,
        "BackoffRate": 2, "MaxAttempts": 3}])}, {"n": 1})
    assert (status, error) == ("FAILED", "Lambda.TooManyRequestsException")
    throttled = fresh.cloud.trace.select("request.throttled")
    assert [event.at for event in throttled] == [0, 2, 6, 14]
    assert cause == ("Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: "
                     f"TooManyRequestsException; Request ID: {throttled[-1]['request_id']}; "
                     "Proxy: null)")


@pytest.mark.parametrize("kind", [task, invoke])
def test_an_error_is_caught_by_its_type(machines, kind):
    caught = machines.run({
        "Try": kind(machines.arn(FAIL), Catch=[
            {"ErrorEquals": ["KeyError"], "Next": "Other"},
            {"ErrorEquals": ["ValueError"], "ResultPath": "$.error", "Next": "Handled"}]),
        "Other": {"Type": "Fail"}, "Handled": {"Type": "Pass", "End": True}}, {"what": "way"})
    assert caught[0] == "SUCCEEDED" and caught[1]["error"]["Error"] == "ValueError"
    assert json.loads(caught[1]["error"]["Cause"])["errorMessage"] == "no way"


@pytest.mark.parametrize("kind", [task, invoke])
def test_an_error_without_a_type_is_unknown(machines, kind):
    """A function that times out, as it was reported in 2020."""
    status, (error, cause) = machines.run({"Slow": kind(machines.arn(SLOW))}, {"s": 10})
    assert (status, error) == ("FAILED", "Lambda.Unknown")
    assert cause.startswith("The cause could not be determined because Lambda did not return an "
                            'error type. Returned payload: {"errorMessage":"2020-')
    assert "Task timed out after 3." in cause


def test_a_function_that_is_not_there(machines):
    status, (error, cause) = machines.run({"Gone": invoke("nobody")})
    assert (status, error) == ("FAILED", "Lambda.ResourceNotFoundException")
    assert cause.startswith("Function not found: arn:aws:lambda:eu-west-2:123456789012:function:nobody")


def test_a_task_may_be_given_less_time_than_its_function(machines, fresh):
    status, (error, _) = machines.run({"Slow": task(machines.arn(SLOW, Timeout=60), TimeoutSeconds=5)},
                                      {"s": 20})
    assert (status, error) == ("FAILED", "States.Timeout")
    at = dict(machines.history(machines.execution()))
    assert at["ExecutionFailed"] == 5
    assert 20 < fresh.cloud.trace.select("invoke.ended")[0].at < 21  # the function went on


def test_branches_run_side_by_side(machines, fresh):
    arn = machines.arn(SLOW, Timeout=60)
    branch = [{"StartAt": "Sleep", "States": {"Sleep": task(
        arn, Parameters={"s": seconds})}} for seconds in (7, 3, 5)]
    assert machines.run({"Both": {"Type": "Parallel", "Branches": branch, "End": True}}) == (
        "SUCCEEDED", [7, 3, 5])
    assert 7 < fresh.cloud.seconds < 8
    assert len(fresh.environments("function-1")) == 3


def test_a_map_has_as_many_at_once_as_it_says(machines, fresh):
    arn = machines.arn(SLOW)
    assert machines.run({"Each": {
        "Type": "Map", "MaxConcurrency": 2, "End": True, "ItemsPath": "$.items",
        "ItemProcessor": {"StartAt": "Sleep", "States": {"Sleep": task(arn)}}}},
        {"items": [{"s": 1}, {"s": 2}, {"s": 1}]}) == ("SUCCEEDED", [1, 2, 1])
    assert 2 < fresh.cloud.seconds < 3 and len(fresh.environments("function-1")) == 2


def test_a_choice(machines):
    states = {"Big": {"Type": "Choice", "Default": "No", "Choices": [
        {"Variable": "$.n", "NumericGreaterThan": 10, "Next": "Yes"}]},
        "Yes": {"Type": "Succeed"}, "No": {"Type": "Fail", "Error": "Small", "Cause": "it is"}}
    assert machines.run(states, {"n": 11}) == ("SUCCEEDED", {"n": 11})
    assert machines.run(states, {"n": 9}) == ("FAILED", ("Small", "it is"))


def test_a_function_answers_by_a_task_token(machines, fresh):
    """The function gives the token away; whoever has it says how the task ended."""
    arn = machines.arn("""
        import boto3

        def handler(event, context):
            boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody=event["token"])
    """)
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="tokens")["QueueUrl"]
    execution = machines.start({"Ask": task(
        "arn:aws:states:::lambda:invoke.waitForTaskToken",
        Parameters={"FunctionName": arn, "Payload": {"queue": queue, "token.$": "$$.Task.Token"}})})
    fresh.cloud.run(seconds=100)
    assert machines.describe(execution)[0] == "RUNNING"
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    machines.client.send_task_success(taskToken=message["Body"], output='{"yes": true}')
    fresh.cloud.run_until_idle()
    assert machines.describe(execution) == ("SUCCEEDED", {"yes": True})
    assert fresh.cloud.seconds == 100


def test_an_execution_that_is_stopped(machines, fresh):
    execution = machines.start({"Pause": {"Type": "Wait", "Seconds": 60, "End": True}})
    fresh.cloud.run(seconds=10)
    machines.client.stop_execution(executionArn=execution, error="E", cause="C")
    fresh.cloud.run_until_idle()
    assert machines.describe(execution)[0] == "ABORTED"
    assert machines.history(execution)[-1] == ("ExecutionAborted", 10)


def test_what_is_not_implemented_fails_the_execution_and_says_so(machines):
    for resource, parameters in (
            ("arn:aws:states:::aws-sdk:lambda:listFunctions", {}),
            ("arn:aws:states:::apigateway:invoke", {"ApiEndpoint": "x", "Method": "GET"})):
        status, (error, cause) = machines.run({"Call": task(resource, Parameters=parameters)})
        assert status == "FAILED" and "minilambda doesn't implement" in cause, cause


def test_a_name_is_used_once(machines):
    machine = machines.client.create_state_machine(
        name="m", roleArn=machines.lab.role, definition=json.dumps(
            {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}))["stateMachineArn"]
    first = machines.client.start_execution(stateMachineArn=machine, name="once", input="{}")
    machines.lab.cloud.run_until_idle()
    assert first["executionArn"].endswith(":execution:m:once")
    with pytest.raises(machines.client.exceptions.ExecutionAlreadyExists):
        machines.client.start_execution(stateMachineArn=machine, name="once", input='{"a": 1}')


def test_a_cloud_that_is_closed_in_the_middle(capfd):
    with Cloud(durations="modelled") as cloud:
        machines = Machines(Lab(cloud))
        machines.start({"Pause": {"Type": "Wait", "Seconds": 60, "End": True}})
        cloud.run(seconds=1)
    assert capfd.readouterr().err == ""
    with Cloud(durations="modelled") as cloud:  # and the next one runs its own
        machines = Machines(Lab(cloud))
        assert machines.run({"Pause": {"Type": "Wait", "Seconds": 60, "End": True}})[0] == "SUCCEEDED"
        assert cloud.seconds == 60


def test_one_seed_one_story():
    def story():
        with Cloud(durations="modelled", seed=5) as cloud:
            machines = Machines(Lab(cloud))
            arn = machines.arn(SLOW)
            retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 5, "MaxAttempts": 2,
                      "JitterStrategy": "FULL"}]
            execution = machines.start({"Each": {
                "Type": "Map", "End": True, "ItemsPath": "$.items", "ItemProcessor": {
                    "StartAt": "Sleep", "States": {"Sleep": task(arn, Retry=retry, Catch=[
                        {"ErrorEquals": ["States.ALL"], "Next": "P"}]),
                        "P": {"Type": "Pass", "End": True}}}}},
                {"items": [{"s": s} for s in (1, 1, 9, 1, 9)]})
            cloud.run_until_idle()
            return (execution, machines.describe(execution), machines.history(execution),
                    [(e.at, e.kind, e.environment, dict(e.data)) for e in cloud.trace])

    first = story()
    assert first[1][0] == "SUCCEEDED" and first == story()
