// This browser's camera, sent to the program: the newest frame, and none while two are on their way.

import { $, post, say } from "./requests.js";
import { address } from "./stream.js";

const ON_THE_WAY = 2; // frames that the program has not answered: one travels while another is read
const QUALITY = 0.85; // of their JPEGs
const SMALLEST = 320; // width to ask a camera for: smaller pictures may have another shape
const KEPT = 100; // times of frames that may come back as pictures
const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
const canvas = document.createElement("canvas");
const sent = new Set(); // when the last frames were taken, by this browser's clock
let media = null, socket = null, mirrored = true, starting = false;

export const camera = { get on() { return media !== null; } };

// Whether a picture was made of a frame of this browser: then its own clock says how old it is.
export const isOwn = (taken) => sent.has(taken);

export const possible = () => Boolean(navigator.mediaDevices?.getUserMedia);

export async function isAllowed() { // without asking
  const answer = await navigator.permissions?.query({ name: "camera" }).catch(() => null);
  return possible() && answer?.state === "granted";
}

export async function start({ device, size, rate }) {
  if (starting) return;
  starting = true;
  try {
    if (!possible()) throw new Error("browsers give their camera to pages of this machine and to https only: "
      + "open the page through ssh -L or an HTTPS proxy");
    stop();
    const width = Math.max(size, SMALLEST);
    const wanted = { width: { ideal: width }, height: { ideal: 0.75 * width }, resizeMode: "none", frameRate: { ideal: rate },
      ...(device && { deviceId: { exact: device } }) };
    media = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    mirrored = media.getVideoTracks()[0].getSettings().facingMode !== "environment";
    media.getVideoTracks()[0].onended = () => stop("the camera of this browser has ended");
    video.srcObject = media;
    await video.play();
    await post("/state", { camera: "camera:browser" });
    send(size, rate);
    mirror(mirrored);
  } catch (error) {
    stop();
    const why = { NotAllowedError: "this browser does not allow the page to use its camera", NotFoundError: "this browser has no camera",
      NotReadableError: "another program uses the camera" };
    say(why[error.name] ?? error.message);
  } finally { starting = false; }
}

export function stop(why) {
  for (const track of media?.getTracks() ?? []) track.stop();
  media = null;
  video.srcObject = null;
  socket?.close();
  socket = null;
  $("mirror").hidden = true;
  if (why) say(why);
}

export function mirror(on = !mirrored) {
  mirrored = on;
  $("mirror").hidden = !media;
  $("mirror").setAttribute("aria-pressed", on);
}

export async function devices() { // their names are known once one of them is allowed
  const all = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
  return all.filter(({ kind, deviceId, label }) => kind === "videoinput" && deviceId && label);
}

function send(size, rate) {
  const own = socket = new WebSocket(address("/camera"));
  let waiting = 0, last = 0;
  own.onmessage = () => { waiting--; };
  own.onclose = ({ reason }) => { if (socket === own) stop(reason); };
  const later = (work) => (video.requestVideoFrameCallback
    ? video.requestVideoFrameCallback(work) : setTimeout(() => work(performance.now()), 1000 / rate));
  const next = async (now, { captureTime = now } = {}) => {
    if (socket !== own) return;
    later(next);
    if (own.readyState !== WebSocket.OPEN || waiting >= ON_THE_WAY || now - last < 900 / rate) return;
    last = now;
    waiting++;
    const jpeg = await frame(size);
    const taken = performance.timeOrigin + captureTime;
    const head = new DataView(new ArrayBuffer(8));
    head.setFloat64(0, taken, true);
    sent.add(taken);
    if (sent.size > KEPT) sent.delete(sent.values().next().value);
    if (own.readyState === WebSocket.OPEN) own.send(new Blob([head, jpeg]));
  };
  later(next);
}

function frame(size) {
  const scale = Math.min(1, size / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.max(1, Math.floor(video.videoWidth * scale));
  canvas.height = Math.max(1, Math.floor(video.videoHeight * scale));
  const context = canvas.getContext("2d", { alpha: false });
  if (mirrored) context.setTransform(-1, 0, 0, 1, canvas.width, 0);
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
}
