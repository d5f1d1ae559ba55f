"""Real clouds for the views' tests, and callers who all come at once."""

import json
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

import minilambda


def new_cloud(handler, *names, reserved=None):
    """A cloud with modelled durations and functions of these names, `hello` unless given.

    The first one has so much ``reserved`` concurrency, if any.
    """
    cloud, names = minilambda.Cloud(durations="modelled"), names or ("hello",)
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole"}]}
    role = boto3.client("iam").create_role(
        RoleName="hello", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    lam = boto3.client("lambda")
    for name in names:
        lam.create_function(
            FunctionName=name, Runtime="python3.8", Role=role, Handler="app.handler",
            Code={"ZipFile": minilambda.zip_handler(handler)})
    if reserved is not None:
        lam.put_function_concurrency(FunctionName=names[0], ReservedConcurrentExecutions=reserved)
    return cloud


def burst(cloud, callers, event, name="hello"):
    """So many callers at one instant, none of whom tries again. Gives how many were refused."""
    lam = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1},
                                               max_pool_connections=callers))

    def call(_):
        try:
            lam.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read()
        except lam.exceptions.TooManyRequestsException:
            return 1
        return 0

    with cloud.hold(callers), ThreadPoolExecutor(callers) as pool:
        return sum(pool.map(call, range(callers)))
