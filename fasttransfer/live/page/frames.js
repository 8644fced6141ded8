// Frames of this browser's camera, sent to the program: the newest, and none while two are on their way.

import { frame, nextFrame, stop } from "../page/camera.js";
import { address } from "./stream.js";

const ON_THE_WAY = 2; // frames that the program has not answered: one travels while another is read
const QUALITY = 0.85; // of their JPEGs
const KEPT = 100; // times of frames that may come back as pictures
const sent = new Set(); // when the last frames were taken, by this browser's clock
let socket = null;

// Whether a picture was made of a frame of this browser: then its own clock says how old it is.
export const isOwn = (taken) => sent.has(taken);

export function endFrames() {
  socket?.close();
  socket = null;
}

export function sendFrames(size, rate) {
  const own = socket = new WebSocket(address("/camera"));
  let waiting = 0, last = 0;
  own.onmessage = () => { waiting--; };
  own.onclose = ({ reason }) => { if (socket === own) stop(reason); };
  const next = async (now, { captureTime = now } = {}) => {
    if (socket !== own) return;
    nextFrame(next, rate);
    if (own.readyState !== WebSocket.OPEN || waiting >= ON_THE_WAY || now - last < 900 / rate) return;
    last = now;
    waiting++;
    const canvas = frame(size);
    const jpeg = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    const taken = performance.timeOrigin + captureTime;
    const head = new DataView(new ArrayBuffer(8));
    head.setFloat64(0, taken, true);
    sent.add(taken);
    if (sent.size > KEPT) sent.delete(sent.values().next().value);
    if (own.readyState === WebSocket.OPEN) own.send(new Blob([head, jpeg]));
  };
  nextFrame(next, rate);
}
