"""This process, its notebook and its shell commands talk to the cloud and to no one else.

Stands for: nothing of AWS's. It sets what botocore and the AWS CLI read: environment variables,
configuration files, botocore's handlers; and puts everything back.
Leaves out: programs that don't use botocore and ignore proxies.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore import handlers

from .loopback import HOST_VARIABLE, is_loopback, refuse_outside

# Fake, and shaped like the real thing: moto reads account and key from them.
ACCESS_KEY_ID = "AKIAMINILAMBDA000000"
SECRET_ACCESS_KEY = "minilambda/not/a/secret/minilambda000000"
_DEAD_PROXY = "http://127.0.0.1:9"  # the discard port: refused at once
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_DIRECT = ("NO_PROXY", "no_proxy")
_LOOPBACK = "localhost,127.0.0.1,::1"
_HANDLER = ("before-send", refuse_outside)
_MANAGED = (*_PROXIES, *_DIRECT, "PATH", "BOTO_CONFIG", HOST_VARIABLE)

_lock = threading.RLock()
_active: list[Guard] = []  # the innermost last
_before: dict[str, object] = {}  # what the first guard found


class Guard:
    """From :meth:`apply` to :meth:`restore` the process belongs to the cloud at ``endpoint_url``.

    Guards may overlap: the one applied last counts; when all are restored, in whatever order, the
    process is as the first one found it.
    """

    def __init__(self, endpoint_url: str, region: str = "eu-west-2") -> None:
        self.endpoint_url, self.region = endpoint_url, region
        self._folder: Path | None = None

    def apply(self) -> None:
        with _lock:
            if self in _active:
                return
            if not _active:
                _remember()
            self._folder = _write_files(self.region)
            _active.append(self)
            try:
                self._enforce()
            except BaseException:
                self.restore()
                raise

    def restore(self) -> None:
        """Harmless when not applied."""
        with _lock:
            if self not in _active:
                return
            _active.remove(self)
            shutil.rmtree(self._folder, ignore_errors=True)
            if _active:
                _active[-1]._enforce()
            else:
                _put_back()

    def __enter__(self) -> Guard:
        self.apply()
        return self

    def __exit__(self, *exception: object) -> None:
        self.restore()

    def environment(self) -> dict[str, str]:
        """The variables that are set (not those that are removed)."""
        bin_folder = str(Path(sys.prefix) / "bin")
        host = urlsplit(self.endpoint_url).hostname or ""
        away = {} if is_loopback(host) else {HOST_VARIABLE: host}
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_CONFIG_FILE": str(self._folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self._folder / "credentials"),
            "BOTO_CONFIG": str(self._folder / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            **dict.fromkeys(_PROXIES, _DEAD_PROXY),
            **dict.fromkeys(_DIRECT, ",".join([_LOOPBACK, *away.values()])),
            **away,
            # `!aws` in a notebook is the AWS CLI of this environment, plugin included.
            "PATH": os.pathsep.join([bin_folder, str(_before["environ"].get("PATH", os.defpath))]),
        }

    def _enforce(self) -> None:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.pop(HOST_VARIABLE, None)
        os.environ.update(self.environment())
        if _HANDLER not in handlers.BUILTIN_HANDLERS:
            handlers.BUILTIN_HANDLERS.append(_HANDLER)
        boto3.DEFAULT_SESSION = None


def _remember() -> None:
    _before["environ"] = {name: value for name, value in os.environ.items() if _is_managed(name)}
    _before["session"] = boto3.DEFAULT_SESSION


def _put_back() -> None:
    for name in [name for name in os.environ if _is_managed(name)]:
        del os.environ[name]
    os.environ.update(_before["environ"])
    while _HANDLER in handlers.BUILTIN_HANDLERS:
        handlers.BUILTIN_HANDLERS.remove(_HANDLER)
    boto3.DEFAULT_SESSION = _before["session"]
    _before.clear()


def _is_managed(name: str) -> bool:
    return name.startswith("AWS_") or name in _MANAGED


def _write_files(region: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="minilambda-aws-"))
    (folder / "credentials").touch()
    (folder / "config").write_text(
        f"[default]\nregion = {region}\ncli_pager =\n"
        "[plugins]\nminilambda = minilambda.aws.cli_plugin\n")
    return folder


@atexit.register
def _restore_all() -> None:
    """A process that ends without closing its cloud leaves no folder behind."""
    for guard in list(_active):
        guard.restore()
