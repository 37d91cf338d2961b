// What gateway and worker say to each other: docs/patterns/elastic_push.md has it in full. The first frame is the command, one
// octet. Tags are 32-bit numbers, most significant octet first; a frame can hold several.

import { octetsOf } from "../base/octets.ts";

/** The version of the protocol, in READY. */
export const VERSION: Uint8Array = octetsOf("EPG1");

/** The worker is there: version, credit, name. Its first message. */
export const READY = 0x01;
/** The worker has done these. */
export const DONE = 0x02;
/** The worker has not done these, and gives them back. */
export const REFUSED = 0x03;
/** The worker wants no more, and will still finish these; the others it gives back. */
export const LEAVING = 0x04;
/** The worker is finished. */
export const BYE = 0x05;
/** A sign of life, from either side. */
export const BEAT = 0x06;
/** An item: tag, frames. */
export const WORK = 0x11;
/** The worker is to leave. */
export const DRAIN = 0x12;
/** The gateway does not know the worker: it has to come anew. */
export const UNKNOWN = 0x13;

/** Each command as a frame, made once. */
export const COMMANDS: readonly Uint8Array[] = Array.from(
  { length: 0x20 },
  (_, command) => Uint8Array.of(command),
);

/** The longest name of a worker, in octets. */
export const LONGEST_NAME = 255;

/** Numbers as one frame. */
export function frameOf(...numbers: readonly number[]): Uint8Array {
  const frame = new Uint8Array(4 * numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i];
    frame[4 * i] = number >>> 24;
    frame[4 * i + 1] = number >>> 16;
    frame[4 * i + 2] = number >>> 8;
    frame[4 * i + 3] = number;
  }
  return frame;
}

/** How many numbers a frame holds; undefined for a frame that does not hold whole ones. */
export function countIn(frame: Uint8Array | undefined): number | undefined {
  return frame !== undefined && frame.length % 4 === 0 ? frame.length / 4 : undefined;
}

/** One of the numbers in a frame. */
export function numberIn(frame: Uint8Array, index: number): number {
  const at = 4 * index;
  return ((frame[at] << 24) | (frame[at + 1] << 16) | (frame[at + 2] << 8) | frame[at + 3]) >>> 0;
}
