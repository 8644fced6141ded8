// The page of the live camera. It asks for a picture, draws it, and asks for the next one, so that
// nothing waits in the socket. What is set here is posted; what holds comes back with each picture.

const $ = (id) => document.getElementById(id);
const picture = $("picture"), stylized = $("stylized"), original = $("original"), handle = $("handle");
const strength = $("strength"), toast = $("toast");
const ownClock = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

const ENDED = "The program behind this page has ended. The page goes on when it is started again.";
let styles = [], state = {}, maxAge = 200, wiping = false;
const drawn = { number: 0, oldest: 0, late: 0 };
window.drawn = drawn; // for tests and the curious

// Pictures

function connect() {
  const socket = new WebSocket(`ws://${location.host}/frames`);
  socket.binaryType = "arraybuffer";
  const ask = () => socket.readyState === WebSocket.OPEN && socket.send(wiping ? "wipe" : "next");
  socket.onopen = () => { lost(""); ask(); };
  socket.onmessage = async ({ data }) => {
    try { await receive(data); } finally { ask(); }
  };
  socket.onclose = ({ reason }) => { lost(reason || ENDED); setTimeout(reconnect, 1000); };
}

async function reconnect() { // the program may have been started again, with other styles or another token
  const answer = await fetch("/state").catch(() => null);
  if (!answer) setTimeout(reconnect, 1000);
  else if (answer.ok && `${(await answer.json()).styles}` === `${styles}`) connect();
  else location.reload();
}

async function receive(data) {
  const length = new DataView(data).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  if (header.stylized) {
    const start = 4 + length, middle = start + header.stylized;
    const decode = (from, to) => createImageBitmap(new Blob([data.slice(from, to)], { type: "image/jpeg" }));
    const [image, photo] = await Promise.all([
      decode(start, middle), header.content ? decode(middle, middle + header.content) : null,
    ]);
    const age = Date.now() - header.captured;
    if (ownClock && age > maxAge) drawn.late++;
    else show(header, image, photo, age);
    image.close();
    photo?.close();
  }
  update(header);
}

function show(header, image, photo, age) {
  draw(stylized, image);
  if (photo) draw(original, photo);
  original.hidden = !(wiping && photo);
  picture.style.setProperty("--ratio", image.width / image.height);
  $("waiting").hidden = true;
  drawn.number = header.number;
  drawn.style = header.style;
  drawn.oldest = Math.max(drawn.oldest, age);
  $("age").textContent = ownClock ? `${Math.max(0, Math.round(age))} ms` : "–";
}

function draw(canvas, image) {
  if (canvas.width !== image.width || canvas.height !== image.height) {
    canvas.width = image.width;
    canvas.height = image.height;
  }
  canvas.getContext("2d", { alpha: false, desynchronized: true }).drawImage(image, 0, 0);
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
  for (const button of document.querySelectorAll("[data-style]")) check(button, button.dataset.style === now.style);
  for (const button of document.querySelectorAll("[data-color]")) check(button, button.dataset.color === now.color);
  if (document.activeElement !== strength && !posting) strength.value = Math.round(now.strength * 100);
  text("percent", `${strength.value} %`);
  if (document.activeElement !== $("camera")) $("camera").value = now.camera;
  recording(now.recording);
}

function recording(seconds) {
  const on = seconds !== null;
  $("record").setAttribute("aria-pressed", on);
  text(document.querySelector("#record b"), on ? "Stop" : "Record");
  $("recorded").hidden = !on;
  if (on) text("recorded", `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`);
}

function text(where, what) {
  const element = typeof where === "string" ? $(where) : where;
  if (element.textContent !== what) element.textContent = what;
}

function check(button, on) {
  if (on && button.getAttribute("aria-checked") !== "true") button.scrollIntoView({ block: "nearest", inline: "center" });
  button.setAttribute("aria-checked", on);
  button.tabIndex = on ? 0 : -1;
}

// Requests

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}),
  });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(content.message ?? `this did not work (${answer.status})`);
  return content;
}

let waiting = {}, posting = false;

async function set(changes) { // one request at a time; what changes meanwhile goes with the next
  Object.assign(waiting, changes);
  if (posting) return;
  posting = true;
  while (Object.keys(waiting).length) {
    const now = waiting;
    waiting = {};
    try { await post("/state", now); } catch (error) { say(error.message); }
  }
  posting = false;
}

let hiding;

