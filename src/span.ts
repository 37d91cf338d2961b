// Messages as they lie on the wire: frames of ZMTP 3, none of which is a command.

import { FLAG_LONG, FLAG_MORE, LONG_HEADER, SHORT_HEADER } from "../wasm/layout.ts";

/** One message on the wire: the octets from `start` to `end` of a slab. */
export class Span {
  slab: Uint8Array;
  start: number;
  end: number;

  constructor(slab: Uint8Array, start: number, end: number) {
    this.slab = slab;
    this.start = start;
    this.end = end;
  }
}

/** How many octets the frame at `at` has, its header included. */
export function frameSize(slab: Uint8Array, at: number): number {
  if ((slab[at] & FLAG_LONG) === 0) return SHORT_HEADER + slab[at + 1];
  let size = 0;
  for (let i = at + 1; i < at + LONG_HEADER; i++) size = size * 256 + slab[i];
  return LONG_HEADER + size;
}

/** How many octets of a frame are its header. */
export function headerSize(flags: number): number {
  return (flags & FLAG_LONG) === 0 ? SHORT_HEADER : LONG_HEADER;
}

/** The bodies of a message's frames, as views. */
export function bodiesOf({ slab, start, end }: Span): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  for (let at = start; at < end;) {
    const size = frameSize(slab, at);
    bodies.push(slab.subarray(at + headerSize(slab[at]), at + size));
    at += size;
  }
  return bodies;
}

/** Where the message that starts at `at` ends. */
export function messageEnd(slab: Uint8Array, at: number): number {
  let flags: number;
  do {
    flags = slab[at];
    at += frameSize(slab, at);
  } while ((flags & FLAG_MORE) !== 0);
  return at;
}
