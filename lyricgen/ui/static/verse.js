// A verse, a row a line: its text to type in, its syllables and rhyme, and buttons to keep it or write it again alone.
// `props.value` is JSON: lines, notes, seed, state. Texts reach the page as values and text nodes only.
const { make, button } = window.lyricgen;
const rows = make("ol", "verse-lines"), facts = make("p", "soft verse-facts"), notes = make("ul", "verse-notes");
let kept = []; // by line: whether it stays when the others are written
let typed = []; // by line: whether it was typed since they were last asked for
element.append(rows, notes, facts);

const texts = () => [...rows.querySelectorAll("textarea")].map((input) => input.value.replaceAll("\n", " "));

// Writes the lines that are not kept, or one line alone.
function write(alone) {
  if (document.body.classList.contains("writing-verse")) return;
  const lines = texts().map((text, line) => ((alone === undefined ? kept[line] : line !== alone) ? text : ""));
  typed = [];
  document.body.classList.add("writing-verse");
  trigger("retry", { lines: lines.join("\n"), again: alone !== undefined });
}

function keep(line, lock, on) {
  kept[line] = on;
  lock.setAttribute("aria-pressed", on);
  lock.textContent = on ? "kept" : "keep";
}

function makeRow(line) {
  const row = make("li", "verse-line"), input = make("textarea"), mark = make("span", "verse-mark"), count = make("span", "soft verse-count");
  const lock = button("keep"), again = button("again");
  input.setAttribute("aria-label", `Line ${line + 1}`);
  input.maxLength = 200;
  input.rows = 1;
  for (const [made, name] of [[lock, "Keep"], [again, "Write again"]]) made.setAttribute("aria-label", `${name} line ${line + 1}`);
  lock.addEventListener("click", () => keep(line, lock, !kept[line]));
  again.addEventListener("click", () => write(line));
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); }); // it is one line
  input.addEventListener("input", () => { // what is typed stays
    count.textContent = "";
    typed[line] = true;
    keep(line, lock, Boolean(input.value.trim()));
  });
  row.append(mark, input, count, lock, again);
  return row;
}

function draw() {
  const verse = props.value ? JSON.parse(props.value) : { lines: [], notes: [], state: "" };
  if (rows.children.length !== verse.lines.length) {
    kept = verse.lines.map(() => false);
    rows.replaceChildren(...verse.lines.map((_, line) => makeRow(line)));
  }
  verse.lines.forEach((line, number) => {
    const [mark, input, count] = rows.children[number].children;
    if (!typed[number]) input.value = line.text;
    mark.textContent = line.rhyme || "·";
    mark.className = `verse-mark rhyme-${line.rhyme || "none"}`;
    mark.title = line.rhyme ? `rhymes with the other lines ${line.rhyme}` : "no rhyme";
    count.textContent = line.text ? `${line.syllables} ${line.syllables === 1 ? "syllable" : "syllables"}` : "";
  });
  notes.replaceChildren(...verse.notes.map((note) => make("li", "", note)));
  facts.textContent = verse.state === "written" ? `Song no. ${verse.seed}. Lines of one colour rhyme. Type a line of your own, keep what you like, and write the rest again.` : "";
}

document.addEventListener("write-verse", () => write());
document.addEventListener("click", (event) => {
  if (event.target.closest?.("#stop-verse")) document.body.classList.remove("writing-verse");
}, true);
draw();
watch("value", draw);
