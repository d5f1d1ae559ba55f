"""Pictures and controls for notebooks and the built book: what isn't AWS's to have.

Stands for nothing of AWS's. A view reads a cloud's trace and its limits, and whatever it changes it
changes through boto3. Importing this package makes our renderer and template Plotly's defaults, so
that any Plotly figure shows in JupyterLab and in the built page, with a text alternative.
"""

from . import renderer
from .choice import Choice, choice
from .life import life
from .limits_note import limits_note
from .messages import messages
from .opt import opt
from .panel import Panel, panel
from .queue_depth import queue_depth
from .renderer import describe
from .report import report
from .shards import shards
from .topology import topology

__all__ = ["Choice", "Panel", "choice", "describe", "life", "limits_note", "messages", "opt",
           "panel", "queue_depth", "report", "shards", "topology"]

renderer.register()
