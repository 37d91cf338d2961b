// What a client takes and tells.

import type { Frame } from "../../../mod.ts";
import type { PartOptions } from "../base/part.ts";
import type { MajordomoVersion } from "./protocol.ts";

/** Options of a `MajordomoClient`. */
export interface MajordomoClientOptions extends PartOptions {
  /** Where the broker is; of several, the next one is used after each silence. */
  readonly endpoint: string | readonly string[];
  /**
   * How long one try of a request may take, in milliseconds.
   * @default {2500}
   */
  readonly timeout?: number | undefined;
  /**
   * How often a request without a reply is tried again.
   * @default {2}
   */
  readonly retries?: number | undefined;
  /**
   * What is spoken: `"0.1"` with any broker, `"0.2"` for replies in parts.
   * @default {"0.1"}
   */
  readonly version?: MajordomoVersion | undefined;
  /**
   * How many requests may be under way, those included that wait here for a lane.
   * @default {10000}
   */
  readonly maxPending?: number | undefined;
  /**
   * True when the broker keeps all that is in front of a request, as a `MajordomoBroker` does; then all requests share one
   * connection. False when it may not: then each request under way has a connection, a lane.
   * @default {undefined} The broker is asked.
   */
  readonly envelopes?: boolean | undefined;
  /**
   * How many lanes there may be.
   * @default {16}
   */
  readonly lanes?: number | undefined;
}

/** How one request can be limited. */
export interface MajordomoRequestOptions {
  /** Gives the request up: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** As the client's option, for this request. */
  readonly timeout?: number | undefined;
  /** As the client's option, for this request. */
  readonly retries?: number | undefined;
}

/** A part of a reply. */
export interface MajordomoPart {
  /** Its frames. */
  readonly body: Frame[];
  /** True for the last one. */
  readonly final: boolean;
}

/** What happens to a `MajordomoClient`. */
export interface MajordomoClientEvents {
  /** A request is tried again. */
  retry: { readonly service: string; readonly left: number };
  /** A connection is given up, because nothing came by it for too long, and replaced. */
  silent: { readonly endpoint: string };
  /** The broker sent what is no reply. */
  malformed: { readonly reason: string };
  /** The client failed, which should not be. */
  error: { readonly error: unknown };
}

/** Figures of a `MajordomoClient`: first what there is now, then counts. */
export interface MajordomoClientStats {
  /** Requests under way. */
  readonly pending: number;
  /** Connections. */
  readonly connections: number;
  /** Requests begun. */
  readonly requests: number;
  /** Replies, to the end. */
  readonly replies: number;
  /** Parts of replies. */
  readonly partials: number;
  /** Tries after the first ones. */
  readonly retries: number;
  /** Requests that got no reply. */
  readonly timeouts: number;
  /** Replies to requests that were answered or given up before. */
  readonly late: number;
  /** Messages that were no reply. */
  readonly malformed: number;
}
