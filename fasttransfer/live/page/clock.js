// How far the program's clock is ahead of this browser's. Both may run on different machines, with a
// tunnel between them, and an age is only true by one clock.

const TRIES = 3;
export const clock = { ahead: 0, same: false }; // ms; whether both seem to be one clock

export async function compareClocks(ask) {
  const tries = [];
  for (let n = 0; n < TRIES; n++) {
    const sent = Date.now(), { now } = await ask(), received = Date.now();
    tries.push({ trip: received - sent, ahead: now - (sent + received) / 2 });
  }
  const best = tries.reduce((a, b) => (a.trip <= b.trip ? a : b)); // its middle is the least uncertain
  clock.same = Math.abs(best.ahead) <= best.trip / 2 + 2;
  clock.ahead = clock.same ? 0 : best.ahead;
}
