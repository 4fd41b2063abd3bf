// Helpers of the scripts of Words; each runs behind this one. All words reach the page as text nodes.
const { make, makeSvg } = window.lyricgen;

// A list of words with bars: rows of {word, value}, the longest bar for the greatest value. `pick` makes the words buttons.
function barList(rows, pick, format = (value) => value.toFixed(2)) {
  const list = make("ol", "w-bars");
  const greatest = Math.max(...rows.map((row) => Math.abs(row.value)), 1e-9);
  for (const row of rows) {
    const item = make("li"), track = make("span", "w-track"), bar = make("i");
    bar.style.width = `${Math.max(1, 100 * Math.abs(row.value) / greatest)}%`;
    track.append(bar);
    const word = make(pick ? "button" : "b", "w-word", row.word);
    if (pick) Object.assign(word, { type: "button", onclick: () => pick(row.word) });
    if (row.muted) item.className = "w-muted";
    item.append(word, track, make("span", "w-value", row.note ?? format(row.value)));
    list.append(item);
  }
  return list;
}

// Asks the server for what a view shows: null where `forget` or a newer question came before the answer, a sentence where none came.
function questions(server) {
  let last = 0;
  const forget = () => { last += 1; };
  async function ask(call, values) {
    forget();
    const mine = last;
    const answer = await server[call](values).catch(() => null); // gradio answers undefined where it could not ask
    if (mine !== last) return null;
    return answer ?? { error: "No answer came. Try again.", suggestions: [] };
  }
  return { ask, forget };
}

// Shows in `place` what is wrong with an answer, with the suggestions as buttons; true if something is.
function showProblem(place, answer, pick) {
  place.replaceChildren();
  if (!answer.error) return false;
  place.append(make("span", "", answer.error));
  for (const word of answer.suggestions) {
    const button = make("button", "w-chip", word);
    Object.assign(button, { type: "button", onclick: () => pick(word, answer.box) });
    place.append(" ", button);
  }
  return true;
}

function problemLine() {
  const line = make("p", "w-problem");
  line.setAttribute("role", "alert");
  return line;
}

function button(label, act, className = "w-button") {
  const made = make("button", className, label);
  Object.assign(made, { type: "button", onclick: act });
  return made;
}

// A row of buttons of which one is pressed: `choices` are [value, label]. `act` may answer the value of the one to press.
function choice(label, choices, value, act) {
  const group = make("div", "w-choice");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", label);
  group.append(make("span", "w-label", label));
  const buttons = choices.map(([name, text]) => {
    const one = button(text, async () => {
      press(name);
      const kept = await act(name);
      if (kept !== undefined) press(kept);
    });
    one.dataset.value = name;
    return one;
  });
  function press(name) {
    for (const one of buttons) one.setAttribute("aria-pressed", one.dataset.value === name);
  }
  press(value);
  group.press = press;
  group.append(...buttons);
  return group;
}

// Distances, `marks` of {label, distance}, among those of random pairs.
function histogram(bars, limit, marks) {
  const [width, height] = [300, 96], top = Math.max(...bars), step = width / bars.length;
  const drawn = makeSvg("svg", { viewBox: `0 0 ${width} ${height + 18}`, class: "w-histogram", role: "img" });
  drawn.setAttribute("aria-label", `${marks.map((mark) => `${mark.label}: ${mark.distance}`).join("; ")}, among the distances of random pairs of words`);
  bars.forEach((count, bin) => {
    const tall = height * count / top;
    drawn.append(makeSvg("rect", { x: bin * step, y: height - tall, width: step - 1, height: tall, class: "w-bin" }));
  });
  marks.forEach(({ label, distance }, row) => {
    const x = Math.min(width - 2, width * distance / limit);
    drawn.append(makeSvg("line", { x1: x, y1: 0, x2: x, y2: height, class: "w-here" }));
    if (marks.length > 1) {
      const name = makeSvg("text", { x: x + 5, y: 12 + 14 * row });
      name.textContent = label;
      drawn.append(name);
    }
  });
  for (const tick of [0, 0.5, 1, 1.5]) {
    const label = makeSvg("text", { x: width * tick / limit, y: height + 14, "text-anchor": tick ? "middle" : "start" });
    label.textContent = tick;
    drawn.append(label);
  }
  return drawn;
}

const openedWith = () => new URL(performance.getEntriesByType("navigation")[0].name).searchParams;

// The words of the link that opened the page, if it asks for this view.
function wordsOfLink(view) {
  const asked = openedWith();
  if (asked.get("tab") !== "words" || (asked.get("view") ?? "map") !== view) return [];
  return (asked.get("words") ?? "").slice(0, 1500).split(",").map((word) => word.trim()).filter(Boolean);
}

// The space that the link to a view's words names, if there is such a space.
function spaceOfLink(view, spaces) {
  const name = wordsOfLink(view).length ? openedWith().get("vectors") : null;
  return spaces.some(([space]) => space === name) ? name : null;
}

// Keeps the words of a view and their space for the link to the page as it is.
function keepWords(view, words, vectors) {
  (window.lyricgen.words ??= {})[view] = { words: words.join(","), vectors };
  window.lyricgen.setQuery();
}
