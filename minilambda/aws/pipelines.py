"""moto's pipelines run, and take what functions say of their jobs.

Stands for: StartPipelineExecution, PutJobSuccessResult, PutJobFailureResult, GetJobDetails, GetPipelineState,
ListActionExecutions; and what CreatePipeline, UpdatePipeline and DeletePipeline set going or stop. AWS pages
of these names; *Amazon S3 source action reference*, *CodeCommit source action reference*.
Leaves out: sources by ``sourceRevisions``; pages of results; artifact stores of other regions; roles of single
actions (refused where a pipeline is started).
"""

from __future__ import annotations

import copy
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from moto.codepipeline.exceptions import PipelineExecutionNotFoundException, PipelineNotFoundException
from moto.codepipeline.models import CodePipelineBackend, PipelineExecution
from moto.codepipeline.responses import CodePipelineResponse
from moto.core.exceptions import JsonRESTError
from moto.core.utils import utcnow
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from ..callers import Cloud
from ..triggers.code_repository import Refused
from ..triggers.pipeline_job import Artifact, Failed, Result
from ..triggers.pipelines import SOURCES, Action, Execution, JobError, Pipelines
from . import repository_store, service_events
from .current import as_service
from .execution_role import role_may
from .models import refuse

Swap = Callable[[object, str, object], None]
MOST_VARIABLES = 122_880  # characters of a job's output variables


def install(swap: Swap, cloud: Cloud) -> None:
    """``swap`` sets an attribute until the cloud is closed."""
    part = _Part(cloud)
    for name in ("create_pipeline", "update_pipeline", "delete_pipeline"):
        swap(CodePipelineBackend, name, getattr(part, name)(getattr(CodePipelineBackend, name)))
    swap(PipelineExecution, "to_dict", part.described(PipelineExecution.to_dict))
    for name in ("start_pipeline_execution", "put_job_success_result", "put_job_failure_result",
                 "get_job_details", "get_pipeline_state", "list_action_executions"):
        swap(CodePipelineResponse, name, _answering(getattr(part, name)))


