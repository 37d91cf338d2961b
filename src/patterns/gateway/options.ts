// What a gateway takes and tells.

import type { HeartbeatOptions } from "../base/liveness.ts";
import type { Body } from "../base/octets.ts";
import type { PartOptions } from "../base/part.ts";

/** Options of a `PushGateway`. */
export interface PushGatewayOptions extends PartOptions, HeartbeatOptions {
  /**
   * So many items wait for a worker with credit; then `send` waits.
   * @default {1000}
   */
  readonly maxBuffer?: number | undefined;
  /**
   * So many workers at a time; others are not answered until one is gone.
   * @default {1000}
   */
  readonly maxWorkers?: number | undefined;
  /**
   * No worker is given more items at a time, whatever credit it asks for.
   * @default {10000}
   */
  readonly maxCredit?: number | undefined;
  /**
   * An item that so many workers refused, or died over, is given up: event `failed`. Without it, it is tried for ever.
   * @default {undefined}
   */
  readonly maxFailures?: number | undefined;
}

/** Who a worker is. */
export interface GatewayMember {
  /** Its routing id in hexadecimal digits, by which `drain` knows it. */
  readonly id: string;
  /** The name that it gave itself. */
  readonly name: string;
}

/** What happens to a `PushGateway`. */
export interface PushGatewayEvents {
  /** A worker came. */
  readonly worker: GatewayMember & { readonly credit: number };
  /** A worker left in order; `returned` items that it had not begun go to others. */
  readonly left: GatewayMember & { readonly returned: number };
  /** A worker is gone without a word, or silent; `returned` items that it did not acknowledge go to others. */
  readonly lost: GatewayMember & {
    readonly returned: number;
    readonly reason: "silent" | "disconnected";
  };
  /** An item is given up, because of `maxFailures`, or of an `error`: it could not be sent. */
  readonly failed: { readonly body: Body; readonly failures: number; readonly error: unknown };
  /** Somebody sent what is not of the protocol; it was dropped. */
  readonly malformed: { readonly peer: Uint8Array; readonly reason: string };
  /** The gateway's own loop failed. */
  readonly error: { readonly error: unknown };
}

/** What a `PushGateway` has counted. */
export interface PushGatewayStats {
  /** Items that were accepted by `send`. */
  readonly accepted: number;
  /** Items that are done. */
  readonly done: number;
  /** Items that came back undone: their worker died, left or refused them. */
  readonly returned: number;
  /** Items that were given up. */
  readonly failed: number;
  /** Items that wait for a worker. */
  readonly buffered: number;
  /** Items that workers have. */
  readonly held: number;
  /** Calls of `send` that wait for room. */
  readonly waiting: number;
  /** Workers that are there. */
  readonly workers: number;
  /** Workers that were lost. */
  readonly lost: number;
  /** Times that a worker was not taken, because of `maxWorkers`. */
  readonly turnedAway: number;
  /** Messages that are not of the protocol. */
  readonly malformed: number;
}
