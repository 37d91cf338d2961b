// What a broker takes and tells.

import { checkCount, checkTime } from "../base/checks.ts";
import { type HeartbeatOptions, type Heartbeats, heartbeatsOf } from "../base/liveness.ts";
import type { PartOptions } from "../base/part.ts";

/** Options of a `MajordomoBroker`. */
export interface MajordomoBrokerOptions extends PartOptions, HeartbeatOptions {
  /**
   * How long a request waits for a worker before it is dropped, in milliseconds.
   * @default {60000}
   */
  readonly requestTimeout?: number | undefined;
  /**
   * How many requests a worker may have at a time. With 1 the least recently used of all free workers gets the next one. With
   * more, requests are on their way while a worker is busy, which is many times faster for short ones; those that a slow
   * worker has do not go to a free one.
   * @default {1}
   */
  readonly requestsPerWorker?: number | undefined;
  /**
   * How often a request is given to a worker, when those that had it were lost.
   * @default {3}
   */
  readonly maxDeliveries?: number | undefined;
  /**
   * How many services there may be, those included that are asked for and have no worker.
   * @default {1000}
   */
  readonly maxServices?: number | undefined;
  /**
   * How many workers there may be.
   * @default {10000}
   */
  readonly maxWorkers?: number | undefined;
  /**
   * How many requests may wait for workers, of all services together.
   * @default {100000}
   */
  readonly maxQueuedRequests?: number | undefined;
}

/** Why a broker's worker is one no longer. */
export type MajordomoWorkerLostReason =
  /** It said DISCONNECT. */
  | "disconnect"
  /** Nothing came from it for too long. */
  | "silent"
  /** Its connection is gone. */
  | "unreachable"
  /** It said something wrong, or at a wrong time. */
  | "invalid";

/** What happens to a `MajordomoBroker`. */
export interface MajordomoBrokerEvents {
  /** A worker said READY. */
  worker: { readonly service: string; readonly worker: Uint8Array };
  /** A worker is gone. What it had is given to others. */
  lost: {
    readonly service: string;
    readonly worker: Uint8Array;
    readonly reason: MajordomoWorkerLostReason;
  };
  /** A peer sent what is no command, or what it must not say now. */
  malformed: { readonly peer: Uint8Array; readonly reason: string };
  /** A request is dropped: it waited too long, or those who had it were lost too often. */
  expired: { readonly service: string; readonly client: Uint8Array };
  /** A request or a worker is turned away, because of a limit. */
  refused: { readonly limit: "maxServices" | "maxWorkers" | "maxQueuedRequests" };
  /** Something in the broker failed, which should not be. */
  error: { readonly error: unknown };
}

/** Figures of a `MajordomoBroker`: first what there is now, then counts. */
export interface MajordomoBrokerStats {
  /** Services with a worker or a request. */
  readonly services: number;
  /** Workers that said READY. */
  readonly workers: number;
  /** Requests that wait for a worker. */
  readonly queued: number;
  /** Requests that workers have. */
  readonly inFlight: number;
  /** Requests of clients, those to `mmi.` included. */
  readonly requests: number;
  /** Replies given to clients. */
  readonly replies: number;
  /** Parts of replies given to clients. */
  readonly partials: number;
  /** Parts of replies for clients of 0.1, which can take none. */
  readonly partialsDropped: number;
  /** Replies to clients that are gone or do not read. */
  readonly undelivered: number;
  /** Requests whose worker was lost and that others were given. */
  readonly redelivered: number;
  /** Requests that were dropped. */
  readonly expired: number;
  /** Requests and workers that a limit turned away. */
  readonly refused: number;
  /** Workers that were lost, or sent away. */
  readonly lost: number;
  /** DISCONNECTs sent. */
  readonly disconnects: number;
  /** Messages that were no command, or none that could be said then. */
  readonly malformed: number;
}

/** Options, checked. */
export interface BrokerSettings {
  readonly beats: Heartbeats;
  readonly requestTimeout: number;
  readonly window: number;
  readonly maxDeliveries: number;
  readonly maxServices: number;
  readonly maxWorkers: number;
  readonly maxQueued: number;
}

/** @throws {TypeError} `EINVAL` for what makes no sense. */
export function brokerSettings(options: MajordomoBrokerOptions): BrokerSettings {
  return {
    beats: heartbeatsOf(options),
    requestTimeout: checkTime("requestTimeout", options.requestTimeout ?? 60_000),
    window: checkCount("requestsPerWorker", options.requestsPerWorker ?? 1, 1),
    maxDeliveries: checkCount("maxDeliveries", options.maxDeliveries ?? 3, 1),
    maxServices: checkCount("maxServices", options.maxServices ?? 1000, 1),
    maxWorkers: checkCount("maxWorkers", options.maxWorkers ?? 10_000, 1),
    maxQueued: checkCount("maxQueuedRequests", options.maxQueuedRequests ?? 100_000, 1),
  };
}
