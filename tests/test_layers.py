"""The layers of every account and region, without any server; numbering by properties."""

import io
import zipfile

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from minilambda.clock import COURSE_START, Clock
from minilambda.errors import LambdaError
from minilambda.limits import Limits
from minilambda.registry import Registry

ME, OTHER, HERE = "123456789012", "210987654321", "eu-west-2"
ROLE = f"arn:aws:iam::{ME}:role/r"


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (files or {"data": "x"}).items():
            archive.writestr(name, text)
    return buffer.getvalue()


def make(**figures):
    limits = Limits("course", {**Limits.load("course").figures(), **figures})
    return Registry(Clock(start=COURSE_START), limits, role_trusts_lambda=lambda role: True,
                    fetch_code=lambda *where: zipped())


def request(name="l", archive=None, **more):
    return {"LayerName": name, "Content": {"ZipFile": archive or zipped()}, **more}


def function(*layers, size=1):
    return {"FunctionName": "f", "Runtime": "python3.8", "Role": ROLE, "Handler": "app.handler",
            "Code": {"ZipFile": zipped(app="x" * size)}, "Layers": list(layers)}


def refused(call, *args, **more):
    with pytest.raises(LambdaError) as caught:
        call(*args, **more)
    return caught.value


class Numbers(RuleBasedStateMachine):
    """Publish and delete in any order, against a model: how many there were, which are left."""

    NAMES = ("a", "b")
    names = st.sampled_from(NAMES)
    numbers = st.integers(1, 12)

    def __init__(self):
        super().__init__()
        self.registry = make()
        self.layers = self.registry.layers
        self.published = dict.fromkeys(self.NAMES, 0)
        self.left = {name: set() for name in self.NAMES}
        self.held = {}  # what functions hold: function -> ARN

    @rule(name=names)
    def publish(self, name):
        version = self.layers.publish(ME, HERE, request(name))
        self.published[name] += 1
        self.left[name].add(self.published[name])
        assert version.version == self.published[name]

    @rule(name=names)
    def publish_what_is_refused(self, name):
        """A number isn't used up by a request that fails."""
        refused(self.layers.publish, ME, HERE, request(name, b"no zip"))

    @rule(name=names, number=numbers)
    def delete(self, name, number):
        self.layers.delete(ME, HERE, name, number)  # harmless where there is none
        self.left[name].discard(number)

    @rule(name=names, number=numbers)
    def hold(self, name, number):
        arn = f"arn:aws:lambda:{HERE}:{ME}:layer:{name}:{number}"
        made = function(arn) | {"FunctionName": f"f{len(self.held)}"}
        if number in self.left[name]:
            self.registry.create(ME, HERE, made)
            self.held[made["FunctionName"]] = arn
        else:
            assert refused(self.registry.create, ME, HERE, made).message == (
                f"Layer version {arn} does not exist.")

    @invariant()
    def lists_agree(self):
        for name in self.NAMES:
            found, marker = self.layers.versions(ME, HERE, name)
            assert [v.version for v in found] == sorted(self.left[name], reverse=True)
            assert marker is None
        newest = {v.name: v.version for v in self.layers.list(ME, HERE)[0]}
        assert newest == {name: max(left) for name, left in self.left.items() if left}

    @invariant()
    def each_version_is_there_or_not(self):
        for name, number in ((n, i) for n in self.NAMES for i in range(1, 13)):
            if number in self.left[name]:
                assert self.layers.get(ME, HERE, name, number).version == number
            else:
                assert refused(self.layers.get, ME, HERE, name, number).status == 404

    @invariant()
    def functions_keep_what_they_were_given(self):
        for name, arn in self.held.items():
            layer, = self.registry.get(ME, HERE, name).layers
            assert layer.arn == arn and layer.content.archive


TestNumbers = Numbers.TestCase
TestNumbers.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)


def test_pages_go_through_everything_once():
    layers = make().layers
    for number in range(55):
        layers.publish(ME, HERE, request("many"))
        layers.publish(ME, HERE, request(f"l{number:02}"))
    for read in (lambda marker: layers.list(ME, HERE, marker=marker, max_items=7),
                 lambda marker: layers.versions(ME, HERE, "many", marker=marker, max_items=7),
                 lambda marker: layers.list(ME, HERE, marker=marker),
                 lambda marker: layers.versions(ME, HERE, "many", marker=marker)):
        found, marker = read(None)
        while marker:
            page, marker = read(marker)
            found += page
        assert len({v.arn for v in found}) == len(found) >= 55


