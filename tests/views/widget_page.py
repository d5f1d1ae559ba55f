"""One of our widgets on a page of its own, with a model made up there: no kernel, no JupyterLab."""

PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">
<title>widget</title><meta name="viewport" content="width=device-width">
<style>:root {{ --pst-color-text-base: {text}; --pst-color-text-muted: {quiet};
--pst-color-border: #777; color-scheme: {theme}; }} body {{ background: {paper}; color: {text}; }} {css}</style></head>
<body><main><h1>Widget</h1><div id="here"></div></main></body></html>"""
THEMES = {"light": {"text": "#222832", "quiet": "#48566b", "paper": "#ffffff"},
          "dark": {"text": "#ced6dd", "quiet": "#9ca4af", "paper": "#121212"}}
START = """async ([source, state]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const widget = (await import(url)).default;
  const listeners = {};
  const tell = (name) => (listeners[`change:${name}`] ?? []).forEach((f) => f());
  window.saved = 0;
  window.model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; tell(name); },
    on: (name, f) => (listeners[name] ??= []).push(f),
    off: (name, f) => { listeners[name] = (listeners[name] ?? []).filter((g) => g !== f); },
    save_changes: () => { window.saved += 1; },
  };
  widget.render({ model: window.model, el: document.getElementById("here") });
}"""


def traits(view, *names):
    """A view's state as a page holds it."""
    return {name: getattr(view, name) for name in names}


def fill(page, view, state, theme="light"):
    """Show a view of this state on a blank page; ``page.problems`` is what it complains about."""
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda message: page.problems.append(message.text))
    page.set_content(PAGE.format(css=view._css, theme=theme, **THEMES[theme]))
    page.evaluate(START, [view._esm, state])
    return page
