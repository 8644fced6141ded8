// The page of a camera in one of several styles. A program stylizes: the one that serves the page, or
// this browser. It says what it offers, is set, and shows its pictures together with what holds.

import { camera, devices, isAllowed, mirror, start as startCamera } from "./camera.js";
import { $, draw, say, text } from "./elements.js";
import { changed, close, open, photo, takePhotos } from "./photo.js";
import { showSaved } from "./saved.js";
import { check, fillStrip, shareTo, showStyles, styleOfKey, toggle } from "./styles.js";
import { wipe, wiping } from "./wipe.js";

const strength = $("strength");
const BROWSER = "camera:browser";
let program, state = {}, offered = {}, device = "";
const drawn = { number: 0, oldest: 0, late: 0 };
window.drawn = drawn; // for tests and the curious

const set = (changes) => program.set(changes);

// Pictures

const shownWindow = {
  wish: () => (photo.on ? "state" : wiping.on ? "wipe" : "next"),
  receive(header, image, content) {
    if (image && !photo.on) show(header, image, content);
    update(header);
  },
  lost,
};

function show(header, image, content) {
  const { own, age, late } = program.age(header);
  if (late) {
    drawn.late++;
    return;
  }
  draw($("stylized"), image);
  if (content) draw($("original"), content);
  $("original").hidden = !(wiping.on && content);
  $("picture").style.setProperty("--ratio", image.width / image.height);
  $("waiting").hidden = true;
  drawn.number = header.number;
  Object.assign(drawn, { style: header.style, second: header.second, share: header.share });
  drawn.own = own;
  drawn.oldest = Math.max(drawn.oldest, age);
  text("age", `${Math.max(0, Math.round(age))} ms`);
}

function lost(why) { // no number and no button stays that means nothing any more
  document.body.classList.toggle("lost", Boolean(why));
  $("controls").inert = Boolean(why);
  if (!why) return;
  for (const id of ["rate", "age", "network", "size"]) text(id, "–");
  recording(null);
  $("waiting").hidden = true;
  text("message", why);
  $("message").hidden = false;
}

// What holds

function update(now) {
  state = now;
  text("rate", now.frames_per_second.toFixed(1));
  text("network", `${now.milliseconds.toFixed(0)} ms`);
  text("size", now.width ? `${now.width} × ${now.height}${now.reduced ? " (reduced)" : ""}` : "–");
  text("message", now.message);
  $("message").hidden = !now.message;
  showStyles(now);
  for (const button of document.querySelectorAll("[data-color]")) check(button, button.dataset.color === now.color);
  if (document.activeElement !== strength && !program.sending.now) strength.value = Math.round(now.strength * 100);
  text("percent", `${strength.value} %`);
  showMask(now);
  showCamera(now);
  recording(now.recording);
  showSaved(now.files, program);
  changed(now);
}

function showMask({ mask, invert }) {
  if (document.activeElement !== $("mask")) $("mask").value = mask;
  $("invert").hidden = !mask || mask === "none";
  $("invert").setAttribute("aria-pressed", Boolean(invert));
}

function showCamera(now) {
  const mine = now.camera === BROWSER && camera.on && device ? `${BROWSER}#${device}` : now.camera;
  if (document.activeElement !== $("camera")) $("camera").value = mine;
  const off = now.camera === BROWSER && !now.browser;
  $("welcome").hidden = !off || camera.on || photo.on;
  if (off || photo.on) {
    $("waiting").hidden = true;
    text("age", "–");
  }
}

function recording(seconds) {
  const on = seconds !== null;
  $("record").setAttribute("aria-pressed", on);
  text(document.querySelector("#record b"), on ? "Stop" : "Record");
  $("recorded").hidden = !on;
  if (on) text("recorded", `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`);
}

// Controls

async function choose(name) { // a camera of the program by its name, or one of this browser’s
  if (!name.startsWith(BROWSER)) return set({ camera: name });
  device = name.split("#")[1] ?? "";
  await startCamera(program, { device, size: offered.size, rate: offered.rate });
  offerCameras(await devices());
}

