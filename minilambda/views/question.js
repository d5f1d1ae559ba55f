/* What every question needs: put after element.js and before predict.js, outcome.js or quiz.js. */

/* Text whose `code` is code. Nodes, never markup: what an author wrote stays text. */
const rich = (text) => text.split("`").map((part, place) => (place % 2 ? element("code", "", part) : part));

const plain = (text) => text.replaceAll("`", "");

const said = (number, unit) =>
  `${number.toLocaleString("en", { maximumFractionDigits: 10 })}${unit ? ` ${unit}` : ""}`;

/* The number in what a reader typed: 1,792 and 1 792 are the same, as are 0.5 and 0,5. NaN: there is none. */
function numberOf(text, unit) {
  let bare = text.replace(/[\s_'’$]/g, "");
  const tail = unit.replace(/\s/g, "");
  if (tail && bare.toLowerCase().endsWith(tail.toLowerCase())) bare = bare.slice(0, -tail.length);
  if (/^[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(bare)) bare = bare.replaceAll(",", "");
  bare = bare.replace(/^([-+]?\d*),(\d+)$/, "$1.$2").replace("−", "-");
  return /^[-+]?(\d+\.?\d*|\.\d+)$/.test(bare) ? Number(bare) : NaN;
}

const TYPE_A_NUMBER = "Type a number, such as 12 or 0.5.";

/* A group of radio buttons, or of boxes where several may be ticked. */
function options(legend, texts, many = false) {
  const inputs = texts.map(() => Object.assign(element("input"), { type: many ? "checkbox" : "radio", name: "answer" }));
  const labels = texts.map((text, place) => element("label", "", inputs[place], element("span", "", ...rich(text))));
  return {
    field: element("fieldset", "", element("legend", "", ...legend), ...labels),
    chosen: () => inputs.flatMap((input, place) => (input.checked ? [place] : [])),
    choose: (places) => inputs.forEach((input, place) => { input.checked = places.includes(place); }),
  };
}

/* A field for a number, its unit beside it. */
function numberField(legend, unit) {
  const input = Object.assign(element("input"), { type: "text", inputMode: "decimal", autocomplete: "off" });
  const label = element("label", "number", element("span", "", "Your answer"), input);
  if (unit) label.append(element("span", "", unit));
  return {
    field: element("fieldset", "", element("legend", "", ...legend), label),
    number: () => numberOf(input.value, unit),
    type: (number) => { input.value = said(number, ""); },
    complain: (bad) => (bad ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid")),
  };
}

function button(text, kind = "submit") {
  return Object.assign(element("button", "", text), { type: kind });
}

/* Where what is said appears and is read aloud. */
function announcer() {
  const node = element("div", "says");
  node.setAttribute("role", "status");
  return node;
}

function box(className, name) {
  const root = element("div", `minilambda-ask ${className}`);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", name);
  // JupyterLab would take arrows, letters and Enter for the notebook's.
  root.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
  return root;
}
