// Draws a text coloured letter by letter, with a box of details on the letter that is pointed at, tapped or stepped to.
// gradio runs this once for each component that it belongs to. What is typed reaches the page as text nodes only.
// `props.value` is JSON: {text, starts (of the lines), panels: [{name, caption, classes}], details of each letter}.

const BARS = 5;

function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function visible(letter) {
  if (letter === " ") return "space";
  if (letter === "\n" || letter === "\r") return "line break";
  if (letter === "\t") return "tab";
  return /[\p{C}\p{Z}]/u.test(letter) ? "U+" + letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") : letter;
}

function inText(letter) {
  if (letter === "\n" || letter === "\r") return "↵";
  if (letter === "\t") return "⇥";
  return letter === " " || !/[\p{C}\p{Z}]/u.test(letter) ? letter : "\u00a4";
}

function percent(share) {
  const shown = 100 * share;
  return (shown >= 10 ? shown.toFixed(0) : shown >= 0.1 ? shown.toFixed(1) : shown >= 0.001 ? shown.toFixed(3) : "<0.001") + " %";
}

function scoreDetails(data, at) {
  return data.panels.map((panel) => {
    const part = make("div", "xr-model");
    part.append(make("strong", "", panel.name));
    if (panel.ranks[at]) {
      const bits = -Math.log2(panel.probabilities[at]);
      part.append(make("div", "", `${percent(panel.probabilities[at])} = ${bits.toFixed(2)} bits, rank ${panel.ranks[at]}`));
    } else {
      part.append(make("div", "", "outside the vocabulary: not scored"));
    }
    part.append(make("div", "", `entropy ${panel.entropies[at].toFixed(2)} bits; likeliest:`));
    const bars = make("div", "xr-bars");
    for (let place = BARS * at; place < BARS * (at + 1); place++) {
      const share = panel.top_probabilities[place];
      const bar = make("div", "xr-bar");
      const filled = make("i");
      filled.style.width = `${100 * share}%`;
      bar.append(filled);
      bars.append(make("b", "", visible(panel.top[place])), bar, make("span", "", percent(share)));
    }
    part.append(bars);
    return part;
  });
}

function unitDetails(data, at) {
  return data.panels.map((panel) => {
    const part = make("div", "xr-model");
    part.append(make("strong", "", panel.name), make("div", "", panel.values[at].toFixed(3)));
    return part;
  });
}

function draw(root) {
  root.replaceChildren();
  if (!props.value) return;
  const data = JSON.parse(props.value);
  const letters = Array.from(data.text);
  const starts = new Set(data.starts);
  const box = make("div", "xr-box");
  box.setAttribute("role", "status");
  box.hidden = true;
  const panels = make("div", "xr-panels");
  const spans = data.panels.map(() => []);
  let marked = null;
  let pinned = false;

  function show(at, panel) {
    if (marked !== null) spans.forEach((row) => row[marked].classList.remove("xr-on"));
    marked = at;
    if (at === null) {
      box.hidden = true;
      return;
    }
    spans.forEach((row) => row[at].classList.add("xr-on"));
    const models = make("div", "xr-models");
    models.append(...(data.kind === "score" ? scoreDetails : unitDetails)(data, at));
    box.replaceChildren(make("div", "xr-letter", `letter ${at + 1}: ${visible(letters[at])}`), models);
    box.hidden = false;
    box.classList.toggle("xr-pinned", pinned);
    const place = spans[panel][at].getBoundingClientRect();
    const around = root.getBoundingClientRect();
    const width = box.offsetWidth;
    box.style.left = `${Math.max(0, Math.min(place.left - around.left - 12, around.width - width))}px`;
    const below = place.bottom + box.offsetHeight + 8 < window.innerHeight || place.top < box.offsetHeight + 8;
    box.style.top = `${below ? place.bottom - around.top + 6 : place.top - around.top - box.offsetHeight - 6}px`;
  }

  data.panels.forEach((panel, row) => {
    const section = make("section", "xr-panel");
    const text = make("div", "xr-text");
    text.tabIndex = 0;
    text.setAttribute("role", "group");
    text.setAttribute("aria-label", `${panel.name}: arrow keys step from letter to letter`);
    let line = null;
    letters.forEach((letter, at) => {
      if (line === null || starts.has(at)) {
        line = make("div", "xr-line");
        text.append(line);
      }
      const span = make("span", panel.classes[at], inText(letter));
      span.place = at;
      line.append(span);
      spans[row].push(span);
    });
    const placed = (event) => event.target.place ?? null;
    text.addEventListener("mouseover", (event) => pinned || show(placed(event), row));
    text.addEventListener("mouseleave", () => pinned || show(null));
    text.addEventListener("click", (event) => {
      const at = placed(event);
      pinned = at !== null && !(pinned && at === marked);
      show(pinned ? at : null, row);
    });
    text.addEventListener("keydown", (event) => {
      const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 20, ArrowUp: -20, Home: -letters.length, End: letters.length };
      if (event.key === "Escape") {
        pinned = false;
        show(null);
      } else if (event.key in steps) {
        event.preventDefault();
        pinned = true;
        const next = (marked ?? -1) + steps[event.key];
        show(Math.max(0, Math.min(letters.length - 1, next)), row);
        spans[row][marked].scrollIntoView({ block: "nearest" });
        show(marked, row);
      }
    });
    const heading = make("div", "xr-heading");
    heading.append(make("strong", "", panel.name), make("span", "", panel.caption));
    section.append(heading, text);
    panels.append(section);
  });
  const legend = make("div", "xr-legend");
  legend.append(make("span", "", data.legend.title));
  data.legend.classes.forEach((name, at) => legend.append(make("span", `xr-swatch ${name}`, data.legend.labels[at])));
  root.append(legend, panels, box);
}

const root = make("div", "xr");
element.append(root);
draw(root);
watch("value", () => draw(root));
