/* A question before a run: asks, and keeps the answer in the model. See predict.py.
 *
 * The answer also stays in this browser tab, so that running the cell once more, or running all of
 * them, doesn't lose it. It is stored nowhere else.
 */
function render({ model, el }) {
  const kept = (globalThis.minilambdaGuesses ??= new Map());
  const [ask, names, unit] = ["question", "names", "unit"].map((name) => model.get(name));
  const key = JSON.stringify([ask, names, unit]);
  const legend = [element("strong", "", "Your guess"), " ", ...rich(ask)];
  const part = names.length ? options(legend, names) : numberField(legend, unit);
  const keep = button("Keep my guess");
  const says = announcer();
  const form = element("form", "", part.field, element("div", "buttons", keep), says);
  form.noValidate = true;
  const root = box("minilambda-predict", "Predict");
  root.append(form);

  const final = () => model.get("answer") != null && model.get("revealed");
  const show = () => {
    const answer = model.get("answer");
    root.dataset.state = answer == null ? "open" : final() ? "final" : "kept";
    part.field.disabled = answer != null;
    if (answer != null) {
      if (names.length) part.choose([answer]);
      else part.type(answer);
    }
    keep.textContent = answer == null ? "Keep my guess" : final() ? "Guess kept" : "Change my guess";
    keep.setAttribute("aria-disabled", String(final()));
    if (answer == null) says.replaceChildren();
    else {
      says.textContent = "Your guess is kept. You find it again "
        + (model.get("revealed") ? "further down, beside what happened." : "beside what happens.");
    }
  };
  const answer = (value) => {
    if (value == null) kept.delete(key);
    else kept.set(key, value);
    model.set("answer", value);
    model.save_changes();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (final()) return;
    if (model.get("answer") != null) {
      answer(null);
      return;
    }
    const value = names.length ? part.chosen()[0] : part.number();
    const bad = value == null || Number.isNaN(value);
    part.complain?.(bad);
    if (bad) says.textContent = names.length ? "Pick one of the answers first." : TYPE_A_NUMBER;
    else answer(value);
  });
  for (const name of ["answer", "revealed"]) model.on(`change:${name}`, show);
  if (model.get("answer") == null && kept.has(key)) answer(kept.get(key));
  show();
  el.append(root);
}

export default { render };
