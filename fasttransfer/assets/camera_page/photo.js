// A photo that was dropped, pasted, or chosen: stylized at full size with what is set on the page.

import { $, say, text } from "./elements.js";
import { label } from "./styles.js";
import { wipe } from "./wipe.js";

const LATER = 300; // ms without a change, after which a photo is stylized again
const before = $("before"), after = $("after"), link = $("download");
let file = null, program, wanted = "", current = {}, timer, running = null, readable = true;

export const photo = { get on() { return file !== null; } };

const look = (now) => JSON.stringify([now.style, now.second, now.share, now.strength, now.color, now.mask, now.invert]);

export function open(chosen, now, own) {
  close();
  file = chosen;
  program = own;
  readable = true;
  before.src = URL.createObjectURL(file);
  document.body.classList.add("photo");
  $("welcome").hidden = $("waiting").hidden = true;
  text("name", file.name || "Pasted picture");
  changed(now);
}

export function close() {
  clearTimeout(timer);
  running?.abort();
  for (const image of [before, after]) {
    URL.revokeObjectURL(image.src);
    image.removeAttribute("src");
  }
  file = running = null;
  wanted = "";
  after.hidden = link.hidden = true;
  document.body.classList.remove("photo", "busy");
  wipe(false);
}

export function changed(now) { // what holds may be another style or strength
  current = now;
  if (!file || look(now) === wanted) return;
  const first = !wanted;
  wanted = look(now);
  clearTimeout(timer);
  timer = setTimeout(stylize, first ? 0 : LATER);
}

async function stylize() {
  running?.abort();
  const own = running = new AbortController();
  document.body.classList.add("busy");
  try {
    const blob = await program.stylize(file, own.signal);
    if (running === own) show(blob);
  } catch (error) {
    if (error.name === "AbortError" || running !== own) return;
    say(error.message);
    if (after.hidden) close();
  }
  if (running === own) document.body.classList.remove("busy");
}

function show(blob) {
  const first = after.hidden;
  URL.revokeObjectURL(after.src);
  after.src = link.href = URL.createObjectURL(blob);
  after.hidden = link.hidden = false;
  const stem = (file.name || "picture").replace(/\.[^.]*$/, "");
  link.download = `${stem}-${label(current.style).toLowerCase().replaceAll(" ", "-")}.${blob.type.split("/")[1]}`;
  if (first && readable) wipe(true);
}

before.onload = () => $("picture").style.setProperty("--ratio", before.naturalWidth / before.naturalHeight);
before.onerror = () => { // HEIC, TIFF, and RAW: the program reads more than browsers do
  readable = false;
  wipe(false);
};
after.onload = () => {
  $("picture").style.setProperty("--ratio", after.naturalWidth / after.naturalHeight);
  text("pixels", `${after.naturalWidth} × ${after.naturalHeight}`);
};

export function takePhotos(opened) { // from wherever a person may bring one
  const first = (files) => files?.[0] && opened(files[0]);
  $("file").onchange = (event) => { first(event.target.files); event.target.value = ""; };
  document.addEventListener("paste", (event) => first(event.clipboardData?.files));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    first(event.dataTransfer?.files);
  });
}
