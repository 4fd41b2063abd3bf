// The pictures of the view on bias. `props.value` is JSON with a `kind`: occupations, weat, clusters, writer, or a problem.

const DRAW = { occupations: drawOccupations, weat: drawWeat, clusters: drawClusters, writer: drawWriter };

// Rows with a bar to the left for values below zero and to the right for those above.
function sides(rows, left, right, className = "") {
  const greatest = Math.max(...rows.map((row) => Math.abs(row.value)), 1e-9);
  const list = make("ol", `w-sides ${className}`), head = make("div", "w-sides-head");
  head.append(make("span", "", `← ${left}`), make("span", "", `${right} →`));
  for (const row of rows) {
    const item = make("li", row.own ? "w-own" : row.group ? "w-group" : ""), track = make("span", "w-axis"), bar = make("i");
    bar.style.width = `${50 * Math.abs(row.value) / greatest}%`;
    bar.style[row.value < 0 ? "right" : "left"] = "50%";
    track.append(bar);
    item.append(make("b", "w-word", row.word), track, make("span", "w-value", Math.abs(row.value).toFixed(2)));
    list.append(item);
  }
  const box = make("div");
  box.append(head, list);
  return box;
}

function drawOccupations(data) {
  const place = make("div"), problem = problemLine(), form = make("form", "w-search"), input = make("input", "w-input");
  Object.assign(input, { placeholder: "Your own word", maxLength: 100, autocomplete: "off", id: "own-word" });
  input.setAttribute("aria-label", "Your own word");
  form.append(input, make("button", "w-button w-main", "Show it"));
  const questionsOfView = questions(server);
  let own = [];
  function show() {
    const rows = [...data.rows.map((row) => ({ ...row, value: -row.value })), ...own.map((row) => ({ ...row, value: -row.value, own: true }))];
    rows.sort((one, other) => one.value - other.value);
    place.replaceChildren(sides(rows, "near “she”", "near “he”"));
  }
  async function addWord(word) {
    const answer = await questionsOfView.ask("show_own_word", { vectors: data.vectors, word });
    if (!answer || showProblem(problem, answer, addWord)) return;
    own = [...own.filter((row) => row.word !== answer.word), answer].slice(-5);
    input.value = "";
    show();
  }
  form.addEventListener("submit", (event) => { event.preventDefault(); addWord(input.value); });
  show();
  return [place, form, problem];
}

function drawWeat(data) {
  const [x, y, a, b] = data.names, rows = [...data.rows].sort((one, other) => other.value - one.value).map((row) => ({ ...row, value: -row.value }));
  const legend = make("p", "soft w-legend");
  legend.append(make("i", "w-first-key"), ` ${x}  `, make("i", "w-second-key"), ` ${y}`);
  const verdict = make("p", "w-verdict", data.sentence);
  const debiased = data.debiased === null ? "" : ` After debiasing for gender: ${data.debiased.toFixed(2)}.`;
  const line = make("p", "soft", `Effect size ${data.effect.toFixed(2)} (0: no difference, 2: the greatest).${debiased}`);
  const left = make("div", "w-card"), right = make("div", "w-card"), both = make("div", "w-two");
  left.append(legend, sides(rows, a, b, "w-groups"));
  right.append(make("h2", "", "Names dealt out at random"), effects(data), line);
  both.append(left, right);
  return [verdict, both];
}

function effects(data) {
  const [width, height] = [320, 150], top = Math.max(...data.histogram), step = width / data.histogram.length;
  const svg = makeSvg("svg", { viewBox: `0 0 ${width} ${height + 20}`, class: "w-histogram", role: "img" });
  svg.setAttribute("aria-label", `Effect size ${data.effect} among those of 2,000 random groups of the same words`);
  data.histogram.forEach((count, bin) => svg.append(makeSvg("rect", { x: bin * step, y: height - height * count / top, width: step - 1, height: height * count / top, class: "w-bin" })));
  const x = Math.max(2, Math.min(width - 2, width * (data.effect + data.limit) / (2 * data.limit)));
  svg.append(makeSvg("line", { x1: x, y1: 0, x2: x, y2: height, class: "w-here" }));
  for (const tick of [-2, -1, 0, 1, 2]) {
    const label = makeSvg("text", { x: width * (tick + data.limit) / (2 * data.limit), y: height + 15, "text-anchor": tick === -2 ? "start" : tick === 2 ? "end" : "middle" });
    label.textContent = tick;
    svg.append(label);
  }
  return svg;
}

