"""A cloud's functions with provisioned concurrency, in boto3's words."""

from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from .conftest import Lab

CODE = """
import os, time
time.sleep(2)
KIND = os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]

def handler(event, context):
    if event == "crash":
        os._exit(3)
    time.sleep(event)
    return [KIND, context.function_version]
"""
BAD = "raise ValueError('not today')"
AHEAD, LATER = "provisioned-concurrency", "on-demand"
INIT = 2.11  # the code's sleep and the model's Init
PREPARATION = 60.0
COUNTS = ("RequestedProvisionedConcurrentExecutions", "AllocatedProvisionedConcurrentExecutions",
          "AvailableProvisionedConcurrentExecutions")


class Shop(Lab):
    def __init__(self, cloud):
        super().__init__(cloud)
        self.client = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))

    def published(self, source=CODE, alias=None, **configuration):
        """A function with a version 1; gives its name."""
        name = self.deploy(source, **({"Timeout": 30} | configuration))
        self.client.publish_version(FunctionName=name)
        if alias:
            self.client.create_alias(FunctionName=name, Name=alias, FunctionVersion="1")
        return name

    def put(self, name, qualifier, number):
        return self.client.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=number)

    def get(self, name, qualifier):
        return self.client.get_provisioned_concurrency_config(
            FunctionName=name, Qualifier=qualifier)

    def counts(self, name, qualifier):
        found = self.get(name, qualifier)
        return (*(found[count] for count in COUNTS), found["Status"])

    def together(self, name, qualifier, *events):
        """At one instant: what each gets, or the reason for which it gets nothing."""
        def call(event):
            try:
                return self.invoke(name, event, Qualifier=qualifier).value
            except ClientError as error:
                return error.response["Reason"]

        with self.cloud.hold(len(events)), ThreadPoolExecutor(len(events)) as callers:
            return list(callers.map(call, events))

    def kinds(self, *answers):
        return [answer[0] for answer in answers]

    def metric(self, metric, statistic, **dimensions):
        points = boto3.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda", MetricName=metric, Period=60, Statistics=[statistic],
            StartTime=self.cloud.clock.start, EndTime=self.cloud.now,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()])
        return {(point["Timestamp"] - self.cloud.clock.start).total_seconds(): point[statistic]
                for point in points["Datapoints"]}

    def shut(self, name):
        return [e["reason"] for e in self.cloud.trace.select("environment.shutdown", function=name)]
