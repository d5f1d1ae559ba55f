/* What came of one invocation: its figures, and a bar of its init and run. See recording.cell for a cell. */
const STATUS = {
  success: "Success", error: "Error", timeout: "Timed out", crash: "Crashed",
  "out-of-memory": "Out of memory", refused: "Refused by AWS", unreachable: "No cloud", failed: "The panel failed",
};
const KILLED = ["timeout", "crash", "out-of-memory"];

const decimal = (number) => number.toLocaleString("en", { maximumFractionDigits: 2 });
const ms = (number) => `${number.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })} ms`;
const dollars = (amount) => `$${amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 10 })}`;

function figures({ memory, cell }) {
  const [, , , duration, billed, used, init, cost] = cell;
  const rows = [
    ["Duration", duration, ms], ["Billed duration", billed, (n) => `${decimal(n)} ms`],
    ["Memory size", memory, (n) => `${n} MB`], ["Max memory used", used, (n) => `${n} MB`],
    ["Init duration", init, ms], ["Cost of one", cost, dollars],
    ["Cost of a million", cost, (n) => dollars(Math.round(n * 1e8) / 100)],
  ];
  const list = element("dl");
  for (const [name, value, say] of rows) {
    list.append(element("div", "", element("dt", "", name), element("dd", "", value == null ? "–" : say(value))));
  }
  return list;
}

/* The bar: init, then the handler, up to the timeout. Its scale is the longest the sliders allow. */
function bar({ timeout, cell }, longest, longestInit) {
  const [status, , , duration, , , init] = cell;
  const box = element("div", "minilambda-panel-bar");
  if (duration == null) return box;
  const killed = KILLED.includes(status);
  const scale = 100 / (longest * 1000 + longestInit);
  const from = (init ?? 0) * scale;
  const part = (kind, left, width) => {
    const node = element("span", kind);
    node.style.left = `${left.toFixed(3)}%`;
    node.style.width = `max(3px, ${width.toFixed(3)}%)`;
    return node;
  };
  const track = element("div", "track");
  if (init != null) track.append(part("init", 0, from));
  track.append(part(killed ? "killed" : status === "success" ? "run" : "run error", from, duration * scale));
  const line = part("limit", from + timeout * 1000 * scale, 0);
  line.style.width = "2px";
  track.append(line);
  box.setAttribute("role", "img");
  box.setAttribute("aria-label",
    `${init == null ? "" : `Init took ${ms(init)}, then the `}${init == null ? "The " : ""}handler ran ${ms(duration)}`
    + ` of the ${timeout} s it may take${killed ? " and was killed" : ""}.`);
  const key = element("div", "key");
  const name = (kind, text) => key.append(element("span", "", element("i", kind), text));
  if (init != null) name("init", "init");
  name(killed ? "killed" : status === "success" ? "run" : "run error",
    killed ? "run, killed ✕" : status === "success" ? "run" : "run, error");
  name("limit", `timeout ${timeout} s`);
  box.append(track, key);
  return box;
}
