"""Keep in a notebook exactly the state of the widgets it shows, the same bytes every time.

Stands for nothing of AWS's. A page without a kernel draws its widgets from the state stored in the
notebook. As nbclient or JupyterLab saves it, it holds every widget the kernel ever made, under
random ids; :func:`keep_shown` keeps those that an output shows, with what they refer to, under
counted ids, so that running a notebook again changes nothing in version control.
"""

from __future__ import annotations

import json
import re
from typing import Any

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"

_REFERENCE = re.compile(r'"IPY_MODEL_([^"]+)"')
_LINKS = ("LinkModel", "DirectionalLinkModel")


def keep_shown(notebook: dict[str, Any]) -> list[str]:
    """Tidy a notebook's widget state in place.

    Args:
        notebook: an nbformat 4 notebook (a dict, or nbformat's NotebookNode).

    Returns:
        Ids of widgets that an output shows but whose state isn't there: a page would show nothing
        in their place. Empty when all is well.
    """
    stored = notebook["metadata"].get("widgets", {}).get(STATE, {})
    models = stored.get("state", {})
    shown = [view["model_id"] for view in _views(notebook)]
    names: dict[str, str] = {}
    for model_id in shown:
        _collect(model_id, models, names)
    for model_id in models:
        if models[model_id].get("model_name") in _LINKS:
            ends = [models[model_id]["state"][end][0] for end in ("source", "target")]
            if all(end.removeprefix("IPY_MODEL_") in names for end in ends):
                _collect(model_id, models, names)
    missing = [model_id for model_id in dict.fromkeys(shown) if model_id not in models]
    for view in _views(notebook):
        view["model_id"] = names.get(view["model_id"], view["model_id"])
    if names:
        kept = {new: _renamed(models[old], names) for old, new in names.items()}
        notebook["metadata"]["widgets"] = {
            STATE: {"state": kept, "version_major": stored.get("version_major", 2),
                    "version_minor": stored.get("version_minor", 0)}
        }
    else:
        notebook["metadata"].pop("widgets", None)
    return missing


def _views(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """The widget views of a notebook's outputs, in order."""
    return [
        output["data"][VIEW]
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if VIEW in output.get("data", {})
    ]


def _collect(model_id: str, models: dict[str, Any], names: dict[str, str]) -> None:
    """Name a model and all that it refers to, in the order in which they are met."""
    if model_id in names or model_id not in models:
        return
    kind = models[model_id].get("model_name", "model").removesuffix("Model").lower()
    names[model_id] = f"minilambda-{len(names) + 1}-{kind}"
    for referred in _REFERENCE.findall(json.dumps(models[model_id]["state"], sort_keys=True)):
        _collect(referred, models, names)


def _renamed(model: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    text = json.dumps(model, sort_keys=True)
    return json.loads(_REFERENCE.sub(
        lambda found: f'"IPY_MODEL_{names.get(found[1], found[1])}"', text))
