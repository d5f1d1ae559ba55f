/* Questions to check oneself with. See quiz.py for what the model holds, questions.py for `sealed`.
 *
 * What is right, and why, is unsealed when the reader asks. crypto.subtle isn't there in a page that
 * is opened from a file, and a seal that the page itself can open keeps nothing secret anyway: it
 * keeps the answers out of sight.
 */
function unsealed(text, key) {
  let state = 2166136261;
  for (const byte of new TextEncoder().encode(key)) state = Math.imul(state ^ byte, 16777619);
  state ||= 1;
  const bytes = Uint8Array.from(atob(text), (character) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return character.charCodeAt(0) ^ (state & 255);
  });
  return JSON.parse(new TextDecoder().decode(bytes));
}

const VERDICTS = { right: ["✓ ", "Right."], partly: ["… ", "Not all of it."], wrong: ["✗ ", "Not yet."], shown: ["→ ", "The answer"] };
const because = (what, why) => element("p", "", element("strong", "", ...rich(what)), " ", ...rich(why));
const close = (one, other, tolerance) => Math.abs(one - other) <= tolerance + 1e-9 * Math.abs(other);

/* Each kind: its fields; check() -> [verdict, …paragraphs] or a sentence that asks for an answer; answer() likewise. */
const KINDS = {
  choice(legend, question, open) {
    const part = options(legend, question.options, question.many);
    const whys = (places) => places.map((place) => because(question.options[place], open().why[place]));
    return {
      ...part,
      check() {
        const { right } = open(), chosen = part.chosen();
        if (!chosen.length) return question.many ? "Tick at least one answer." : "Pick one of the answers first.";
        const wrong = chosen.filter((place) => !right.includes(place));
        if (wrong.length) return ["wrong", ...whys(chosen)];
        if (chosen.length === right.length) return ["right", ...whys(chosen)];
        return ["partly", element("p", "", "What you ticked is right, and there is more."), ...whys(chosen)];
      },
      answer: () => whys(open().right),
    };
  },
  number(legend, question, open) {
    const part = numberField(legend, question.unit);
    return {
      ...part,
      check() {
        const typed = part.number();
        part.complain(Number.isNaN(typed));
        if (Number.isNaN(typed)) return TYPE_A_NUMBER;
        const { right, tolerance, why, near, otherwise } = open();
        if (close(typed, right, tolerance)) return ["right", because(said(right, question.unit), why)];
        const known = near.find(([number]) => close(typed, number, tolerance));
        return ["wrong", because(said(typed, question.unit), known ? known[1] : otherwise)];
      },
      answer: () => [because(said(open().right, question.unit), open().why)],
    };
  },
  order(legend, question, open, moved) {
    const list = element("ol", "steps");
    const places = () => Array.from(list.children, (item) => Number(item.dataset.place));
    const refresh = () => Array.from(list.children).forEach((item, place, all) => {
      const [up, down] = item.querySelectorAll("button");
      up.setAttribute("aria-disabled", String(place === 0));
      down.setAttribute("aria-disabled", String(place === all.length - 1));
    });
    question.steps.forEach((text, place) => {
      const item = element("li", "", element("span", "", ...rich(text)));
      item.dataset.place = place;
      for (const [sign, name, step] of [["↑", "Move up", -1], ["↓", "Move down", 1]]) {
        const control = button(sign, "button");
        control.setAttribute("aria-label", `${name}: ${plain(text)}`);
        control.addEventListener("click", () => {
          if (control.getAttribute("aria-disabled") === "true") return;
          if (step < 0) item.previousElementSibling.before(item);
          else item.nextElementSibling.after(item);
          control.focus();  // an element that is moved loses it
          refresh();
          moved(`${plain(text)}: now ${places().indexOf(place) + 1} of ${question.steps.length}.`);
        });
        item.append(control);
      }
      list.append(item);
    });
    refresh();
    const words = (order) => element("ol", "", ...order.map((place) => element("li", "", ...rich(question.steps[place]))));
    return {
      field: element("fieldset", "", element("legend", "", ...legend), list),
      check() {
        const { order, why, otherwise } = open(), now = places();
        const wrong = order.findIndex((place, position) => now[position] !== place);
        if (wrong < 0) return ["right", element("p", "", ...rich(why))];
        const first = wrong ? `The first ${wrong === 1 ? "step is" : `${wrong} steps are`} in place.` : "The first step isn't in place.";
        return ["wrong", element("p", "", first, " ", ...rich(otherwise))];
      },
      answer: () => [words(open().order), element("p", "", ...rich(open().why))],
    };
  },
};

function ask(question, place, salt, changed) {
  const says = announcer();
  const clear = (words = "") => {
    delete form.dataset.verdict;
    says.replaceChildren(words);
    changed();
  };
  const legend = [`${place + 1}. `, ...rich(question.ask)];
  if (question.many) legend.push(element("span", "quiet", " Several answers are right."));
  const part = KINDS[question.kind](legend, question, () => unsealed(question.sealed, `${salt}/${question.ask}`), clear);
  const show = button("Show the answer", "button");
  show.hidden = true;
  const form = element("form", "", part.field, element("div", "buttons", button("Check"), show), says);
  form.noValidate = true;
  const say = (verdict, paragraphs) => {
    const [sign, words] = VERDICTS[verdict];
    const mark = element("span", "sign", sign);
    mark.setAttribute("aria-hidden", "true");
    form.dataset.verdict = verdict;
    says.replaceChildren(element("p", "verdict", mark, words), ...paragraphs);
    changed();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const result = part.check();
    if (typeof result === "string") {
      clear(result);
      return;
    }
    const [verdict, ...paragraphs] = result;
    say(verdict, paragraphs);
    if (verdict !== "right") show.hidden = false;
  });
  form.addEventListener("input", () => clear());
  show.addEventListener("click", () => say("shown", part.answer()));
  return form;
}

function render({ model, el }) {
  const questions = model.get("questions");
  const root = box("minilambda-quiz", `Questions of ${model.get("name")}`);
  const score = element("p", "score quiet");
  const count = () => {
    const right = forms.filter((form) => form.dataset.verdict === "right").length;
    root.dataset.right = right;
    score.textContent = `${right} of ${questions.length} right`;
  };
  const forms = questions.map((question, place) => ask(question, place, model.get("name"), () => count()));
  count();
  root.append(...forms, score);
  el.append(root);
}

export default { render };
