"""Which options of an operation are implemented, and the refusal of all others.

Stands for: nothing of AWS's. It keeps this runtime honest: an option that would be accepted and
ignored teaches something false, so it is answered with 501 and its name.

A value that asks for nothing (an empty list, ``SnapStart`` in its default mode) passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .. import errors

_ANY: Callable[[Any], bool] = lambda value: True  # noqa: E731 (a row of the tables below)


def _only(*values: Any) -> Callable[[Any], bool]:
    return lambda value: value in values


def _logging(value: Mapping[str, Any]) -> bool:
    return value.get("LogFormat", "Text") == "Text" and value.keys() <= {"LogFormat"}


_CODE = {"ZipFile": _ANY, "S3Bucket": _ANY, "S3Key": _ANY, "S3ObjectVersion": _ANY,
         "S3ObjectStorageMode": _only("COPY")}
_CONFIGURATION = {
    "FunctionName": _ANY, "Runtime": _ANY, "Role": _ANY, "Handler": _ANY, "Description": _ANY,
    "Timeout": _ANY, "MemorySize": _ANY, "Environment": _ANY, "EphemeralStorage": _ANY,
    "TracingConfig": _ANY,
    "SnapStart": lambda value: value.get("ApplyOn", "None") == "None",
    "LoggingConfig": _logging,
    "VpcConfig": lambda value: not value.get("Ipv6AllowedForDualStack"),
    "DeadLetterConfig": _ANY,
    "Layers": _ANY,
}
_LAYER = {"LayerName": _ANY, "VersionNumber": _ANY}
_LAYER_LIST = {"CompatibleRuntime": _ANY, "CompatibleArchitecture": _ANY, "Marker": _ANY,
               "MaxItems": _ANY}
_POLICY = {"FunctionName": _ANY, "Qualifier": _ANY}
_URL = {"AuthType": _ANY, "Cors": _ANY, "InvokeMode": _only("BUFFERED")}
_ALIAS = {"FunctionName": _ANY, "Name": _ANY}
_EVENT_CONFIG = {"FunctionName": _ANY, "Qualifier": _ANY}
_EVENT_SETTINGS = {"MaximumRetryAttempts": _ANY, "MaximumEventAgeInSeconds": _ANY,
                   "DestinationConfig": _ANY}
_POINTS = {"FunctionVersion": _ANY, "Description": _ANY, "RoutingConfig": _ANY}
# arm64 is refused because a function's code runs on the reader's own processor, whatever it is:
# reporting the other architecture would be untrue half of the time.
_ARCHITECTURES = {"Architectures": _only(["x86_64"])}

_CODE_SIGNING = {"AllowedPublishers": _ANY, "CodeSigningPolicies": _ANY, "Description": _ANY}
# Other sources' options, provisioned pollers, metrics and keys of mappings aren't implemented.
_EVENT_SOURCE = {
    "FunctionName": _ANY, "Enabled": _ANY, "BatchSize": _ANY, "FilterCriteria": _ANY,
    "ScalingConfig": _ANY, "MaximumBatchingWindowInSeconds": _ANY, "ParallelizationFactor": _ANY,
    "DestinationConfig": _ANY, "MaximumRecordAgeInSeconds": _ANY,
    "BisectBatchOnFunctionError": _ANY, "MaximumRetryAttempts": _ANY,
    "TumblingWindowInSeconds": _ANY, "FunctionResponseTypes": _ANY,
}

IMPLEMENTED: dict[str, dict[str, Callable[[Any], bool]]] = {
    "CreateFunction": _CONFIGURATION | _ARCHITECTURES | {
        "Code": _ANY,  # its own members: see check
        "CodeSigningConfigArn": _ANY,
        "PackageType": _only("Zip"),
        "Publish": _ANY,
        "Tags": _ANY,
    },
    "UpdateFunctionConfiguration": _CONFIGURATION | {"RevisionId": _ANY},
    "UpdateFunctionCode": _CODE | _ARCHITECTURES | {
        "FunctionName": _ANY, "DryRun": _ANY, "Publish": _ANY, "RevisionId": _ANY,
    },
    "GetFunction": {"FunctionName": _ANY, "Qualifier": _ANY},
    "GetFunctionConfiguration": {"FunctionName": _ANY, "Qualifier": _ANY},
    "DeleteFunction": {"FunctionName": _ANY, "Qualifier": _ANY},
    "ListFunctions": {"FunctionVersion": _ANY, "Marker": _ANY, "MaxItems": _ANY},
    "Invoke": {
        "FunctionName": _ANY, "InvocationType": _only("RequestResponse", "DryRun", "Event"),
        "LogType": _ANY, "ClientContext": _ANY, "Payload": _ANY, "Qualifier": _ANY,
    },
    "InvokeAsync": {"FunctionName": _ANY, "InvokeArgs": _ANY},
    "PutFunctionEventInvokeConfig": _EVENT_CONFIG | _EVENT_SETTINGS,
    "UpdateFunctionEventInvokeConfig": _EVENT_CONFIG | _EVENT_SETTINGS,
    "GetFunctionEventInvokeConfig": _EVENT_CONFIG,
    "DeleteFunctionEventInvokeConfig": _EVENT_CONFIG,
    "ListFunctionEventInvokeConfigs": {"FunctionName": _ANY, "Marker": _ANY, "MaxItems": _ANY},
    "PublishVersion": {"FunctionName": _ANY, "CodeSha256": _ANY, "Description": _ANY,
                       "RevisionId": _ANY},
    "ListVersionsByFunction": {"FunctionName": _ANY, "Marker": _ANY, "MaxItems": _ANY},
    "CreateAlias": _ALIAS | _POINTS,
    "UpdateAlias": _ALIAS | _POINTS | {"RevisionId": _ANY},
    "GetAlias": _ALIAS,
    "DeleteAlias": _ALIAS,
    "ListAliases": {"FunctionName": _ANY, "FunctionVersion": _ANY, "Marker": _ANY,
                    "MaxItems": _ANY},
    "AddPermission": _POLICY | {
        "StatementId": _ANY, "Action": _ANY, "Principal": _ANY, "SourceArn": _ANY,
        "SourceAccount": _ANY, "EventSourceToken": _ANY, "PrincipalOrgID": _ANY, "RevisionId": _ANY,
        "FunctionUrlAuthType": _ANY, "InvokedViaFunctionUrl": _ANY,
    },
    "RemovePermission": _POLICY | {"StatementId": _ANY, "RevisionId": _ANY},
    "GetPolicy": _POLICY,
    "CreateFunctionUrlConfig": _POLICY | _URL,
    "GetFunctionUrlConfig": _POLICY,
    "UpdateFunctionUrlConfig": _POLICY | _URL,
    "DeleteFunctionUrlConfig": _POLICY,
    "ListFunctionUrlConfigs": {"FunctionName": _ANY, "Marker": _ANY, "MaxItems": _ANY},
    "PutFunctionConcurrency": {"FunctionName": _ANY, "ReservedConcurrentExecutions": _ANY},
    "GetFunctionConcurrency": {"FunctionName": _ANY},
    "DeleteFunctionConcurrency": {"FunctionName": _ANY},
    "PutProvisionedConcurrencyConfig": _POLICY | {"ProvisionedConcurrentExecutions": _ANY},
    "GetProvisionedConcurrencyConfig": _POLICY,
    "DeleteProvisionedConcurrencyConfig": _POLICY,
    "ListProvisionedConcurrencyConfigs": {"FunctionName": _ANY, "Marker": _ANY, "MaxItems": _ANY},
    "ListTags": {"Resource": _ANY},
    "TagResource": {"Resource": _ANY, "Tags": _ANY},
    "UntagResource": {"Resource": _ANY, "TagKeys": _ANY},
    "GetAccountSettings": {},
    "CreateCodeSigningConfig": _CODE_SIGNING | {"Tags": _ANY},
    "GetCodeSigningConfig": {"CodeSigningConfigArn": _ANY},
    "UpdateCodeSigningConfig": _CODE_SIGNING | {"CodeSigningConfigArn": _ANY},
    "DeleteCodeSigningConfig": {"CodeSigningConfigArn": _ANY},
    "ListCodeSigningConfigs": {"Marker": _ANY, "MaxItems": _ANY},
    "ListFunctionsByCodeSigningConfig": {"CodeSigningConfigArn": _ANY, "Marker": _ANY,
                                         "MaxItems": _ANY},
    "PutFunctionCodeSigningConfig": {"FunctionName": _ANY, "CodeSigningConfigArn": _ANY},
    "GetFunctionCodeSigningConfig": {"FunctionName": _ANY},
    "DeleteFunctionCodeSigningConfig": {"FunctionName": _ANY},
    "GetFunctionRecursionConfig": {"FunctionName": _ANY},
    "PutFunctionRecursionConfig": {"FunctionName": _ANY, "RecursiveLoop": _ANY},
    "GetRuntimeManagementConfig": {"FunctionName": _ANY, "Qualifier": _ANY},
    "PutRuntimeManagementConfig": {"FunctionName": _ANY, "Qualifier": _ANY,
                                   "UpdateRuntimeOn": _ANY, "RuntimeVersionArn": _ANY},
    "CreateEventSourceMapping": _EVENT_SOURCE | {
        "EventSourceArn": _ANY, "StartingPosition": _ANY, "StartingPositionTimestamp": _ANY,
        "Tags": _ANY,
    },
    "GetEventSourceMapping": {"UUID": _ANY},
    "UpdateEventSourceMapping": _EVENT_SOURCE | {"UUID": _ANY},
    "DeleteEventSourceMapping": {"UUID": _ANY},
    "ListEventSourceMappings": {"EventSourceArn": _ANY, "FunctionName": _ANY, "Marker": _ANY,
                                "MaxItems": _ANY},
    "PublishLayerVersion": {
        "LayerName": _ANY, "Description": _ANY, "Content": _ANY,  # its own members: see check
        "CompatibleRuntimes": _ANY, "CompatibleArchitectures": _ANY, "LicenseInfo": _ANY,
    },
    "GetLayerVersion": _LAYER,
    "GetLayerVersionByArn": {"Arn": _ANY},
    "ListLayers": _LAYER_LIST,
    "ListLayerVersions": _LAYER_LIST | {"LayerName": _ANY},
    "DeleteLayerVersion": _LAYER,
    "AddLayerVersionPermission": _LAYER | {
        "StatementId": _ANY, "Action": _ANY, "Principal": _ANY, "OrganizationId": _ANY,
        "RevisionId": _ANY,
    },
    "GetLayerVersionPolicy": _LAYER,
    "RemoveLayerVersionPermission": _LAYER | {"StatementId": _ANY, "RevisionId": _ANY},
}


def check(operation: str, params: Mapping[str, Any]) -> None:
    """Raise the 501 error for an operation or an option that isn't implemented."""
    if operation not in IMPLEMENTED:
        raise errors.not_implemented(f"the operation {operation}")
    _check(operation, IMPLEMENTED[operation], params)
    if operation == "CreateFunction":
        _check(operation, _CODE, params["Code"])
    if operation == "PublishLayerVersion":
        _check(operation, _CODE, params["Content"])


def _check(operation: str, table: Mapping[str, Callable[[Any], bool]],
           params: Mapping[str, Any]) -> None:
    for name, value in params.items():
        if value in (None, "", [], {}, False) or table.get(name, _nothing)(value):
            continue
        shown = f"{name} {value}" if isinstance(value, str) else name
        more = f" with {value}" if name in table and not isinstance(value, str) else ""
        raise errors.not_implemented(f"the option {shown}{more} of {operation}")


def _nothing(value: Any) -> bool:
    return False
