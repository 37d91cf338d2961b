// The golden vectors of ZAP: what servers ask and handlers answer, as frames and as a stream carries them.

import zap from "../conformance/vectors/zap.json" with { type: "json" };
import { message } from "./raw_zmtp.ts";
import { expand } from "./vectors.ts";

/** A request. */
export interface ZapVector {
  readonly id: string;
  readonly meaning: string;
  /** The delimiter first. */
  readonly frames: readonly Uint8Array[];
  /** The same as octets of a stream. */
  readonly wire: Uint8Array;
}

/** A reply. */
export interface ZapReplyVector extends ZapVector {
  readonly status: string;
  readonly userId: Uint8Array;
}

/** What servers ask. */
export const ZAP_REQUESTS: readonly ZapVector[] = zap.requests.map(({ id, meaning, frames }) => {
  const octets = frames.map(expand);
  return { id, meaning, frames: octets, wire: message(...octets) };
});

/** What handlers answer. */
export const ZAP_REPLIES: readonly ZapReplyVector[] = zap.replies.map((vector) => {
  const { id, meaning, status } = vector;
  const frames = vector.frames.map(expand);
  const wire = vector.wire === undefined ? message(...frames) : expand(vector.wire);
  return { id, meaning, status, frames, wire, userId: expand(vector.userId) };
});
