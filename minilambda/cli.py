"""The command ``minilambda``. Each command's module adds itself to the parser.

Stands for nothing of AWS's: for that there is ``aws``. Exit status: 0 done, 1 done in part (the
command says what isn't), 2 the command can't be carried out as given.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from . import serve
from .doctor import doctor
from .grading import commands as grading


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="minilambda", description="AWS Lambda on your own machine: a server, labs, grading.",
        epilog="In a notebook the cloud is started from Python: minilambda.Cloud().")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    serve.add_command(commands)
    grading.add_commands(commands)
    looking = commands.add_parser("doctor", help="say what works on this machine",
                                  description="Try what works on this machine, and say what to do "
                                              "about the rest.")
    looking.set_defaults(run=_doctor)
    chosen = parser.parse_args(arguments)
    return chosen.run(chosen)


def _doctor(chosen: argparse.Namespace) -> int:
    print(doctor())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
