"""Functions in a VPC: their network interfaces, and the states that these bring about."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

from minilambda import Cloud
from minilambda.model import Model

from .conftest import Lab

ONE, TWO = "def handler(e, c): return 1\n", "def handler(e, c): return 2\n"
MODEL = Model.load()
NETWORK, RECLAIM = MODEL.network_seconds, MODEL.reclaim_seconds
MANAGED = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"


class Site:
    """A VPC with two subnets, a security group, and a role that may make interfaces in it."""

    def __init__(self, cloud):
        self.cloud, self.lab, self.ec2 = cloud, Lab(cloud), boto3.client("ec2")
        self.client = self.lab.client
        boto3.client("iam").attach_role_policy(RoleName="role", PolicyArn=MANAGED)
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.one, self.two = self.subnet("10.0.1.0/24"), self.subnet("10.0.2.0/24")
        self.group = self.ec2.create_security_group(
            GroupName="functions", Description="of functions", VpcId=self.vpc)["GroupId"]

    def subnet(self, block):
        return self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=block)["Subnet"]["SubnetId"]

    def full_subnet(self, block="10.0.9.0/28"):
        """All of its 16 addresses but AWS's five are taken."""
        subnet = self.subnet(block)
        made = [self.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"][
            "NetworkInterfaceId"] for _ in range(11)]
        return subnet, made

    def config(self, *subnets):
        return {"SubnetIds": list(subnets), "SecurityGroupIds": [self.group] if subnets else []}

    def create(self, name="f", subnets=None, source=ONE, **options):
        return self.client.create_function(
            FunctionName=name, Runtime="python3.8", Role=self.lab.role, Handler="app.handler",
            Code={"ZipFile": self.lab.archive(source)},
            VpcConfig=self.config(*(subnets or [self.one, self.two])), **options)

    def active(self, name="f", **options):
        self.client.get_waiter("function_active_v2").wait(FunctionName=name, **options)

    def state(self, name="f", **options):
        found = self.client.get_function(FunctionName=name, **options)["Configuration"]
        return {key: value for key, value in found.items()
                if key.startswith(("State", "LastUpdate")) and key != "StateReason"
                and key != "LastUpdateStatusReason"}

    def interfaces(self):
        return [found for found in self.ec2.describe_network_interfaces()["NetworkInterfaces"]
                if found["InterfaceType"] == "lambda"]

    def refused(self, call, *arguments, **options):
        with pytest.raises(ClientError) as refused:
            call(*arguments, **options)
        error = refused.value.response
        return (error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"],
                error["Error"]["Message"])


@pytest.fixture(params=["2020", "today"])
def site(request):
    with Cloud(durations="modelled", **({"limits": "today"} if request.param == "today" else {})
               ) as cloud:
        yield Site(cloud)


ACTIVE = {"State": "Active", "LastUpdateStatus": "Successful"}
CREATING = {"State": "Pending", "StateReasonCode": "Creating"}
NOT_READY = (502, "ResourceNotReadyException",
             "The function is inactive and its VPC connection is no longer available. Wait for the "
             "VPC connection to reestablish and try again.")


def conflict(state):
    return (409, "ResourceConflictException", "The operation cannot be performed at this time. The "
            f"function is currently in the following state: {state}")


def test_it_is_pending_while_its_network_interfaces_are_made(site):
    made = site.create()
    assert made["VpcConfig"] == {"VpcId": site.vpc, "SubnetIds": [site.one, site.two],
                                 "SecurityGroupIds": [site.group], "Ipv6AllowedForDualStack": False}
    assert made["State"] == "Pending"
    site.cloud.run(seconds=NETWORK / 2)
    assert site.state() == CREATING
    assert site.refused(site.client.invoke, FunctionName="f") == conflict("Pending")
    before = site.cloud.seconds
    site.active()
    assert NETWORK / 2 - 10 <= site.cloud.seconds - before <= NETWORK / 2 + 10
    assert site.state() == ACTIVE and site.lab.invoke("f").value == 1
    found = site.interfaces()
    assert {face["SubnetId"] for face in found} == {site.one, site.two}
    assert len(found) == 2 and all(
        [group["GroupId"] for group in face["Groups"]] == [site.group] and face["RequesterManaged"]
        and face["Description"].startswith("AWS Lambda VPC ENI-f-") and face["Status"] == "in-use"
        for face in found)


