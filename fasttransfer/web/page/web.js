// The program behind an exported page: this browser. Its camera's frames and photos go to a worker, and
// nowhere else.

import { frame, nextFrame } from "../page/camera.js";
import { $ } from "../page/elements.js";
import { openPhoto, startPage } from "../page/page.js";
import { keepOffline, makeIsolated } from "./offline.js";
import { startPainter } from "./painter.js";
import { stylizePhoto } from "./photos.js";
import { Recorder, saved } from "./recorder.js";
import { Rate, WorkingSize } from "./speed.js";

const SIZE = 640, RATE = 30; // of the camera: longer side, and frames per second
const IDLE = 250; // ms between looks at what is set, while there is nothing to stylize

if (await makeIsolated()) await new Promise(() => {}); // the page is loaded again

const site = await (await fetch("site.json")).json();
const rate = new Rate(), working = new WorkingSize(SIZE), recorder = new Recorder($("stylized"));
let number = 0, milliseconds = 0, fresh = false, watching = false, wake = () => {};
const choice = { style: site.styles[0].name, second: null, share: 0.5, strength: 1, color: "style", camera: "camera:browser" };
const state = { message: "", width: 0, height: 0 };

function shares() { // of the styles, which add up to 1
  const { style, second, share } = choice;
  return second && share > 0 ? { ...(share < 1 && { [style]: 1 - share }), [second]: share } : { [style]: 1 };
}

const look = () => ({ shares: shares(), strength: choice.strength, color: choice.color });

const holds = () => ({
  ...choice, ...state, milliseconds, browser: watching, recording: recorder.seconds, files: saved.length,
  frames_per_second: rate.perSecond, reduced: watching && working.size < SIZE,
});

function set(changes) {
  Object.assign(choice, changes);
  if (!choice.second || choice.second === choice.style) choice.second = null;
  if ("style" in changes || "second" in changes) working.restart();
  wake();
}

// Frames: the newest one, and none is waiting

function watch() {
  nextFrame(() => {
    fresh = true;
    wake();
    if (watching) watch();
  }, RATE);
}

const pause = () => new Promise((done) => {
  const timer = setTimeout(done, IDLE);
  wake = () => { clearTimeout(timer); done(); };
});

async function paint(wish) { // one frame: what is shown of it
  fresh = false;
  const taken = Date.now(), size = recorder.on ? Math.max(state.width, state.height) : working.size;
  const content = frame(size || working.size), { width, height } = content;
  const { data } = content.getContext("2d").getImageData(0, 0, width, height);
  const start = performance.now();
  const { bitmap } = await painter.frame({ pixels: data.buffer, width, height, ...look() });
  milliseconds = performance.now() - start;
  if (choice.strength > 0) working.took(milliseconds, width, height);
  rate.count();
  Object.assign(state, { width, height, message: "" });
  return [{ ...holds(), number: ++number, taken }, bitmap, wish === "wipe" ? content : null];
}

async function connect(page) {
  for (;;) {
    const wish = page.wish();
    if (wish === "state" || !watching || !fresh) {
      page.receive(holds());
      await pause();
      continue;
    }
    try {
      const [header, bitmap, content] = await paint(wish);
      page.receive(header, bitmap, content);
      bitmap.close();
    } catch (error) {
      state.message = error.message;
      await pause();
    }
  }
}

const painter = await startPainter(site).catch((error) => {
  state.message = error.message;
  return null;
});
document.documentElement.dataset.engine = painter ? `${painter.provider} ${painter.threads}` : "none";
const ENGINES = { webgpu: () => "WebGPU", wasm: (threads) => `WebAssembly, ${threads} thread${threads === 1 ? "" : "s"}` };
if (painter) $("engine").textContent = `Engine: ${ENGINES[painter.provider](painter.threads)}.`;

if (painter) {
  startPage({
    offered: { ...holds(), styles: site.styles.map(({ name }) => name), cameras: { "camera:browser": "This browser’s camera" }, size: SIZE, rate: RATE },
    set, connect, missing: "", sending: { now: false }, otherwise: "open it by its https:// address",
    thumbnail: (style) => site.styles[style].thumbnail,
    age: ({ taken }) => ({ own: true, age: Date.now() - taken, late: false }),
    stylize: (file, signal) => stylizePhoto(painter, file, look(), signal),
    saved: async () => saved,
    snapshot: () => recorder.snapshot(choice),
    record: (on) => (on ? recorder.start(choice) : recorder.stop()),
    async example() {
      const photo = await (await fetch(site.photo)).blob();
      openPhoto(new File([photo], "example.jpg", { type: photo.type }));
    },
    async cameraStarted() {
      watching = true;
      watch();
    },
    cameraStopped() {
      watching = fresh = false;
      milliseconds = state.width = state.height = 0;
    },
  });
  keepOffline([...site.files, ...site.runtime[painter.provider].map((name) => `runtime/${name}`)])
    .then(() => { $("offline").textContent = "Works offline."; });
} else {
  $("message").textContent = state.message;
  $("message").hidden = false;
  $("waiting").hidden = true;
}
