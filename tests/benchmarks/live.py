"""How quickly a live picture follows, with 10,000 invocations in view. Figures, no assertions.

Three things make up the time from a turn of a control to its picture, the calls themselves aside:
reading the trace, packing it for the page, and drawing it in a browser. Each is given in ms and as
a ratio to one boto3 call (GetFunctionConfiguration) to the same cloud in the same run, because
machines differ.

    .venv/bin/python tests/benchmarks/live.py
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import boto3
from playwright.sync_api import sync_playwright

import minilambda
from minilambda.trace import Trace
from minilambda.views import live, patterns, traffic
from minilambda.views.film import UNIT, Camera
from minilambda.views.live import LiveView

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "browser"), str(HERE.parent / "views")]
from browser_driver import FLAGS, chromium_path  # noqa: E402
from widget_page import fill, traits  # noqa: E402

NUMBER, FRESH = 10_000, 100  # in view; new ones that one turn brings
RUNS = 15
FOLLOWS_MS = 150


def write(trace, first, number):
    """Invocations as the runtime's trace has them, ten log lines and phases each."""
    for place in range(first, first + number):
        at, name, request = place * 0.001, f"{place % 300:032x}", f"{place:036x}"
        trace.append(at, "request.accepted", "hello", request_id=request)
        trace.append(at, "environment.thawed", "hello", name)
        trace.append(at, "invoke.started", "hello", name, request_id=request, cold=False)
        for line in ("START", "END", "REPORT"):
            trace.append(at, "log.line", "hello", name, request_id=request, message=line)
        trace.append(at + 0.1, "invoke.ended", "hello", name, request_id=request, status="success",
                     error_type=None, duration_ms=100.0, billed_ms=100, memory_size=128,
                     max_memory_used=36, init_ms=None, cost=4e-7)
        trace.append(at + 0.1, "environment.frozen", "hello", name)


def median_ms(action):
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        action()
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


def reading():
    """The fresh invocations out of a trace with all of them, packed; and all of them at once."""
    trace = Trace()
    camera = Camera(trace, "hello", 0.0)
    write(trace, 0, NUMBER)
    whole = median_ms(lambda: json.dumps(Camera(trace, "hello", 0.0, 0).take(20.0).as_data()))
    camera.take(20.0)
    times = []
    for run in range(RUNS):
        write(trace, NUMBER + run * FRESH, FRESH)
        begun = time.perf_counter()
        json.dumps(camera.take(30.0).as_data())
        times.append((time.perf_counter() - begun) * 1000)
    frames = Camera(trace, "hello", 0.0, 0).take(20.0).as_data() | {"turns": []}
    return statistics.median(times), whole, frames


def drawing(page, state, frames):
    """From a word of the kernel's to the picture, in the browser: counted, drawn, said."""
    fill(page, LiveView, state)
    return page.evaluate("""async ([frames, runs, unit]) => {
      const none = { until: frames.until, arrivals: [], throttles: [], spans: [[], [], [], []],
        ended: [[], [], []], turns: [] };
      const tell = (number, part) => model.set("fresh",
        { run: 1, number, over: true, said: "", count: number, frames: part });
      tell(0, frames);
      const times = [];
      for (let run = 1; run <= runs; run += 1) {
        const begun = performance.now();
        tell(run, { ...none, until: frames.until + run, arrivals: [frames.until + run - 1] });
        times.push(performance.now() - begun);
        await new Promise(requestAnimationFrame);
      }
      times.sort((a, b) => a - b);
      return times[Math.floor(runs / 2)];
    }""", [frames, RUNS, UNIT])


def main():
    fresh, whole, frames = reading()
    with tempfile.TemporaryDirectory() as folder, minilambda.Cloud(durations="modelled") as cloud:
        (Path(folder) / "app.py").write_text("def handler(event, context):\n    return 1\n")
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole"}]}
        role = boto3.client("iam").create_role(
            RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        lam = boto3.client("lambda")
        lam.create_function(FunctionName="hello", Runtime="python3.8", Role=role,
                            Handler="app.handler",
                            Code={"ZipFile": minilambda.zip_handler(Path(folder) / "app.py")})
        call = median_ms(lambda: lam.get_function_configuration(FunctionName="hello"))
        view = live(cloud, "hello", patterns.burst(1, 1, 10), record=False).view
        state = traits(view, "function", "pattern", "seconds", "controls", "indexes", "films", "ask",
                       "fresh")
        begun = time.perf_counter()
        traffic(cloud, "hello", patterns.constant(10, 100))  # a thousand requests, warm
        request = (time.perf_counter() - begun) * 1000 / 1000
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        drawn = drawing(browser.new_page(viewport={"width": 1280, "height": 900}), state, frames)
        browser.close()
    print(f"one boto3 call: {call:.2f} ms; a request of traffic: {request:.2f} ms")
    for what, took in ((f"reading {FRESH} fresh of {NUMBER:,}", fresh),
                       (f"reading all {NUMBER:,}", whole), (f"drawing {NUMBER:,}", drawn)):
        print(f"{what}: {took:.1f} ms, {took / call:.1f} calls")
    print(f"the picture follows in {fresh + drawn:.0f} ms (wanted: {FOLLOWS_MS})")


if __name__ == "__main__":
    main()
