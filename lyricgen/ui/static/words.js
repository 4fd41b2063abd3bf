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

// A row of buttons of which one is pressed: `choices` are [value, label].
function choice(label, choices, value, act) {
  const group = make("div", "w-choice");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", label);
  group.append(make("span", "w-label", label));
  const buttons = choices.map(([name, text]) => {
    const one = button(text, () => { press(name); act(name); });
    one.dataset.value = name;
    return one;
  });
  function press(name) {
    for (const one of buttons) one.setAttribute("aria-pressed", one.dataset.value === name);
  }
  press(value);
  group.append(...buttons);
  return group;
}

// The words of the link that opened the page, if it asks for this view.
function wordsOfLink(view) {
  const asked = new URL(performance.getEntriesByType("navigation")[0].name).searchParams;
  if (asked.get("tab") !== "words" || (asked.get("view") ?? "map") !== view) return [];
  return (asked.get("words") ?? "").slice(0, 1500).split(",").map((word) => word.trim()).filter(Boolean);
}

// Keeps the words of a view for the link to the page as it is.
function keepWords(view, words) {
  (window.lyricgen.words ??= {})[view] = words.join(",");
  window.lyricgen.setQuery();
}
