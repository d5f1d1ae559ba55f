"""The command ``minilambda``. Each command's module adds itself to the parser.

Stands for nothing of AWS's: for that there is ``aws``. Exit status: 0 done, 1 done in part (the
command says what isn't), 2 the command can't be carried out as given.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

# Where each command is at home. Only the one that is asked for is loaded: the judge's libraries take
# seconds, for which nobody who starts a server wants to wait.
_HOMES = {"serve": ".serve", "release": ".grading.commands", "grade": ".grading.commands",
          "doctor": ".doctor"}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="minilambda", description="AWS Lambda on your own machine: a server, labs, grading.",
        epilog="In a notebook the cloud is started from Python: minilambda.Cloud().")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    asked = _HOMES.get(arguments[0]) if arguments else None
    for home in [asked] if asked else dict.fromkeys(_HOMES.values()):
        import_module(home, __package__).add_commands(commands)
    chosen = parser.parse_args(arguments)
    return chosen.run(chosen)


if __name__ == "__main__":
    raise SystemExit(main())
