/* Draws a choice of configurations: radio buttons, and what came of one invocation under the picked one.
 *
 * model: function, legend, names[], index; recorded[], a cell for each name; live, the kernel's last own
 * call. A cell is as panel.js's:
 *   [status, sentence, document, duration ms, billed ms, memory used MB, init ms, cost in dollars]
 * No library, no kernel, no other host.
 */
const STATUS = {
  success: "Success", error: "Error", timeout: "Timed out", crash: "Crashed",
  "out-of-memory": "Out of memory", refused: "Refused by AWS", unreachable: "No cloud", failed: "The choice failed",
};
let groups = 0;

function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

const ms = (number) => `${number.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })} ms`;

function render({ model, el }) {
  const group = `minilambda-choice-${groups += 1}`;
  const buttons = element("fieldset", "choices", element("legend", "", model.get("legend")));
  model.get("names").forEach((name, index) => {
    const button = element("input");
    Object.assign(button, { type: "radio", name: group, value: String(index) });
    button.addEventListener("change", () => {
      model.set("index", index);
      model.save_changes?.();
    });
    buttons.append(element("label", "", button, ` ${name}`));
  });
  const says = element("p", "says");
  says.setAttribute("aria-live", "polite");
  const detail = element("div", "detail");
  const note = element("p", "note");
  const root = element("div", "minilambda-panel", buttons, says, detail, note);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", `Result of ${model.get("function")}`);

  const show = () => {
    const index = model.get("index"), live = model.get("live");
    const isLive = live.cell && live.index === index;
    const [status, sentence, result, duration, , , init] = isLive ? live.cell : model.get("recorded")[index];
    buttons.querySelectorAll("input")[index].checked = true;
    root.dataset.source = isLive ? "live" : "recorded";
    root.dataset.status = status;
    root.dataset.state = `${model.get("names")[index]}/${status}`;
    says.replaceChildren(element("strong", "", STATUS[status] ?? status), `: ${sentence}`);
    detail.replaceChildren();
    if (result) {
      const pre = element("pre", "", result);
      pre.tabIndex = 0;
      pre.setAttribute("role", "region");
      pre.setAttribute("aria-label", status === "success" ? "Result" : "Error document");
      detail.append(pre);
    }
    if (duration != null) {
      detail.append(element("p", "note", `Duration ${ms(duration)}${init == null ? "" : `, init ${ms(init)}`}`));
    }
    note.textContent = isLive
      ? `Ran just now (call ${live.count} of this choice).`
      : "A recorded run; open this page in JupyterLab, where picking one runs it live.";
  };
  for (const name of ["index", "live", "recorded"]) model.on(`change:${name}`, show);
  show();
  el.append(root);
}

export default { render };
