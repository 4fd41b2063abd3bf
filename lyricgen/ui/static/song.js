// Plays a song letter by letter: each letter coloured by the surprise that it was, and what else could have come.
// `props.value` is JSON: {state, text, given, start, seed, labels, bits, ...}, see lyricgen/ui/tabs/write/song.py.
// What is typed reaches the page as text nodes only.

const { make, button, makeSvg, visible, percent } = window.lyricgen;
const MAX_BITS = 24, CLASSES = 100, BARS = 7, LETTERS_PER_SECOND = 7;
const SHADES = [0.5, 0.2, 0.05, 0.01, 0.001]; // probabilities below which a letter has the next colour
const LEGEND = ["50 % or more", "20–50 %", "5–20 %", "1–5 %", "0.1–1 %", "less"];
const SEARCHED = 20; // letters behind the start
const TORN = 2; // bits of entropy from which the model hesitated
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

const linked = new URLSearchParams(location.search), linkedTemperature = linked.get("temperature") ?? linked.get("t");
const state = { chosen: linkedTemperature >= 0.1 && linkedTemperature <= 2 ? Number(linkedTemperature) : undefined, song: null, letters: [], spans: [], bits: [], labels: [], at: 0, shown: 0, timer: 0 };

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const bitsOf = (byte) => MAX_BITS * (byte / 255) ** 2;
const ENTROPY = Array.from({ length: 256 }, (_, byte) => bitsOf(byte) * 2 ** -bitsOf(byte)); // of a byte's probability
const isBusy = () => document.body.classList.contains("writing");
const isWritten = () => state.song?.state === "written";
const isWriting = (song) => song?.state === "writing";

// ---- the cards

const card = make("div", "song-card card");
const text = make("div", "song-text");
text.tabIndex = 0;
text.setAttribute("role", "group");
text.setAttribute("aria-label", "The song. Arrow keys go from letter to letter, Enter goes to what could have come.");
const play = button("▶ Play", "primary", () => (state.timer ? pause() : start()));
const next = button("Next letter", "", () => { pause(); step(); });
const all = button("Show all", "", () => { pause(); showAll(); });
const change = button("Change this letter", "", () => chooseLetter());
const controls = make("div", "song-controls");
controls.append(play, next, all, change);
const facts = make("p", "song-facts"), number = make("span");
facts.append(
  number,
  button("again", "link", () => write("retry", { seed: state.song.seed, ...changedStart() })),
  " · ",
  button("new", "link", () => write("retry", { seed: -1 })),
);
const notes = make("p", "song-notes");
const said = make("p", "sr-only");
said.setAttribute("aria-live", "polite");
const legend = make("div", "song-legend");
legend.append(make("span", "", "Expected with"));
LEGEND.forEach((label, shade) => legend.append(make("i", shade ? `s${shade}` : "", label)));
legend.append(make("span", "torn", "it hesitated"));
card.append(
  make("h2", "", "The song so far"),
  make("p", "soft", "Grey: yours. The stronger the colour, the less the model expected that letter."),
  text, controls, notes, facts, legend, said,
);

const side = make("div", "next-card card");
const context = make("p", "soft");
const bars = make("div", "next-bars");
const own = make("form", "next-own");
const words = make("input");
words.setAttribute("aria-label", "Or your own words");
words.placeholder = "or your own words";
words.maxLength = 200;
own.append(words, button("Go on"));
own.lastChild.type = "submit";
own.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!words.value || isBusy()) return;
  goOn(words.value);
  words.value = "";
});
const daring = make("label", "next-daring", "How daring? ");
daring.append(make("span", "soft", "(temperature) "));
const dial = make("output");
const slider = make("input");
Object.assign(slider, { type: "range", min: 0.1, max: 2, step: 0.05, id: "daring" });
daring.htmlFor = "daring";
daring.append(dial);
const ends = make("div", "next-ends");
ends.append(make("span", "", "plays safe"), make("span", "", "as it believes (1)"), make("span", "", "wild"));
side.append(make("h2", "", "What comes next?"), context, bars, own, daring, slider, ends);
slider.addEventListener("input", drawBars);
slider.addEventListener("change", () => {
  window.lyricgen.temperature = state.chosen = Number(slider.value); // of the next song
  trigger("release");
});

const root = make("div", "hero");
root.append(card, side);
element.append(root);

// ---- the song

