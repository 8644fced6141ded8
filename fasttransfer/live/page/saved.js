// Snapshots and recordings of this session, with links.

import { $, get } from "./requests.js";

let listed = 0;

export async function showSaved(count) {
  if (count === listed) return;
  listed = count;
  const { saved } = await get("/state").catch(() => ({ saved: [] }));
  $("files").replaceChildren(...saved.reverse().map((name) => { // the newest first
    const link = Object.assign(document.createElement("a"), {
      href: `/saved/${encodeURIComponent(name)}`, textContent: name, download: name,
    });
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
  $("saved").hidden = !saved.length;
  $("count").textContent = saved.length;
}
