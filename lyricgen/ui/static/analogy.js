// An analogy as one sentence with boxes, its answer, the other answers as bars, and the step as arrows.
// `props.value` is JSON: {spaces, examples, vectors, solved}, see analogies.py.

function startAnalogy(data) {
  const BOXES = ["x1", "x2", "y1"];
  const questionsOfView = questions(server);
  let vectors = spaceOfLink("analogies", data.spaces) ?? data.vectors;
  const inputs = BOXES.map((name) => {
    const input = make("input", "w-input w-inline");
    Object.assign(input, { id: `analogy-${name}`, autocomplete: "off", autocapitalize: "off", maxLength: 100 });
    input.setAttribute("aria-label", { x1: "First word", x2: "is to", y1: "Second pair: first word" }[name]);
    input.addEventListener("input", () => {
      fitWidth(input);
      questionsOfView.forget();
      go.textContent = "Solve";
    });
    return input;
  });
  const form = make("form", "w-sentence"), problem = problemLine(), result = make("div", "w-result");
  result.setAttribute("aria-live", "polite");
  const go = make("button", "w-button w-main", "Solve");
  form.append(inputs[0], make("span", "", "is to"), inputs[1], make("span", "", "as"), inputs[2], make("span", "", "is to …"), go);
  form.addEventListener("submit", (event) => { event.preventDefault(); solve(); });

  function fitWidth(input) {
    input.style.width = `${Math.max(5, Math.min(24, input.value.length + 3))}ch`;
  }

  function fill(words) {
    inputs.forEach((input, row) => { input.value = words[row] ?? ""; fitWidth(input); });
  }

  async function solve() {
    go.textContent = "Solving …";
    const [x1, x2, y1] = inputs.map((input) => input.value);
    const answer = await questionsOfView.ask("show_analogy", { vectors, x1, x2, y1 });
    if (!answer) return;
    go.textContent = "Solve";
    for (const input of inputs) input.removeAttribute("aria-invalid");
    if (showProblem(problem, answer, (word, box) => { inputs[BOXES.indexOf(box)].value = word; solve(); })) {
      inputs[BOXES.indexOf(answer.box)]?.setAttribute("aria-invalid", "true");
      return result.replaceChildren();
    }
    keepWords("analogies", [answer.x1, answer.x2, answer.y1], vectors);
    show(answer);
  }

  function show(solved) {
    fill([solved.x1, solved.x2, solved.y1]);
    const others = make("div", "w-card"), drawing = make("div", "w-card"), more = make("details", "w-all");
    others.append(make("h2", "", "Nearest words"), barList(solved.add));
    more.append(make("summary", "", "More: a second rule"),
      make("p", "soft", "3CosMul multiplies the three closenesses where the rule above adds them (3CosAdd), so that none outweighs the others. Its values are no cosines."),
      barList(solved.mul));
    others.append(more);
    drawing.append(make("h2", "", "The step"), arrows(solved),
      make("p", "soft", `Go from ${solved.x1} to ${solved.x2}. Take the same step from ${solved.y1}: the ring is where you land. The words of the question do not count as answers.`));
    const row = make("div", "w-two");
    row.append(drawing, others);
    const line = make("p", "w-answer");
    if (solved.note) line.append(solved.note);
    else line.append(`${solved.x1} is to ${solved.x2} as ${solved.y1} is to `, make("strong", "", solved.answer));
    result.replaceChildren(line, row);
  }

  function arrows(solved) {
    const [width, height, margin] = [440, 300, 52];
    const svg = makeSvg("svg", { viewBox: `0 0 ${width} ${height}`, class: "w-arrows", role: "img" });
    if (!solved.places.length) return svg;
    svg.setAttribute("aria-label", `The step from ${solved.x1} to ${solved.x2}, taken from ${solved.y1}, ends near ${solved.answer}`);
    const axes = [0, 1].map((axis) => solved.places.map((place) => place[axis]));
    const scale = Math.min(...axes.map((values, axis) => ([width, height][axis] - 2 * margin) / ((Math.max(...values) - Math.min(...values)) || 1)));
    const at = solved.places.map((place) => place.map((value, axis) => {
      const middle = (Math.max(...axes[axis]) + Math.min(...axes[axis])) / 2;
      return [width, height][axis] / 2 + (axis ? -1 : 1) * (value - middle) * scale;
    }));
    arrow(svg, at[0], at[1], "w-step");
    arrow(svg, at[2], at[3], "w-step w-second");
    svg.append(makeSvg("circle", { cx: at[3][0], cy: at[3][1], r: 9, class: "w-landing" }));
    [[solved.x1, at[0]], [solved.x2, at[1]], [solved.y1, at[2]], [solved.answer, at[4]]].forEach(([word, [x, y]], index) => {
      svg.append(makeSvg("circle", { cx: x, cy: y, r: 5, class: index === 3 ? "w-dot w-found" : "w-dot" }));
      const label = makeSvg("text", { x, y: y < height / 2 ? y - 12 : y + 22, "text-anchor": x < 60 ? "start" : x > width - 60 ? "end" : "middle", class: index === 3 ? "w-found" : "" });
      label.textContent = word;
      svg.append(label);
    });
    return svg;
  }

  function arrow(svg, from, to, className) {
    const angle = Math.atan2(to[1] - from[1], to[0] - from[0]), length = 9;
    const wing = (turn) => `${to[0] - length * Math.cos(angle + turn)} ${to[1] - length * Math.sin(angle + turn)}`;
    svg.append(makeSvg("path", { d: `M${from[0]} ${from[1]}L${to[0]} ${to[1]}M${wing(0.45)}L${to[0]} ${to[1]}L${wing(-0.45)}`, class: className }));
  }

  const chips = make("div", "w-chips");
  chips.append(make("span", "w-label", "Or try"));
  for (const words of data.examples) chips.append(button(`${words[0]} : ${words[1]}, ${words[2]} : ?`, () => { fill(words); solve(); }, "w-chip"));
  const root = make("div");
  root.append(make("p", "soft", "Type three words, or take an example."), form, problem, chips);
  if (data.spaces.length > 1) root.append(choice("Words learnt from", data.spaces, vectors, (name) => { vectors = name; solve(); }));
  root.append(result);
  element.replaceChildren(root);
  const asked = wordsOfLink("analogies");
  fill(data.examples[0]);
  if (asked.length) { fill(asked); solve(); } else if (data.solved) show(data.solved);
}

const opened = JSON.parse(props.value || "{}");
if (opened.spaces) startAnalogy(opened);