class _Part:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.pipelines = Pipelines(cloud, self._tell, self._fetch, role_may, _credentials)
        self.executions: dict[str, Execution] = {}
        self.tokens: dict[str, str] = {}  # of requests that may come twice

    # -- pipelines come, change and go ------------------------------------------------------------------

    def create_pipeline(self, stock: Callable[..., Any]) -> Callable[..., Any]:
        def create(backend: CodePipelineBackend, pipeline: dict[str, Any], tags: Any) -> Any:
            answer = stock(backend, pipeline, tags)
            if _missing(backend.pipelines[pipeline["name"]].pipeline) is None:
                self._start(backend, pipeline["name"], {})
            return answer

        return create

    def update_pipeline(self, stock: Callable[..., Any]) -> Callable[..., Any]:
        def update(backend: CodePipelineBackend, pipeline: dict[str, Any]) -> Any:
            answer = stock(backend, pipeline)
            self._stop(backend, pipeline["name"])
            return answer

        return update

    def delete_pipeline(self, stock: Callable[..., Any]) -> Callable[..., Any]:
        def delete(backend: CodePipelineBackend, name: str) -> Any:
            self._stop(backend, name)
            return stock(backend, name)

        return delete

    def _stop(self, backend: CodePipelineBackend, name: str) -> None:
        for one in self.executions.values():
            if (one.account, one.region, one.pipeline["name"]) == (
                    backend.account_id, backend.region_name, name) and not one.over.triggered:
                self.cloud.clock.succeed(one.stop)

    # -- executions -------------------------------------------------------------------------------------

    def start_pipeline_execution(self, response: CodePipelineResponse) -> dict[str, Any]:
        get, backend = response._get_param, response.codepipeline_backend
        name, token = get("name"), get("clientRequestToken")
        _pipeline(backend, name)
        if get("sourceRevisions"):
            refuse("sourceRevisions of StartPipelineExecution")
        if token and f"{name} {token}" in self.tokens:
            return {"pipelineExecutionId": self.tokens[f"{name} {token}"]}
        missing = _missing(backend.pipelines[name].pipeline)
        if missing is not None:
            refuse(f"{missing} of pipelines, so this one can't be started,")
        started = self._start(backend, name, {one["name"]: one["value"] for one in get("variables") or []})
        if token:
            self.tokens[f"{name} {token}"] = started
        return {"pipelineExecutionId": started}

    def _start(self, backend: CodePipelineBackend, name: str, given: Mapping[str, str]) -> str:
        known = backend.pipelines[name]
        pipeline = copy.deepcopy(known.pipeline)
        declared = {one["name"]: one.get("defaultValue") for one in pipeline.get("variables") or []}
        values = {one: given.get(one, default) for one, default in declared.items()}
        wrong = [*(given.keys() - declared.keys()), *(one for one in values if values[one] is None)]
        if wrong:
            raise _error("ValidationException", f"Variables that aren't declared or have no value: {wrong}")
        stock = PipelineExecution(name, pipeline["version"], [
            {"name": one, "value": value} for one, value in values.items()])
        stock.status = "InProgress"
        known.executions[stock.pipeline_execution_id] = stock

        def on_status(status: str) -> None:
            stock.status, stock.last_update_time = status, utcnow()

        execution = self.pipelines.start(stock.pipeline_execution_id, pipeline, backend.account_id,
                                         backend.region_name, values, on_status)
        self.executions[execution.id] = execution
        return execution.id

    def described(self, stock: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        def to_dict(execution: PipelineExecution) -> dict[str, Any]:
            ours = self.executions.get(execution.pipeline_execution_id)
            return stock(execution) | {"artifactRevisions": list(ours.revisions) if ours else []}

        return to_dict

    def get_pipeline_state(self, response: CodePipelineResponse) -> dict[str, Any]:
        backend, name = response.codepipeline_backend, response._get_param("name")
        pipeline, metadata = _pipeline(backend, name), backend.pipelines[name].metadata
        stages = []
        for stage in pipeline["stages"]:
            latest = [one for one in self._of(backend, name) if stage["name"] in one.stages]
            stages.append({
                "stageName": stage["name"], "inboundTransitionState": {"enabled": True},
                "actionStates": [self._action_state(backend, name, stage["name"], action["name"])
                                 for action in stage["actions"]],
                **({"latestExecution": {"pipelineExecutionId": latest[-1].id,
                                        "status": latest[-1].stages[stage["name"]]}} if latest else {})})
        return {"pipelineName": name, "pipelineVersion": pipeline["version"], "stageStates": stages,
                "created": metadata["created"], "updated": metadata["updated"]}

    def _action_state(self, backend: CodePipelineBackend, pipeline: str, stage: str, name: str
                      ) -> dict[str, Any]:
        found = [one.actions[stage, name] for one in self._of(backend, pipeline)
                 if (stage, name) in one.actions]
        if not found:
            return {"actionName": name}
        action = found[-1]
        about = {"actionExecutionId": action.id, "status": action.status, "summary": action.summary,
                 "lastStatusChange": action.at, "externalExecutionId": action.external_id,
                 "percentComplete": action.percent, "errorDetails": action.error and {
                     "code": action.error.code, "message": str(action.error)}}
        return {"actionName": name,
                "latestExecution": {one: value for one, value in about.items() if value is not None}}

    def list_action_executions(self, response: CodePipelineResponse) -> dict[str, Any]:
        get, backend = response._get_param, response.codepipeline_backend
        name, wanted = get("pipelineName"), (get("filter") or {}).get("pipelineExecutionId")
        _pipeline(backend, name)
        if (get("filter") or {}).keys() - {"pipelineExecutionId"} or get("nextToken"):
            refuse("this filter of ListActionExecutions")
        found = self._of(backend, name)
        if wanted and wanted not in [one.id for one in found]:
            raise PipelineExecutionNotFoundException(f"There is no execution {wanted} of {name}")
        details = [_detail(execution, stage, action) for execution in found
                   if wanted in (None, execution.id) for (stage, _), action in execution.actions.items()]
        return {"actionExecutionDetails": details[::-1][:get("maxResults") or 100]}

    def _of(self, backend: CodePipelineBackend, name: str) -> list[Execution]:
        return [self.executions[one] for one in backend.pipelines[name].executions
                if one in self.executions]

    # -- jobs -------------------------------------------------------------------------------------------

    def put_job_success_result(self, response: CodePipelineResponse) -> dict[str, Any]:
        get = response._get_param
        if get("currentRevision"):
            refuse("currentRevision of PutJobSuccessResult, which is for custom source actions,")
        details, variables = get("executionDetails") or {}, get("outputVariables") or {}
        if sum(len(name) + len(value) for name, value in variables.items()) > MOST_VARIABLES:
            raise _error("OutputVariablesSizeExceededException",
                         f"The output variables have more than {MOST_VARIABLES} characters")
        if variables and get("continuationToken"):
            raise _error("ValidationException", "Output variables come with the last result of an action: "
                                                "they can't be given with a continuation token")
        self.pipelines.reply(get("jobId"), Result(
            details.get("summary"), details.get("externalExecutionId"), details.get("percentComplete"),
            get("continuationToken"), variables))
        return {}

    def put_job_failure_result(self, response: CodePipelineResponse) -> dict[str, Any]:
        details = response._get_param("failureDetails")
        self.pipelines.reply(response._get_param("jobId"), Result(
            external_id=details.get("externalExecutionId"),
            failure=Failed(details["type"], details["message"])))
        return {}

    def get_job_details(self, response: CodePipelineResponse) -> dict[str, Any]:
        job = self.pipelines.job(response._get_param("jobId"))
        told = job.described()["CodePipeline.job"]
        # A revision that isn't there yet is null in the event, and missing here.
        told["data"] = {name: [{part: one for part, one in artifact.items() if one is not None}
                               for artifact in value] if name.endswith("Artifacts") else value
                        for name, value in told["data"].items() if name != "artifactCredentials"}
        return {"jobDetails": told | {"data": told["data"] | {
            "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"},
            "pipelineContext": dict(job.context)}}}

    # -- what executions need ---------------------------------------------------------------------------

    def _tell(self, execution: Execution, kind: str, detail: dict[str, Any]) -> None:
        service_events.tell(self.cloud.clock, execution.account, execution.region, "aws.codepipeline",
                            kind, [execution.arn], detail)

    def _fetch(self, execution: Execution, action: Action, place: Artifact
               ) -> tuple[Artifact, dict[str, str]]:
        kind = action.declared["actionTypeId"]["provider"]
        revision, body, variables = (_from_bucket if kind == "S3" else _from_repository)(
            execution, action.declared["configuration"])
        _must(execution, "s3:PutObject", f"arn:aws:s3:::{place.bucket}/{place.key}")
        with as_service("codepipeline", lambda why: Failed(
                "ConfigurationError", f"The artifact store {place.bucket}: {why}")):
            _s3(execution).put_object(place.bucket, place.key, body)
        return Artifact(place.name, place.bucket, place.key, revision), variables


