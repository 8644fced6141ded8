// The handle over the picture, with the original to its left.

import { $ } from "./elements.js";

const picture = $("picture"), handle = $("handle");
export const wiping = { on: false };

export function wipe(on) {
  wiping.on = on;
  $("wipe").setAttribute("aria-pressed", on);
  handle.hidden = !on;
  if (!on) $("original").hidden = true;
  document.body.classList.toggle("wiping", on);
}

function move(percent) {
  const value = Math.min(100, Math.max(0, percent));
  picture.style.setProperty("--wipe", `${value}%`);
  handle.setAttribute("aria-valuenow", Math.round(value));
}

const drag = (event) => {
  const box = picture.getBoundingClientRect();
  move((100 * (event.clientX - box.left)) / box.width);
};
picture.addEventListener("pointerdown", (event) => {
  if (!wiping.on) return;
  picture.setPointerCapture(event.pointerId);
  handle.focus();
  drag(event);
  event.preventDefault();
});
picture.addEventListener("pointermove", (event) => wiping.on && picture.hasPointerCapture(event.pointerId) && drag(event));
handle.addEventListener("keydown", (event) => {
  const now = Number(handle.getAttribute("aria-valuenow"));
  const next = { ArrowLeft: now - 2, ArrowRight: now + 2, ArrowDown: now - 2, ArrowUp: now + 2, Home: 0, End: 100 }[event.key];
  if (next === undefined) return;
  move(next);
  event.preventDefault();
  event.stopPropagation();
});