function read() {
  if (!props.value) return;
  const song = JSON.parse(props.value);
  const before = state.song;
  pause();
  if (isWriting(song) && !isWriting(before)) window.lyricgen.beginSong();
  Object.assign(state, { song, letters: Array.from(song.text) });
  window.lyricgen.songArtist = song.artist || "any artist";
  document.body.classList.toggle("writing", song.state === "writing");
  if (isWriting(song)) return drawDraft();
  state.labels = bytes(song.labels);
  const all = bytes(song.bits);
  state.bits = Array.from({ length: state.letters.length + 1 }, (_, at) => all.subarray(at * CLASSES, (at + 1) * CLASSES));
  slider.value = state.chosen ?? song.temperature;
  drawText();
  drawFacts(!before);
  drawStrip();
  const waits = !before && !song.playing; // the first song, for Play
  state.shown = Math.min(waits ? firstTorn(song.start) : song.start, state.letters.length);
  if (waits) return moveTo(Math.max(0, state.shown - 1));
  if (still) showAll();
  else start();
}

function drawDraft() {
  text.replaceChildren(make("span", "given", state.letters.slice(0, state.song.given).join("")), state.letters.slice(state.song.given).join(""));
  text.scrollTop = text.scrollHeight;
  bars.replaceChildren();
  context.textContent = said.textContent = "Writing …";
}

function probability(at) {
  return state.labels[at] < CLASSES ? 2 ** -bitsOf(state.bits[at][state.labels[at]]) : 0;
}

function shadeOf(at) {
  if (at < state.song.given) return "given";
  const share = probability(at);
  const step = SHADES.filter((limit) => share < limit).length;
  return `${step ? `s${step}` : ""}${isTorn(at) ? " torn" : ""}`;
}

// Whether many letters were likely here, so that another one is worth a try.
function isTorn(at) {
  return state.bits[at].reduce((sum, byte) => sum + ENTROPY[byte], 0) > TORN;
}

// How many letters to show from `start` on, so that the last is one at which the model hesitated.
function firstTorn(start) {
  for (let shown = start; shown < Math.min(start + SEARCHED, state.letters.length); shown++) if (shown && isTorn(shown - 1)) return shown;
  return start;
}

function drawText() {
  state.spans = state.letters.map((letter, at) => {
    const span = make("span", shadeOf(at), letter);
    span.position = at;
    return span;
  });
  state.end = make("span", "song-end", " ");
  state.end.position = state.letters.length;
  text.replaceChildren(...state.spans, state.end);
}

function show(count) {
  state.shown = count;
  state.spans.forEach((span, at) => span.classList.toggle("to-come", at >= count));
}

function moveTo(at) {
  [...state.spans, state.end][state.at]?.classList.remove("cursor");
  state.at = at;
  show(state.shown);
  const span = [...state.spans, state.end][at];
  span?.classList.add("cursor");
  if (span) keepInView(span);
  drawBars();
}

function keepInView(span) {
  const line = span.offsetTop - text.offsetTop;
  if (line < text.scrollTop || line + 40 > text.scrollTop + text.clientHeight) text.scrollTop = Math.max(0, line - text.clientHeight / 2);
}

function step() {
  if (!isWritten()) return false;
  if (state.shown >= state.letters.length) {
    moveTo(state.letters.length);
    pause();
    announce();
    return false;
  }
  state.shown += 1;
  moveTo(state.shown - 1);
  return true;
}

function start() {
  if (!isWritten()) return;
  if (state.shown >= state.letters.length) state.shown = state.song.start;
  pause();
  play.textContent = "❚❚ Pause";
  state.timer = setInterval(step, 1000 / LETTERS_PER_SECOND);
  step();
}

function pause() {
  clearInterval(state.timer);
  state.timer = 0;
  play.textContent = "▶ Play";
}

function showAll() {
  if (!isWritten()) return;
  state.shown = state.letters.length;
  moveTo(Math.max(0, state.letters.length - 1));
  announce();
}

function announce() {
  said.textContent = `The song has ${state.letters.length} letters: ${state.song.text}`;
}

// ---- what could have come

