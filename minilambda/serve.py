"""``minilambda serve``: a cloud of its own process, for anybody's client.

Stands for: the region that you would otherwise have an account in. Ring 9, as ``cloud``: it adds what
a notebook's cloud doesn't need, ``/_minilambda`` and a thread that turns the crank.
Leaves out: keeping anything; a stopped server has forgotten all.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import signal
import sys
import threading
import traceback
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from types import FrameType
from typing import Any

from .aws.control import Control
from .aws.listening import LOOPBACK
from .aws.loopback import is_loopback
from .aws.server import Server
from .clock import Clock, ClockStopped
from .cloud import Cloud
from .limits import PROFILES

PORT = 4566  # the one that clients of such servers expect
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

EXAMPLES = """
examples

  Start it, and in another terminal say where AWS is. Any credentials do:

    minilambda serve
    export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_DEFAULT_REGION=eu-west-2
    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test

  AWS CLI (its older services read no variable, so say it):

    aws --endpoint-url http://127.0.0.1:4566 lambda list-functions
    aws --endpoint-url http://127.0.0.1:4566 logs filter-log-events \\
        --log-group-name /aws/lambda/greet

  boto3:

    boto3.client("lambda", endpoint_url="http://127.0.0.1:4566")

  Terraform:

    provider "aws" {
      region                      = "eu-west-2"
      access_key                  = "test"
      secret_key                  = "test"
      s3_use_path_style           = true
      skip_credentials_validation = true
      skip_metadata_api_check     = true
      skip_requesting_account_id  = true
      endpoints {
        iam    = "http://127.0.0.1:4566"
        lambda = "http://127.0.0.1:4566"
        s3     = "http://127.0.0.1:4566"
      }
    }

  A notebook, with pictures and all (plain boto3 then reaches the server, too):

    cloud = minilambda.Cloud.connect("http://127.0.0.1:4566")

  Ten minutes, in no time (start it with --clock virtual); what has happened; as new:

    curl -d '{"seconds": 600}' http://127.0.0.1:4566/_minilambda/clock
    curl 'http://127.0.0.1:4566/_minilambda/trace?kind=invoke.ended'
    curl -X POST http://127.0.0.1:4566/_minilambda/reset

  Is it ready?  curl http://127.0.0.1:4566/_minilambda/health

