// What a worker takes and tells.

import type { Frame } from "../../../mod.ts";
import type { HeartbeatOptions } from "../base/liveness.ts";
import type { Body } from "../base/octets.ts";
import type { PartOptions } from "../base/part.ts";
import type { MajordomoVersion } from "./protocol.ts";

/** What a handler knows besides the request. */
export interface MajordomoRequestInfo {
  /** Aborted when nobody waits for the reply any more: the broker is lost, or the worker was closed. */
  readonly signal: AbortSignal;
  /**
   * Sends a part of the reply, before its end; only with version 0.2. Resolves when there is room for the next one.
   *
   * @throws {ZmqError} Rejects with `ENOTSUP` in version 0.1, and with `EBADF` when `signal` is aborted or the request was
   * answered.
   */
  partial(body: Body): Promise<void>;
}

/**
 * Does the work: what it returns is the reply, a frame or several. Where it returns an async iterable, for version 0.2, what
 * that yields are parts, and what it returns at last is the end of the reply, an empty frame if that is nothing.
 */
export type MajordomoHandler = (
  request: Frame[],
  info: MajordomoRequestInfo,
) => Body | Promise<Body> | AsyncIterable<Body>;

/** Options of a `MajordomoWorker`. */
export interface MajordomoWorkerOptions extends PartOptions, HeartbeatOptions {
  /** Where the broker is. */
  readonly endpoint: string;
  /** The name of the service, 1 to 255 octets. */
  readonly service: string;
  /** Does the work. */
  readonly handler: MajordomoHandler;
  /**
   * What is spoken: `"0.1"` with any broker, `"0.2"` for replies in parts.
   * @default {"0.1"}
   */
  readonly version?: MajordomoVersion | undefined;
  /**
   * How many requests are handled at a time; more can only come from a broker that gives more, as a `MajordomoBroker` with
   * `requestsPerWorker` does. Others wait here.
   * @default {1}
   */
  readonly concurrency?: number | undefined;
  /**
   * The wait before the worker comes back to a broker that was lost or has sent it away, in milliseconds.
   * @default {1000}
   */
  readonly reconnectInterval?: number | undefined;
}

/** Why a worker's conversation with its broker ended. */
export type MajordomoBrokerLostReason =
  /** The broker said DISCONNECT. */
  | "disconnect"
  /** Nothing came from it for too long. */
  | "silent"
  /** The handler failed: the worker has left, so that the broker does not wait for its reply. */
  | "failed";

/** What happens to a `MajordomoWorker`. */
export interface MajordomoWorkerEvents {
  /** READY was said, on a new socket. */
  ready: { readonly endpoint: string };
  /** A conversation has ended; the next one begins by itself. */
  lost: { readonly reason: MajordomoBrokerLostReason };
  /** The broker sent what is no command for a worker. */
  malformed: { readonly reason: string };
  /** The handler threw, or gave what cannot be sent. The request is not answered. */
  error: { readonly error: unknown };
}

/** Counts of a `MajordomoWorker`. */
export interface MajordomoWorkerStats {
  /** Conversations begun: one, and one more for each time that the broker was lost. */
  readonly conversations: number;
  /** Requests that came. */
  readonly requests: number;
  /** Requests that are handled now. */
  readonly running: number;
  /** Requests that wait for others to be done. */
  readonly waiting: number;
  /** Replies sent. */
  readonly replies: number;
  /** Parts of replies sent. */
  readonly partials: number;
  /** Replies that came too late to be sent: their conversation had ended. */
  readonly late: number;
  /** Requests whose handler failed. */
  readonly failed: number;
  /** Messages that were no command. */
  readonly malformed: number;
}
