// What a worker does with a request.

import type { Frame, MessageLike } from "../../../mod.ts";
import { type Body, framesOf } from "../base/octets.ts";

/** What a handler is told about a request. */
export interface PirateRequestInfo {
  /** Aborted when nobody can be answered any more: the worker is closed, or has lost its queue. */
  readonly signal: AbortSignal;
}

/**
 * Answers one request: its frames without the envelope. One request is handled at a time; only one that goes on after its
 * signal was aborted can overlap with the next. What it throws goes to the event `error`, and the request stays unanswered,
 * so that its client tries again.
 */
export type PirateHandler = (
  request: Frame[],
  info: PirateRequestInfo,
) => Body | Promise<Body>;

/** A reply as it goes out: after the request's envelope. */
export function enveloped(envelope: readonly Frame[], body: Body): MessageLike[] {
  const frames = framesOf(body);
  if (frames.length > 0) return [...envelope, ...frames];
  const error = new TypeError("Cannot reply with an empty array: a reply has at least one frame");
  throw Object.assign(error, { code: "EINVAL" });
}
