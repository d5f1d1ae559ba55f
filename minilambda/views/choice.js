/* Radio buttons, and what came of one invocation under the picked one: see choice.py. */
const STATUS = {
  success: "Success", error: "Error", timeout: "Timed out", crash: "Crashed",
  "out-of-memory": "Out of memory", refused: "Refused by AWS", unreachable: "No cloud", failed: "The choice failed",
};
let groups = 0;

function render({ model, el }) {
  const group = `minilambda-choice-${groups += 1}`;
  const buttons = model.get("names").map((name, index) => {
    const button = Object.assign(element("input"), { type: "radio", name: group });
    button.addEventListener("change", () => {
      model.set("index", index);
      model.save_changes();
    });
    return [button, element("label", "", button, ` ${name}`)];
  });
  const says = element("p");
  says.setAttribute("aria-live", "polite");
  const result = element("pre");
  result.tabIndex = 0;
  result.setAttribute("role", "group");
  const note = element("p", "note");
  const root = element("div", "minilambda-choice",
    element("fieldset", "", element("legend", "", model.get("legend")), ...buttons.map((pair) => pair[1])),
    says, result, note);
  keepKeys(root);
  // JupyterLab would take the arrow keys for the notebook's: a cell up, a cell down.
  root.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
  const show = () => {
    const index = model.get("index"), live = model.get("live");
    const isLive = live.index === index;
    const [status, sentence, text] = isLive ? live.cell : model.get("recorded")[index];
    buttons[index][0].checked = true;
    Object.assign(root.dataset, { status, source: isLive ? "live" : "recorded" });
    says.replaceChildren(element("strong", "", STATUS[status] ?? status), `: ${sentence}`);
    result.textContent = text;
    result.hidden = !text;
    result.setAttribute("aria-label", status === "success" ? "Result" : "Error document");
    note.textContent = isLive ? `Ran just now (call ${live.count} of this choice).`
      : "A recorded run; open this page in JupyterLab, where picking one runs it live.";
  };
  for (const name of ["index", "live"]) model.on(`change:${name}`, show);
  show();
  el.append(root);
}

export default { render };
