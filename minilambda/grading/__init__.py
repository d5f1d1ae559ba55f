"""Labs: from the author's notebook to the student's, and from a submission to points.

Stands for nothing of AWS's. Nothing in the runtime imports it. The way of a submission through it:

``lab`` (the author's notebook) and ``submission`` (what the student handed in) → ``rebuild`` (one
notebook of the author's cells and the student's answers) → ``worker`` (one process tree each:
pytest with nbval, whose kernel is the ``judge``) → ``jail`` and ``kernel`` (the student's code, in
a sandbox, with ``attached`` as its cloud) → ``checks`` (in the judge's kernel, on the cloud) →
``reporter`` (the verdict's way back) → ``gradebook`` (points, reasons, pages).

This file imports nothing: ``minilambda.grading.checks`` is loaded in students' notebooks.
"""
