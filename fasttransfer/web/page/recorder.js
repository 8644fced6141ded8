// Snapshots and recordings of what is shown. They are downloaded at once, and stay listed until the page
// is closed.

const TYPES = ["video/mp4;codecs=avc1.42E01F", "video/mp4", "video/webm;codecs=vp9", "video/webm"];
const RATE = 30, BITS = 8e6; // per second

export const saved = []; // {name, link}, the oldest first

export function download({ name, link }) {
  Object.assign(document.createElement("a"), { href: link, download: name }).click();
}

function keep(blob, { style, second }, ending) {
  const at = new Date(Date.now() - 60_000 * new Date().getTimezoneOffset()).toISOString().slice(0, 19).replaceAll(":", "-");
  const file = { name: `${[style, second].filter(Boolean).join("-")}-${at.replace("T", "-")}.${ending}`, link: URL.createObjectURL(blob) };
  saved.push(file);
  download(file);
  return file;
}

export class Recorder {
  #canvas;
  #recorder = null;
  #pieces = [];
  #choice = {};
  #since = 0;

  constructor(canvas) {
    this.#canvas = canvas;
  }

  get on() { return this.#recorder !== null; }

  get seconds() { return this.on ? (performance.now() - this.#since) / 1000 : null; }

  async snapshot(choice) {
    if (!window.drawn.number) throw new Error("there is no picture yet; turn the camera on");
    const blob = await new Promise((done) => this.#canvas.toBlob(done, "image/png"));
    return keep(blob, choice, "png");
  }

  async start(choice) {
    if (!window.drawn.number) throw new Error("there is no picture yet; turn the camera on");
    const mimeType = window.MediaRecorder && TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    if (!mimeType) throw new Error("this browser cannot record videos");
    const recorder = new MediaRecorder(this.#canvas.captureStream(RATE), { mimeType, videoBitsPerSecond: BITS });
    this.#pieces = [];
    recorder.ondataavailable = ({ data }) => this.#pieces.push(data);
    recorder.start(1000);
    [this.#recorder, this.#choice, this.#since] = [recorder, { ...choice }, performance.now()];
    return null;
  }

  async stop() {
    const recorder = this.#recorder;
    if (!recorder) return null;
    const ended = new Promise((done) => { recorder.onstop = done; });
    recorder.stop();
    await ended;
    for (const track of recorder.stream.getTracks()) track.stop();
    this.#recorder = null;
    const type = recorder.mimeType || this.#pieces[0]?.type || "video/webm";
    return keep(new Blob(this.#pieces, { type }), this.#choice, type.includes("mp4") ? "mp4" : "webm");
  }
}
