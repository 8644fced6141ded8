// What the page asks of the program.

import { say } from "../page/elements.js";

export async function answered(answer) {
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(content.message ?? `this did not work (${answer.status})`);
  return content;
}

export const get = async (path) => answered(await fetch(path));

export async function post(path, body) {
  return answered(await fetch(path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}),
  }));
}

let waiting = {};
export const sending = { now: false };

export async function set(changes) { // one request at a time; what changes meanwhile goes with the next
  Object.assign(waiting, changes);
  if (sending.now) return;
  sending.now = true;
  while (Object.keys(waiting).length) {
    const now = waiting;
    waiting = {};
    try { await post("/state", now); } catch (error) { say(error.message); }
  }
  sending.now = false;
}
