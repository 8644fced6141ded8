// The strip of styles: thumbnails, names, keys, a search, and the slider between two of them.

import { $, text } from "./elements.js";

const SEARCHED = 8; // from how many styles on there is a search
const strip = $("styles"), search = $("search"), share = $("share");
let styles = [], now = {}, program;

const set = (changes) => program.set(changes);

export function label(name) { // “Mosaic” for mosaic_realtime, unless both are there
  const short = name.replace(/_realtime$/, "");
  const words = (short && !styles.includes(short) ? short : name).replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}

export function fillStrip(own) { // the program, which has styles and may be set
  program = own;
  styles = program.offered.styles;
  strip.replaceChildren(...styles.map(tile));
  search.hidden = styles.length < SEARCHED;
}

export const styleOfKey = (key) => styles[key - 1];

function tile(name, number) {
  const make = (kind, values) => Object.assign(document.createElement(kind), values);
  const place = make("div", { className: "tile" }), button = make("button", { type: "button", title: label(name) });
  button.dataset.style = name;
  button.setAttribute("role", "radio");
  button.append(make("img", { src: program.thumbnail(number), alt: "", width: 80, height: 60, draggable: false }));
  if (number < 9) button.append(make("kbd", { textContent: number + 1 }));
  button.append(make("span", { textContent: label(name) }));
  button.onclick = (event) => (event.shiftKey || event.ctrlKey || event.metaKey ? toggle(name) : set({ style: name, second: "" }));
  const add = make("button", { type: "button", className: "add", textContent: "+", title: `Blend with ${label(name)}` });
  add.dataset.add = name;
  add.setAttribute("aria-label", add.title);
  add.onclick = () => toggle(name);
  place.append(button, add);
  return place;
}

export function toggle(name) { // as the second style, beside the first
  if (name === now.style) return;
  set(name === now.second ? { second: "" } : now.second ? { second: name } : { second: name, share: 0.5 });
}

export function shareTo(percent) {
  if (!now.second) return;
  share.value = percent;
  set({ share: share.value / 100 });
}

export function check(button, on) {
  if (on && button.getAttribute("aria-checked") !== "true") button.scrollIntoView({ block: "nearest", inline: "center" });
  button.setAttribute("aria-checked", on);
  button.tabIndex = on ? 0 : -1;
}

export function showStyles(state) {
  now = state;
  for (const { firstChild: button, lastChild: add } of strip.children) {
    const name = button.dataset.style, second = name === now.second;
    check(button, name === now.style);
    add.hidden = name === now.style;
    add.setAttribute("aria-pressed", second);
    add.textContent = second ? "–" : "+";
  }
  $("mix").hidden = !now.second;
  if (!now.second) return;
  text("first", label(now.style));
  text("second", label(now.second));
  if (document.activeElement !== share && !program.sending.now) share.value = Math.round(100 * now.share);
}

share.oninput = () => shareTo(share.value);
$("single").onclick = () => set({ second: "" });

function filter() {
  const wanted = search.value.trim().toLowerCase();
  for (const tile of strip.children) tile.hidden = !label(tile.firstChild.dataset.style).toLowerCase().includes(wanted);
  strip.classList.toggle("empty", [...strip.children].every((tile) => tile.hidden));
}

search.oninput = filter;
search.addEventListener("keydown", (event) => {
  const first = [...strip.children].find((tile) => !tile.hidden);
  if (event.key === "Enter" && first) first.firstChild.click();
  if (event.key === "Escape" || event.key === "Enter") {
    search.value = "";
    filter();
    search.blur();
  }
  event.stopPropagation(); // letters are keys elsewhere on the page
});
