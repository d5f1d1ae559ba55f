"""The student's notebook, made from the author's.

Solutions become stubs, hidden checks and author's cells are left out, outputs are dropped. Cell ids
are the author's: by them the judge finds a student's answers. The result depends on the author's
notebook alone, so that a test can tell when the two have drifted apart.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from .lab import STUDENT_FILE, Lab, role_of, stub


def student_notebook(lab: Lab) -> NotebookNode:
    """The notebook that students get."""
    cells = [_released(cell) for cell in lab.notebook.cells
             if role_of(cell) not in ("hidden", "author")]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
        "minilambda": {"lab": lab.name, "title": lab.title},
    }
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def text(lab: Lab) -> str:
    """The student's notebook as the file holds it."""
    return nbformat.writes(student_notebook(lab)) + "\n"


def release(lab: Lab) -> Path:
    """Write the student's notebook beside the author's."""
    path = lab.folder / STUDENT_FILE
    path.write_text(text(lab), encoding="utf-8")
    return path


def _released(cell: NotebookNode) -> NotebookNode:
    role = role_of(cell)
    metadata: dict = {}
    if role is not None:
        metadata["minilambda"] = {key: value for key, value in cell.metadata["minilambda"].items()
                                  if key in ("role", "task")}
    if role != "answer":
        # JupyterLab then keeps students from changing it by accident. (The judge needs no such
        # help: it takes nothing but the answers.)
        metadata |= {"editable": False, "deletable": False}
    if cell.cell_type == "markdown":
        return nbformat.v4.new_markdown_cell(cell.source, id=cell.id, metadata=metadata)
    source = stub(cell.source) if role == "answer" else cell.source
    return nbformat.v4.new_code_cell(source, id=cell.id, metadata=metadata)
