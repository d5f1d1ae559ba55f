"""Pictures and controls for notebooks and the built book: what isn't AWS's to have.

Stands for nothing of AWS's. A view reads a cloud's trace and its limits, and whatever it changes it
changes through boto3. Importing this package makes our renderer and template Plotly's defaults, so
that any Plotly figure shows in JupyterLab and in the built page, with a text alternative.
"""

from . import patterns, renderer
from .choice import Choice, choice
from .cold_starts import cold_starts
from .comparison import compare
from .concurrency import concurrency
from .control_panel import ControlPanel
from .cost import cost
from .edges import edges
from .latency import latency
from .life import life
from .limits_note import limits_note
from .live import Live, live
from .messages import messages
from .opt import opt
from .panel import Panel, panel
from .predict import Outcome, Prediction, predict
from .queue_depth import queue_depth
from .quiz import Quiz, quiz
from .renderer import describe
from .report import report
from .schedule import ScheduleEditor, schedule
from .series import series, steps
from .shards import shards
from .throttles import throttles
from .topology import topology
from .traffic import Traffic, traffic
from .tuning import power_tuning

__all__ = ["Choice", "ControlPanel", "Live", "Outcome", "Panel", "Prediction", "Quiz", "ScheduleEditor",
           "Traffic",
           "choice", "cold_starts", "compare", "concurrency", "cost", "describe", "edges", "latency",
           "life", "limits_note", "live", "messages", "opt", "panel", "patterns", "power_tuning", "predict",
           "queue_depth", "quiz", "report", "schedule", "series", "shards", "steps", "throttles", "topology",
           "traffic"]

renderer.register()
