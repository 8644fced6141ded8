// A service worker keeps the page's files for times without a network, and gives them the headers with which
// browsers allow threads, as few hosts do.

const workers = navigator.serviceWorker; // of pages of this machine and of https only

export async function makeIsolated() { // whether the page is being loaded again for it
  if (!workers) return false;
  try {
    await workers.register("sw.js");
    if (crossOriginIsolated || sessionStorage.getItem("isolating")) return false;
    sessionStorage.setItem("isolating", "once"); // a page in a frame stays as it is
    await workers.ready;
    if (!workers.controller) await new Promise((done) => { workers.oncontrollerchange = done; });
  } catch { return false; } // switched off by the person
  location.reload();
  return true;
}

export async function keepOffline(files) { // until they are there; forever where that cannot be
  const { active } = await (workers?.ready ?? new Promise(() => {}));
  return new Promise((done) => {
    workers.onmessage = done;
    active.postMessage(files);
  });
}
