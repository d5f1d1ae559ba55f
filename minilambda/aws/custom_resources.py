"""moto's stacks have custom resources made by functions, on the cloud's clock.

Stands for: CreateStack, UpdateStack and DeleteStack of templates with ``Custom::Name`` or
``AWS::CloudFormation::CustomResource``. AWS pages: *How custom resources work*,
*AWS::CloudFormation::CustomResource*, *Stack failure options*.
Leaves out: change sets of such templates and ``OnFailure`` DELETE (refused); events of resources of other
types; an update that fails isn't rolled back (the stack is UPDATE_FAILED); whether who asks for the stack
may invoke the function (a stack's role is looked at).

Such a stack is made on a strand: the request is answered at once, the stack is in progress, and it goes
on as somebody lets time pass (a waiter, ``cloud.run_until_idle()``). Until it is done it has no outputs,
for moto would make a resource in order to say what they are.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import moto.cloudformation.parsing as parsing
from moto.cloudformation.custom_model import CustomModel
from moto.cloudformation.models import CloudFormationBackend, Event, Stack, cloudformation_backends
from moto.cloudformation.responses import CloudFormationResponse

from ..callers import Cloud
from ..strands import Strands
from ..triggers.custom_resource import CustomResources, Failed, Response, function_of, seconds, texts
from .execution_role import role_may
from .models import refuse
from .response_urls import urls

Swap = Callable[[object, str, object], None]
TYPE = "AWS::CloudFormation::CustomResource"
_masking: ContextVar[bool] = ContextVar("masking", default=False)


def install(swap: Swap, cloud: Cloud) -> None:
    """``swap`` sets an attribute until the cloud is closed."""
    part = _Stacks(cloud)
    swap(_HERE, "part", part)
    swap(urls, "put", part.requests.put)
    class_of = parsing.resource_class_from_type
    swap(parsing, "resource_class_from_type", lambda name: (
        Resource if _is_custom(name) else class_of(name)))
    swap(Stack, "create_resources", part.create(Stack.create_resources))
    swap(Stack, "update", part.update(Stack.update))
    for name, instead in (("outputs", None), ("exports", []), ("stack_resources", [])):
        swap(Stack, name, property(_when_done(vars(Stack)[name].fget, name, instead)))
    swap(CloudFormationBackend, "delete_stack", part.delete(CloudFormationBackend.delete_stack))
    swap(CloudFormationBackend, "execute_change_set", _without(CloudFormationBackend.execute_change_set))
    swap(CloudFormationResponse, "create_stack", part.asked(CloudFormationResponse.create_stack))


class _Here:
    part: _Stacks | None = None


_HERE = _Here()


class Resource(CustomModel):
    """A custom resource of a stack's."""

    stack: Stack
    type: str
    properties: dict[str, Any]
    said: Response | None = None
    physical: str | None = None
    refused: object = None  # the stack's run in which it couldn't be deleted or changed

    def is_created(self) -> bool:
        return True

    @property
    def physical_resource_id(self) -> str:
        return self.physical or self.resource_name

    @classmethod
    def create_from_cloudformation_json(cls, resource_name: str, cloudformation_json: dict[str, Any],
                                        account_id: str, region_name: str, **kwargs: Any) -> Resource:
        stack = cloudformation_backends[account_id][region_name].get_stack(kwargs["StackId"])
        made = cls(region_name, "", kwargs["LogicalId"], resource_name)
        made.stack, made.type = stack, kwargs["ResourceType"]
        made.properties = texts(cloudformation_json["Properties"])
        made.cf_resource_type, made.logical_resource_id = made.type, made.logical_id
        # Also one that fails is there, to be deleted.
        stack.resource_map._parsed_resources[made.logical_id] = made
        made.ask("Create", {})
        return made

    @classmethod
    def update_from_cloudformation_json(cls, original_resource: Resource, new_resource_name: str,
                                        cloudformation_json: dict[str, Any], account_id: str,
                                        region_name: str) -> Resource:
        now, before = texts(cloudformation_json["Properties"]), original_resource.properties
        if now != before:
            former = original_resource.physical_resource_id
            original_resource.ask("Update", {"OldResourceProperties": before}, now)
            original_resource.properties = now
            if original_resource.physical_resource_id != former:
                original_resource.stack.replaced.append((original_resource, former, before))
        return original_resource

    def delete(self, account_id: str, region_name: str) -> None:
        self.ask("Delete", {})

    def ask(self, kind: str, more: dict[str, Any], properties: dict[str, Any] | None = None,
            physical: str | None = None) -> None:
        """Have the function do it, and wait for its response.

        Raises:
            Failed: it isn't done. (moto tries again; that isn't asked again.)
        """
        run, part = self.stack.run, _HERE.part
        if self.refused is run:
            raise Failed("not asked again")
        verb = kind.upper()
        properties = self.properties if properties is None else properties
        self._event(f"{verb}_IN_PROGRESS")
        try:
            function, patience = function_of(properties), seconds(properties)
            if self.stack.role_arn and not role_may(self.stack.role_arn, "lambda:InvokeFunction", function):
                raise Failed(f"The role {self.stack.role_arn} is not authorized to perform: "
                             f"lambda:InvokeFunction on resource: {function}")
            asked = {"RequestType": kind, "ServiceToken": function, "StackId": self.stack.stack_id,
                     "RequestId": part.cloud.clock.uuid(), "ResourceType": self.type,
                     "LogicalResourceId": self.logical_id}
            if kind != "Create":
                asked["PhysicalResourceId"] = physical or self.physical_resource_id
            asked |= {"ResourceProperties": properties, **more}
            came = part.strands.wait(part.requests.ask(
                asked, self.stack.account_id, self.region_name, patience))
            if isinstance(came, Failed):
                raise came
            if kind == "Delete" and came.physical_id != asked["PhysicalResourceId"]:
                raise Failed("Invalid PhysicalResourceId")
        except Failed as problem:
            self.refused = run
            if kind == "Create":
                self.physical = problem.physical_id
            self._event(f"{verb}_FAILED", str(problem))
            raise
        if kind != "Delete":
            self.said, self.physical = came, came.physical_id
        self._event(f"{verb}_COMPLETE")

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        data = self.said.data if self.said else {}
        if attribute_name not in data:
            raise Failed("CustomResource attribute error: Vendor response doesn't contain "
                         f"{attribute_name} key in object {self.stack.stack_id}|{self.logical_id}")
        return "*****" if _masking.get() and self.said.no_echo else data[attribute_name]

    def _event(self, status: str, reason: str | None = None) -> None:
        event = Event(self.stack.stack_id, self.stack.name, self.logical_id,
                      self.physical or "", self.type, status, reason, None)
        event.sendToSns(self.stack.account_id, self.region_name, self.stack.notification_arns)
        self.stack.events.append(event)