function drawClusters(data) {
  const [width, height] = [640, 300], half = data.words.length / 2;
  const svg = makeSvg("svg", { viewBox: `0 0 ${width} ${height}`, class: "w-scatter", role: "img" });
  svg.setAttribute("aria-label", "The most female and the most male words on a plane; before and after, they are two groups");
  const dots = data.words.map((word, row) => {
    const dot = makeSvg("circle", { r: 3.5, class: row < half ? "w-female" : "w-male" }), title = makeSvg("title", {});
    title.textContent = word;
    dot.append(title);
    svg.append(dot);
    return dot;
  });
  const words = make("p", "w-verdict"), frame = make("div", "w-frame");
  frame.append(svg);
  const of100 = (share) => Math.round(100 * share);
  function show(state) {
    const after = state === "after", places = data[state];
    dots.forEach((dot, row) => { dot.style.transform = `translate(${12 + places[row][0] * (width - 24) / 1000}px, ${12 + places[row][1] * (height - 24) / 1000}px)`; });
    const right = of100(data.clustered[+after]), trained = of100(data.classified[+after]);
    words.textContent = after
      ? `After: the direction is out, and a program that knows no genders still puts ${right} of 100 words into the right group; a trained one ${trained} of 100. By chance it would be 50.`
      : `Before: a program that knows no genders sorts the ${data.count.toLocaleString("en")} most gendered words into two groups, ${right} of 100 right; a trained one ${trained} of 100.`;
  }
  const keys = make("p", "soft w-legend");
  keys.append(make("i", "w-first-key"), " near “she”  ", make("i", "w-second-key"), " near “he”");
  const toggle = choice("Show the words", [["before", "before"], ["after", "after taking it out"]], "after", show);
  show("after");
  return [toggle, words, frame, keys];
}

function drawWriter(data) {
  const [first, second] = data.pair, template = data.template.replace("{}", "…");
  const list = make("ol", "w-writers"), head = make("div", "w-sides-head");
  head.append(make("span", "", `← “${first}”`), make("span", "", `“${second}” →`));
  for (const row of data.rows) {
    const item = make("li"), track = make("span", "w-axis");
    row.shares.forEach((share, model) => {
      const dot = make("i", model ? "w-writer w-writer-second" : "w-writer");
      dot.style.left = `${100 * share}%`;
      track.append(dot);
    });
    item.append(make("b", "w-word", row.word), track, make("span", "w-value", row.shares.map((share) => `${Math.round(100 * share)} %`).join(" / ")));
    list.append(item);
  }
  const keys = make("p", "soft w-legend"), means = data.models.map((name, row) => `${name} ${Math.round(100 * data.means[row])} %`);
  data.models.forEach((name, row) => keys.append(make("i", row ? "w-second-key" : "w-first-key"), ` ${name}  `));
  const mean = make("p", "w-verdict", `After “${template}”, how often would it write “${second}” rather than “${first}”? On average: ${means.join(", ")}.`);
  const note = make("p", "soft", "Compare each word with the average: in songs one word of the pair may simply be more frequent, whatever the job.");
  const card = make("div", "w-card");
  card.append(head, list, keys);
  return [mean, card, note];
}

function drawValue() {
  const data = JSON.parse(props.value || "{}");
  if (data.kind === "problem") {
    const line = problemLine();
    line.textContent = data.error;
    element.replaceChildren(line);
  } else element.replaceChildren(...(DRAW[data.kind]?.(data) ?? [make("p", "soft w-wait", "…")]));
}

drawValue();
watch("value", drawValue);