function say(what, link) {
  toast.textContent = what;
  toast.title = "";
  if (link) {
    const anchor = Object.assign(document.createElement("a"), { href: link, textContent: "Download", download: "" });
    toast.append(anchor);
  }
  toast.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => toast.classList.remove("shown"), link ? 8000 : 5000);
}

function saved({ name, path, link }) {
  say(`Saved ${name}`, link);
  toast.title = path;
}

async function snapshot() {
  try {
    saved(await post("/snapshot"));
  } catch (error) { say(error.message); }
}

async function record() {
  const on = state.recording === null;
  $("record").disabled = true;
  try {
    const file = await post("/recording", { on });
    if (!on && file.name) saved(file);
  } catch (error) { say(error.message); }
  $("record").disabled = false;
}

// Controls

function wipe(on) {
  wiping = on;
  $("wipe").setAttribute("aria-pressed", on);
  handle.hidden = !on;
  if (!on) original.hidden = true;
  for (const label of document.querySelectorAll(".corner")) label.hidden = !on;
}

function moveWipe(percent) {
  const value = Math.min(100, Math.max(0, percent));
  picture.style.setProperty("--wipe", `${value}%`);
  handle.setAttribute("aria-valuenow", Math.round(value));
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

function label(name) { // “Mosaic” for mosaic_realtime, unless both are there
  const short = name.replace(/_realtime$/, "");
  const words = (short && !styles.includes(short) ? short : name).replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}

function buttonOfStyle(name, number) {
  const button = Object.assign(document.createElement("button"), { type: "button" });
  button.dataset.style = name;
  button.setAttribute("role", "radio");
  if (number < 9) {
    const key = document.createElement("kbd");
    key.textContent = number + 1;
    button.append(key);
  }
  button.append(label(name));
  button.onclick = () => set({ style: name });
  return button;
}

for (const button of document.querySelectorAll("[data-color]")) {
  button.onclick = () => set({ color: button.dataset.color });
}
for (const group of document.querySelectorAll("[role=radiogroup]")) {
  group.addEventListener("keydown", (event) => { // as a group of radio buttons is used
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const buttons = [...group.querySelectorAll("button")];
    const next = buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length];
    next.focus();
    next.click();
    event.preventDefault();
    event.stopPropagation();
  });
}
strength.oninput = () => strengthTo(strength.value);
$("camera").onchange = (event) => { set({ camera: event.target.value }); event.target.blur(); };
$("wipe").onclick = () => wipe(!wiping);
$("snapshot").onclick = snapshot;
$("record").onclick = record;
$("full").onclick = full;

const drag = (event) => {
  const box = picture.getBoundingClientRect();
  moveWipe((100 * (event.clientX - box.left)) / box.width);
};
picture.addEventListener("pointerdown", (event) => {
  if (!wiping) return;
  picture.setPointerCapture(event.pointerId);
  handle.focus();
  drag(event);
  event.preventDefault();
});
picture.addEventListener("pointermove", (event) => wiping && picture.hasPointerCapture(event.pointerId) && drag(event));
handle.addEventListener("keydown", (event) => {
  const now = Number(handle.getAttribute("aria-valuenow"));
  const next = { ArrowLeft: now - 2, ArrowRight: now + 2, ArrowDown: now - 2, ArrowUp: now + 2, Home: 0, End: 100 }[event.key];
  if (next === undefined) return;
  moveWipe(next);
  event.preventDefault();
  event.stopPropagation();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && !event.key.startsWith("Arrow")) return;
  if (event.target.matches("select, input") && event.key.startsWith("Arrow")) return;
  const actions = {
    w: () => wipe(!wiping), s: snapshot, r: () => $("record").disabled || record(), f: full,
    c: () => set({ color: state.color === "style" ? "content" : "style" }),
    ArrowUp: () => strengthTo(Number(strength.value) + 5), ArrowDown: () => strengthTo(Number(strength.value) - 5),
  };
  if (/^[1-9]$/.test(event.key)) { if (styles[event.key - 1]) set({ style: styles[event.key - 1] }); }
  else if (actions[event.key]) actions[event.key]();
  else if (actions[event.key.toLowerCase()]) actions[event.key.toLowerCase()]();
  else return;
  event.preventDefault();
});

// Start

if (location.search) history.replaceState(null, "", location.pathname); // the token is in a cookie now
const first = await (await fetch("/state")).json();
styles = first.styles;
maxAge = 1000 * first.max_age;
$("styles").append(...styles.map(buttonOfStyle));
$("camera").append(...Object.entries(first.cameras).map(([name, label]) => new Option(label, name)));
update(first);
connect();
