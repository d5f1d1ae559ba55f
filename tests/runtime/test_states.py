"""Function states: Pending at first, updates in progress, waiters that let the time pass."""

import subprocess

import pytest
from botocore.exceptions import ClientError

from minilambda import Cloud
from minilambda.model import Model

from .conftest import Lab

ONE, TWO = "def handler(e, c): return 1\n", "def handler(e, c): return 2\n"
CREATION, UPDATE = Model.load().creation_seconds, Model.load().update_seconds
CREATING = {"StateReason": "The function is being created.", "StateReasonCode": "Creating"}
PENDING = ("The operation cannot be performed at this time. The function is currently in the "
           "following state: Pending")


@pytest.fixture
def cloud():
    with Cloud(durations="modelled", limits="today") as cloud:
        yield cloud


@pytest.fixture
def lab(cloud):
    return Lab(cloud)


def create(lab, name="f", source=ONE, **options):
    return lab.client.create_function(
        FunctionName=name, Runtime="python3.8", Role=lab.role, Handler="app.handler",
        Code={"ZipFile": lab.archive(source)}, **options)


def states(found):
    return {name: value for name, value in found.items()
            if name.startswith("State") or name.startswith("LastUpdate")}


def conflict(call, *arguments, **options):
    with pytest.raises(ClientError) as refused:
        call(*arguments, **options)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert refused.value.response["Error"]["Code"] == "ResourceConflictException"
    assert refused.value.response["Type"] == "User"
    return refused.value.response["Error"]["Message"]


def test_a_new_function_is_pending_until_the_modelled_time_has_passed(cloud, lab):
    assert states(create(lab)) == {"State": "Pending", **CREATING}
    cloud.run(seconds=CREATION - 0.001)
    assert conflict(lab.client.invoke, FunctionName="f") == PENDING
    cloud.run(seconds=0.001)
    assert states(lab.client.get_function(FunctionName="f")["Configuration"]) == {
        "State": "Active", "LastUpdateStatus": "Successful"}
    assert lab.invoke("f").value == 1


def test_what_fails_while_it_is_pending_and_what_doesn_t(lab):
    arn = create(lab)["FunctionArn"]
    for call, options in (
            (lab.client.invoke, {}), (lab.client.invoke, {"InvocationType": "DryRun"}),
            (lab.client.update_function_code, {"ZipFile": lab.archive(TWO)}),
            (lab.client.update_function_configuration, {"Timeout": 9}),
            (lab.client.publish_version, {})):
        assert conflict(call, FunctionName="f", **options) == PENDING
    lab.client.create_alias(FunctionName="f", Name="live", FunctionVersion="$LATEST")
    lab.client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=5)
    assert conflict(lab.client.invoke, FunctionName="f", Qualifier="live") == PENDING
    assert "State" not in lab.client.list_functions()["Functions"][0]
    assert lab.client.list_tags(Resource=arn)["Tags"] == {}
    lab.client.delete_function(FunctionName="f")


def test_until_an_update_has_ended_the_function_runs_as_it_was(cloud, lab):
    name = lab.deploy(ONE)
    assert lab.invoke(name).value == 1
    before = lab.client.get_function_configuration(FunctionName=name)
    changed = lab.client.update_function_code(FunctionName=name, ZipFile=lab.archive(TWO))
    began = cloud.seconds
    assert states(changed) == {"State": "Active", "LastUpdateStatus": "InProgress",
                               "LastUpdateStatusReason": CREATING["StateReason"],
                               "LastUpdateStatusReasonCode": "Creating"}
    assert changed["CodeSha256"] != before["CodeSha256"]
    arn = changed["FunctionArn"]
    for call, options in (
            (lab.client.update_function_code, {"ZipFile": lab.archive(ONE)}),
            (lab.client.update_function_configuration, {"Timeout": 9}),
            (lab.client.publish_version, {})):
        assert conflict(call, FunctionName=name, **options) == (
            "The operation cannot be performed at this time. An update is in progress for "
            f"resource: {arn}")
    assert "An update is in progress" in conflict(
        lab.client.tag_resource, Resource=arn, Tags={"a": "b"})
    assert lab.invoke(name).value == 1 and len(lab.environments(name)) == 1
    cloud.run(seconds=began + UPDATE - cloud.seconds)
    assert lab.invoke(name).value == 2 and len(lab.environments(name)) == 2
    ended = cloud.trace.select("environment.shutdown", function=name)
    assert [(event.at, event["reason"]) for event in ended] == [(began + UPDATE, "configuration")]


@pytest.mark.parametrize("waiter", ["function_active", "function_active_v2", "function_exists",
                                    "function_updated", "function_updated_v2"])
def test_boto3_s_waiters_pass_time_on_the_cloud_s_clock(cloud, lab, waiter):
    create(lab)
    lab.client.get_waiter("function_exists").wait(FunctionName="f")
    lab.client.get_waiter("function_active_v2").wait(FunctionName="f")
    assert lab.invoke("f").value == 1
    lab.client.update_function_code(FunctionName="f", ZipFile=lab.archive(TWO))
    lab.client.get_waiter(waiter).wait(FunctionName="f")
    if "updated" in waiter:
        assert lab.invoke("f").value == 2
    assert cloud.seconds < 20


def test_a_waiter_s_sleep_is_not_a_real_one(cloud, lab):
    create(lab)
    lab.client.get_waiter("function_active").wait(FunctionName="f")
    assert cloud.seconds == 1 + 5  # one poll that found it Pending, one sleep


