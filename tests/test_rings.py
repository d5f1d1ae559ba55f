"""The architecture, enforced: imports only go inwards, and only the clock reads a clock."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "minilambda"
RINGS = [
    {"limits", "errors", "faults", "function", "function_name", "policy", "invocation", "model",
     "package", "layer", "xray", "wheelhouse", "distributions", "event_source",
     "event_source_errors", "rates", "provisioned_errors",
     "async_errors", "vpc", "destination_arn", "identity_policy", "reserved_names", "schedule"},
    {"alarms", "clock", "dates", "timer", "work", "agenda", "trace", "logs", "metrics", "gauges", "billing",
     "patience", "processor"},
    {"sandbox"},
    {"setting", "variables", "errands", "conversation", "environment", "extensions", "shutdown",
     "modelled", "places"},
    {"concurrency", "placement", "provisioned", "registry", "versions", "permissions", "layers",
     "event_config", "event_sources", "code_signing", "recursion", "runtime_management",
     "states", "function_urls"},
    {"frontend", "appointments", "simulation"},
    {"async_queue", "destinations"},  # pullers
    {"apigateway", "autoscaling", "callers", "cognito_trigger", "databases", "delivery_stream", "payload_format",
     "strands", "triggers"},  # edges
    {"aws"},
    {"cloud", "modelling", "connected", "serve", "pytest_plugin", "doctor", "__init__", "cli", "__main__"},
]
BESIDE = {"views", "grading"}
RING = {name: number for number, names in enumerate(RINGS) for name in names}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path):
    """Names of this package's parts that a module imports, with where it does so."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                base = parts[:len(parts) - node.level]
                target = [*base, *(node.module or "").split(".")] if node.module else list(base)
                names = [target] if node.module else [[*target, a.name] for a in node.names]
            elif node.module and node.module.split(".")[0] == "minilambda":
                rest = node.module.split(".")[1:]
                names = [rest] if rest else [[a.name] for a in node.names]
            else:
                continue
        elif isinstance(node, ast.Import):
            names = [a.name.split(".")[1:] for a in node.names
                     if a.name.split(".")[0] == "minilambda"]
        else:
            continue
        for name in names:
            yield (name[0] if name and name[0] else "__init__"), node.lineno


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_only_go_inwards(path):
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert part in RING or part in BESIDE, f"{part} has no ring: name it in this test"
    for target, line in imports(path):
        if part in BESIDE or target == part:
            continue
        if part in ("cli", "__main__", "__init__"):
            continue  # the doors may open onto anything
        assert target not in BESIDE, f"{path}:{line} imports {target}"
        assert RING.get(target, 99) <= RING[part], f"{path}:{line} imports {target}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_clock_knows_what_time_it_is(path):
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if part in ("clock", "work", "sandbox", "grading"):  # the judge's limits are in real time
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        assert not re.search(r"\btime\.(time|sleep|monotonic|perf_counter)\(|"
                             r"\b(datetime|date)\.(now|utcnow|today)\(", line), f"{path}:{number}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_says_what_it_is_and_stays_short(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
    assert len(text.splitlines()) <= 400, f"{path}: which second noun hides in it?"


def test_what_runs_inside_a_sandbox_is_standard_library_only():
    import sys

    for name in ("api_connection.py", "bootstrap.py", "cloud_time.py", "confinement.py", "delivery.py",
                 "entry.py", "keeper.py", "launcher.py", "preloaded.py", "processes.py", "python_main.py",
                 "redirection.py", "sharing.py", "supervisor.py", "tree.py"):
        for node in ast.walk(ast.parse((PACKAGE / "sandbox" / name).read_text())):
            found = []
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0 or name == "bootstrap.py"  # for the inline tier
                found = [node.module] if node.module else [a.name for a in node.names]
            for module in found:
                top = module.split(".")[0]
                assert top in sys.stdlib_module_names | {
                    "api_connection", "bootstrap", "cloud_time", "confinement", "delivery",
                    "preloaded", "processes", "redirection", "sharing", "tree", "psutil"}, (name, module)
