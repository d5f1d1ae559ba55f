/* Draws a film up to an instant: executions at once, throttled requests, environments. */
/* A round distance of about a number-th of the whole. */
function tick(whole, number) {
  const rough = whole / number, power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough);
}

/* Everything up to head, on a canvas: executions over time, throttled requests, environments. */
function draw(canvas, film, whole, head, reserved) {
  const box = canvas.getBoundingClientRect(), dots = window.devicePixelRatio || 1;
  if (!box.width) return;
  canvas.width = Math.round(box.width * dots);
  canvas.height = Math.round(box.height * dots);
  const pen = canvas.getContext("2d"), style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  pen.scale(dots, dots);
  pen.font = `12px ${style.fontFamily}`;
  const left = 34, right = box.width - 10, top = 20, middle = 118, rowTop = 174, bottom = box.height - 24;
  const x = (at) => left + (right - left) * at / whole;
  const steps = changes(film), peak = steps.reduce((m, s) => Math.max(m, s[1]), 1);
  const inSight = reserved != null && reserved <= 3 * peak + 3, most = inSight ? Math.max(peak, reserved) : peak;
  const y = (count) => middle - (middle - top) * count / most / 1.15;
  const text = (words, px, py, align = "left", tint = "quiet") => {
    pen.fillStyle = colour(tint);
    pen.textAlign = align;
    pen.fillText(words, px, py);
  };
  const line = (x0, y0, x1, y1, tint, width = 1, dash = []) => {
    pen.strokeStyle = colour(tint);
    pen.lineWidth = width;
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x1, y1);
    pen.stroke();
    pen.setLineDash([]);
  };
  text("executions at once", left, 12);
  text(most.toLocaleString("en"), left - 5, y(most) + 4, "right");
  text("0", left - 5, middle + 4, "right");
  for (let at = 0, step = tick(whole / UNIT, box.width < 500 ? 4 : 8) * UNIT; at <= whole; at += step) {
    line(x(at), top, x(at), bottom, "line", 0.5);
    if (x(at) < right - 14) text(said(at / UNIT), x(at), box.height - 8, at ? "center" : "left");
  }
  pen.fillStyle = pen.strokeStyle = colour("run");
  pen.beginPath();
  pen.moveTo(x(0), y(0));
  let running = 0;
  for (const [at, now] of steps) {
    if (at > head) break;
    pen.lineTo(x(at), y(running));
    pen.lineTo(x(at), y(now));
    running = now;
  }
  pen.lineTo(x(head), y(running));
  pen.lineTo(x(head), y(0));
  pen.globalAlpha = 0.35;
  pen.fill();
  pen.globalAlpha = 1;
  pen.stroke();
  line(left, middle, right, middle, "grey");
  if (inSight) line(left, y(reserved), right, y(reserved), "killed", 1.5, [6, 4]);
  if (reserved != null) {
    text(`reserved ${reserved.toLocaleString("en")}${inSight ? "" : ", off the scale"}`, right - 6,
      (inSight ? y(reserved) : top + 12) - 4, "right", "text");
  }
  // Throttled requests: a cross, and how many where there are several.
  text("throttled", left, middle + 15);
  const crosses = new Map();
  for (const at of film.throttles) {
    if (at > head) break;
    const place = Math.floor((x(at) - left) / 34);
    const found = crosses.get(place);
    if (found) found.count += 1;
    else crosses.set(place, { at, count: 1 });
  }
  for (const { at, count } of crosses.values()) {
    const px = x(at), py = middle + 27;
    line(px - 4, py - 4, px + 4, py + 4, "killed", 2);
    line(px - 4, py + 4, px + 4, py - 4, "killed", 2);
    if (count > 1) text(count.toLocaleString("en"), px + 7, py + 4, "left", "text");
  }
  const [lanes, starts, lengths, kinds] = film.spans;
  const rows = lanes.reduce((m, lane) => Math.max(m, lane), 0) + 1, high = Math.min(18, (bottom - rowTop) / rows);
  text(lanes.length ? many(rows, "environment") : "environments", left, rowTop - 6);
  const fills = [colour("init"), colour("run"), colour("error"), colour("killed")];
  for (let place = 0; place < starts.length; place += 1) {
    if (starts[place] > head) continue;
    const end = Math.min(head, lengths[place] < 0 ? film.until : starts[place] + lengths[place]);
    const done = lengths[place] >= 0 && starts[place] + lengths[place] <= head;
    const kind = done || kinds[place] === INIT ? kinds[place] : ANSWERED;
    const x0 = x(starts[place]), width = Math.max(1.5, x(end) - x0), y0 = rowTop + lanes[place] * high;
    pen.fillStyle = fills[kind];
    // Init is a low bar, a failure has a cross: what they are doesn't hang on their colours.
    if (kind === INIT) pen.fillRect(x0, y0 + high * 0.5, width, high * 0.4);
    else pen.fillRect(x0, y0 + high * 0.1, width, Math.max(high * 0.8, Math.min(high, 1)));
    if (kind >= ERROR && high >= 6) {
      line(x0 + width - 4, y0 + high / 2 - 4, x0 + width + 4, y0 + high / 2 + 4, "text", 2);
      line(x0 + width - 4, y0 + high / 2 + 4, x0 + width + 4, y0 + high / 2 - 4, "text", 2);
    }
  }
  for (const [at, words] of film.turns) {
    if (!words || at > head) continue;
    line(x(at), top, x(at), bottom, "text", 1, [2, 3]);
    text(words, x(at) > right - 130 ? x(at) - 4 : x(at) + 4, top + 12, x(at) > right - 130 ? "right" : "left", "text");
  }
  line(x(head), top - 4, x(head), bottom, "text", 1.5);
}

function legend() {
  const key = element("div", "key");
  for (const [kind, words] of [["init", "init (low bar)"], ["run", "running, answered"], ["error", "error ✕"],
    ["killed", "killed ✕"]]) key.append(element("span", "", element("i", kind), words));
  key.append(element("span", "", element("b", "", "×"), " throttled, and how many"));
  return key;
}