function offerCameras(own = []) {
  const all = Object.entries(offered.cameras).flatMap(([name, label]) => (name === BROWSER && own.length > 1
    ? own.map((one) => [`${BROWSER}#${one.deviceId}`, one.label]) : [[name, label]]));
  $("camera").replaceChildren(...all.map(([name, label]) => new Option(label, name)));
  if (camera.on && own.length > 1) device ||= own[0].deviceId;
}

function offerMasks(masks = {}) { // not every program has some
  $("where").hidden = !Object.keys(masks).length;
  $("mask").replaceChildren(...Object.entries(masks).map(([name, label]) => new Option(label, name)));
}

function saved(file) {
  say(`Saved ${file.name}`, file);
  $("toast").title = file.path ?? "";
}

async function snapshot() {
  if (photo.on) return $("download").click();
  try {
    saved(await program.snapshot());
  } catch (error) { say(error.message); }
}

async function record() {
  const on = state.recording === null;
  $("record").disabled = true;
  try {
    const file = await program.record(on);
    if (!on && file?.name) saved(file);
  } catch (error) { say(error.message); }
  $("record").disabled = false;
}

function strengthTo(percent) {
  strength.value = percent;
  text("percent", `${strength.value} %`);
  set({ strength: strength.value / 100 });
}

function full() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.();
}

for (const button of document.querySelectorAll("[data-color]")) {
  button.onclick = () => set({ color: button.dataset.color });
}
for (const group of document.querySelectorAll("[role=radiogroup]")) {
  group.addEventListener("keydown", (event) => { // as a group of radio buttons is used
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const buttons = [...group.querySelectorAll("[role=radio]")].filter((button) => button.offsetParent);
    const next = buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length];
    next.focus();
    next.click();
    event.preventDefault();
    event.stopPropagation();
  });
}
strength.oninput = () => strengthTo(strength.value);
$("camera").onchange = (event) => { choose(event.target.value); event.target.blur(); };
$("mask").onchange = (event) => { set({ mask: event.target.value }); event.target.blur(); };
$("invert").onclick = () => set({ invert: !state.invert });
$("own").onclick = () => choose(BROWSER);
$("pattern").onclick = () => program.example();
$("mirror").onclick = () => mirror();
$("wipe").onclick = () => wipe(!wiping.on);
$("snapshot").onclick = snapshot;
$("record").onclick = record;
$("full").onclick = full;
$("close").onclick = close;
for (const button of document.querySelectorAll(".choose")) button.onclick = () => $("file").click();
takePhotos(openPhoto);

const KEYS = {
  w: () => wipe(!wiping.on), m: () => camera.on && mirror(), s: snapshot, r: () => $("record").disabled || record(), f: full,
  c: () => set({ color: state.color === "style" ? "content" : "style" }),
  i: () => $("invert").hidden || set({ invert: !state.invert }),
  p: () => $("file").click(), Escape: () => photo.on && close(),
  "/": () => $("search").focus(),
  0: () => set({ second: "" }), ArrowLeft: () => shareTo(Number($("share").value) - 5), ArrowRight: () => shareTo(Number($("share").value) + 5),
  ArrowUp: () => strengthTo(Number(strength.value) + 5), ArrowDown: () => strengthTo(Number(strength.value) - 5),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && !event.key.startsWith("Arrow")) return;
  if (event.target.matches("select, input") && event.key.startsWith("Arrow")) return;
  const action = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1] ?? (/^[1-9]$/.test(event.key) ? event.key : "");
  const style = digit && styleOfKey(digit); // with Shift, the key is another sign
  if (style) event.shiftKey ? toggle(style) : set({ style, second: "" });
  else if (action) action();
  else return;
  event.preventDefault();
});

// Start

export async function startPage(own) {
  program = own;
  offered = program.offered;
  fillStrip(program);
  offerCameras();
  offerMasks(offered.masks);
  text("missing", program.missing);
  $("missing").hidden = !program.missing;
  update(offered);
  program.connect(shownWindow);
  if (offered.camera === BROWSER && !offered.browser && await isAllowed()) choose(BROWSER);
}

export function openPhoto(file) {
  open(file, state, program);
}
