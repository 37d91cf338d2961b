// What goes over the wire inside a federation. docs/patterns/federation.md has it as a whole.

import type { Frame } from "../../../mod.ts";
import { sameOctets } from "../base/octets.ts";

/** Worker to broker: I am new, and can take so many requests. */
export const READY: Uint8Array = Uint8Array.of(1);
/** Between worker and broker, both ways; a worker says again how many requests it can take, in case it was given up. */
export const HEARTBEAT: Uint8Array = Uint8Array.of(2);
/** Worker to broker: I am leaving, give what I have to others. */
export const GOODBYE: Uint8Array = Uint8Array.of(3);

/** The frame between addresses and body. */
export const EMPTY: Uint8Array = new Uint8Array(0);

/** An envelope has no more addresses than this. */
const MOST_HOPS = 16;
const EPOCH_SIZE = 4;
const TOKEN_SIZE = 8;

/**
 * Where the empty frame is that ends the addresses, which begin at `from`; -1 when there is none, when no address is before
 * it, or no body after it.
 */
export function delimiterOf(frames: readonly Frame[], from: number): number {
  const end = Math.min(frames.length - 1, from + MOST_HOPS + 1);
  for (let i = from; i < end; i++) if (frames[i].length === 0) return i === from ? -1 : i;
  return -1;
}

/** A whole number in decimal, no more than `most`; undefined for anything else. */
export function countOf(frame: Frame | undefined, most: number): number | undefined {
  if (frame === undefined || frame.length === 0 || frame.length > 10) return undefined;
  let count = 0;
  for (const octet of frame) {
    if (octet < 0x30 || octet > 0x39) return undefined;
    count = count * 10 + octet - 0x30;
  }
  return Math.min(count, most);
}

/**
 * Makes the addresses that stand for requests on their way to workers and other clusters: four random octets of this
 * broker's life, so that nobody's late reply to an earlier one is taken for another's, and a number.
 */
export class Tokens {
  readonly #epoch: Uint8Array = crypto.getRandomValues(new Uint8Array(EPOCH_SIZE));

  /** The address of a number. */
  of(number: number): Uint8Array {
    const token = new Uint8Array(TOKEN_SIZE);
    token.set(this.#epoch);
    token[4] = number >>> 24;
    token[5] = number >>> 16;
    token[6] = number >>> 8;
    token[7] = number;
    return token;
  }

  /** The number of an address; undefined for what was not made here. */
  numberOf(token: Frame): number | undefined {
    if (token.length !== TOKEN_SIZE) return undefined;
    if (!sameOctets(token.subarray(0, EPOCH_SIZE), this.#epoch)) return undefined;
    return (token[4] << 24 | token[5] << 16 | token[6] << 8 | token[7]) >>> 0;
  }
}
