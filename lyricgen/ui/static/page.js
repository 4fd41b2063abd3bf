// Helpers that the components' scripts share as `window.lyricgen`, and what happens on the page as a whole. All text reaches the
// page as text nodes.
window.lyricgen = (() => {
  const WAIT = 5000; // milliseconds that a tab may take to appear

  function make(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function makeSvg(tag, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const name in attributes) made.setAttribute(name, attributes[name]);
    return made;
  }

  // A character if it can be seen, else its name.
  function visible(letter) {
    if (letter === " ") return "space";
    if (letter === "\n" || letter === "\r") return "line break";
    if (letter === "\t") return "tab";
    return /[\p{C}\p{Z}]/u.test(letter) ? "U+" + letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") : letter;
  }

  function percent(share) {
    const shown = 100 * share;
    return shown < 0.1 ? "< 0.1 %" : `${shown.toFixed(shown < 9.95 ? 1 : 0)} %`;
  }

  const isShown = (node) => node.offsetParent !== null;

  // Calls `act` on the first shown element of a selector, once there is one.
  function whenShown(selector, act) {
    const until = Date.now() + WAIT;
    (function look() {
      const found = [...document.querySelectorAll(selector)].find(isShown);
      if (found) act(found);
      else if (Date.now() < until) setTimeout(look, 60);
    })();
  }

  const sharedText = () => [...document.querySelectorAll(".shared-text textarea")].find(isShown)?.value ?? "";

  // Clicks the shown button that runs when its tab opens, unless its answer is that of the present text.
  function runOnOpen() {
    whenShown("button.runs-on-open", (button) => {
      if (button.dataset.shown !== sharedText()) button.click();
    });
  }

  // Goes to a tab, then to a view in it.
  function open(...names) {
    const [name, ...inner] = names;
    whenShown(`button[role=tab][data-tab-id="${CSS.escape(name)}"]`, (button) => {
      button.click();
      if (inner.length) open(...inner);
      else window.scrollTo({ top: 0 });
    });
  }

  function bigText(button) {
    const big = document.documentElement.classList.toggle("big");
    button?.setAttribute("aria-pressed", big);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    if (button.classList.contains("runs-on-open")) button.dataset.shown = sharedText();
    if (button.id === "big-text") bigText(button);
    const place = button.dataset.open;
    if (place) open(...place.split("/"));
  }, true);

  const page = { typed: null };
  document.addEventListener("input", (event) => { // pasted text too
    if (event.target.closest?.(".shared-text")) page.typed = event.target.value;
  }, true);

  return Object.assign(page, { make, makeSvg, visible, percent, whenShown, runOnOpen, open });
})();
