// The moments at which heartbeats are looked at.

import { type Cancel, every, now } from "../base/time.ts";

/** Looks in one interval: what is due is sent at most so much later. */
const LOOKS = 4;

/**
 * Calls `beat` several times in each interval. When the program stood still for an interval or more, it is left out once:
 * what the other ends sent meanwhile has to be read before anybody is blamed for silence.
 */
export function pulse(interval: number, beat: (time: number) => void): Cancel {
  let last = now();
  let skipped = false;
  return every(interval / LOOKS, () => {
    const time = now();
    skipped = !skipped && time - last >= interval;
    last = time;
    if (!skipped) beat(time);
  });
}
