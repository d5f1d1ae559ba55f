/* Reads films (see film.py): what had happened by an instant, in figures, in words and as a table. */
const UNIT = 10000, INIT = 0, ANSWERED = 1, ERROR = 2;
const said = (seconds) => `${seconds.toLocaleString("en", { maximumFractionDigits: 2 })} s`;
const many = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
const emptyFilm = () => ({ until: 0, arrivals: [], throttles: [], spans: [[], [], [], []], ended: [[], [], []], turns: [] });

/* Add what happened meanwhile to a film that goes on. */
function append(film, more) {
  film.until = more.until;
  for (const name of ["arrivals", "throttles", "turns"]) film[name].push(...more[name]);
  more.spans.forEach((column, number) => film.spans[number].push(...column));
  more.ended[0].forEach((span, place) => {
    film.spans[2][span] = more.ended[1][place];
    film.spans[3][span] = more.ended[2][place];
  });
  film.changes = film.counts = null;
}

/* Instants at which the number of executions changes: [instant, the number from then on]. */
function changes(film) {
  if (film.changes) return film.changes;
  const [, starts, lengths] = film.spans, steps = [];
  starts.forEach((start, place) => {
    steps.push([start, 1]);
    if (lengths[place] >= 0) steps.push([start + lengths[place], -1]);
  });
  steps.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let running = 0;
  film.changes = [];
  for (const [at, change] of steps) {
    running += change;
    const last = film.changes.at(-1);
    if (last && last[0] === at) last[1] = running;
    else film.changes.push([at, running]);
  }
  return film.changes;
}

/* What had come of the requests of (from, to], and the most executions at once in it. */
function tally(film, from, to) {
  const within = (at) => at > from && at <= to;
  const [lanes, starts, lengths, kinds] = film.spans;
  const result = { requests: film.arrivals.filter(within).length, throttled: film.throttles.filter(within).length,
    answered: 0, failed: 0, running: 0, most: 0, environments: 0 };
  const seen = new Set();
  for (let place = 0; place < starts.length; place += 1) {
    if (starts[place] > to) continue;
    seen.add(lanes[place]);
    const end = lengths[place] < 0 ? Infinity : starts[place] + lengths[place];
    if (kinds[place] !== INIT && within(end)) result[kinds[place] === ANSWERED ? "answered" : "failed"] += 1;
  }
  let running = 0;
  for (const [at, now] of changes(film)) {
    if (at > to) break;
    if (at > from) result.most = Math.max(result.most, running, now);
    running = now;
  }
  result.running = running;
  result.most = Math.max(result.most, running);
  result.environments = seen.size;
  return result;
}

const sentence = (film, head) => {
  const now = tally(film, -1, head);
  return `${said(head / UNIT)}: ${many(now.requests, "request")} so far, ${now.answered.toLocaleString("en")} answered, `
    + `${now.throttled.toLocaleString("en")} throttled, ${now.failed.toLocaleString("en")} failed, `
    + `${now.running.toLocaleString("en")} running; ${many(now.environments, "environment")}, at most ${now.most.toLocaleString("en")} at once.`;
};

function table(film) {
  const parts = 8, names = ["from", "to", "requests", "answered", "throttled", "failed", "most at once"];
  const head = element("tr", "", ...names.map((name) => Object.assign(element("th", "", name), { scope: "col" })));
  const body = element("tbody");
  for (let part = 0; part < parts; part += 1) {
    const from = Math.round(film.until * part / parts), to = Math.round(film.until * (part + 1) / parts);
    const row = tally(film, part ? from : -1, to);
    const cells = [said(from / UNIT), said(to / UNIT), row.requests, row.answered, row.throttled, row.failed, row.most];
    body.append(element("tr", "", ...cells.map((cell) => element("td", "", cell.toLocaleString("en")))));
  }
  return element("table", "", element("thead", "", head), body);
}
