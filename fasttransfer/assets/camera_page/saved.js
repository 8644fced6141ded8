// Snapshots and recordings of this session, with links.

import { $ } from "./elements.js";

let listed = 0;

export async function showSaved(count, program) {
  if (count === listed) return;
  listed = count;
  const saved = await program.saved().catch(() => []);
  $("files").replaceChildren(...[...saved].reverse().map(({ name, link }) => { // the newest first
    const anchor = Object.assign(document.createElement("a"), { href: link, textContent: name, download: name });
    const item = document.createElement("li");
    item.append(anchor);
    return item;
  }));
  $("saved").hidden = !saved.length;
  $("count").textContent = saved.length;
}
