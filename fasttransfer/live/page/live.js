// The program behind the page of the live camera: what is set is posted; what holds comes back with
// each picture.

import { startPage } from "../page/page.js";
import { clock, compareClocks } from "./clock.js";
import { endFrames, isOwn, sendFrames } from "./frames.js";
import { answered, get, post, sending, set } from "./requests.js";
import { watch } from "./stream.js";

if (location.search) history.replaceState(null, "", location.pathname); // the token is in a cookie now
const offered = await get("/state");
await compareClocks(() => get("/clock"));

function connect(window) {
  watch({ ...window, found: () => window.lost(""), lost(why) { window.lost(why); setTimeout(() => reconnect(window), 1000); } });
}

async function reconnect(window) { // the program may have been started again, with other styles or another token
  const answer = await fetch("/state").catch(() => null);
  if (!answer) setTimeout(() => reconnect(window), 1000);
  else if (answer.ok && `${(await answer.json()).styles}` === `${offered.styles}`) connect(window);
  else location.reload();
}

startPage({
  offered, set, sending, connect,
  missing: offered.missing && `Of the program’s machine: ${offered.missing.split(";")[0]}.`, // the rest is for its terminal
  otherwise: "open the page through ssh -L or an HTTPS proxy",
  example: () => set({ camera: "camera:pattern" }),
  thumbnail: (number) => `/thumbnail/${number}`,
  snapshot: () => post("/snapshot"),
  record: (on) => post("/recording", { on }),
  saved: async () => (await get("/state")).saved.map((name) => ({ name, link: `/saved/${encodeURIComponent(name)}` })),

  age({ taken, captured }) { // in ms, and whether the picture is not to be shown any more
    const own = isOwn(taken), age = own ? Date.now() - taken : Date.now() + clock.ahead - captured;
    return { own, age, late: clock.same && age > 1000 * offered.max_age };
  },

  async stylize(file, signal) {
    const answer = await fetch("/photo", { method: "POST", body: file, signal, headers: { "content-type": "application/octet-stream" } });
    if (!answer.ok) await answered(answer);
    return answer.blob();
  },

  async cameraStarted(size, rate) {
    await post("/state", { camera: "camera:browser" });
    sendFrames(size, rate);
  },
  cameraStopped: endFrames,
});