def test_functions_of_the_same_subnets_and_groups_share_them(site):
    site.create()
    site.active()
    before = site.cloud.seconds
    site.create("g", [site.two])
    site.active("g")
    assert site.cloud.seconds - before < 10  # nothing had to be made
    assert len(site.interfaces()) == 2
    site.client.delete_function(FunctionName="f")
    assert [face["SubnetId"] for face in site.interfaces()] == [site.two]
    assert site.lab.invoke("g").value == 1
    site.client.delete_function(FunctionName="g")
    assert site.interfaces() == []


def test_a_version_has_them_as_long_as_it_is_there(site):
    site.create()
    site.active()
    site.client.publish_version(FunctionName="f")
    site.client.get_waiter("published_version_active").wait(FunctionName="f", Qualifier="1")
    site.client.update_function_configuration(FunctionName="f", VpcConfig=site.config())
    site.lab.updated("f")
    assert "VpcConfig" not in site.client.get_function_configuration(FunctionName="f")
    assert len(site.interfaces()) == 2
    assert site.lab.invoke("f", Qualifier="1").value == 1
    site.client.delete_function(FunctionName="f", Qualifier="1")
    assert site.interfaces() == []


@pytest.mark.parametrize("config, message", [
    ({"SubnetIds": ["subnet-1"]}, "SubnetIds and SecurityIds must coexist or be both empty list."),
    ({"SecurityGroupIds": ["group"]}, "SubnetIds and SecurityIds must coexist or be both empty list."),
    ({"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["group"]},
     "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error "
     "Message: The subnet ID 'subnet-1' does not exist"),
    ({"SubnetIds": ["one"], "SecurityGroupIds": ["sg-1"]},
     "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error "
     "Message: The security group 'sg-1' does not exist"),
])
def test_what_is_no_place_in_a_vpc_is_refused(site, config, message):
    real = {"one": site.one, "group": site.group}
    config = {name: [real.get(value, value) for value in values] for name, values in config.items()}
    site.create()
    site.active()
    assert site.refused(site.client.update_function_configuration, FunctionName="f",
                        VpcConfig=config) == (400, "InvalidParameterValueException", message)
    assert site.state() == ACTIVE


def test_two_vpcs_are_one_too_many(site):
    other = site.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    strange = site.ec2.create_security_group(GroupName="x", Description="x", VpcId=other)["GroupId"]
    status, code, message = site.refused(
        site.client.create_function, FunctionName="f", Runtime="python3.8", Role=site.lab.role,
        Handler="app.handler", Code={"ZipFile": site.lab.archive(ONE)},
        VpcConfig={"SubnetIds": [site.one], "SecurityGroupIds": [strange]})
    assert (status, code) == (400, "InvalidParameterValueException")
    assert site.vpc in message and other in message


def test_its_role_must_be_allowed_to_make_them(site):
    boto3.client("iam").detach_role_policy(RoleName="role", PolicyArn=MANAGED)
    refusal = (400, "InvalidParameterValueException", "The provided execution role does not have "
               "permissions to call CreateNetworkInterface on EC2")
    assert site.refused(site.create) == refusal
    site.lab.deploy(ONE, name="g")
    assert site.refused(site.client.update_function_configuration, FunctionName="g",
                        VpcConfig=site.config(site.one)) == refusal


def test_where_no_address_is_left_its_creation_has_failed_for_good(site):
    full, _ = site.full_subnet()
    assert site.create(subnets=[site.one, full])["State"] == "Pending"
    with pytest.raises(WaiterError, match="Failed"):
        site.active()
    found = site.client.get_function_configuration(FunctionName="f")
    assert (found["State"], found["StateReasonCode"]) == ("Failed", "SubnetOutOfIPAddresses")
    assert full in found["StateReason"]
    assert site.interfaces() == []  # nor the one in the other subnet
    assert site.refused(site.client.invoke, FunctionName="f") == conflict("Failed")
    assert site.refused(site.client.update_function_configuration, FunctionName="f", Timeout=9
                        ) == conflict("Failed")
    site.client.delete_function(FunctionName="f")
    site.create(subnets=[site.one])
    site.active()
    assert site.lab.invoke("f").value == 1


def test_an_update_that_fails_leaves_the_function_as_it_was(site):
    full, made = site.full_subnet()
    site.create(subnets=[site.one])
    site.active()
    site.client.update_function_configuration(FunctionName="f", VpcConfig=site.config(full))
    assert site.state()["LastUpdateStatus"] == "InProgress"
    assert site.lab.invoke("f").value == 1
    with pytest.raises(WaiterError, match="Failed"):
        site.lab.updated("f")
    assert site.state() == {"State": "Active", "LastUpdateStatus": "Failed",
                            "LastUpdateStatusReasonCode": "SubnetOutOfIPAddresses"}
    assert site.lab.invoke("f").value == 1
    assert [face["SubnetId"] for face in site.interfaces()] == [site.one]
    site.client.update_function_code(FunctionName="f", ZipFile=site.lab.archive(TWO))  # again
    with pytest.raises(WaiterError, match="Failed"):
        site.lab.updated("f")
    assert site.lab.invoke("f").value == 1
    site.ec2.delete_network_interface(NetworkInterfaceId=made[0])
    site.client.update_function_configuration(FunctionName="f", Timeout=9)
    site.lab.updated("f")
    assert site.state() == ACTIVE and site.lab.invoke("f").value == 2
    assert [face["SubnetId"] for face in site.interfaces()] == [full]


def test_the_interfaces_of_an_idle_function_are_taken_and_given_back(site):
    site.create()
    site.active()
    site.cloud.run(seconds=RECLAIM - 100)
    assert site.lab.invoke("f").value == 1  # it counts from here again
    site.cloud.run(seconds=RECLAIM - 100)
    assert site.state() == ACTIVE and len(site.interfaces()) == 2
    site.cloud.run(seconds=101)
    assert site.state() == {"State": "Inactive", "StateReasonCode": "Idle",
                            "LastUpdateStatus": "Successful"}
    assert site.interfaces() == []
    assert site.refused(site.client.invoke, FunctionName="f") == NOT_READY
    assert site.state() == {"State": "Pending", "StateReasonCode": "Restoring"}
    assert site.refused(site.client.invoke, FunctionName="f", InvocationType="Event") == NOT_READY
    site.active()
    assert site.lab.invoke("f").value == 1 and len(site.interfaces()) == 2


def test_if_they_cannot_be_given_back_it_is_inactive_again(site):
    site.create(subnets=[site.two])
    site.active()
    site.cloud.run(seconds=RECLAIM + 1)
    site.ec2.delete_subnet(SubnetId=site.two)
    for _ in range(2):  # each invocation is another attempt
        assert site.refused(site.client.invoke, FunctionName="f") == NOT_READY
        site.cloud.run(seconds=NETWORK + 1)
        assert site.state() == {"State": "Inactive", "StateReasonCode": "InvalidSubnet"}
    site.client.update_function_configuration(FunctionName="f", VpcConfig=site.config(site.one))
    site.lab.updated("f")
    assert site.state() == ACTIVE and site.lab.invoke("f").value == 1


def test_weeks_of_idleness_cost_nothing_and_hold_nobody_up(site):
    for number in range(20):
        site.create(f"f{number}", Timeout=60)
    site.active("f19")  # no sooner than the first one: their interfaces are the same
    assert site.cloud.seconds == NETWORK
    before = site.cloud.seconds
    site.cloud.run_until_idle()
    assert site.cloud.seconds == before
    assert json.loads(site.client.invoke(FunctionName="f0")["Payload"].read()) == 1
