/* A field for a schedule expression, expressions to pick, and the next times: see schedule.py. */
function render({ model, el }) {
  const field = Object.assign(element("input"), { type: "text", spellcheck: false, autocomplete: "off" });
  const put = Object.assign(element("button", "", "Put"), { type: "submit" });
  const form = element("form", "", element("label", "", `ScheduleExpression of ${model.get("rule")} `, field), put);
  const picks = model.get("names").map((name) => {
    const pick = Object.assign(element("button", "", name), { type: "button" });
    pick.addEventListener("click", () => ask(name));
    return pick;
  });
  const says = element("p");
  says.setAttribute("aria-live", "polite");
  const times = element("ol");
  const note = element("p", "note");
  const root = element("div", "minilambda-schedule", form, element("div", "picks", ...picks), says, times, note);
  keepKeys(root);
  // JupyterLab would take letters and arrows for the notebook's.
  root.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
  const show = () => {
    const asked = model.get("typed"), live = model.get("live");
    const isLive = live.expression === asked;
    const answer = isLive ? live.answer : model.get("recorded")[asked];
    field.value = asked;
    picks.forEach((pick) => pick.setAttribute("aria-pressed", String(pick.textContent === asked)));
    const [taken, sentence, list] = answer ?? [null, "", []];
    Object.assign(root.dataset, { status: taken === null ? "open" : taken ? "taken" : "refused", source: isLive ? "live" : "recorded" });
    says.replaceChildren(...(taken === false ? [element("strong", "", "Refused by AWS"), `: ${sentence}`] : [sentence]));
    times.replaceChildren(...list.map((time) => element("li", "", time)));
    times.hidden = !list.length;
    note.textContent = isLive ? `Put just now (${live.count} so far).`
      : answer ? "A recorded answer; open this page in JupyterLab, where you can put any expression."
        : "For an expression of your own, open this page in JupyterLab and run it.";
  };
  const ask = (text) => {
    model.set("typed", text.trim());
    model.save_changes();
    show();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(field.value);
  });
  for (const name of ["typed", "live"]) model.on(`change:${name}`, show);
  show();
  el.append(root);
}

export default { render };
