// What Titanic takes and tells.

import type { HeartbeatOptions } from "../base/liveness.ts";
import type { PartOptions } from "../base/part.ts";
import type { TitanicStore } from "./store.ts";

/** Options of a `Titanic`. */
export interface TitanicOptions extends PartOptions, HeartbeatOptions {
  /** Where the Majordomo broker is. */
  readonly endpoint: string;
  /** Where requests and replies are kept. Either this or `folder`. */
  readonly store?: TitanicStore | undefined;
  /** The folder of a `FileStore`. */
  readonly folder?: string | undefined;
  /**
   * So many requests are kept, answered or not; more are refused with 500.
   * @default {10000}
   */
  readonly maxRequests?: number | undefined;
  /**
   * Octets of all frames of a request; longer ones are refused with 400.
   * @default {16777216}
   */
  readonly maxRequestSize?: number | undefined;
  /**
   * Octets of all frames of a reply; a request with a longer one is removed: event `discarded`.
   * @default {67108864}
   */
  readonly maxReplySize?: number | undefined;
  /**
   * An answered request that its client does not close is removed after so long, in milliseconds. `Infinity` keeps it.
   * @default {604800000} A week.
   */
  readonly retention?: number | undefined;
  /**
   * Requests under way at a time for each service.
   * @default {10}
   */
  readonly concurrency?: number | undefined;
  /**
   * How long a worker may take for a request, in milliseconds; then it is done again.
   * @default {60000}
   */
  readonly executionTimeout?: number | undefined;
  /**
   * The wait before a service without a worker is asked for again, and before a request is tried again, in milliseconds.
   * @default {1000}
   */
  readonly retryInterval?: number | undefined;
  /**
   * How many requests of clients are handled at a time by each of the three services.
   * @default {4}
   */
  readonly lanes?: number | undefined;
}

/** What happens to a `Titanic`. */
export interface TitanicEvents {
  /** The store is open, and the services are there. */
  readonly ready: { readonly pending: number; readonly answered: number };
  /** A request was stored. */
  readonly stored: { readonly uuid: string; readonly service: string };
  /** Its reply was stored. */
  readonly answered: { readonly uuid: string; readonly service: string };
  /** A client has closed a request. */
  readonly removed: { readonly uuid: string };
  /** A request is kept no longer, for another reason. */
  readonly discarded: {
    readonly uuid: string;
    readonly reason: "retention" | "broken request" | "long reply";
  };
  /** A client sent what is no request of a service; it was answered with 400. */
  readonly malformed: { readonly service: string; readonly reason: string };
  /** The store failed; the client was answered with 500, or the request is tried again. */
  readonly error: { readonly error: unknown };
}

/** What a `Titanic` has counted since it was made. */
export interface TitanicStats {
  /** Requests that are kept. */
  readonly requests: number;
  /** Those of them that are answered. */
  readonly answered: number;
  /** Requests that were stored. */
  readonly stored: number;
  /** Replies that were stored. */
  readonly replies: number;
  /** Requests that were given to workers, those that were tried again included. */
  readonly tries: number;
  /** Requests that clients have closed. */
  readonly removed: number;
  /** Requests that were removed for another reason. */
  readonly discarded: number;
  /** Requests that were refused because there are `maxRequests`. */
  readonly refused: number;
  /** Messages of clients that were no request of a service. */
  readonly malformed: number;
}
