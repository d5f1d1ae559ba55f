/* What happened, and the reader's guess beside it. See predict.py.
 *
 * model: answer, the guess (a place in names, or a number; null: none), which a link keeps up with the
 * question's; names, unit, question; actual, what happened, likewise; told, the same in words.
 */
function compared(answer, actual, names) {
  if (answer == null) return ["open", ""];
  if (names.length) return answer === actual ? ["right", "As you said."] : ["wrong", "Not what you said."];
  const apart = answer - actual;
  if (Math.abs(apart) <= 1e-9 * Math.abs(actual)) return ["right", "As you said."];
  return ["wrong", `Your guess is ${said(Number(Math.abs(apart).toPrecision(6)), "")} too ${apart > 0 ? "high" : "low"}.`];
}

/* Two bars on one scale, for the eye only: the figures stand above them. */
function bars(row, number, longest, kind) {
  const bar = element("span", `bar ${kind}`);
  bar.style.width = longest ? `max(2px, ${((100 * number) / longest).toFixed(2)}%)` : "2px";
  const track = element("span", "track", bar);
  track.setAttribute("aria-hidden", "true");
  row.append(track);
}

function render({ model, el }) {
  const names = model.get("names"), unit = model.get("unit"), actual = model.get("actual");
  const guess = element("dd"), happened = element("dd", "", ...rich(model.get("told")));
  const verdict = announcer();
  const root = box("minilambda-outcome", "Your guess, and what happened");
  root.append(
    element("p", "ask", ...rich(model.get("question"))),
    element("dl", "", element("div", "", element("dt", "", "Your guess"), guess),
      element("div", "", element("dt", "", "What happened"), happened)),
    verdict);
  const show = () => {
    const answer = model.get("answer");
    const [state, words] = compared(answer, actual, names);
    root.dataset.verdict = state;
    if (answer == null) guess.replaceChildren(element("span", "quiet", "You made none. The question is further up."));
    else guess.replaceChildren(...(names.length ? rich(names[answer]) : [said(answer, unit)]));
    happened.querySelector(".track")?.remove();
    if (answer != null && !names.length && answer >= 0 && actual >= 0) {
      bars(guess, answer, Math.max(answer, actual), "guessed");
      bars(happened, actual, Math.max(answer, actual), "happened");
    }
    const sign = element("span", "sign", state === "right" ? "✓ " : "≠ ");
    sign.setAttribute("aria-hidden", "true");
    verdict.replaceChildren(...(words ? [element("strong", "", sign, words)] : []));
  };
  model.on("change:answer", show);
  show();
  el.append(root);
}

export default { render };
