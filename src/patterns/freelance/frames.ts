// The frames of FLP (RFC 10).

import type { Frame } from "../../../mod.ts";
import { octetsOf, sameOctets } from "../base/octets.ts";

/** Asks a server for a sign of life: a message of this one frame. */
export const PING: Uint8Array = octetsOf("PING");

/** The answer to it. */
export const PONG: Uint8Array = octetsOf("PONG");

const SIZE = 4;
const RESERVED: readonly number[] = [PING, PONG].map(numberOf);

/** The control frame of a request: its number, most significant octet first. */
export function controlOf(number: number): Uint8Array {
  const octets = new Uint8Array(SIZE);
  octets[0] = number >>> 24;
  octets[1] = number >>> 16;
  octets[2] = number >>> 8;
  octets[3] = number;
  return octets;
}

/** The number that a control frame carries; undefined when it is not one of ours. */
export function numberIn(control: Uint8Array): number | undefined {
  return control.length === SIZE ? numberOf(control) : undefined;
}

function numberOf(octets: Uint8Array): number {
  return ((octets[0] << 24) | (octets[1] << 16) | (octets[2] << 8) | octets[3]) >>> 0;
}

/** The number after this one: 32 bits, and never one that a simple server takes for a PING. */
export function numberAfter(number: number): number {
  const next = number >= 0xffff_ffff ? 1 : number + 1;
  return RESERVED.includes(next) ? numberAfter(next) : next;
}

/** True for a message (without its envelope) that is this one frame. */
export function isOnly(frame: Uint8Array, frames: readonly Frame[], from: number): boolean {
  return frames.length === from + 1 && sameOctets(frames[from], frame);
}
