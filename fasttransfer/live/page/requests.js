// What the page asks of the program, and what it says about the answers.

export const $ = (id) => document.getElementById(id);

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

let hiding;

export function say(what, link) {
  const toast = $("toast");
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

export function text(where, what) {
  const element = typeof where === "string" ? $(where) : where;
  if (element.textContent !== what) element.textContent = what;
}
