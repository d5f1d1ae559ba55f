"""A plugin of the AWS CLI (version 1): every command goes to the cloud, or nowhere.

Stands for: nothing of AWS's. The CLI's older services (sqs among them) ignore AWS_ENDPOINT_URL in
many regions and would call real AWS; ``--endpoint-url`` works for all.
The guard's configuration file names this module (``[plugins]``); ``guard`` writes that file.
"""

from __future__ import annotations

import os
from typing import Any

from .loopback import refuse_outside


def awscli_initialize(cli: Any) -> None:
    """Called by the CLI with its event emitter."""
    cli.register("top-level-args-parsed", _default_endpoint)
    cli.register("before-send", refuse_outside)


def _default_endpoint(parsed_args: Any, **kwargs: Any) -> None:
    if not parsed_args.endpoint_url:
        parsed_args.endpoint_url = os.environ.get("AWS_ENDPOINT_URL") or None