def _from_bucket(execution: Execution, settings: Mapping[str, str]) -> tuple[str, bytes, dict[str, str]]:
    name, key = settings.get("S3Bucket", ""), settings.get("S3ObjectKey", "")
    _must(execution, "s3:GetObject", f"arn:aws:s3:::{name}/{key}")
    bucket = _s3(execution).buckets.get(name)
    if bucket is None or not bucket.is_versioned:
        raise Failed("ConfigurationError", f"The bucket {name} isn't there, or has no versioning")
    found = _s3(execution).get_object(name, key)
    if found is None:
        raise Failed("ConfigurationError", f"There is no object {key} in the bucket {name}")
    version = str(found.version_id)
    return version, found.value, {"BucketName": name, "ObjectKey": key, "VersionId": version,
                                  "ETag": found.etag.strip('"')}


def _from_repository(execution: Execution, settings: Mapping[str, str]
                     ) -> tuple[str, bytes, dict[str, str]]:
    name, branch = settings.get("RepositoryName", ""), settings.get("BranchName", "")
    _must(execution, "codecommit:GetBranch",
          f"arn:aws:codecommit:{execution.region}:{execution.account}:{name}")
    try:
        commit, files = repository_store.content(execution.account, execution.region, name, branch)
    except Refused as missing:
        raise Failed("ConfigurationError", missing.message) from missing
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, body in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path), body)  # (without a date: the same every time)
    return commit, packed.getvalue(), {
        "RepositoryName": name, "BranchName": branch, "CommitId": commit}


