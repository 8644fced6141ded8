// This browser's camera.

import { $, say } from "./elements.js";

const SMALLEST = 320; // width to ask a camera for: smaller pictures may have another shape
const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
const canvas = document.createElement("canvas");
let media = null, program, mirrored = true, starting = false;

export const camera = { get on() { return media !== null; } };

export const possible = () => Boolean(navigator.mediaDevices?.getUserMedia);

export async function isAllowed() { // without asking
  const answer = await navigator.permissions?.query({ name: "camera" }).catch(() => null);
  return possible() && answer?.state === "granted";
}

export async function start(own, { device, size, rate }) { // for a program, which uses its frames
  if (starting) return;
  starting = true;
  try {
    if (!possible()) throw new Error(`browsers give their camera to pages of this machine and to https only: ${own.otherwise}`);
    stop();
    program = own;
    const width = Math.max(size, SMALLEST);
    const wanted = { width: { ideal: width }, height: { ideal: 0.75 * width }, resizeMode: "none", frameRate: { ideal: rate },
      ...(device && { deviceId: { exact: device } }) };
    media = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    mirrored = media.getVideoTracks()[0].getSettings().facingMode !== "environment";
    media.getVideoTracks()[0].onended = () => stop("the camera of this browser has ended");
    video.srcObject = media;
    await video.play();
    await program.cameraStarted(size, rate);
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
  program?.cameraStopped();
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

export function nextFrame(work, rate) { // work gets the time, and when the frame was taken
  if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(work);
  else setTimeout(() => work(performance.now()), 1000 / rate);
}

export function frame(size) { // as a canvas, which the next one overwrites
  const scale = Math.min(1, size / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.max(1, Math.floor(video.videoWidth * scale));
  canvas.height = Math.max(1, Math.floor(video.videoHeight * scale));
  const context = canvas.getContext("2d", { alpha: false });
  if (mirrored) context.setTransform(-1, 0, 0, 1, canvas.width, 0);
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas;
}
