// The map of Words: points at the places of words, the neighbours of the chosen word, and the distance to a second one.
// `props.value` is JSON: {spaces, map: {vectors, words, places, explained, histogram, limit}, neighbors}, see explorer.py.

const METHODS = ["t-SNE", "PCA"];
const NEAR = 26; // pixels between a click and its point
const MARGIN = 34; // pixels around the outermost points
const LABEL_HEIGHT = 15;
const MAX_ZOOM = 12;

function startMap(data) {
  const map = { ...data.map, method: "t-SNE", added: {} };
  const maps = { [map.vectors]: data.map }, wordQuestions = questions(server), spaceQuestions = questions(server);
  let chosen = data.neighbors, distance = null, focus = null, hovered = null;
  let size = [0, 0], zoom = { scale: 1, x: 0, y: 0 };
  let points = new Map(); // word -> {node, at}

  const root = make("div", "w-map");
  const search = make("input");
  Object.assign(search, { type: "search", placeholder: "Find or add a word", id: "map-search", autocomplete: "off", maxLength: 100 });
  search.setAttribute("aria-label", "Find or add a word");
  const form = make("form", "w-search");
  const add = make("button", "w-button w-main", "Show");
  form.append(search, add);
  const problem = problemLine();
  const svg = makeSvg("svg", { class: "w-canvas", tabindex: "0", role: "application" });
  svg.setAttribute("aria-label", "Map of words. Arrow keys go from word to word, Enter shows a word's neighbours, Enter on a second word the distance.");
  const lines = makeSvg("g", {}), dots = makeSvg("g", {});
  svg.append(lines, dots);
  const status = make("p", "sr-only");
  status.setAttribute("aria-live", "polite");
  const side = make("div", "w-side");
  side.setAttribute("aria-live", "polite");
  const caption = make("p", "soft");
  const all = make("details", "w-all");

  // Places in pixels
  function fit() {
    size = [svg.clientWidth, svg.clientHeight];
    svg.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
  }

  function placeOf(word) {
    const row = map.words.indexOf(word);
    return row >= 0 ? map.places[map.method][row] : map.added[word][map.method];
  }

  function bounds() {
    const places = map.places[map.method];
    const [xs, ys] = [0, 1].map((axis) => places.map((place) => place[axis]));
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  }

  function toPixels(place) {
    const [left, top, right, bottom] = bounds();
    const across = (size[0] - 2 * MARGIN) / (right - left || 1), down = (size[1] - 2 * MARGIN) / (bottom - top || 1);
    const [sx, sy] = map.method === "PCA" ? [Math.min(across, down), Math.min(across, down)] : [across, down]; // t-SNE's axes have no scale
    const x = size[0] / 2 + (place[0] - (left + right) / 2) * sx, y = size[1] / 2 + (place[1] - (top + bottom) / 2) * sy;
    return [x * zoom.scale + zoom.x, y * zoom.scale + zoom.y];
  }

  // Drawing
  function draw() {
    if (!size[0]) return;
    const own = [...map.words, ...Object.keys(map.added)];
    const around = (chosen?.neighbors ?? []).map((row) => row.word).filter((word) => !own.includes(word));
    for (const [word, point] of points) {
      if (!own.includes(word) && !around.includes(word)) { point.node.remove(); points.delete(word); }
    }
    for (const word of own) move(word, toPixels(placeOf(word)));
    around.forEach((word, index) => move(word, onRing(points.get(chosen.word).at, index, around.length)));
    mark();
  }

  function move(word, at) {
    if (!points.has(word)) points.set(word, newPoint(word));
    const point = points.get(word);
    point.at = at;
    point.node.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
  }

  // Neighbours that are not on the map are shown around the chosen word, the nearest on top, clockwise.
  function onRing([x, y], index, count) {
    const angle = 2 * Math.PI * index / count - Math.PI / 2, wide = size[0] < 500 ? 62 : 88;
    return [x + wide * Math.cos(angle), y + 0.75 * wide * Math.sin(angle)];
  }

  function newPoint(word) {
    const node = makeSvg("g", { class: "w-point" }), label = makeSvg("text", { "text-anchor": "middle", y: "-8" });
    label.textContent = word;
    node.append(makeSvg("circle", { r: "4" }), label);
    if (!map.words.includes(word)) node.classList.add("w-further");
    dots.append(node);
    return { node, at: [0, 0] };
  }

  // Classes of the points, the lines to the neighbours, and labels where there is room, the important ones first.
  function mark() {
    const near = chosen ? chosen.neighbors.map((row) => row.word) : [];
    const rank = (word) => word === focus || word === hovered ? 0 : word === chosen?.word || word === distance?.other ? 1 : near.includes(word) ? 2 : 3;
    lines.replaceChildren();
    const from = chosen && points.get(chosen.word)?.at;
    for (const [word, { node, at }] of points) {
      node.classList.toggle("w-chosen", word === chosen?.word || word === distance?.other);
      node.classList.toggle("w-near", near.includes(word));
      node.classList.toggle("w-focus", word === focus);
      if (from && !distance && near.includes(word)) line(from, at, "w-line");
    }
    if (from && distance && points.has(distance.other)) line(from, points.get(distance.other).at, "w-line w-long");
    const boxes = [];
    for (const [word, { node, at }] of [...points].sort((one, other) => rank(one[0]) - rank(other[0]))) {
      const half = textWidth(word) / 2 + 2, box = [at[0] - half, at[1] - 8 - LABEL_HEIGHT, at[0] + half, at[1] - 5];
      const inside = box[0] >= 0 && box[2] <= size[0] && box[1] >= 0 && box[3] <= size[1];
      const free = !boxes.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1]);
      const shown = rank(word) < 2 || (inside && free);
      node.classList.toggle("w-quiet", !shown);
      if (shown) boxes.push(box);
      const label = node.lastChild; // at the edge a label turns inwards
      label.setAttribute("text-anchor", at[0] < half ? "start" : at[0] > size[0] - half ? "end" : "middle");
      label.setAttribute("y", at[1] < 24 ? "18" : "-8");
      if (rank(word) < 3) dots.append(node);
    }
  }

  const pen = document.createElement("canvas").getContext("2d");
  function textWidth(word) {
    pen.font = "13px system-ui, sans-serif";
    return pen.measureText(word).width;
  }

  function line(from, to, className) {
    lines.append(makeSvg("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1], class: className }));
  }

  // The side: neighbours, or a distance
  function showSide() {
    side.replaceChildren();
    if (!chosen) {
      side.append(make("h2", "", "Click a word"), make("p", "soft", "Its ten nearest words light up. A second click shows how far apart two words are."));
      return;
    }
    if (distance) {
      side.append(make("h2", "", `${distance.word} – ${distance.other}`), make("p", "w-large", distance.distance.toFixed(2)),
        make("p", "", distance.word === distance.other ? "A word has no distance to itself." : distance.sentence), histogram(map.histogram, map.limit, [{ label: `${distance.word} – ${distance.other}`, distance: distance.distance }]),
        make("p", "soft", "Cosine distance: 0 is the same direction, 1 is unrelated. Bars: random pairs of frequent words."),
        button(`Neighbours of ${distance.other}`, () => choose(distance.other)), button("Back", clearDistance));
      return;
    }
    side.append(make("h2", "", `Nearest to ${chosen.word}`), barList(chosen.neighbors, choose),
      make("p", "soft", "Closeness: the cosine of the angle between two word vectors; 1 is the same direction. Hollow points are words that the map lacks, around the word. Click a second word on the map to see a distance."));
  }

  // What the visitor does
  async function choose(word) {
    const answer = await wordQuestions.ask("show_neighbors", { vectors: map.vectors, word });
    if (!answer || showProblem(problem, answer, choose)) return;
    if (!map.words.includes(answer.word)) map.added[answer.word] = answer.place;
    chosen = answer;
    distance = null;
    focus = answer.word;
    keepWords("map", [answer.word], map.vectors);
    status.textContent = `${answer.word}; nearest: ${answer.neighbors.map((row) => row.word).join(", ")}`;
    search.value = "";
    showSide();
    draw();
  }

  async function measure(other) {
    const answer = await wordQuestions.ask("show_distance", { vectors: map.vectors, word: chosen.word, other });
    if (!answer || showProblem(problem, answer, measure)) return;
    distance = answer;
    keepWords("map", [answer.word, answer.other], map.vectors);
    status.textContent = `${answer.word} to ${answer.other}: distance ${answer.distance}. ${answer.sentence}`;
    showSide();
    draw();
  }

  function pick(word) {
    focus = word;
    if (!chosen) return choose(word);
    if (chosen.word === word && !distance) return clear();
    return measure(word);
  }

  function clearDistance() {
    distance = null;
    showSide();
    draw();
  }

  function clear() {
    chosen = distance = null;
    showSide();
    draw();
  }

  async function changeSpace(vectors) {
    spaceQuestions.forget();
    const answer = maps[vectors] ?? (await spaceQuestions.ask("show_space", { vectors }));
    if (!answer) return;
    if (showProblem(problem, answer)) return map.vectors;
    wordQuestions.forget(); // what was asked of the space before
    maps[vectors] = answer;
    const word = chosen?.word;
    Object.assign(map, maps[vectors], { added: {} });
    points.forEach((point) => point.node.remove());
    points = new Map();
    chosen = distance = null;
    describe();
    if (word) await choose(word);
    showSide();
    draw();
  }

  function changeMethod(method) {
    map.method = method;
    zoomTo(1);
    describe();
    dots.classList.add("w-moving");
    draw();
    setTimeout(() => dots.classList.remove("w-moving"), 700);
  }

  function describe() {
    caption.textContent = map.method === "PCA"
      ? `PCA: this flat picture keeps ${Math.round(100 * map.explained)} % of the differences between the words.`
      : "t-SNE: keeps nearest words together; the distances between groups mean nothing.";
    all.replaceChildren(make("summary", "", `The ${map.words.length} words as a list`));
    const list = make("div", "w-chips");
    for (const word of map.words) list.append(button(word, () => { pick(word); }, "w-chip"));
    all.append(list);
  }

  // Zoom and drag; around a point of the picture, the middle by default.
  function zoomTo(scale, x = size[0] / 2, y = size[1] / 2) {
    scale = Math.max(1, Math.min(MAX_ZOOM, scale));
    const factor = scale / zoom.scale;
    moveTo(scale, x - (x - zoom.x) * factor, y - (y - zoom.y) * factor);
  }

  function moveTo(scale, x, y) {
    const limit = (value, length) => Math.max(length * (1 - scale), Math.min(0, value));
    zoom = { scale, x: limit(x, size[0]), y: limit(y, size[1]) };
    svg.style.touchAction = scale > 1 ? "none" : "pan-y";
    draw();
  }

  function positionOf(event) {
    const box = svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  function nearestTo([x, y], reach) {
    let best = null, least = reach;
    for (const [word, { at }] of points) {
      const away = Math.hypot(at[0] - x, at[1] - y);
      if (away < least) [best, least] = [word, away];
    }
    return best;
  }

  // The nearest point in the direction of an arrow key.
  function step(dx, dy) {
    const from = points.get(focus ?? chosen?.word ?? map.words[0])?.at ?? [0, 0];
    let best = null, least = Infinity;
    for (const [word, { at }] of points) {
      const ahead = (at[0] - from[0]) * dx + (at[1] - from[1]) * dy, beside = Math.abs((at[0] - from[0]) * dy) + Math.abs((at[1] - from[1]) * dx);
      const cost = ahead + 2 * beside;
      if (ahead > 0.5 && cost < least) [best, least] = [word, cost];
    }
    if (!best) return;
    focus = best;
    status.textContent = best;
    const [x, y] = points.get(best).at;
    if (x < 0 || y < 0 || x > size[0] || y > size[1]) moveTo(zoom.scale, zoom.x + size[0] / 2 - x, zoom.y + size[1] / 2 - y);
    else mark();
  }

  const held = new Map(); // fingers or the mouse's button
  let moved = false, spread = 0;
  svg.addEventListener("pointerdown", (event) => {
    held.set(event.pointerId, positionOf(event));
    moved = false;
    spread = 0;
  });
  svg.addEventListener("pointermove", (event) => {
    const at = positionOf(event);
    if (!held.has(event.pointerId)) {
      const word = event.pointerType === "mouse" ? nearestTo(at, 14) : null;
      if (word !== hovered) { hovered = word; mark(); }
      svg.style.cursor = word ? "pointer" : zoom.scale > 1 ? "grab" : "default";
      return;
    }
    const before = held.get(event.pointerId);
    if (Math.hypot(at[0] - before[0], at[1] - before[1]) < 4 && !moved) return;
    moved = true;
    held.set(event.pointerId, at);
    if (held.size === 2) {
      const [one, other] = [...held.values()], wide = Math.hypot(one[0] - other[0], one[1] - other[1]);
      if (spread) zoomTo(zoom.scale * wide / spread, (one[0] + other[0]) / 2, (one[1] + other[1]) / 2);
      spread = wide;
    } else if (zoom.scale > 1) {
      moveTo(zoom.scale, zoom.x + at[0] - before[0], zoom.y + at[1] - before[1]);
    }
  });
  svg.addEventListener("pointerup", (event) => {
    held.delete(event.pointerId);
    if (moved) return;
    const word = nearestTo(positionOf(event), NEAR);
    if (word) pick(word);
  });
  for (const name of ["pointercancel", "pointerleave"]) svg.addEventListener(name, (event) => {
    held.delete(event.pointerId);
    if (hovered) { hovered = null; mark(); }
  });
  svg.addEventListener("wheel", (event) => {
    const scrolls = document.activeElement !== svg || (event.deltaY > 0 && zoom.scale === 1);
    if (!event.ctrlKey && scrolls) return; // the page does, unless the map has focus and can be zoomed
    event.preventDefault();
    zoomTo(zoom.scale * Math.exp(-event.deltaY / 300), ...positionOf(event));
  }, { passive: false });
  svg.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return; // the browser's
    const steps = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
    if (event.key in steps) step(...steps[event.key]);
    else if (event.key === "Enter" || event.key === " ") pick(focus ?? map.words[0]);
    else if (event.key === "Escape") distance ? clearDistance() : clear();
    else if (event.key === "+" || event.key === "-") zoomTo(zoom.scale * (event.key === "+" ? 1.5 : 1 / 1.5));
    else return;
    event.preventDefault();
  });
  svg.addEventListener("blur", () => { focus = null; mark(); });
  form.addEventListener("submit", (event) => { event.preventDefault(); choose(search.value); });

  // Layout
  const controls = make("div", "w-controls");
  controls.append(form);
  const linked = spaceOfLink("map", data.spaces) ?? map.vectors;
  const spaces = choice("Words learnt from", data.spaces, linked, changeSpace);
  if (data.spaces.length > 1) controls.append(spaces);
  controls.append(choice("Picture", METHODS.map((name) => [name, name]), map.method, changeMethod));
  const zooms = make("div", "w-zooms");
  for (const [label, name, act] of [["+", "Zoom in", () => zoomTo(zoom.scale * 1.6)], ["−", "Zoom out", () => zoomTo(zoom.scale / 1.6)], ["⟲", "Whole map", () => zoomTo(1)]]) {
    const one = button(label, act);
    one.setAttribute("aria-label", name);
    zooms.append(one);
  }
  const frame = make("div", "w-frame"), body = make("div", "w-body");
  frame.append(svg, zooms);
  body.append(frame, side);
  root.append(controls, problem, body, caption, all, status);
  element.replaceChildren(root);
  describe();
  showSide();
  new ResizeObserver(() => { fit(); draw(); }).observe(svg);
  followLink();

  async function followLink() {
    const [first, second] = wordsOfLink("map");
    if (!first) return;
    chosen = null;
    showSide();
    const kept = linked === map.vectors ? undefined : await changeSpace(linked);
    if (kept !== undefined) return spaces.press(kept);
    await choose(first);
    if (second && chosen?.word) await measure(second);
  }
}

const opened = JSON.parse(props.value || "{}");
if (opened.map) startMap(opened);
