/* Controls made from a list of settings, for the views that have some; joined to them by Python.
 *
 * controls: [{ name, label, operation, says: [what each position says] }]. A control of two to four
 * positions that are words is a select, any other a slider; both are the browser's own, so that
 * labels, keyboard and screen readers work everywhere. No library, no kernel, no other host.
 */
/* An input and how it shows a position. It has its label's text as a name of its own, and no id: ids
   would have to differ from those of every other view on the page. */
function input(control, turned) {
  const words = control.says.every((text) => !/^\d/.test(text));
  if (words) {
    const select = element("select", "", ...control.says.map((text, place) =>
      Object.assign(element("option", "", text), { value: String(place) })));
    select.setAttribute("aria-label", control.label);
    select.addEventListener("change", () => turned(Number(select.value)));
    return { nodes: [select], show: (place) => { select.value = String(place); } };
  }
  const slider = Object.assign(element("input"), { type: "range", min: 0, max: control.says.length - 1, step: 1 });
  slider.setAttribute("aria-label", control.label);
  const readout = element("span", "readout");
  const show = (place) => {
    slider.value = String(place);
    readout.textContent = control.says[place];
    slider.setAttribute("aria-valuetext", control.says[place]);
  };
  slider.addEventListener("input", () => show(Number(slider.value)));
  slider.addEventListener("change", () => turned(Number(slider.value)));
  return { nodes: [slider, readout], show };
}

/* The controls as one group; turned(number, place) is called when the reader lets one go. */
function buildControls(controls, turned) {
  const rows = controls.map((control, number) => {
    const { nodes, show } = input(control, (place) => turned(number, place));
    const label = element("label", "control", element("span", "name", control.label), ...nodes);
    label.title = control.operation;
    return { label, show };
  });
  const node = element("div", "controls", ...rows.map((row) => row.label));
  return { node, show: (indexes) => rows.forEach((row, number) => row.show(indexes[number])) };
}
