"""A pipeline's executions: stage after stage, with functions that must call back.

Stands for: what StartPipelineExecution sets going. AWS pages: *CodePipeline concepts*, *How pipeline
executions are started*, *Monitoring CodePipeline events*, *Variables reference*.
Leaves out: actions other than S3 and CodeCommit sources and Lambda invoke actions (a pipeline that has one
can be made and not be started); transitions that are switched off, retries of a stage, rollbacks, conditions;
sources that start a pipeline by themselves. AWS publishes no figures of the time between actions: here
there is none.

An execution has a stage to itself. One that waits for a stage is superseded by a later one that comes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import simpy

from ..callers import Cloud
from ..conversation import Steps
from ..errors import LambdaError
from .handing_over import Notes
from .pipeline_job import (
    ACTION_SECONDS, AGAIN_SECONDS, REPLY_SECONDS, Artifact, Failed, Job, Result, no_reply,
)

SOURCES = ("S3", "CodeCommit")
_VARIABLE = re.compile(r"#\{([\w@-]+)\.([\w@-]+)\}")


class JobError(Exception):
    """``code``: AWS's error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(slots=True)
class Action:
    """One action of an execution."""

    declared: Mapping[str, Any]
    id: str
    status: str = "InProgress"
    at: float = 0.0  # when it last changed, seconds since 1970
    began: float = 0.0
    summary: str | None = None
    external_id: str | None = None
    percent: int | None = None
    error: Failed | None = None

    @property
    def name(self) -> str:
        return str(self.declared["name"])


@dataclass(slots=True, eq=False)
class Execution:
    """``status`` as AWS has it. ``over``: an event on the clock."""

    id: str
    pipeline: Mapping[str, Any]  # as declared when it began
    account: str
    region: str
    over: simpy.Event
    stop: simpy.Event  # its pipeline is no more what it was
    on_status: Callable[[str], None]
    status: str = "InProgress"
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    variables: dict[str, Mapping[str, str]] = field(default_factory=dict)
    actions: dict[tuple[str, str], Action] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)  # name -> status
    revisions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def arn(self) -> str:
        return f"arn:aws:codepipeline:{self.region}:{self.account}:{self.pipeline['name']}"


@dataclass(slots=True)
class _Place:
    """A stage: who is in it, and who waits for it (an event: True, or False when superseded)."""

    busy: bool = False
    waiting: simpy.Event | None = None


