#!/usr/bin/env python3
"""What `make book`, `make lab`, `make test`, `make build`, `make lock` and so on do.

Standard library only, and in a dialect that an old Python can read, so that it can say what is
missing. Every command but `lock` and `clean` first sees to the environment in .venv (or $VENV):
made with uv when that is installed, with venv and pip otherwise, and touched again only when
requirements.txt or pyproject.toml has changed.
"""

import argparse
import functools
import hashlib
import http.server
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("VENV") or ".venv")
VENV = VENV if VENV.is_absolute() else ROOT / VENV
HTML = ROOT / "_build" / "html"
OLDEST = (3, 11)
OLDEST_NAME = ".".join(map(str, OLDEST))
DESCRIBED_BY = ("requirements.txt", "pyproject.toml")
LOCK_TAIL = "# The project itself, from this folder.\n-e .\n"


def say(text):
    print(text, flush=True)


def run(command, **options):
    """Run a command in the project's folder; end with its exit status when it fails."""
    status = subprocess.run([str(part) for part in command], cwd=str(ROOT), **options).returncode
    if status:
        sys.exit(status)


# ---------- the environment ----------

def tool(name):
    """The path of a program of the environment."""
    return VENV / "bin" / name


def fingerprint():
    """A digest of the files that say what belongs into the environment."""
    digest = hashlib.sha256()
    for name in DESCRIBED_BY:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def new_enough_python():
    """A Python of at least OLDEST: this one, or one that is on PATH; None when there is none."""
    if sys.version_info >= OLDEST:
        return sys.executable
    for minor in range(15, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    return None


def make_venv(uv):
    if uv:
        run([uv, "venv", "--quiet", "--python", f">={OLDEST_NAME}", VENV])
        return
    python = new_enough_python()
    if python is None:
        sys.exit(
            f"This needs Python {OLDEST_NAME} or newer; {sys.executable} is"
            f" {sys.version.split()[0]}. Install one (apt install python3.12,"
            " brew install python, python.org), or install uv (docs.astral.sh/uv), which brings its"
            " own; or name one: make book PYTHON=/path/to/python3.12"
        )
    made = subprocess.run([python, "-m", "venv", str(VENV)])
    if made.returncode:
        shutil.rmtree(str(VENV), ignore_errors=True)
        sys.exit("Python made no environment: on Debian and Ubuntu, apt install python3-venv.")


def install():
    """See to it that the environment holds what requirements.txt says; mostly nothing to do."""
    if os.name == "nt":
        sys.exit("On Windows this runs in WSL: in a WSL terminal, call make in this folder.")
    stamp = VENV / "minilambda-installed"
    wanted = fingerprint()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    uv = shutil.which("uv")
    if not tool("python").exists():
        say(f"Making the environment in {VENV}")
        make_venv(uv)
    say(f"Installing requirements.txt with {'uv' if uv else 'pip (a few minutes)'}")
    if uv:
        run([uv, "pip", "install", "--quiet", "--python", tool("python"), "-r", "requirements.txt"])
    else:
        run([tool("python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "-r", "requirements.txt"])
    stamp.write_text(wanted)


# ---------- the commands ----------

def build():
    """Build the book into _build/html; every warning is an error."""
    install()
    say("Building the book")
    # Its chatter aside; warnings and errors come on stderr.
    # --all, because Sphinx copies a changed style or script only along with a changed page.
    command = [tool("jupyter-book"), "build", ".", "-W", "-n", "--keep-going", "--all", "-q"]
    run(command, stdout=subprocess.DEVNULL)
    say(f"Built: {HTML / 'index.html'}")


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def book(port):
    """Build the book and serve it on loopback: on `port`, or on a free one when that is taken."""
    build()
    handler = functools.partial(QuietHandler, directory=str(HTML))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as problem:
        say(f"Port {port} can't be used ({problem.strerror}); taking a free one.")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    say(f"The book: http://127.0.0.1:{server.server_address[1]}/   (Ctrl+C ends it)")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        say("")
    finally:
        server.server_close()


def lab():
    """JupyterLab, opened on the first lab; its root is the project, so that book/ is one click away.

    The authors' notebooks, with the solutions, and the quizzes' files are hidden unless AUTHOR=1 is
    set.
    """
    install()
    command = [
        tool("jupyter-lab"), f"--ServerApp.root_dir={ROOT}",
        "--LabApp.default_url=/lab/tree/labs/01-first-function/student.ipynb",
    ]
    if not os.environ.get("AUTHOR"):
        command.append("--ContentsManager.hide_globs=['__pycache__', '*.pyc', 'lab.ipynb', 'questions']")
    if os.geteuid() == 0:  # a container: Jupyter would refuse; it listens on this machine only
        command.append("--allow-root")
    try:
        subprocess.run([str(part) for part in command], cwd=str(ROOT))
    except KeyboardInterrupt:
        pass


def notebooks():
    """Every notebook that must run as stored: book/ and labs/, but not students' empty answers."""
    found = sorted((ROOT / "book").glob("**/*.ipynb")) + sorted((ROOT / "labs").glob("*/*.ipynb"))
    return [path.relative_to(ROOT) for path in found
            if path.name != "student.ipynb" and ".ipynb_checkpoints" not in path.parts]


def test(rest):
    """All tests in one pytest run with one summary; `rest` replaces what is run."""
    install()
    everything = ["tests", *notebooks()]
    run([
        tool("python"), "-m", "pytest", "-n", "2", "--dist", "loadscope", "--timeout", "300",
        "--nbval", "--nbval-current-env", "--nbval-cell-timeout", "120",
        "--nbval-sanitize-with", "tests/nbval_sanitize.cfg",
        *(rest or everything),
    ])


def refresh(names):
    """Run notebooks and store their outputs: all, or those that are named."""
    install()
    run([tool("python"), "scripts/refresh.py", *names])


def bench():
    """How fast the runtime is, against baselines of the same run."""
    install()
    run([tool("python"), "tests/benchmarks/runtime.py"])
    run([tool("python"), "tests/benchmarks/pictures.py"])
    run([tool("python"), "tests/benchmarks/simulation.py"])
    run([tool("python"), "tests/benchmarks/rules.py"])


def lock():
    """Write requirements.txt: every package pyproject.toml leads to, pinned, for every system."""
    uv = shutil.which("uv")
    if uv is None:
        sys.exit("make lock needs uv: docs.astral.sh/uv")
    target = ROOT / "requirements.txt"
    pins = "".join(
        line for line in target.read_text().splitlines(keepends=True)
        if line.strip() and not line.startswith(("#", "-"))
    ) if target.is_file() else ""
    target.write_text(pins)  # uv keeps the versions it finds here where it can
    run([
        uv, "pip", "compile", "--quiet", "--universal", "--python-version", OLDEST_NAME,
        "--extra", "book", "--no-header", "--no-annotate",
        "--output-file", target.name, "pyproject.toml",
    ])
    target.write_text(target.read_text() + LOCK_TAIL)
    say("requirements.txt is renewed; make test shows whether everything still holds.")


def clean():
    """Remove what the other commands made."""
    for folder in [VENV, ROOT / "_build", ROOT / "tests" / "_screenshots", ROOT / ".pytest_cache"]:
        shutil.rmtree(str(folder), ignore_errors=True)
    for pattern in ("**/__pycache__", "**/.ipynb_checkpoints", "*.egg-info"):
        for folder in ROOT.glob(pattern):
            shutil.rmtree(str(folder), ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command")
    commands.required = True
    plain = {f.__name__: f for f in (install, build, lab, bench, lock, clean)}
    for name, function in plain.items():
        commands.add_parser(name, help=function.__doc__.splitlines()[0])
    serving = commands.add_parser("book", help=book.__doc__.splitlines()[0])
    serving.add_argument("--port", type=int, default=8000)
    testing = commands.add_parser("test", help=test.__doc__.splitlines()[0])
    testing.add_argument("rest", nargs="*", help="pytest's arguments; all tests without any")
    refreshing = commands.add_parser("refresh", help=refresh.__doc__.splitlines()[0])
    refreshing.add_argument("names", nargs="*", help="notebooks; all without any")
    options = parser.parse_args()
    if options.command == "book":
        book(options.port)
    elif options.command == "test":
        test(options.rest)
    elif options.command == "refresh":
        refresh(options.names)
    else:
        plain[options.command]()


if __name__ == "__main__":
    main()
