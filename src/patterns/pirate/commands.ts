// What workers and queues say to each other, and the envelopes of requests and replies (RFC 6).

import type { Frame } from "../../../mod.ts";
import { octetsOf, sameOctets } from "../base/octets.ts";

/** A worker's first message, in Simple Pirate and PPP. */
export const READY: Uint8Array = Uint8Array.of(1);
/** PPP, in both directions. */
export const HEARTBEAT: Uint8Array = Uint8Array.of(2);
/** What the workers of the guide's load-balancing broker say instead. */
const READY_TEXT = octetsOf("READY");

/** True for a frame that says that a worker is ready. */
export function saysReady(frame: Uint8Array): boolean {
  return sameOctets(frame, READY) || sameOctets(frame, READY_TEXT);
}

/**
 * Where the content begins: after the first empty frame from `from` on, which ends the address stack. 0 when there is no
 * such frame, or nothing after it.
 */
export function contentOf(frames: readonly Frame[], from: number): number {
  for (let i = from; i < frames.length - 1; i++) if (frames[i].length === 0) return i + 1;
  return 0;
}
