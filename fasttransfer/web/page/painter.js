// The worker that runs networks, as this thread sees it: it is asked, and answers, one at a time.

class Asked { // a worker, and what it has been asked
  #waiting = new Map();
  #last = 0;
  #gone = null;

  constructor() {
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data: { id, error, ...answer } }) => {
      const { done, fail } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) fail(new Error(error));
      else done(answer);
    };
    this.worker.onerror = (event) => this.end(`the network cannot run in this browser (${event.message || "its files did not load"})`);
  }

  end(why) { // nothing of it answers any more
    this.worker.terminate();
    this.#gone = new Error(why);
    for (const { fail } of this.#waiting.values()) fail(this.#gone);
    this.#waiting.clear();
  }

  ask(kind, values, transfer = []) {
    return new Promise((done, fail) => {
      if (this.#gone) return fail(this.#gone);
      this.#waiting.set(++this.#last, { done, fail });
      this.worker.postMessage({ id: this.#last, kind, ...values }, transfer);
    });
  }
}

export async function startPainter(site) {
  const typed = new URLSearchParams(location.search); // for tests, measurements, and the curious
  const cores = navigator.hardwareConcurrency || 1;
  const settings = {
    site, root: new URL(".", location.href).href, provider: typed.get("provider"),
    threads: Number(typed.get("threads")) || (crossOriginIsolated ? Math.min(cores, 4) : 1),
  };
  let asked = new Asked();
  return {
    ...await asked.ask("start", settings),
    frame: (picture) => asked.ask("frame", picture, [picture.pixels]), // → a bitmap
    photo: (picture) => asked.ask("photo", picture, [picture.pixels]), // → pixels
    async restart() { // as memory that it has taken is not given back
      asked.end("the picture was too large");
      asked = new Asked();
      await asked.ask("start", settings);
    },
  };
}
