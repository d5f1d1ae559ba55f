/* Controls made from a list of settings, for the views that have some; joined to them by Python.
 *
 * controls: [{ name, label, operation, says: [what each position says] }]. A control of two to four
 * positions that are words is a select, any other a slider; both are the browser's own, so that
 * labels, keyboard and screen readers work everywhere. No library, no kernel, no other host.
 */
let made = 0;

function input(control, id, turned) {
  const words = control.says.every((text) => !/^\d/.test(text));
  if (words) {
    const select = element("select", "", ...control.says.map((text, place) =>
      Object.assign(element("option", "", text), { value: String(place) })));
    select.id = id;
    select.addEventListener("change", () => turned(Number(select.value)));
    return { node: select, show: (place) => { select.value = String(place); } };
  }
  const slider = Object.assign(element("input"), { id, type: "range", min: 0, max: control.says.length - 1, step: 1 });
  const readout = element("output", "", "");
  readout.htmlFor = id;
  const show = (place) => {
    slider.value = String(place);
    readout.textContent = control.says[place];
    slider.setAttribute("aria-valuetext", control.says[place]);
  };
  slider.addEventListener("input", () => show(Number(slider.value)));
  slider.addEventListener("change", () => turned(Number(slider.value)));
  return { node: element("span", "slider", slider, readout), show };
}

/* The controls as one group; turned(number, place) is called when the reader lets one go. */
function buildControls(controls, turned) {
  const rows = controls.map((control, number) => {
    const id = `minilambda-control-${made += 1}`;
    const made_ = input(control, id, (place) => turned(number, place));
    const label = Object.assign(element("label", "", control.label), { htmlFor: id, title: control.operation });
    return { node: element("div", "control", label, made_.node), show: made_.show };
  });
  const node = element("div", "controls", ...rows.map((row) => row.node));
  return { node, show: (indexes) => rows.forEach((row, number) => row.show(indexes[number])) };
}
