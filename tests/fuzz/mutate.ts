// Changes octets at random, the way parsers do not like it.

import { concat } from "../_util/octets.ts";
import { CORPUS } from "./corpus.ts";
import type { Tape } from "./tape.ts";

/** Flags, lengths of names, and what is next to a power of two. */
const OCTETS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x1f, 0x20, 0x7e, 0x7f, 0x80, 0xfe, 0xff];

/** Sizes that a field of so many octets may hold, at the borders of what anybody allows. */
const SIZES: Readonly<Record<number, readonly bigint[]>> = {
  2: [0n, 1n, 254n, 255n, 256n, 32_767n, 32_768n, 65_535n],
  4: [0n, 1n, 255n, 256n, 65_535n, 65_536n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n],
  8: [
    0n,
    1n,
    255n,
    256n,
    4_096n,
    8_192n,
    8_193n,
    16_384n,
    65_536n,
    65_537n,
    2n ** 20n,
    2n ** 31n - 1n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 32n,
    2n ** 53n,
    2n ** 63n - 1n,
    2n ** 63n,
    2n ** 64n - 1n,
  ],
};

type Change = (tape: Tape, octets: Uint8Array) => Uint8Array;

function place(tape: Tape, octets: Uint8Array): number {
  return tape.below(octets.length + 1);
}

/** Most changes are short: it takes a few octets to confuse a parser. */
function span(tape: Tape, most: number): number {
  return Math.min(most, tape.oneIn(4) ? tape.between(1, 600) : tape.between(1, 12));
}

function replaced(octets: Uint8Array, at: number, size: number, by: Uint8Array): Uint8Array {
  return concat(octets.subarray(0, at), by, octets.subarray(at + size));
}

const CHANGES: readonly Change[] = [
  function flip(tape, octets) {
    const copy = octets.slice();
    const at = tape.below(copy.length);
    if (at < copy.length) copy[at] ^= 1 << tape.below(8);
    return copy;
  },
  function set(tape, octets) {
    const value = tape.oneIn(3) ? tape.octet() : tape.pick(OCTETS);
    return replaced(octets, tape.below(octets.length), 1, Uint8Array.of(value));
  },
  function insert(tape, octets) {
    const piece = tape.oneIn(2)
      ? tape.octets(span(tape, 64))
      : new Uint8Array(span(tape, 600)).fill(tape.pick(OCTETS));
    return replaced(octets, place(tape, octets), 0, piece);
  },
  function remove(tape, octets) {
    return replaced(octets, place(tape, octets), span(tape, 600), new Uint8Array(0));
  },
  function duplicate(tape, octets) {
    const at = place(tape, octets);
    return replaced(octets, at, 0, octets.slice(at, at + span(tape, 600)));
  },
  function truncate(tape, octets) {
    return octets.slice(0, place(tape, octets));
  },
  function move(tape, octets) {
    const at = place(tape, octets);
    const piece = octets.slice(at, at + span(tape, 600));
    const rest = replaced(octets, at, piece.length, new Uint8Array(0));
    return replaced(rest, place(tape, rest), 0, piece);
  },
  function integer(tape, octets) {
    const width = tape.pick([2, 4, 8]);
    const field = new Uint8Array(8);
    new DataView(field.buffer).setBigUint64(0, tape.pick(SIZES[width]));
    const value = field.slice(8 - width);
    if (tape.oneIn(4)) value.reverse();
    return replaced(octets, place(tape, octets), width, value);
  },
  function splice(tape, octets) {
    const vector = tape.pick(CORPUS);
    const from = tape.oneIn(2) ? tape.below(vector.length) : 0;
    const piece = vector.subarray(from, tape.oneIn(2) ? from + span(tape, 600) : undefined);
    return replaced(octets, place(tape, octets), tape.oneIn(2) ? piece.length : 0, piece);
  },
];

/** The octets after `count` random changes. */
export function mutate(tape: Tape, octets: Uint8Array, count = 1): Uint8Array {
  let changed = octets;
  for (let i = 0; i < count; i++) changed = tape.pick(CHANGES)(tape, changed);
  return changed;
}

/** The octets with a few changes, or with none. */
export function maybeMutate(tape: Tape, octets: Uint8Array): Uint8Array {
  return mutate(tape, octets, tape.pick([0, 1, 1, 2, 3, 6]));
}
