"""Runs inside an execution environment whose Python is started by a program, such as a wrapper script.

Stands for: the Python runtime's entry point. AWS page: *Modifying the runtime environment*.
"""

import json
import os
import sys


def main():
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import cloud_time

    cloud_time.install()
    import bootstrap
    import redirection

    sys.path.pop(0)
    for name in ("api_connection", "bootstrap", "cloud_time", "redirection"):
        del sys.modules[name]  # a handler's own module may have that name
    redirect = os.environ.pop("MINILAMBDA_REDIRECT", None)
    bootstrap.main(redirection.Redirection(**json.loads(redirect)) if redirect else None)


main()
