#!/usr/bin/env python3
"""Run notebooks and store their outputs: how a chapter's pictures and figures get onto its page.

    make refresh                                   every chapter and every lab's author's notebook
    make refresh NOTEBOOKS=book/03-first-function.ipynb

Run by the environment's own Python. Nothing is written unless the whole notebook ran. What is
stored is the same on every machine: no timings, no random ids, just the widgets that are shown.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from minilambda.views.state import keep_shown

ROOT = Path(__file__).resolve().parent.parent
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def chosen(names):
    if names:
        return [Path(name).resolve() for name in names]
    found = [*ROOT.glob("book/**/*.ipynb"), *ROOT.glob("labs/*/*.ipynb")]
    return sorted(path for path in found if path.name != "student.ipynb")


def refresh(path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, coalesce_streams=True, timeout=300, kernel_name="python3",
                   resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when and how long: differs each time
    kept = {name: notebook.metadata[name] for name in ("minilambda",) if name in notebook.metadata}
    widgets = notebook.metadata.get("widgets")
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python", "pygments_lexer": "ipython3"}, **kept})
    if widgets:
        notebook.metadata["widgets"] = widgets
    keep_shown(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def main():
    for path in chosen(sys.argv[1:]):
        print(path.relative_to(ROOT), flush=True)
        refresh(path)


if __name__ == "__main__":
    main()
