// Makes the tape of a failing case shorter and its octets smaller for as long as the case fails.

/** True while the case on the tape fails. */
export type Fails = (tape: Uint8Array) => Promise<boolean>;

/** The simplest failing tape that is found before `expired` says so. */
export async function shrink(
  tape: Uint8Array,
  fails: Fails,
  expired: () => boolean,
): Promise<Uint8Array> {
  let best = tape;
  const attempt = async (candidate: Uint8Array): Promise<boolean> => {
    if (expired() || !await fails(candidate)) return false;
    best = candidate;
    return true;
  };
  for (let before = ""; before !== best.join() && !expired();) {
    before = best.join();
    for (let size = 1 << 31 - Math.clz32(best.length | 1); size >= 1; size >>= 1) {
      for (let at = best.length - size; at >= 0; at -= size) {
        if (await attempt(without(best, at, size))) continue;
        const run = best.subarray(at, at + size);
        if (run.some((octet) => octet !== 0)) await attempt(zeroed(best, at, size));
      }
    }
    for (let at = 0; at < best.length; at++) {
      for (const value of smaller(best[at])) {
        if (await attempt(changed(best, at, value))) break;
      }
    }
  }
  return best;
}

function without(octets: Uint8Array, at: number, size: number): Uint8Array {
  const rest = new Uint8Array(octets.length - size);
  rest.set(octets.subarray(0, at));
  rest.set(octets.subarray(at + size), at);
  return rest;
}

function zeroed(octets: Uint8Array, at: number, size: number): Uint8Array {
  return octets.slice().fill(0, at, at + size);
}

function changed(octets: Uint8Array, at: number, value: number): Uint8Array {
  const copy = octets.slice();
  copy[at] = value;
  return copy;
}

function smaller(value: number): number[] {
  return [0, value >> 1, value - 1].filter((candidate, i, all) =>
    candidate >= 0 && candidate < value && all.indexOf(candidate) === i
  );
}
