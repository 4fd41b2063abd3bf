// A map of a visitor's own words: points by group, arrows between them. `props.value` is JSON: {label, words: [{word, group, x, y}],
// arrows: [[start, end]]}, see map.py.
const { make, makeSvg } = window.lyricgen;
const COLOURS = 6, [WIDTH, HEIGHT, MARGIN] = [760, 480, 56];

function draw() {
  const { label, words, arrows } = JSON.parse(props.value || "{}");
  if (!words) return element.replaceChildren();
  const groups = [...new Set(words.map((one) => one.group))];
  const svg = makeSvg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "w-plane", role: "img", "aria-label": label });
  const place = ["x", "y"].map((axis, second) => {
    const values = words.map((one) => one[axis]), low = Math.min(...values), range = Math.max(...values) - low || 1;
    const size = second ? HEIGHT : WIDTH;
    return (value) => MARGIN + (size - 2 * MARGIN) * (second ? 1 - (value - low) / range : (value - low) / range);
  });
  const at = words.map((one) => [place[0](one.x), place[1](one.y)]);
  for (const [start, end] of arrows) {
    const [[x1, y1], [x2, y2]] = [at[start], at[end]], angle = Math.atan2(y2 - y1, x2 - x1);
    const wing = (turn) => `${x2 - 10 * Math.cos(angle + turn)} ${y2 - 10 * Math.sin(angle + turn)}`;
    svg.append(makeSvg("path", { d: `M${x1} ${y1}L${x2} ${y2}M${wing(0.4)}L${x2} ${y2}L${wing(-0.4)}`, class: "w-step" }));
  }
  words.forEach(({ word, group }, row) => {
    const [x, y] = at[row], kind = `w-group-${groups.indexOf(group) % COLOURS}`;
    const anchor = x < 80 ? "start" : x > WIDTH - 80 ? "end" : "middle";
    const text = makeSvg("text", { x, y: y - 9, "text-anchor": anchor });
    text.textContent = word;
    svg.append(makeSvg("circle", { cx: x, cy: y, r: 5, class: kind }), text);
  });
  const legend = make("p", "soft w-legend");
  if (groups.length > 1) groups.forEach((group, row) => legend.append(make("i", `w-group-${row % COLOURS}`), ` ${group}`));
  const scrolled = make("div", "w-frame w-scrolled");
  Object.assign(scrolled, { tabIndex: 0, role: "group" });
  scrolled.setAttribute("aria-label", "Map of your words");
  scrolled.append(svg);
  element.replaceChildren(scrolled, legend);
}

draw();
watch("value", draw);