class Pipelines:
    """The executions of one cloud's pipelines.

    Args:
        tell: puts an event on the default bus (execution, detail-type, detail).
        fetch: performs a source action: the artifact and its revision, or raises Failed.
        may: whether a role (an ARN) may do an action to a resource.
        credentials: for a job, of the pipeline's role.
    """

    def __init__(self, cloud: Cloud, tell: Callable[[Execution, str, dict[str, Any]], None],
                 fetch: Callable[[Execution, Action, Artifact], tuple[Artifact, dict[str, str]]],
                 may: Callable[[str, str, str], bool],
                 credentials: Callable[[Execution], Mapping[str, Any]]) -> None:
        self.cloud, self.clock = cloud, cloud.clock
        self._tell, self._fetch, self._may, self._credentials = tell, fetch, may, credentials
        self.jobs: dict[str, Job] = {}
        self._places: dict[tuple[str, str], _Place] = {}

    def start(self, execution_id: str, pipeline: Mapping[str, Any], account: str, region: str,
              variables: Mapping[str, str], on_status: Callable[[str], None]) -> Execution:
        """Begin an execution. ``on_status``: is told each status of it."""
        with self.clock.lock:
            execution = Execution(execution_id, pipeline, account, region, self.clock.event(),
                                  self.clock.event(), on_status)
            execution.variables["codepipeline"] = {"PipelineExecutionId": execution_id}
            execution.variables["variables"] = variables
            self.clock.process(self._run(execution))
            return execution

    def reply(self, job_id: str, result: Result) -> None:
        """A function calls back.

        Raises:
            JobError: there is no such job, or it is over.
        """
        with self.clock.lock:
            job = self.job(job_id)
            if job.status != "InProgress":
                raise JobError("InvalidJobStateException",
                               f"The job {job_id} is in the state {job.status}; it can no more be changed")
            job.status = "Failed" if result.failure else "Succeeded"
            self.clock.succeed(job.reply, result)

    def job(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise JobError("JobNotFoundException", f"No job with the id {job_id}")
        return self.jobs[job_id]

    # -- an execution -----------------------------------------------------------------------------------

    def _run(self, execution: Execution) -> Steps:
        self._state(execution, "STARTED")
        for stage in execution.pipeline["stages"]:
            place = self._places.setdefault((execution.arn, stage["name"]), _Place())
            if place.busy:
                if place.waiting is not None:
                    place.waiting.succeed(False)
                place.waiting = turn = self.clock.event()
                yield self.clock.any_of([turn, execution.stop])
                if not (turn.triggered and turn.value):
                    if place.waiting is turn:
                        place.waiting = None
                    self._over(execution, "SUPERSEDED" if turn.triggered else "CANCELED")
                    return
            place.busy = True
            done = yield from self._stage(execution, stage)
            turn, place.waiting = place.waiting, None
            place.busy = turn is not None  # (whoever waits comes in before anybody else)
            if turn is not None:
                turn.succeed(True)
            if not done:
                self._over(execution, "CANCELED" if execution.stop.triggered else "FAILED")
                return
        self._over(execution, "SUCCEEDED")

    def _over(self, execution: Execution, state: str) -> None:
        self._state(execution, state)
        execution.over.succeed()

    def _stage(self, execution: Execution, stage: Mapping[str, Any]) -> Steps:
        self._state(execution, "STARTED", stage)
        for order in sorted({one["runOrder"] for one in stage["actions"]}):
            group = [one for one in stage["actions"] if one["runOrder"] == order]
            running = [self.clock.process(self._action(execution, stage, one)) for one in group]
            for one in running:
                yield one
            if not all(one.value for one in running):
                canceled = execution.stop.triggered
                self._state(execution, "CANCELED" if canceled else "FAILED", stage)
                return False
        self._state(execution, "SUCCEEDED", stage)
        return True

    def _action(self, execution: Execution, stage: Mapping[str, Any], declared: Mapping[str, Any]) -> Steps:
        action = Action(declared, self.clock.uuid(), began=self.clock.now.timestamp())
        execution.actions[stage["name"], action.name] = action
        self._state(execution, "STARTED", stage, action)
        try:
            outputs = [self._artifact(execution, one["name"]) for one in declared["outputArtifacts"]]
            configuration = self._configured(execution, declared)
            if declared["actionTypeId"]["provider"] == "Lambda":
                result = yield from self._invoke(execution, stage, action, configuration, outputs)
                variables = result.variables
                for one in outputs:
                    execution.artifacts[one.name] = one
            elif len(outputs) != 1:
                raise Failed("ConfigurationError", "A source action has one output artifact, not "
                                                   f"{len(outputs)}")
            else:
                made, variables = self._fetch(execution, action, outputs[0])
                execution.artifacts[made.name] = made
                execution.revisions.append({"name": made.name, "revisionId": made.revision})
        except Failed as failure:
            action.error = failure
            self._state(execution, "FAILED", stage, action)
            return False
        if execution.stop.triggered:
            self._state(execution, "CANCELED", stage, action)
            return False
        if declared.get("namespace"):
            execution.variables[declared["namespace"]] = variables
        self._state(execution, "SUCCEEDED", stage, action)
        return True

    def _invoke(self, execution: Execution, stage: Mapping[str, Any], action: Action,
                configuration: Mapping[str, str], outputs: list[Artifact]) -> Steps:
        """Value: what the function has said. Raises Failed."""
        name = configuration.get("FunctionName", "")
        began, continuation = self.clock.seconds, None
        while True:
            job = Job(self.clock.uuid(), execution.account, configuration,
                      self._inputs(execution, action), outputs, self._credentials(execution),
                      continuation, {
                          "pipelineName": execution.pipeline["name"], "stage": {"name": stage["name"]},
                          "action": {"name": action.name, "actionExecutionId": action.id},
                          "pipelineArn": execution.arn, "pipelineExecutionId": execution.id},
                      self.clock.event())
            self.jobs[job.id] = job
            self._hand_over(execution, name, job)
            yield from self._patience(execution, job.reply, REPLY_SECONDS)
            if execution.stop.triggered:
                job.status = "Failed"
                return Result()
            if not job.reply.triggered:
                job.status = "TimedOut"
                raise no_reply(name)
            result: Result = job.reply.value
            action.summary, action.external_id = result.summary, result.external_id
            action.percent = result.percent
            if result.failure is not None:
                raise result.failure
            continuation = result.continuation
            if continuation is None:
                return result
            yield from self._patience(execution, self.clock.event(), AGAIN_SECONDS)
            if execution.stop.triggered:
                return Result()
            if self.clock.seconds - began >= ACTION_SECONDS:
                raise no_reply(name)

    def _patience(self, execution: Execution, event: simpy.Event, seconds: float) -> Steps:
        alarm = self.clock.timeout(seconds)
        yield self.clock.any_of([event, alarm, execution.stop])
        self.clock.cancel(alarm)

    def _hand_over(self, execution: Execution, name: str, job: Job) -> None:
        cloud, notes = self.cloud, Notes(self.clock, self.cloud.trace, "codepipeline", execution.arn, job.id)
        try:
            target = cloud.registry.target(execution.account, execution.region, name)
        except LambdaError as missing:
            raise Failed("ConfigurationError", f"The AWS Lambda function {name} cannot be found") from missing
        arn = target.function.arn.removesuffix(":$LATEST")
        notes.event(arn)
        role = execution.pipeline["roleArn"]
        if not self._may(role, "lambda:InvokeFunction", arn):
            reason = f"The role {role} is not authorized to perform: lambda:InvokeFunction on {arn}"
            notes.dropped(arn, reason)
            raise Failed("PermissionError", reason)
        try:
            request_id = cloud.frontend.accept(target, json.dumps(job.described()).encode(),
                                               source="codepipeline")
        except LambdaError as problem:
            notes.dropped(arn, str(problem))
            raise Failed("JobFailed", str(problem)) from problem
        notes.delivered(arn, request_id)

    # -- details ----------------------------------------------------------------------------------------

    def _artifact(self, execution: Execution, artifact: str) -> Artifact:
        """Where an artifact is to be: as AWS names them, by parts of the names and chance."""
        store = (execution.pipeline.get("artifactStore") or {}).get("location", "")
        chance = "".join(self.clock.random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=7))
        return Artifact(artifact, store, f"{execution.pipeline['name'][:20]}/{artifact[:10]}/{chance}")

    def _inputs(self, execution: Execution, action: Action) -> list[Artifact]:
        names = [one["name"] for one in action.declared["inputArtifacts"]]
        missing = [one for one in names if one not in execution.artifacts]
        if missing:
            raise Failed("ConfigurationError", f"No action before this one has made {missing[0]}")
        return [execution.artifacts[one] for one in names]

    def _configured(self, execution: Execution, declared: Mapping[str, Any]) -> dict[str, str]:
        def value(found: re.Match[str]) -> str:
            namespace, name = found.groups()
            if name not in execution.variables.get(namespace, {}):
                raise Failed("ConfigurationError", f"The variable {found[0]} has no value")
            return execution.variables[namespace][name]

        return {name: _VARIABLE.sub(value, one) for name, one in declared["configuration"].items()}

    def _state(self, execution: Execution, state: str, stage: Mapping[str, Any] | None = None,
               action: Action | None = None) -> None:
        """Something has begun or ended: it is remembered, and the bus hears of it."""
        status = {"STARTED": "InProgress", "CANCELED": "Cancelled"}.get(state, state.capitalize())
        kind, detail = "Pipeline", {"pipeline": execution.pipeline["name"], "execution-id": execution.id}
        if stage is not None:
            kind, detail["stage"] = "Stage", stage["name"]
        if action is not None:
            kind, detail["action"] = "Action", action.name
        detail |= {"state": state, "version": float(execution.pipeline["version"])}
        if action is not None:
            detail["type"] = {name: action.declared["actionTypeId"][name]
                              for name in ("owner", "category", "provider", "version")}
            action.status, action.at = status, self.clock.now.timestamp()
        elif stage is not None:
            execution.stages[stage["name"]] = status
        else:
            execution.status = status
            execution.on_status(status)
        self._tell(execution, f"CodePipeline {kind} Execution State Change", detail)