def test_the_same_waits_take_the_same_time_in_every_run():
    def tell():
        with Cloud(durations="modelled", limits="today", seed=4) as cloud:
            lab = Lab(cloud)
            create(lab)
            lab.client.get_waiter("function_active").wait(FunctionName="f")
            lab.invoke("f")
            lab.client.publish_version(FunctionName="f")
            lab.client.get_waiter("published_version_active").wait(FunctionName="f", Qualifier="1")
            lab.invoke("f", Qualifier="1")
            return list(cloud.trace), cloud.seconds

    assert tell() == tell()


def test_versions_have_states_of_their_own(cloud, lab):
    name = lab.deploy(ONE)
    version = lab.client.publish_version(FunctionName=name)
    assert states(version) == {"State": "Pending", **CREATING}
    assert conflict(lab.client.invoke, FunctionName=name, Qualifier="1") == PENDING
    assert lab.invoke(name).value == 1
    lab.client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1")
    assert lab.invoke(name, Qualifier="1").value == 1
    again = lab.client.publish_version(FunctionName=name)  # nothing has changed: the same one
    assert again["Version"] == "1" and states(again)["State"] == "Active"
    assert states(lab.client.get_function(FunctionName=name)["Configuration"])["State"] == "Active"


def test_created_and_updated_with_a_version_at_once(cloud, lab):
    made = create(lab, Publish=True)
    assert made["Version"] == "1" and states(made) == {"State": "Pending", **CREATING}
    cloud.run_until_idle()
    assert lab.invoke("f", Qualifier="1").value == 1
    made = lab.client.update_function_code(FunctionName="f", ZipFile=lab.archive(TWO), Publish=True)
    assert made["Version"] == "2" and made["State"] == "Pending"
    cloud.run_until_idle()  # what is in progress is something that goes on
    assert [lab.invoke("f", Qualifier=q).value for q in ("1", "2", "$LATEST")] == [1, 2, 2]


def test_a_function_of_the_same_name_starts_anew(cloud, lab):
    create(lab)
    cloud.run(seconds=CREATION / 2)
    lab.client.delete_function(FunctionName="f")
    create(lab, source=TWO)
    cloud.run(seconds=CREATION / 2)
    assert conflict(lab.client.invoke, FunctionName="f") == PENDING
    cloud.run(seconds=CREATION / 2)
    lab.client.update_function_code(FunctionName="f", ZipFile=lab.archive(ONE))
    lab.client.delete_function(FunctionName="f")
    create(lab, source=TWO)
    cloud.run_until_idle()
    assert lab.invoke("f").value == 2


def test_a_handler_waits_on_its_own_time(cloud, lab):
    """Its waiter sleeps as all its code does, and its polls take what any call takes."""
    lab.client.get_waiter("function_active_v2").wait(FunctionName=lab.deploy(ONE, name="other"))
    name = lab.deploy("""
        import boto3, time
        client = boto3.client("lambda")
        def handler(event, context):
            began = time.time()
            client.update_function_configuration(FunctionName="other", MemorySize=256)
            client.get_waiter("function_updated_v2").wait(FunctionName="other")
            return time.time() - began
    """, Timeout=60)
    call = Model.load().latency("lambda")
    took = lab.invoke(name).value
    assert took == pytest.approx(1 + 3 * call, abs=2 * call) and took >= UPDATE


def test_the_aws_cli_waits(cloud, lab):
    create(lab)
    for words in ("wait function-active-v2 --function-name f",
                  "update-function-configuration --function-name f --timeout 7",
                  "wait function-updated-v2 --function-name f"):
        subprocess.run(["aws", "lambda", *words.split()], check=True, capture_output=True)
    assert lab.client.get_function_configuration(FunctionName="f")["Timeout"] == 7
    assert lab.invoke("f").value == 1


def test_a_loop_of_one_s_own_ends_too(cloud, lab):
    create(lab)
    polls = 0
    while lab.client.get_function_configuration(FunctionName="f")["State"] == "Pending":
        polls += 1
    assert polls == CREATION  # a second each
    before = cloud.seconds
    lab.client.get_function_configuration(FunctionName="f")  # nothing to wait for: no time passes
    assert cloud.seconds == before


def test_on_the_wall_clock_it_takes_real_time():
    with Cloud(clock="wall", speed=20, limits="today") as cloud:
        lab = Lab(cloud)
        assert create(lab)["State"] == "Pending"
        assert conflict(lab.client.invoke, FunctionName="f") == PENDING
        lab.client.get_waiter("function_active_v2").wait(FunctionName="f")
        assert cloud.seconds >= CREATION and lab.invoke("f").value == 1


def test_in_the_months_of_the_course_functions_are_active_at_once():
    with Cloud(durations="modelled") as cloud:
        lab = Lab(cloud)
        active = {"State": "Active", "LastUpdateStatus": "Successful"}
        assert states(create(lab)) == active
        assert lab.invoke("f").value == 1
        assert states(lab.client.update_function_code(
            FunctionName="f", ZipFile=lab.archive(TWO))) == active
        assert lab.invoke("f").value == 2
        assert states(lab.client.publish_version(FunctionName="f")) == active
        assert states(lab.client.get_function(FunctionName="f")["Configuration"]) == active


def test_this_process_gets_its_waiters_back():
    from botocore import waiter

    before = waiter.time
    with Cloud(durations="modelled"):
        assert waiter.time is not before
    assert waiter.time is before
