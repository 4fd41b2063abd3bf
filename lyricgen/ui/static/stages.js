// Texts along a slider, such as one lyric at several temperatures. `props.value` is JSON:
// {label, low, high, start, stops: [{name, texts: [{heading, text, link}]}]}.
const { make } = lyricgen;

function draw(root) {
  const before = root.querySelector("input")?.value;
  root.replaceChildren();
  if (!props.value) return;
  const data = JSON.parse(props.value), slider = make("input"), cards = make("div", "cards"), row = make("div", "stages-row");
  const label = make("label", "", `${data.label}: `), value = make("output");
  Object.assign(slider, { type: "range", min: 0, max: data.stops.length - 1, step: 1 });
  slider.value = before ?? data.start;
  slider.setAttribute("aria-label", data.label);
  label.append(value);
  row.append(make("span", "soft", data.low), slider, make("span", "soft", data.high));
  function show() {
    const stop = data.stops[slider.value];
    value.textContent = stop.name;
    slider.setAttribute("aria-valuetext", stop.name);
    cards.replaceChildren(...stop.texts.map(({ heading, text, link }) => {
      const card = make("article");
      card.append(make("h3", "", heading), make("pre", "", text));
      if (link) {
        const play = make("a", "", "Play it in Write");
        play.href = `?${link}`;
        card.append(play);
      }
      return card;
    }));
  }
  slider.addEventListener("input", show);
  root.append(label, row, cards);
  show();
}

const root = make("div", "stages");
element.append(root);
draw(root);
watch("value", () => draw(root));