def _must(execution: Execution, action: str, resource: str) -> None:
    role = execution.pipeline["roleArn"]
    if not role_may(role, action, resource):
        raise Failed("PermissionError", f"The role {role} is not authorized to perform: {action} on "
                                        f"{resource}")


def _s3(execution: Execution) -> Any:
    return s3_backends[execution.account][get_partition(execution.region)]


def _credentials(execution: Execution) -> dict[str, Any]:
    """A session of the pipeline's role."""
    region = execution.region
    session = sts_backends[execution.account][get_partition(region)].assume_role(
        region_name=region, role_session_name=execution.id, role_arn=execution.pipeline["roleArn"],
        policy="", duration=3600, external_id="")
    return {"accessKeyId": session.access_key_id, "secretAccessKey": session.secret_access_key,
            "sessionToken": session.session_token,
            "expirationTime": int(session.expiration.timestamp() * 1000)}


# -- what a request says --------------------------------------------------------------------------------

def _pipeline(backend: CodePipelineBackend, name: str) -> dict[str, Any]:
    if name not in backend.pipelines:
        raise PipelineNotFoundException(
            f"Account '{backend.account_id}' does not have a pipeline with name '{name}'")
    return backend.pipelines[name].pipeline


def _missing(pipeline: Mapping[str, Any]) -> str | None:
    """What of it can't be run here."""
    if "artifactStores" in pipeline:
        return "artifact stores by region"
    for stage in pipeline["stages"]:
        for name in stage.keys() & {"onFailure", "onSuccess", "beforeEntry", "blockers"}:
            if stage[name]:
                return f"{name} of stages"
        for action in stage["actions"]:
            kind = action["actionTypeId"]
            if (kind["category"], kind["owner"], kind["provider"]) not in {
                    ("Invoke", "AWS", "Lambda"), *(("Source", "AWS", one) for one in SOURCES)}:
                return f"{kind['category']} actions by {kind['provider']}"
            for name in ("roleArn", "region", "timeoutInMinutes", "commands", "environmentVariables"):
                if action.get(name):
                    return f"{name} of actions"
    return None


def _detail(execution: Execution, stage: str, action: Action) -> dict[str, Any]:
    return {"pipelineExecutionId": execution.id, "actionExecutionId": action.id,
            "pipelineVersion": execution.pipeline["version"], "stageName": stage,
            "actionName": action.name, "startTime": action.began, "lastUpdateTime": action.at,
            "status": action.status}


def _error(code: str, message: str) -> JsonRESTError:
    error = JsonRESTError(code, message)
    error.code = 400
    return error


def _answering(method: Callable[[CodePipelineResponse], dict[str, Any]]
               ) -> Callable[[CodePipelineResponse], str]:
    def answer(response: CodePipelineResponse) -> str:
        try:
            return json.dumps(method(response))
        except JobError as problem:
            raise _error(problem.code, problem.message) from problem

    return answer
