/* Plays traffic: concurrency, throttles and environments up to an instant that the reader moves.
 *
 * model: function, pattern, seconds; controls and indexes (see controls.js); films and cells, the
 * recorded runs; fresh, what the kernel has to tell; ask, what the reader wants. A film is film.py's,
 * its times in tenths of a millisecond. Without a kernel the recorded films play. With one, ask goes to
 * it (where the controls stand, how far to run, which run) and fresh comes back with what happened.
 */
const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 60, 600, 3600];
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

function render({ model, el, signal }) {
  const length = Math.round(model.get("seconds") * UNIT);
  const controls = model.get("controls"), sizes = controls.map((control) => control.says.length);
  let live = emptyFilm(), run = 0, over = false, head = Infinity, playing = false, before = 0, timer = null, words = "", started = false, goal = 0, number = -1;
  const speeds = SPEEDS.filter((speed) => length / UNIT / speed >= 1.5 && length / UNIT / speed <= 400);
  if (!speeds.length) speeds.push(1);
  let speed = speeds.reduce((best, one) =>
    (Math.abs(Math.log(length / UNIT / one / 8)) < Math.abs(Math.log(length / UNIT / best / 8)) ? one : best));
  const place = () => model.get("indexes").reduce((sum, index, number) => sum * sizes[number] + index, 0);
  const begun = () => run > 0 && started;
  const recorded = () => model.get("films")[place()] ?? emptyFilm();
  const film = () => (begun() ? live : recorded());
  const whole = () => Math.max(1, length, film().until);
  const end = () => (begun() && !over ? Math.max(length, live.until) : film().until);

  const play = element("button", "play"), step = element("button", "", "Step"), restart = element("button", "", "Restart");
  for (const button of [play, step, restart]) button.type = "button";
  const rate = element("select", "", ...speeds.map((one) => Object.assign(element("option", "", `${one}×`), { value: one })));
  rate.value = String(speed);
  const time = Object.assign(element("input"), { type: "range", min: 0, step: "any" });
  const stepSize = () => Math.max(1, tick(length / UNIT, 20) * UNIT);
  time.setAttribute("aria-label", "Time");
  rate.setAttribute("aria-label", "Speed");
  step.setAttribute("aria-label", `Step ${said(stepSize() / UNIT)}`);
  const clock = element("span", "clock");
  const says = element("p", "says"), refusal = element("p", "refusal"), note = element("p", "note");
  says.setAttribute("aria-live", "polite");
  refusal.setAttribute("aria-live", "assertive");
  const canvas = element("canvas");
  canvas.setAttribute("role", "img");
  const detail = element("details", "", element("summary", "", "What this picture shows"));
  const turned = (number, index) => {
    const indexes = [...model.get("indexes")];
    indexes[number] = index;
    model.set("indexes", indexes);
    send();
    if (!begun()) head = playing ? Math.min(head, film().until) : film().until;
    show(true);
  };
  const knobs = buildControls(controls, turned);
  const root = element("div", "minilambda-box minilambda-live", knobs.node,
    element("div", "bar", play, step, restart, element("span", "", "Speed ", rate), time, clock),
    says, refusal, canvas, legend(), detail, note);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", `Traffic to ${model.get("function")}: ${model.get("pattern")}`);

  const send = (more = {}) => {
    model.set("ask", { ...model.get("ask"), indexes: model.get("indexes"), ...more });
    model.save_changes();
  };
  /* How far the kernel should be: a little ahead of what is shown. */
  const wantMore = () => {
    const wanted = Math.min(Math.max(length, live.until + UNIT), head + Math.max(UNIT / 2, speed * UNIT / 2));
    if (run > 0 && !over && wanted > (model.get("ask").until ?? 0) && wanted > live.until) send({ until: Math.ceil(wanted) });
  };

  const show = (tell = false) => {
    const now = film();
    head = Math.min(head, now.until);
    const reserved = now.turns.filter((turn) => turn[0] <= head).map((turn) => turn[2]).at(-1);
    draw(canvas, now, whole(), head, reserved);
    const text = sentence(now, head);
    // While it plays, the sentence is there to be seen: nobody can listen to sixty a second.
    says.setAttribute("aria-live", tell || !playing ? "polite" : "off");
    if (says.textContent !== text || (tell && !playing)) says.replaceChildren(text);
    if (tell || !playing) canvas.setAttribute("aria-label", text);
    refusal.textContent = begun() || run > 0 ? words : now.said ?? "";
    time.max = String(Math.max(1, end()));
    time.value = String(head);
    time.setAttribute("aria-valuetext", `${said(head / UNIT)} of ${said(end() / UNIT)}`);
    clock.textContent = said(Math.round(head / UNIT * 10) / 10);
    play.textContent = playing ? "Pause" : "Play";
    const counts = tally(now, -1, head);
    Object.assign(root.dataset, { source: begun() ? "live" : "recorded", playing: String(playing), head: String(Math.round(head)),
      until: String(now.until), state: [place(), counts.requests, counts.answered, counts.throttled, counts.failed].join("/") });
    note.textContent = run > 0
      ? "Live: each request is a real invocation; what you turn takes effect at once."
      : "A recording of real runs, one for each position. Open this page in JupyterLab and run its cells to go live.";
    if (tell || !playing) detail.replaceChildren(detail.firstChild, element("p", "", text), wide(table(now)));
    keepKeys(root);
  };
  const wide = (inner) => {
    const node = element("div", "wide", inner);
    node.tabIndex = 0;
    node.setAttribute("role", "group");
    node.setAttribute("aria-label", "The picture as a table");
    return node;
  };
  const stop = () => {
    playing = false;
    if (timer != null) (calm.matches ? clearTimeout : cancelAnimationFrame)(timer);
    timer = null;
    show(true);
  };
  const next = () => { timer = calm.matches ? setTimeout(frame, 1000) : requestAnimationFrame(frame); };
  const frame = () => {
    const now = performance.now();
    head = Math.min(film().until, head + (calm.matches ? stepSize() : (now - before) / 1000 * speed * UNIT));
    before = now;
    wantMore();
    if (head >= film().until && (run === 0 || over)) { stop(); return; }
    show();
    next();
  };
  const fromStart = () => {
    head = 0;
    if (run > 0) {
      started = true;
      live = emptyFilm();
      over = false;
      run += 1;
      send({ run, until: 0 });
    }
  };
  const atEnd = () => head >= end() || (run > 0 && !started);
  play.addEventListener("click", () => {
    if (playing) { stop(); return; }
    if (atEnd()) fromStart();
    playing = true;
    before = performance.now();
    next();
    show(true);
  });
  step.addEventListener("click", () => {
    if (playing) stop();
    if (atEnd()) fromStart();
    const target = head + stepSize();
    head = Math.min(target, run > 0 && !over ? target : film().until);
    if (run > 0 && !over && head > live.until) { send({ until: Math.ceil(head) }); goal = head; }  // seen when the kernel is there
    show(true);
  });
  restart.addEventListener("click", () => { if (playing) stop(); fromStart(); show(true); });
  rate.addEventListener("change", () => { speed = Number(rate.value); });
  time.addEventListener("input", () => {
    head = Math.min(Number(time.value), film().until);
    if (!playing) wantMore();
    show();
  });

  /* What the kernel has to tell: a whole film (number 0), or what came since its last word. */
  const heard = () => {
    const fresh = model.get("fresh");
    if (!fresh.run) return;
    if (fresh.run < run) return;  // about a run that the reader has left
    if (fresh.number === 0) live = emptyFilm();
    else if (fresh.number !== number + 1) { send({ hello: (model.get("ask").hello ?? 0) + 1 }); return; }
    number = fresh.number;
    run = fresh.run;
    over = fresh.over;
    words = fresh.said;
    append(live, fresh.frames);
    started ||= live.until > 0;
    if (goal) { head = goal; if (live.until >= goal || over) goal = 0; }
    show(!playing);
  };
  model.on("change:fresh", heard);
  // Only then: set again in every frame, a control could never be dragged while it plays.
  const moved = () => { knobs.show(model.get("indexes")); show(true); };
  model.on("change:indexes", moved);
  model.on("change:films", () => show(true));
  const theme = new MutationObserver(() => show());
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  theme.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  const size = new ResizeObserver(() => show());
  el.append(root);
  size.observe(canvas);
  window.addEventListener("beforeprint", show);
  moved();
  send({ hello: (model.get("ask").hello ?? 0) + 1 });
  const close = () => {
    if (timer != null) (calm.matches ? clearTimeout : cancelAnimationFrame)(timer);
    playing = false;
    theme.disconnect();
    size.disconnect();
    window.removeEventListener("beforeprint", show);
    model.off("change:fresh", heard);
  };
  signal?.addEventListener("abort", close);
  return close;
}

export default { render };
