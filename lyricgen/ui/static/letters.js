// A text coloured letter by letter by how surprised a model was, or by how two models differ; a strip of the surprise in bits; the
// letters of the greatest surprise. `props.value` is JSON, see `scores_json`. A chosen letter is sent as `select` with its index.
const { make, makeSvg, visible } = lyricgen;
const CANDIDATES = 5, STRIP_HEIGHT = 64, MOST_BITS = 10, ARC_HEIGHT = 40, LONGEST_QUOTE = 60;

const inText = (letter) => {
  if (letter === "\n" || letter === "\r") return "↵";
  if (letter === "\t") return "⇥";
  return letter === " " || !/[\p{C}\p{Z}]/u.test(letter) ? letter : "\u00a4";
};
const inLine = (text) => [...text].map(inText).join("");
const ordinal = (rank) => `${rank}${rank % 100 > 10 && rank % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][rank % 10] ?? "th"}`;
const bitsOf = (panel, at) => (panel.ranks[at] ? -Math.log2(panel.probabilities[at]) : 0);

// What each model expected at a letter.
function expected(data, at) {
  return data.panels.map((panel) => {
    const part = make("div", "letter-model");
    part.append(make("strong", "", panel.label));
    part.append(make("div", "", panel.ranks[at]
      ? `Chance ${lyricgen.percent(panel.probabilities[at])} (${ordinal(panel.ranks[at])} guess), ${bitsOf(panel, at).toFixed(1)} bits`
      : "Not one of its letters: not read"));
    const torn = Math.round(2 ** panel.entropies[at]);
    part.append(make("div", "soft", torn < 2 ? "It was sure:" : `It was torn between about ${torn} letters:`));
    const bars = make("div", "letter-bars");
    for (let place = CANDIDATES * at; place < CANDIDATES * (at + 1); place++) {
      const share = panel.top_probabilities[place], track = make("div", "track"), bar = make("i", panel.kind);
      bar.style.width = `${100 * share}%`;
      track.append(bar);
      bars.append(make("b", "", visible(panel.top[place])), track, make("span", "share", lyricgen.percent(share)));
    }
    part.append(bars);
    return part;
  });
}

