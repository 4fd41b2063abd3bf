// Boxes for words with an answer below them: lines, lists with bars, and distances among those of random pairs.
// `props.value` is JSON: {call, fields: [{name, label, value}], button, examples, choices: [{name, label, options, value}], answer},
// see form.py.

function startForm(data) {
  const questionsOfView = questions(server);
  const values = Object.fromEntries(data.choices.map(({ name, value }) => [name, value]));
  const form = make("form", "w-fields"), problem = problemLine(), result = make("div", "w-result");
  result.setAttribute("aria-live", "polite");
  const inputs = data.fields.map(({ name, label, value }) => {
    const box = make("label", "w-field", label), input = make("input", "w-input");
    Object.assign(input, { name, value, autocomplete: "off", autocapitalize: "off", maxLength: 100 });
    input.addEventListener("input", () => {
      questionsOfView.forget();
      go.textContent = data.button;
      result.replaceChildren();
    });
    box.append(input);
    form.append(box);
    return input;
  });
  const go = make("button", "w-button w-main", data.button);
  form.append(go);
  form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  const chips = make("div", "w-chips");
  chips.append(make("span", "w-label", "Or try"));
  for (const words of data.examples) {
    chips.append(button(words.filter(Boolean).join(", "), () => {
      inputs.forEach((input, row) => { input.value = words[row]; });
      ask();
    }, "w-chip"));
  }

  async function ask() {
    go.textContent = "Looking …";
    for (const input of inputs) values[input.name] = input.value;
    const answer = await questionsOfView.ask(data.call, values);
    if (!answer) return;
    go.textContent = data.button;
    result.replaceChildren();
    const pick = (word, box) => { inputs.find((input) => input.name === box).value = word; ask(); };
    if (!showProblem(problem, answer, pick)) show(answer);
  }

  function show({ lines, lists, histogram: facts }) {
    const columns = make("div", "w-two");
    for (const { title, rows } of lists) {
      const card = make("div", "w-card");
      card.append(make("h2", "", title), barList(rows));
      columns.append(card);
    }
    if (facts) {
      const card = make("div", "w-card");
      card.append(histogram(facts.bars, facts.limit, facts.marks), make("p", "soft", "Cosine distance: 0 is the same direction, 1 is unrelated. Bars: random pairs of frequent words."));
      columns.append(card);
    }
    result.replaceChildren(...lines.map((line) => make("p", "", line)), columns);
  }

  const choices = data.choices.map(({ name, label, options, value }) => choice(label, options, value, (chosen) => { values[name] = chosen; ask(); }));
  const row = make("div", "w-controls");
  row.append(...choices);
  element.replaceChildren(form, problem, chips, row, result);
  if (data.answer) show(data.answer);
}

startForm(JSON.parse(props.value));
