// The songs that this browser keeps; nothing of it reaches the server. Texts reach the page as text nodes only.
const { make, button, storedSongs, storeSongs } = window.lyricgen;

function save(song) {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([song.text], { type: "text/plain" }));
  link.download = `song-${song.seed}.txt`;
  link.click();
  URL.revokeObjectURL(link.href);
}

function row(song) {
  const item = make("li"), again = make("a", "", "write it again");
  if (song.link) again.href = `?${song.link}`;
  const facts = make("span", "soft", ` Song no. ${song.seed}${song.artist ? `, ${song.artist}` : ""} `);
  item.append(make("p", "song-line", song.text.slice(0, 160)), facts, ...(song.link ? [again] : []), " ", button("download .txt", "link", () => save(song)));
  return item;
}

function draw() {
  const songs = storedSongs();
  if (songs === null) return element.replaceChildren(make("p", "soft", "This browser does not let the page keep songs here. Use Copy link, or download."));
  if (!songs.length) return element.replaceChildren(make("p", "soft", "Songs that you write are kept here, in this browser only."));
  const list = make("ol", "song-list");
  list.append(...songs.map(row));
  element.replaceChildren(list, button("forget all", "link", () => storeSongs([])));
}

draw();
document.addEventListener("songs", draw);