function draw(root) {
  root.replaceChildren();
  if (!props.value) return;
  const data = JSON.parse(props.value), letters = Array.from(data.text);
  let mode = data.modes[0], marked = null, pinned = false, brushed = null;

  const text = make("div", "letters-text");
  text.tabIndex = 0;
  text.setAttribute("role", "group");
  text.setAttribute("aria-label", "The text: arrow keys step from letter to letter");
  const starts = new Set(data.starts), spans = [];
  let line = null;
  letters.forEach((letter, at) => {
    if (line === null || starts.has(at)) text.append(line = make("div", "letters-line"));
    const span = make("span", "", inText(letter));
    span.place = at;
    line.append(span);
    spans.push(span);
  });

  const box = make("div", "letter-box");
  box.setAttribute("role", "status");
  box.hidden = true;

  const strip = makeSvg("svg", { viewBox: `0 0 ${letters.length} ${STRIP_HEIGHT}`, preserveAspectRatio: "none", class: "strip", tabindex: 0, role: "group" });
  strip.setAttribute("aria-label", "Surprise of each letter. Drag over it, or hold Shift with the arrow keys, to select a stretch of the text");
  const band = strip.appendChild(makeSvg("rect", { class: "band", y: 0, height: STRIP_HEIGHT, width: 0 }));
  const stretch = make("p", "soft stretch");
  stretch.setAttribute("role", "status");
  const bars = letters.map((_, at) => strip.appendChild(makeSvg("rect", { x: at, width: letters.length > 600 ? 1 : 0.84 })));

  // Arcs from a passage to where it was sung before, over the strip.
  const arcs = makeSvg("svg", { viewBox: `0 0 ${letters.length} ${ARC_HEIGHT}`, preserveAspectRatio: "none", class: "arcs", role: "img" });
  arcs.setAttribute("aria-label", `${data.repeats.length} passages were sung before`);
  data.repeats.forEach(([start, length, earlier]) => {
    const x = earlier + length / 2, end = start + length / 2, top = ARC_HEIGHT * (1 - 1.3 * (end - x) / letters.length);
    arcs.append(makeSvg("path", { d: `M${x} ${ARC_HEIGHT}C${x} ${top} ${end} ${top} ${end} ${ARC_HEIGHT}`, "vector-effect": "non-scaling-stroke" }));
    [earlier, start].forEach((from) => arcs.append(makeSvg("rect", { x: from, width: length, y: ARC_HEIGHT - 3, height: 3 })));
  });
  const sung = data.repeats.length ? [make("h3", "", "Sung before"), arcs] : [];

  function paint() {
    const panel = data.panels[mode.panel];
    letters.forEach((_, at) => {
      spans[at].className = mode.classes[at];
      const height = Math.max(1.5, Math.min(STRIP_HEIGHT, (bitsOf(panel, at) / MOST_BITS) * STRIP_HEIGHT));
      bars[at].setAttribute("y", STRIP_HEIGHT - height);
      bars[at].setAttribute("height", height);
      bars[at].setAttribute("class", `bar-${panel.classes[at]}`);
    });
    if (marked !== null) spans[marked].classList.add("on");
    if (brushed) brush(...brushed);
    legend.replaceChildren(make("span", "soft", mode.legend.title),
      ...mode.legend.classes.map((name, at) => make("span", `swatch ${name}`, mode.legend.labels[at])));
    stripTitle.textContent = `How surprised was it? ${panel.label}, bits a letter`;
    surprises.replaceChildren(...panel.surprises.map(({ index, before, after, note }) => {
      const item = make("li"), button = make("button", "surprise"), quote = make("span", "quote");
      quote.append(inLine(before), make("b", "", inText(letters[index])), inLine(after));
      button.type = "button";
      button.append(quote, make("span", "soft", note));
      button.addEventListener("click", () => {
        spans[index].scrollIntoView({ block: "center" });
        choose(index);
      });
      item.append(button);
      return item;
    }));
  }

  function mark(at) {
    if (marked !== null) [spans[marked], bars[marked]].forEach((node) => node.classList.remove("on"));
    marked = at;
    box.hidden = at === null;
    if (at === null) return;
    [spans[at], bars[at]].forEach((node) => node.classList.add("on"));
    const models = make("div", "letter-models");
    models.append(...expected(data, at));
    box.replaceChildren(make("div", "letter-name", `letter ${at + 1}: ${visible(letters[at])}`), models);
    const place = spans[at].getBoundingClientRect(), around = root.getBoundingClientRect();
    box.style.left = `${Math.max(0, Math.min(place.left - around.left - 12, around.width - box.offsetWidth))}px`;
    const below = place.bottom + box.offsetHeight + 8 < window.innerHeight || place.top < box.offsetHeight + 8;
    box.style.top = `${below ? place.bottom - around.top + 6 : place.top - around.top - box.offsetHeight - 6}px`;
  }

  // Selects the stretch of the text between two letters, both included; none without letters.
  function brush(from, to) {
    brushed = from === undefined ? null : [from, to];
    const first = Math.min(from, to), count = brushed ? Math.abs(to - from) + 1 : 0;
    spans.forEach((span, at) => span.classList.toggle("brushed", brushed !== null && at >= first && at < first + count));
    band.setAttribute("x", brushed ? first : 0);
    band.setAttribute("width", count);
    const panel = data.panels[mode.panel], shown = letters.slice(first, first + Math.min(count, LONGEST_QUOTE)).map(inText).join("");
    const bits = letters.slice(0, count).reduce((sum, _, at) => sum + bitsOf(panel, first + at), 0) / count;
    stretch.textContent = brushed ? `“${shown}${count > LONGEST_QUOTE ? "…" : ""}”: ${bits.toFixed(2)} bits a letter, letters ${first + 1} to ${first + count}.` : "";
  }

  let sending = 0;
  function choose(at) { // the memory below follows, once the arrow keys rest
    pinned = true;
    mark(at);
    clearTimeout(sending);
    sending = setTimeout(() => trigger("select", { index: at }), 250);
  }
  function release() {
    pinned = false;
    mark(null);
  }

  const placed = (event) => event.target.place ?? null;
  text.addEventListener("mouseover", (event) => pinned || mark(placed(event)));
  text.addEventListener("mouseleave", () => pinned || mark(null));
  text.addEventListener("click", (event) => {
    const at = placed(event);
    if (at === null || (pinned && at === marked)) release();
    else choose(at);
  });
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return; // the browser's
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 20, ArrowUp: -20, Home: -letters.length, End: letters.length };
    if (event.key === "Escape") {
      release();
      brush();
    } else if (event.key in steps) {
      event.preventDefault();
      const next = Math.max(0, Math.min(letters.length - 1, (marked ?? -1) + steps[event.key]));
      if (event.currentTarget === text) spans[next].scrollIntoView({ block: "nearest" });
      if (event.shiftKey) brush(brushed ? brushed[0] : marked ?? next, next);
      else if (brushed) brush();
      choose(next);
    }
  };
  text.addEventListener("keydown", onKey);
  strip.addEventListener("keydown", onKey);
  const onStrip = (event) => {
    const place = strip.getBoundingClientRect();
    return Math.max(0, Math.min(letters.length - 1, Math.floor(((event.clientX - place.left) / place.width) * letters.length)));
  };
  let from = null; // where the mouse or a finger went down
  strip.addEventListener("pointerdown", (event) => {
    from = onStrip(event);
    strip.setPointerCapture(event.pointerId);
    brush();
  });
  strip.addEventListener("pointermove", (event) => {
    const at = onStrip(event);
    if (from === null) return pinned || mark(at);
    if (at !== from || brushed) brush(from, at);
  });
  strip.addEventListener("pointerup", (event) => {
    if (from !== null && !brushed) choose(onStrip(event));
    else if (brushed) {
      release();
      spans[Math.min(...brushed)].scrollIntoView({ block: "nearest" });
    }
    from = null;
  });
  strip.addEventListener("pointercancel", () => (from = null));
  strip.addEventListener("pointerleave", () => pinned || from !== null || mark(null));

  const toggle = make("div", "modes");
  toggle.setAttribute("role", "group");
  toggle.setAttribute("aria-label", "Colour the letters by");
  data.modes.forEach((one) => {
    const button = make("button", "", one.label);
    button.type = "button";
    button.setAttribute("aria-pressed", one === mode);
    button.addEventListener("click", () => {
      mode = one;
      toggle.querySelectorAll("button").forEach((other) => other.setAttribute("aria-pressed", other === button));
      paint();
    });
    toggle.append(button);
  });
  const legend = make("div", "letters-legend"), stripTitle = make("h3"), surprises = make("ol", "surprises");
  root.append(make("h2", "sr-only", "Letter by letter"), toggle, legend, text, stripTitle, strip, stretch, ...sung, make("h3", "", "Ten biggest surprises"), surprises, box);
  paint();
}

const root = make("div", "letters");
element.append(root);
draw(root);
watch("value", () => draw(root));
