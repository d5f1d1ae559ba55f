"""The Makefile's commands, as a newcomer types them. (CI itself runs `make test`;
the browser tests build the book and drive JupyterLab.)"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_make_alone_says_what_there_is():
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for command in ("book", "lab", "test", "build", "refresh", "bench", "lock", "clean"):
        assert f"make {command}" in said


def test_an_old_python_is_told_what_to_do(tmp_path):
    script = (ROOT / "scripts/dev.py").read_text().replace("OLDEST = (3, 11)", "OLDEST = (9, 9)")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/dev.py").write_text(script)
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    done = subprocess.run([sys.executable, "scripts/dev.py", "build"], cwd=tmp_path, text=True,
                          capture_output=True, env={"PATH": str(tmp_path)})  # no uv there
    assert done.returncode and "This needs Python 9.9 or newer" in done.stderr
