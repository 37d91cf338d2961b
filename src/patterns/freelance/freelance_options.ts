// Options, events and figures of a client of the Freelance Protocol.

import type { Frame } from "../../../mod.ts";
import type { HeartbeatOptions } from "../base/liveness.ts";
import type { PartOptions } from "../base/part.ts";

/** Options of a `FreelanceClient`. */
export interface FreelanceClientOptions extends PartOptions, HeartbeatOptions {
  /** The endpoints of the servers. */
  readonly servers?: readonly string[] | undefined;
  /**
   * After so many milliseconds without a reply the request fails.
   * @default {3000}
   */
  readonly requestTimeout?: number | undefined;
  /**
   * After so many milliseconds without a reply another living server is asked as well. Longer than the work takes, or it is
   * done twice.
   * @default {1000}
   */
  readonly timeout?: number | undefined;
  /**
   * How many requests may be under way.
   * @default {10000}
   */
  readonly maxPending?: number | undefined;
  /**
   * How many servers it may be given.
   * @default {1000}
   */
  readonly maxServers?: number | undefined;
}

/** What a `FreelanceClient` tells. */
export interface FreelanceClientEvents {
  /** A server has given a sign of life. */
  alive: { readonly endpoint: string };
  /** A server is given up until its next sign of life: silent for too long, or its connection has ended. */
  lost: { readonly endpoint: string; readonly reason: "silent" | "disconnected" };
  /** A request goes to another server. */
  retry: { readonly endpoint: string; readonly tries: number };
  /** A server sent what is neither a reply nor a PONG; it was dropped. */
  malformed: {
    readonly endpoint: string;
    readonly reason: string;
    readonly frames: readonly Frame[];
  };
}

/** What a `FreelanceClient` has counted. */
export interface FreelanceClientStats {
  /** Calls of `request`. */
  readonly requests: number;
  /** Copies of them that were sent. */
  readonly sent: number;
  /** First replies. */
  readonly replies: number;
  /** Replies that came after the first one or after the timeout, and were dropped. */
  readonly late: number;
  /** Requests that failed with `ETIMEDOUT`. */
  readonly timeouts: number;
  /** PINGs sent. */
  readonly pings: number;
  /** PONGs received. */
  readonly pongs: number;
  /** Messages that were neither. */
  readonly malformed: number;
  /** Requests under way. */
  readonly pending: number;
}