class _Stacks:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.strands = cloud, Strands(cloud.clock)
        self.requests = CustomResources(cloud, lambda: os.environ["AWS_ENDPOINT_URL"])

    def asked(self, stock: Callable[..., Any]) -> Callable[..., Any]:
        def create_stack(response: CloudFormationResponse) -> Any:
            failure = response._get_param("OnFailure")
            if failure == "DELETE":
                refuse("OnFailure DELETE of CreateStack")
            answer = stock(response)
            stack = response.cloudformation_backend.get_stack(answer.result["StackId"])
            stack.disable_rollback = bool(failure == "DO_NOTHING" or response._get_bool_param(
                "DisableRollback", False))
            return answer

        return create_stack

    def create(self, stock: Callable[..., None]) -> Callable[..., None]:
        def create_resources(stack: Stack) -> None:
            if not _has_custom(stack.template_dict):
                stock(stack)
                return
            _check(stack)
            stack.status = "CREATE_IN_PROGRESS"
            self._begin(stack, run)

        def run(stack: Stack) -> None:
            try:
                stack.resource_map.create(stack.template_dict)
                with _looking(stack):
                    _ = stack.outputs
                    exports = list(stack.exports)
            except Exception as problem:  # a resource's, whatever moto raises for it
                self._say(stack, "CREATE_FAILED" if stack.disable_rollback else "ROLLBACK_IN_PROGRESS",
                          _why(stack, problem, "create"))
                if not stack.disable_rollback:
                    stack.run = object()
                    try:
                        stack.resource_map.delete()
                    except Exception as left:
                        self._say(stack, "ROLLBACK_FAILED", _why(stack, left, "delete"))
                    else:
                        self._say(stack, "ROLLBACK_COMPLETE")
                return
            stack.description = stack.template_dict.get("Description")
            known = cloudformation_backends[stack.account_id][stack.region_name].exports
            known.update({export.name: export for export in exports})
            self._say(stack, "CREATE_COMPLETE")

        return create_resources

    def update(self, stock: Callable[..., None]) -> Callable[..., None]:
        def update(stack: Stack, template: str, role_arn: str | None = None,
                   parameters: dict[str, Any] | None = None, tags: dict[str, str] | None = None) -> None:
            now = stack.parse_template(template)
            if not (_has_custom(stack.template_dict) or _has_custom(now)):
                stock(stack, template, role_arn, parameters=parameters, tags=tags)
                return
            _refuse_topics(now)
            stack.status = "UPDATE_IN_PROGRESS"
            stack._add_stack_event("UPDATE_IN_PROGRESS", resource_status_reason="User Initiated")
            stack.role_arn = role_arn or stack.role_arn
            self._begin(stack, lambda stack: run(stack, template, parameters, tags))

        def run(stack: Stack, template: str, parameters: Any, tags: Any) -> None:
            try:
                stack.template = template
                stack._parse_template()
                stack.resource_map.update(stack.template_dict, parameters)
                stack.output_map = stack._create_output_map()
                with _looking(stack):
                    _ = stack.outputs
            except Exception as problem:
                self._say(stack, "UPDATE_FAILED", _why(stack, problem, "update"))
                return
            stack.parameters = parameters or stack.parameters
            stack.tags = stack.tags if tags is None else tags
            if stack.replaced:
                self._say(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
                for resource, former, properties in stack.replaced:
                    with contextlib.suppress(Failed):  # what can't be cleaned up stays, and is said
                        resource.ask("Delete", {}, properties, former)
            self._say(stack, "UPDATE_COMPLETE")

        return update

    def delete(self, stock: Callable[..., None]) -> Callable[..., None]:
        def delete_stack(backend: CloudFormationBackend, name_or_stack_id: str) -> None:
            stack = next((one for one in backend.stacks.values()
                          if name_or_stack_id in (one.stack_id, one.name)), None)
            if stack is None or not _has_custom(stack.template_dict):
                stock(backend, name_or_stack_id)
                return
            names = [export.name for export in stack.exports]
            stack.status = "DELETE_IN_PROGRESS"
            stack._add_stack_event("DELETE_IN_PROGRESS", resource_status_reason="User Initiated")
            self._begin(stack, lambda stack: run(stack, backend, names))

        def run(stack: Stack, backend: CloudFormationBackend, names: list[str]) -> None:
            try:
                stack.resource_map.delete()
            except Exception as problem:
                self._say(stack, "DELETE_FAILED", _why(stack, problem, "delete"))
                return
            self._say(stack, "DELETE_COMPLETE")
            backend.deleted_stacks[stack.stack_id] = backend.stacks.pop(stack.stack_id)
            for name in names:
                backend.exports.pop(name, None)

        return delete_stack

    def _begin(self, stack: Stack, run: Callable[[Stack], None]) -> None:
        stack.run, stack.replaced = object(), []
        if getattr(self.strands._own, "strand", None) is not None:  # a stack in a stack: it is waited for
            run(stack)
            if stack.status.endswith("FAILED") or "ROLLBACK" in stack.status:
                raise Failed(f"Embedded stack {stack.stack_id} was not successfully done")
        else:
            self.strands.begin(run, stack)

    def _say(self, stack: Stack, status: str, reason: str | None = None) -> None:
        stack.status = status
        stack._add_stack_event(status, resource_status_reason=reason)


# -- details --------------------------------------------------------------------------------------------

def _is_custom(name: str) -> bool:
    return name == TYPE or name.startswith("Custom::")


def _has_custom(template: Mapping[str, Any]) -> bool:
    return any(_is_custom(str(one.get("Type"))) for one in (template.get("Resources") or {}).values())


def _check(stack: Stack) -> None:
    try:
        _refuse_topics(stack.template_dict)
    except NotImplementedError:
        cloudformation_backends[stack.account_id][stack.region_name].stacks.pop(stack.stack_id, None)
        raise


def _refuse_topics(template: Mapping[str, Any]) -> None:
    for one in (template.get("Resources") or {}).values():
        token = (one.get("Properties") or {}).get("ServiceToken")
        if _is_custom(str(one.get("Type"))) and str(token).startswith("arn:aws:sns:"):
            refuse("custom resources whose ServiceToken is an SNS topic")


def _without(stock: Callable[..., None]) -> Callable[..., None]:
    def execute_change_set(backend: CloudFormationBackend, change_set_name: str,
                           stack_name: str | None = None) -> None:
        found = backend.describe_change_set(change_set_name)
        if found is not None and _has_custom(Stack.parse_template(found.template)):
            refuse("change sets of templates with custom resources")
        stock(backend, change_set_name, stack_name)

    return execute_change_set


def _when_done(stock: Callable[[Stack], Any], name: str, instead: Any) -> Callable[[Stack], Any]:
    def read(stack: Stack) -> Any:
        if not _has_custom(stack.template_dict):
            return stock(stack)
        looking = getattr(stack, "looking", False)
        if name == "stack_resources":  # those that there are, in order
            there = stack.resource_map._parsed_resources
            return [there[one] for one in stack.resource_map.resources if there.get(one) is not None]
        if not looking and stack.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return instead
        before = _masking.set(name == "outputs")
        try:
            return stock(stack)
        finally:
            _masking.reset(before)

    return read


@contextlib.contextmanager
def _looking(stack: Stack) -> Iterator[None]:
    """The strand that makes a stack may look at what comes out."""
    stack.looking = True
    try:
        yield
    finally:
        stack.looking = False


def _why(stack: Stack, problem: Exception, verb: str) -> str:
    failed = [event.logical_resource_id for event in stack.events
              if event.resource_status == f"{verb.upper()}_FAILED" and event.resource_type != (
                  "AWS::CloudFormation::Stack")]
    if failed:
        return f"The following resource(s) failed to {verb}: [{', '.join(dict.fromkeys(failed))}]."
    return str(problem)
