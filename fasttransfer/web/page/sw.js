// Files come from the network and, without one, from the last time. Nothing comes from another host.

const NAME = "fasttransfer";
const HEADERS = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

const plain = (request) => new URL(request.url.split(/[?#]/)[0]).href; // settings in the address do not matter

async function answered(request) {
  const cache = await caches.open(NAME);
  let answer;
  try {
    answer = await fetch(request, { cache: "no-cache" }); // asks whether it has changed
    if (answer.status === 200) await cache.put(plain(request), answer.clone());
  } catch (error) {
    answer = await cache.match(plain(request));
    if (!answer) throw error;
  }
  const headers = new Headers(answer.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers });
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (new URL(request.url).origin !== location.origin) event.respondWith(Response.error());
  else if (request.method === "GET") event.respondWith(answered(request));
});

self.addEventListener("message", (event) => { // what the page may need later
  const keep = async () => {
    const cache = await caches.open(NAME), files = event.data.map((path) => new URL(path, location.href).href);
    const missing = await Promise.all(files.map(async (file) => (await cache.match(file) ? [] : [file])));
    await cache.addAll(missing.flat()); // all of them, or it fails
    event.source.postMessage("kept");
  };
  event.waitUntil(keep());
});
