// Helpers that the components' scripts share as `window.lyricgen`, and what happens on the page as a whole. All text reaches the
// page as text nodes.
window.lyricgen = (() => {
  const WAIT = 5000; // milliseconds that a tab may take to appear
  const ANSWER = ":is(.letters-line, .verdict, .neuron)";

  function make(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function button(text, className, act) {
    const made = make("button", className, text);
    made.type = "button";
    if (act) made.addEventListener("click", act);
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

  const SEED = /^\d{1,10}$/;
  const sharedText = () => [...document.querySelectorAll(".shared-text textarea")].find(isShown)?.value ?? "";

  // The shared text and the artist that it is read as, as one string.
  const sharedInput = () => `${sharedText()}\0${[...document.querySelectorAll(".shared-artist input")].find(isShown)?.value ?? ""}`;

  // What a button's answer depends on; the comparison has a start of its own.
  const inputOf = (button) => (button.id === "compare" ? "" : sharedInput());

  // Clicks the shown button that runs when its tab opens, unless its answer is that of the present text. A song that is being
  // written is read once it is there.
  function runOnOpen() {
    if (!document.body.classList.contains("writing")) whenShown("button.runs-on-open", (button) => {
      if (button.dataset.shown !== inputOf(button)) button.click();
    });
  }

  const runButton = () => [...document.querySelectorAll("button.runs-on-open")].find(isShown);

  // Hides the answers to another text than the present one, until the first one to it is there.
  function markStale(button) {
    if (!button?.answers) return;
    const reads = button.old?.isConnected && button.getAttribute("aria-busy") === "true";
    const stale = button.dataset.shown === inputOf(button) ? (reads ? "reading" : "") : "changed";
    button.answers.forEach((answers) => (answers.dataset.stale = stale));
  }

  // Notes the text that a button's answers will be to, and waits for them.
  function awaitAnswers(button) {
    button.dataset.shown = inputOf(button);
    button.answers = [...document.querySelectorAll(".answers")].filter(isShown);
    button.old = button.answers[0]?.querySelector(ANSWER);
    setBusy(button.id, true);
    (function look() {
      if (isShown(button)) markStale(button);
      if (button.answers.some((answers) => answers.dataset.stale === "reading")) setTimeout(look, 60);
    })();
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

  // Goes to a tab for its answers, which may stand far below its inputs.
  function openAnswers(...names) {
    open(...names);
    whenShown(`.answers ${ANSWER}`, (answer) => {
      const answers = answer.closest(".answers");
      answers.tabIndex = -1;
      answers.focus({ preventScroll: true });
      answers.scrollIntoView();
    });
  }

  const setBusy = (id, on) => document.getElementById(id)?.setAttribute("aria-busy", on);

  // Replaces a word in a box by another spelling, and asks again.
  function respell({ word, spelling, box, run }) {
    const input = document.querySelector(`#${box} :is(textarea, input)`);
    input.value = input.value.split(/([\s,;:>→]+)/).map((part) => (part === word ? spelling : part)).join("");
    input.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => document.getElementById(run).click());
  }

  function bigText(button) {
    const big = document.documentElement.classList.toggle("big");
    button?.setAttribute("aria-pressed", big);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    if (button.classList.contains("runs-on-open")) awaitAnswers(button);
    if (button.id === "write") askSong();
    if (button.id === "big-text") bigText(button);
    if (button.id === "copy-link") copyLink(button);
    const place = button.dataset.open;
    if (place) {
      page.typed = filled = null;
      document.getElementById("use-song").click();
      openAnswers(...place.split("/"));
    }
    if (button.dataset.spelling) respell(button.dataset);
  }, true);

  // A song's link in the page opens it without another load of the page, unless a song is being written.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="?text="]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || document.body.classList.contains("writing")) return;
    event.preventDefault();
    history.replaceState(null, "", link.href);
    document.getElementById("open-link").click();
  });

  // ---- links and the songs that this browser keeps

  const STORED = "lyricgen-songs", KEPT = 20, THEME = "__theme", theme = new URLSearchParams(location.search).get(THEME);
  let song = null, followed = false;

  function storedSongs() {
    try {
      const songs = JSON.parse(localStorage.getItem(STORED) ?? "[]");
      return Array.isArray(songs) ? songs : [];
    } catch {
      return null; // refused, as in a frame of another origin
    }
  }

  function storeSongs(songs) {
    try {
      localStorage.setItem(STORED, JSON.stringify(songs));
    } catch {}
    document.dispatchEvent(new Event("songs"));
  }

  // A song was written: it is kept, and the address writes it again.
  function onSong(written, isFirst) {
    if (isFirst) return; // the song that the page opens with
    song = written;
    const kept = { text: written.text.slice(0, 5000), seed: written.seed, artist: written.artist, link: written.link };
    storeSongs([kept, ...(storedSongs() ?? []).filter((one) => !kept.link || one.link !== kept.link)].slice(0, KEPT));
    setQuery();
  }

  const shownTab = (selector) => [...document.querySelectorAll(`${selector} button[role=tab][aria-selected=true]`)].filter(isShown);

  // The query string of what is shown: tab, view, and the song.
  function query() {
    const parts = new URLSearchParams(song?.link ?? "");
    const [tab, view] = shownTab(".tab-container").map((button) => button.dataset.tabId);
    if (tab && tab !== "write") parts.set("tab", tab);
    if (view) parts.set("view", view);
    if (tab === "words" && page.words?.[view]) for (const name in page.words[view]) parts.set(name, page.words[view][name]);
    return parts.toString();
  }

  function setQuery() {
    if (!followed) return; // gradio selects a tab before the address is read
    const text = query(), inFrame = window.parent !== window;
    const kept = new URLSearchParams(text);
    if (theme) kept.set(THEME, theme); // gradio's choice of light or dark
    history.replaceState(null, "", kept.size ? `?${kept}` : location.pathname);
    if (inFrame) window.parent.postMessage({ queryString: text }, "https://huggingface.co");
  }

  function address() {
    const base = window.parent !== window && window.lyricgenSpace ? window.lyricgenSpace : location.origin + location.pathname;
    const text = query();
    return text ? `${base}?${text}` : base;
  }

  // Copies the link; where the browser refuses, as in a frame, the link is shown and selected.
  async function copyLink(button) {
    const place = document.querySelector("#link-box"), link = address();
    try {
      await navigator.clipboard.writeText(link);
      place.replaceChildren(make("span", "soft", "Link copied."));
    } catch {
      const box = make("input");
      Object.assign(box, { value: link, readOnly: true });
      box.setAttribute("aria-label", "Link to this page as it is");
      place.replaceChildren(box);
      box.select();
    }
  }

  // Opens what the address names: the song, whose inputs are set by then, the tab and the view.
  function follow() {
    const values = new URLSearchParams(location.search), seed = values.get("seed") ?? "";
    const places = [values.get("tab"), values.get("view")].filter(Boolean);
    followed = true;
    const openPlaces = () => { if (places.length && places[0] !== "write") open(...places); };
    if (!values.has("text") && !seed) return openPlaces();
    open("write");
    whenShown(".song-card", () => {
      if (SEED.test(seed)) document.dispatchEvent(new CustomEvent("seed", { detail: Number(seed) }));
      else document.getElementById("write").click();
      openPlaces();
    });
  }

  const WORDS = ["the night is ", "under the street lights ", "my mother said ", "one more dance ", "winter on the radio ",
    "when the rain came ", "we drove to the sea ", "nobody knows my name "];
  const any = (list) => list[Math.floor(Math.random() * list.length)];
  const surprise = (artists) => [any(WORDS), any(artists)];

  const page = { typed: null }; // what the visitor typed last into a box that looks at a text
  let filled = null, typedBefore = null;

  // A song is asked for. Once it begins, it takes the place of what was typed before, not of what is typed since.
  function askSong() {
    document.body.classList.add("writing");
    typedBefore = page.typed;
  }

  function beginSong() {
    if (page.typed === typedBefore) page.typed = null;
  }

  // The song and its artist for the boxes that look at a text; nothing while the visitor types there, or if they hold it.
  function sharedSong(text, chosen) {
    if (page.typed !== null || text === filled) return [null, null];
    filled = text;
    return [text, page.songArtist ?? chosen]; // another artist may have been chosen since
  }

  document.addEventListener("input", (event) => { // pasted text too
    if (!event.target.closest?.(".shared-text")) return;
    page.typed = event.target.value;
    filled = null;
    markStale(runButton());
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey || event.shiftKey) && event.target.closest?.(".shared-text")) {
      event.preventDefault();
      event.stopPropagation();
      runButton().click();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target.closest?.("#prefix")) {
      if (document.body.classList.contains("writing")) event.preventDefault(); // one song at a time
      else askSong();
    } else if (event.key === "Tab" && event.target.matches?.("input[role=combobox]")) {
      event.stopPropagation(); // gradio would open the list again after it is left, and the list would take the focus
      document.querySelectorAll(".options, .option-list").forEach((list) => (list.tabIndex = -1));
    }
  }, true);

  return Object.assign(page, { make, button, makeSvg, visible, percent, whenShown, runOnOpen, askSong, beginSong, sharedSong, setBusy, open, follow, onSong, setQuery, storedSongs, storeSongs, surprise });
})();
