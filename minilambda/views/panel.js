/* Draws a control panel's result: what came of one invocation, in words, in figures and as a bar.
 *
 * model: function, memory[], timeout[], memory_index, timeout_index; grid[m][t] and texts, the recorded
 * results; live, the kernel's last own call. A cell is
 *   [status, sentence, document, duration ms, billed ms, memory used MB, init ms, cost in dollars]
 * where in the grid sentence and document are places in texts. No library, no kernel, no other host.
 */

/* The result to show: the kernel's if it is of this position, else the recorded one, else none. */
function current(model) {
  const m = model.get("memory_index"), t = model.get("timeout_index"), live = model.get("live");
  const place = { memory: model.get("memory")[m], timeout: model.get("timeout")[t] };
  if (live.cell && live.memory_index === m && live.timeout_index === t) {
    return { ...place, source: "live", count: live.count, cell: live.cell };
  }
  const cell = model.get("grid")[m]?.[t];
  if (!cell) return { ...place, source: "none" };
  const texts = model.get("texts");
  return { ...place, source: "recorded", cell: [cell[0], texts[cell[1]], texts[cell[2]], ...cell.slice(3)] };
}

/* Sliders of the panel get the names a screen reader says: ipywidgets ties its labels to nothing. */
function nameSliders(root, signal) {
  const rename = () => {
    const sliders = root.closest(".minilambda-panel-box")?.querySelectorAll(".widget-inline-hbox") ?? [];
    for (const slider of sliders) {
      const name = slider.querySelector(".widget-label")?.textContent.trim();
      const handle = slider.querySelector('[role="slider"]');
      const value = slider.querySelector(".widget-readout")?.textContent.trim();
      if (!name || !handle) continue;
      if (handle.getAttribute("aria-label") !== name) handle.setAttribute("aria-label", name);
      if (value && handle.getAttribute("aria-valuetext") !== value) handle.setAttribute("aria-valuetext", value);
    }
  };
  const observer = new MutationObserver(rename);
  requestAnimationFrame(() => {
    const box = root.closest(".minilambda-panel-box");
    if (!box) return;
    observer.observe(box, { childList: true, subtree: true, characterData: true, attributeFilter: ["aria-valuetext"] });
    rename();
  });
  signal?.addEventListener("abort", () => observer.disconnect());
  return () => observer.disconnect();
}

function render({ model, el, signal }) {
  const says = element("p", "says");
  says.setAttribute("aria-live", "polite");
  const detail = element("div", "detail");
  const note = element("p", "note");
  const root = element("div", "minilambda-panel", says, detail, note);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", `Result of ${model.get("function")}`);
  const longest = Math.max(...model.get("timeout"));
  const inits = model.get("grid").flat().map((cell) => cell[6] ?? 0);

  const show = () => {
    const now = current(model);
    const place = `${now.memory}MB/${now.timeout}s`;
    root.dataset.source = now.source;
    if (now.source === "none") {
      root.dataset.state = `${place}/none`;
      says.textContent = `No result is recorded for ${now.memory} MB and ${now.timeout} s.`;
      detail.replaceChildren();
      note.textContent = "Open this page in JupyterLab and run its cells to run it live.";
      return;
    }
    const [status, sentence, result, duration, , , init] = now.cell;
    root.dataset.status = status;
    root.dataset.state = `${place}/${status}/${duration == null ? "-" : `${Math.round(duration * 100) / 100}ms`}`;
    const words = `${STATUS[status] ?? status}: ${sentence}`;
    if (says.textContent !== words) {  // the same words again are not announced again
      says.replaceChildren(element("strong", "", STATUS[status] ?? status), `: ${sentence}`);
    }
    detail.replaceChildren(bar(now, longest, Math.max(init ?? 0, ...inits)));
    if (duration != null) detail.append(figures(now));
    if (result) {
      const pre = element("pre", "", result);
      pre.tabIndex = 0;
      pre.setAttribute("role", "group");
      pre.setAttribute("aria-label", status === "success" ? "Result" : "Error document");
      detail.append(pre);
    }
    note.textContent = now.source === "live"
      ? `Ran just now (call ${now.count} of this panel).`
      : "A recorded run; open this page in JupyterLab, where each move of a slider runs it live.";
  };
  for (const name of ["memory_index", "timeout_index", "live", "grid"]) model.on(`change:${name}`, show);
  show();
  el.append(root);
  return nameSliders(root, signal);
}

export default { render };
