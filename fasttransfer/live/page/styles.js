// The strip of styles: thumbnails, names, keys, and a search.

import { $, set } from "./requests.js";

const SEARCHED = 8; // from how many styles on there is a search
const strip = $("styles"), search = $("search");
let styles = [];

export function label(name) { // “Mosaic” for mosaic_realtime, unless both are there
  const short = name.replace(/_realtime$/, "");
  const words = (short && !styles.includes(short) ? short : name).replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}

export function fillStrip(names) {
  styles = names;
  strip.replaceChildren(...names.map(tile));
  search.hidden = names.length < SEARCHED;
}

export const styleOfKey = (key) => styles[key - 1];

function tile(name, number) {
  const button = Object.assign(document.createElement("button"), { type: "button", title: label(name) });
  button.dataset.style = name;
  button.setAttribute("role", "radio");
  const image = Object.assign(new Image(), { src: `/thumbnail/${number}`, alt: "", width: 80, height: 60, draggable: false });
  button.append(image);
  if (number < 9) button.append(Object.assign(document.createElement("kbd"), { textContent: number + 1 }));
  button.append(Object.assign(document.createElement("span"), { textContent: label(name) }));
  button.onclick = () => set({ style: name });
  return button;
}

export function check(button, on) {
  if (on && button.getAttribute("aria-checked") !== "true") button.scrollIntoView({ block: "nearest", inline: "center" });
  button.setAttribute("aria-checked", on);
  button.tabIndex = on ? 0 : -1;
}

export function showStyles(now) {
  for (const button of strip.children) check(button, button.dataset.style === now.style);
}

function filter() {
  const wanted = search.value.trim().toLowerCase();
  for (const button of strip.children) button.hidden = !label(button.dataset.style).toLowerCase().includes(wanted);
  strip.classList.toggle("empty", [...strip.children].every((button) => button.hidden));
}

search.oninput = filter;
search.addEventListener("keydown", (event) => {
  const first = [...strip.children].find((button) => !button.hidden);
  if (event.key === "Enter" && first) set({ style: first.dataset.style });
  if (event.key === "Escape" || event.key === "Enter") {
    search.value = "";
    filter();
    search.blur();
  }
  event.stopPropagation(); // letters are keys elsewhere on the page
});
