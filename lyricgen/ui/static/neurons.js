// Hidden units along a text as small multiples: a name, how closely a unit follows it beside what chance gives, the coloured text.
// `props.value` is JSON, see `cards_json`.
const { make, visible } = lyricgen;

function meter(card) {
  const meter = make("div", "meter"), bar = make("i"), mark = make("u");
  meter.setAttribute("aria-hidden", "true");
  bar.style.width = `${100 * Math.abs(card.r)}%`;
  mark.style.left = `${100 * card.chance}%`;
  meter.append(bar, mark);
  return meter;
}

function draw(root) {
  root.replaceChildren();
  if (!props.value) return;
  const data = JSON.parse(props.value), letters = Array.from(data.text), cards = make("div", "neurons");
  data.cards.forEach((card) => {
    const section = make("section", "neuron"), text = make("div", "letters-text"), value = make("p", "soft", card.note);
    section.append(make("h3", "", card.name));
    if (card.chance !== undefined) section.append(meter(card));
    letters.forEach((letter, at) => {
      const span = make("span", card.classes[at], letter === "\n" || letter === "\r" ? "↵" : letter);
      span.place = at;
      text.append(span);
    });
    text.tabIndex = 0;
    text.setAttribute("role", "group");
    text.setAttribute("aria-label", `${card.name}: ${card.note}`);
    text.addEventListener("mouseover", ({ target: { place } }) => {
      if (place !== undefined) value.textContent = `letter ${place + 1}: ${visible(letters[place])}, activation ${card.values[place].toFixed(2)}`;
    });
    text.addEventListener("mouseleave", () => (value.textContent = card.note));
    section.append(value, text);
    if (card.unit) {
      const silence = make("button", "link", "Silence it");
      silence.type = "button";
      silence.setAttribute("aria-label", `Silence neuron ${card.unit} and write on`);
      silence.addEventListener("click", () => trigger("select", { unit: card.unit }));
      section.append(silence);
    }
    cards.append(section);
  });
  const legend = make("div", "letters-legend");
  legend.append(make("span", "soft", data.legend.title));
  data.legend.classes.forEach((name, at) => legend.append(make("span", `swatch ${name}`, data.legend.labels[at])));
  root.append(legend, cards);
}

const root = make("div");
element.append(root);
draw(root);
watch("value", () => draw(root));
