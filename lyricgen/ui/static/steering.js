// Draws a lyric letter by letter; a click sends the letter's position. The text reaches the page as text nodes only.
const root = document.createElement("div");
root.className = "steer-letters";
element.append(root);
function draw() {
  root.replaceChildren(...Array.from(props.value || "", (letter, at) => {
    const span = document.createElement("span");
    span.textContent = letter;
    span.position = at;
    return span;
  }));
}
root.addEventListener("click", (event) => {
  if (event.target.position === undefined) return;
  root.querySelectorAll(".steer-on").forEach((letter) => letter.classList.remove("steer-on"));
  event.target.classList.add("steer-on");
  trigger("select", { index: event.target.position });
});
draw();
watch("value", draw);