On the wall clock time passes by itself, as on AWS. On the virtual clock it stands still unless
somebody invokes a function or moves it by /_minilambda/clock: that is how tests wait for nothing.
Ctrl-C (SIGINT) or SIGTERM stops the server and all its functions; nothing is kept.
Exit status: 0 stopped, 1 it failed, 2 it could not start.
"""


class ServedCloud(Cloud):
    """A cloud that is driven over HTTP, and on the wall clock by itself.

    Args:
        host: the address of this machine to listen at, beside loopback.
        on_failure: called if it can't be started anew after a reset; it is closed then.
        options: as for :class:`minilambda.Cloud`.
    """

    def __init__(self, *, host: str = LOOPBACK, on_failure: Callable[[], None] = lambda: None,
                 **options: Any) -> None:
        self.host, self._on_failure = host, on_failure
        self.identity = ""  # another one after every reset
        super().__init__(**options)

    def describe(self) -> dict[str, Any]:
        """What a client may want to know, as JSON."""
        seconds = self.clock.seconds
        return {
            "service": "minilambda", "version": version("minilambda"), "cloud": self.identity,
            "clock": "wall" if self.clock.wall else "virtual", "speed": self.clock.speed,
            "durations": self.durations, "limits": self.limits.profile, "sandbox": self.sandbox,
            "seed": self.seed, "account": self.account_id, "region": self.region,
            "now": self.clock.at(seconds).isoformat(), "seconds": seconds,
        }

    def reset(self) -> None:
        try:
            super().reset()
        except BaseException:
            self._on_failure()
            raise

    def _new_server(self, port: int) -> Server:
        return Server(port, self.host, Control(self))

    def _begin(self) -> None:
        self.identity = uuid.uuid4().hex
        super()._begin()
        if self.clock.wall:
            threading.Thread(target=_turn, args=(self.clock,), name="minilambda-clock",
                             daemon=True).start()


def _turn(clock: Clock) -> None:
    """Make what falls due happen, though nobody waits for it; to the clock's end."""
    while True:
        try:
            clock.run(math.inf)
        except ClockStopped:
            return
        except Exception:  # what has failed is over; time goes on for everything else
            traceback.print_exc()


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add ``serve`` to the command line."""
    serving = commands.add_parser(
        "serve", help="serve a cloud for boto3, the AWS CLI, Terraform, tests",
        description="Serve AWS Lambda, and moto's other services, on one port of this machine.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    serving.add_argument("--port", type=_port, default=PORT, metavar="N",
                         help="where to listen (%(default)s); 0 takes a free one")
    serving.add_argument("--host", default=LOOPBACK, metavar="ADDRESS",
                         help="the address to listen at (%(default)s: this machine only); 0.0.0.0 "
                              "lets everybody on the network run code here")
    serving.add_argument("--clock", choices=("wall", "virtual"), default="wall",
                         help="wall: time passes by itself (the default); virtual: it stands still "
                              "while code runs, and moves when told")
    serving.add_argument("--speed", type=float, default=1.0, metavar="N",
                         help="on the wall clock, how many times as fast as time (1)")
    serving.add_argument("--start", type=_instant, metavar="INSTANT",
                         help="the instant at which its clock starts, such as "
                              "2026-03-02T09:00:00Z (now; with modelled durations 2 March 2020)")
    serving.add_argument("--durations", choices=("measured", "modelled"), default="measured",
                         help="measured: an invocation takes its CPU time on its share of a vCPU "
                              "(the default); modelled: fixed figures, the same on every machine")
    serving.add_argument("--limits", choices=PROFILES, default="course",
                         help="the quotas in force: early 2020's (course, the default) or today's")
    serving.add_argument("--sandbox", choices=("auto", "bubblewrap", "process"), default="auto",
                         help="what functions run in (auto: the best that works here; see "
                              "`minilambda doctor`)")
    serving.add_argument("--seed", type=int, default=0, metavar="N",
                         help="of everything random (%(default)s)")
    serving.add_argument("--async-retry-wait", type=_seconds, metavar="SECONDS",
                         help="how long after its first failure an asynchronous invocation is tried "
                              "again; twice as long after the second (60, as on AWS)")
    serving.set_defaults(run=_serve)


def _serve(arguments: argparse.Namespace) -> int:
    with _Stop() as stop:
        try:
            cloud = ServedCloud(
                host=arguments.host, on_failure=stop.fail, port=arguments.port,
                clock=arguments.clock, speed=arguments.speed, start=arguments.start,
                durations=arguments.durations, limits=arguments.limits,
                sandbox=arguments.sandbox, seed=arguments.seed,
                async_retry_wait=arguments.async_retry_wait)
        except (ValueError, OSError, RuntimeError) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else error
            print(f"minilambda: {said}", file=sys.stderr)
            return 2
        with cloud:
            _announce(cloud)
            status = stop.wait()
    if status:
        print("minilambda: the cloud could not be started anew after a reset", file=sys.stderr)
    return status


class _Stop:
    """Waits for the first signal; the second ends the process there and then.

    (Functions end with it however it ends: their supervisor sees to that.) A pipe, because a signal's
    handler may run at any point, and may wait for no lock.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self._asked = False

    def __enter__(self) -> _Stop:
        self._former = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)

    def wait(self) -> int:
        """The exit status, once it is time to stop."""
        return os.read(self._read, 1)[0]

    def fail(self) -> None:
        os.write(self._write, b"\1")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            os._exit(128 + number)
        self._asked = True
        os.write(self._write, b"\0")


def _announce(cloud: ServedCloud) -> None:
    """The line that says it is ready; nobody needs to be reading it."""
    with contextlib.suppress(OSError):
        print(f"minilambda ready at {cloud.endpoint_url} ({'wall' if cloud.clock.wall else 'virtual'}"
              f" clock, {cloud.limits.profile} limits, {cloud.sandbox} sandbox)", flush=True)
    if not is_loopback(cloud.host):
        print(f"minilambda: warning: listening at {cloud.host}: whoever reaches that address can run "
              "code on this machine; nobody's signature is checked", file=sys.stderr, flush=True)


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("must be from 0 to 65535")
    return number


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError("must be a number of seconds, 0 or more")
    return seconds


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} isn't an instant such as 2026-03-02T09:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
