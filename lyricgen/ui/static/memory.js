// How far back each model remembers: the letters before a chosen one, shaded by their influence on its prediction.
// `props.value` is JSON, see `memory_json`.
const { make, visible } = lyricgen;

function draw(root) {
  root.replaceChildren();
  if (!props.value) return;
  const data = JSON.parse(props.value);
  root.append(make("p", "", `Chosen letter: ${visible(data.letter)} (letter ${data.position + 1}). Choose another above.`));
  const panels = make("div", "memory-panels");
  data.panels.forEach((panel) => {
    const section = make("section", `memory ${panel.kind}`), text = make("div", "letters-text");
    const heading = make("h3", "", panel.label);
    Array.from(data.before, (letter, at) => {
      const span = make("span", "", letter === "\n" || letter === "\r" ? "↵" : letter);
      span.style.setProperty("--share", `${Math.round(100 * panel.shades[at])}%`);
      text.append(span);
    });
    text.append(make("b", "chosen", visible(data.letter) === "space" ? "␣" : data.letter));
    text.tabIndex = 0;
    text.setAttribute("role", "group");
    text.setAttribute("aria-label", `${panel.label}: ${panel.note}`);
    section.append(heading, make("p", "soft", panel.note), text);
    panels.append(section);
  });
  root.append(panels);
  root.querySelectorAll(".letters-text").forEach((text) => (text.scrollTop = text.scrollHeight));
}

const root = make("div", "letters-memory");
element.append(root);
draw(root);
watch("value", () => draw(root));
