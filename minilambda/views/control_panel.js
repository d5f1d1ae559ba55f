/* Draws a control panel of any settings, and what came of one invocation at their positions.
 *
 * model: function, controls and indexes (see controls.js), grid and texts, the recorded results; live,
 * the kernel's last own call. See control_panel.py for a cell.
 */
function render({ model, el }) {
  const controls = model.get("controls");
  const knobs = buildControls(controls, (number, place) => {
    const indexes = [...model.get("indexes")];
    indexes[number] = place;
    model.set("indexes", indexes);
    model.save_changes();
  });
  const says = element("p", "says");
  says.setAttribute("aria-live", "polite");
  const detail = element("div", "detail"), note = element("p", "note");
  const result = element("div", "minilambda-panel", says, detail, note);
  result.setAttribute("role", "group");
  result.setAttribute("aria-label", `Result of ${model.get("function")}`);
  const root = element("div", "minilambda-box minilambda-control-panel", knobs.node, result);
  const all = model.get("grid");
  const longest = Math.max(1, ...all.map((cell) => cell[9])), inits = all.map((cell) => cell[6] ?? 0);

  const show = () => {
    const indexes = model.get("indexes"), live = model.get("live");
    knobs.show(indexes);
    const isLive = Boolean(live.cell) && indexes.every((index, number) => index === live.indexes[number]);
    let cell = live.cell;
    if (!isLive) {
      const texts = model.get("texts");
      cell = model.get("grid")[indexes.reduce((sum, index, number) => sum * controls[number].says.length + index, 0)];
      if (cell) cell = [cell[0], texts[cell[1]], texts[cell[2]], ...cell.slice(3)];
    }
    const place = controls.map((control, number) => `${control.name}=${control.says[indexes[number]]}`).join("/");
    if (!cell) {
      Object.assign(result.dataset, { source: "none", state: `${place}/none` });
      says.textContent = "No result is recorded for this position.";
      detail.replaceChildren();
      note.textContent = "Open this page in JupyterLab and run its cells to run it live.";
      return;
    }
    const [status, sentence, text, duration, , , init, , memory, timeout] = cell;
    Object.assign(result.dataset, { source: isLive ? "live" : "recorded", status,
      state: `${place}/${status}/${duration == null ? "-" : `${Math.round(duration * 100) / 100}ms`}` });
    if (says.textContent !== `${STATUS[status] ?? status}: ${sentence}`) {
      says.replaceChildren(element("strong", "", STATUS[status] ?? status), `: ${sentence}`);
    }
    detail.replaceChildren(bar({ timeout, cell }, Math.max(longest, timeout), Math.max(init ?? 0, ...inits)));
    if (duration != null) detail.append(figures({ memory, cell }));
    if (text) {
      const pre = element("pre", "", text);
      pre.tabIndex = 0;
      pre.setAttribute("role", "group");
      pre.setAttribute("aria-label", status === "success" ? "Result" : "Error document");
      detail.append(pre);
    }
    note.textContent = isLive ? `Ran just now (call ${live.count} of this panel).`
      : "A recorded run; open this page in JupyterLab, where each turn runs it live.";
    keepKeys(root);
  };
  for (const name of ["indexes", "live", "grid"]) model.on(`change:${name}`, show);
  show();
  el.append(root);
}

export default { render };