function sharesAt(at) {
  const heat = Math.max(0.05, Number(slider.value));
  const weights = Array.from(state.bits[at], (byte) => 2 ** (-bitsOf(byte) / heat));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function drawBars() {
  dial.textContent = Number(slider.value).toFixed(2);
  slider.setAttribute("aria-valuetext", `${slider.value}`);
  if (!isWritten() || !state.bits[state.at]) return;
  const shares = sharesAt(state.at), chosen = state.labels[state.at];
  const order = shares.map((_, label) => label).sort((a, b) => shares[b] - shares[a]).slice(0, BARS);
  if (chosen < CLASSES && !order.includes(chosen)) order[BARS - 1] = chosen;
  context.textContent = `after “${state.at > 18 ? "…" : ""}${state.letters.slice(Math.max(0, state.at - 18), state.at).join("").replace(/\s/g, " ")}”`;
  const focused = [...bars.children].indexOf(document.activeElement);
  bars.replaceChildren(...order.map((label) => {
    const letter = state.song.letters[label], hit = label === chosen;
    const row = button("", hit ? "next-row hit" : "next-row", () => (hit ? step() : goOn(letter)));
    const bar = make("span", "next-bar"), filled = make("i");
    filled.style.width = `${100 * shares[label]}%`;
    bar.append(filled);
    row.append(make("b", "", visible(letter)), bar, make("span", "", percent(shares[label])));
    row.setAttribute("aria-label", `${visible(letter)}, ${percent(shares[label])}${hit ? ", the letter of the song" : ", go on with it"}`);
    return row;
  }));
  if (focused >= 0) bars.children[focused]?.focus();
}

function describe(at) {
  if (at >= state.letters.length) return "the end";
  const letter = visible(state.letters[at]);
  return at < state.song.given ? letter : `${letter}, ${percent(probability(at))}`;
}

function chooseLetter() {
  pause();
  bars.querySelector("button:not(.hit)")?.focus();
  side.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
  context.textContent = "Choose another letter, or type your own words: the song goes on from there.";
}

function goOn(letters) {
  write("select", { index: state.at, letters, given: Math.min(state.song.given, state.at), seed: state.song.seed });
}

// Where a song that was changed goes on.
function changedStart() {
  const { changed, given } = state.song;
  return changed ? { changed: state.letters.slice(0, changed).join(""), given } : {};
}

// Asks for a song, one at a time.
function write(event, values) {
  if (isBusy()) return;
  pause();
  if (side.contains(document.activeElement)) text.focus({ preventScroll: true }); // what was chosen goes
  window.lyricgen.askSong();
  trigger(event, values);
}

// ---- around it

function drawFacts(isFirst) {
  const { song } = state;
  number.textContent = `Song no. ${song.seed} · `;
  notes.textContent = song.notes.join(" ");
  window.lyricgen.onSong(song, isFirst);
}

function drawStrip() {
  const place = document.querySelector("#strip");
  if (!place) return void setTimeout(drawStrip, 100);
  const count = state.letters.length, height = 64, scale = 7;
  const picture = makeSvg("svg", { viewBox: `0 0 ${count} ${height}`, preserveAspectRatio: "none", role: "img" });
  let sum = 0, paths = { given: "", written: "" };
  for (let at = 0; at < count; at++) {
    const bits = state.labels[at] < CLASSES ? bitsOf(state.bits[at][state.labels[at]]) : 0;
    if (at >= state.song.given) sum += bits;
    const bar = Math.min(height - 2, bits * scale).toFixed(1);
    paths[at < state.song.given ? "given" : "written"] += `M${at} ${height}v-${bar}h.8v${bar}z`;
  }
  for (const name in paths) picture.append(makeSvg("path", { d: paths[name], class: name }));
  const mean = sum / Math.max(1, count - state.song.given);
  const line = `${mean.toFixed(2)} bits a letter: as hard as guessing among ${(2 ** mean).toFixed(1)} equally likely letters.`;
  picture.setAttribute("aria-label", `Surprise of each letter. ${line}`);
  place.replaceChildren(picture, make("p", "soft", line));
}

text.addEventListener("click", (event) => {
  if (event.target.position === undefined || !isWritten()) return;
  pause();
  if (event.target.position < state.shown || event.target === state.end) moveTo(event.target.position);
});
text.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return; // the browser's
  const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
  if (!isWritten()) return;
  if (event.key in steps) {
    event.preventDefault();
    pause();
    moveTo(Math.max(0, Math.min(state.shown, state.at + steps[event.key])));
    said.textContent = describe(state.at);
  } else if (event.key === "Enter") {
    event.preventDefault();
    chooseLetter();
  }
});

// Write and Stop take each other's place, with the keyboard's.
new MutationObserver(() => {
  const [gone, there] = isBusy() ? ["write", "stop"] : ["stop", "write"];
  if (document.activeElement?.id === gone) document.getElementById(there).focus();
}).observe(document.body, { attributes: true, attributeFilter: ["class"] });

document.addEventListener("seed", (event) => { // of a link, which has set the temperature
  state.chosen = undefined;
  write("retry", { seed: event.detail });
});

read();
watch("value", read);