def test_accounts_and_regions_are_apart():
    layers = make().layers
    layers.publish(ME, HERE, request())
    assert layers.publish(ME, "us-east-1", request()).version == 1
    assert layers.publish(OTHER, HERE, request()).version == 1
    assert [v.account for v in layers.list(OTHER, HERE)[0]] == [OTHER]


@pytest.mark.parametrize(("principal", "account", "allowed"), [
    ("*", OTHER, True), (OTHER, OTHER, True), (f"arn:aws:iam::{OTHER}:root", OTHER, True),
    ("111111111111", OTHER, False), ("111111111111", ME, True),
])
def test_whom_a_permission_lets_in(principal, account, allowed):
    registry = make()
    arn = registry.layers.publish(ME, HERE, request()).arn
    registry.layers.add_permission(ME, HERE, {
        "LayerName": "l", "VersionNumber": 1, "StatementId": "s", "Principal": principal,
        "Action": "lambda:GetLayerVersion"})
    if allowed:
        assert registry.layers.get_by_arn(account, HERE, arn).arn == arn
        made = registry.create(account, HERE, function(arn) | {"Role": ROLE.replace(ME, account)})
        assert made.layers[0].arn == arn
    else:
        for error in (refused(registry.layers.get_by_arn, account, HERE, arn),
                      refused(registry.layers.resolve, account, HERE, [arn])):
            assert (error.status, error.code) == (403, "AccessDeniedException")
            assert error.message == (
                f"User: arn:aws:iam::{account}:root is not authorized to perform: "
                f"lambda:GetLayerVersion on resource: {arn} because no resource-based policy "
                "allows the lambda:GetLayerVersion action")


def test_a_permission_is_for_reading_only():
    layers = make().layers
    arn = layers.publish(ME, HERE, request()).layer_arn
    layers.add_permission(ME, HERE, {"LayerName": "l", "VersionNumber": 1, "StatementId": "s",
                                     "Principal": "*", "Action": "lambda:GetLayerVersion"})
    for call in (lambda: layers.publish(OTHER, HERE, request(arn)),
                 lambda: layers.delete(OTHER, HERE, arn, 1),
                 lambda: layers.versions(OTHER, HERE, arn),
                 lambda: layers.policy(OTHER, HERE, {"LayerName": arn, "VersionNumber": 1})):
        assert refused(call).code == "AccessDeniedException"


def test_room_for_code_and_layers_at_the_edge():
    """A function's code and its layers have one room, to the byte; three ways to be over it."""
    registry = make(unzipped=100)
    arn = registry.layers.publish(ME, HERE, request(archive=zipped(data="x" * 60))).arn
    assert refused(registry.create, ME, HERE, function(arn, size=40)).message == (
        "Unzipped size must be smaller than 40 bytes")
    registry.create(ME, HERE, function(arn, size=39))
    assert refused(registry.update_code, ME, HERE, {
        "FunctionName": "f", "ZipFile": zipped(app="x" * 40)}).message == (
        "Unzipped size must be smaller than 40 bytes")
    more = registry.layers.publish(ME, HERE, request("m", zipped(data="x"))).arn
    registry.update_configuration(ME, HERE, {"FunctionName": "f", "Layers": [arn, more]})
    last = registry.layers.publish(ME, HERE, request("n", zipped(data="xy"))).arn
    assert refused(registry.update_configuration, ME, HERE, {
        "FunctionName": "f", "Layers": [arn, more, last]}).message == (
        "Function code combined with layers exceeds the maximum allowed size of 100 bytes. "
        "The actual size is 102 bytes.")
    big = registry.layers.publish(ME, HERE, request("big", zipped(data="x" * 41))).arn
    assert refused(registry.update_configuration, ME, HERE, {
        "FunctionName": "f", "Layers": [arn, big]}).message == (
        "Layers consume more than the available size of 100 bytes")
    assert [v.arn for v in registry.get(ME, HERE, "f").layers] == [arn, more]


def test_layers_count_as_code_storage():
    registry = make(code_storage=len(zipped()) * 2)
    registry.layers.publish(ME, HERE, request("a"))
    registry.layers.publish(ME, HERE, request("b"))
    for call in (lambda: registry.layers.publish(ME, HERE, request("c")),
                 lambda: registry.create(ME, HERE, function())):
        assert refused(call).code == "CodeStorageExceededException"
    registry.layers.delete(ME, HERE, "a", 1)
    registry.layers.publish(ME, HERE, request("c"))
