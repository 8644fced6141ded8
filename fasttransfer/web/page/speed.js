// How fast this browser is, and how large its frames may be then.

const SIZES = [640, 512, 448, 384, 320, 256, 192, 160]; // longer sides
const FIRST = 320;
const LONGEST = 100; // ms a frame: ten of them in a second
const COUNTED = 4; // frames, of which the fastest says how fast the network is
const OVER = 2000; // ms over which frames are counted

export class WorkingSize {
  #times = [];

  constructor(largest) {
    this.sizes = SIZES.filter((size) => size <= largest);
    this.size = FIRST;
  }

  restart() { // another network
    this.#times = [];
  }

  took(milliseconds, width, height) {
    if (Math.max(width, height) > this.size) return;
    this.#times.push(milliseconds);
    if (this.#times.length < COUNTED) return;
    const fastest = Math.min(...this.#times), expected = (size) => fastest * (size / this.size) ** 2;
    this.#times = [];
    const larger = this.sizes.find((size) => size > this.size && expected(size) < 0.8 * LONGEST);
    if (larger) this.size = larger;
    else if (fastest > 1.2 * LONGEST) this.size = this.sizes.find((size) => expected(size) <= LONGEST) ?? this.sizes.at(-1);
  }
}

export class Rate {
  #times = [];

  count() {
    this.#times.push(performance.now());
  }

  get perSecond() {
    const since = performance.now() - OVER;
    this.#times = this.#times.filter((time) => time > since);
    return this.#times.length / (OVER / 1000);
  }
}
