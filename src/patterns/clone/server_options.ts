// What a server takes and tells.

import type { CommonOptions, Frame } from "../../../mod.ts";
import type { BinaryStar } from "../binary_star/mod.ts";
import type { CloneFlow } from "./link.ts";
import type { CloneProperties } from "./message.ts";
import type { CloneOptions } from "./options.ts";

/** Options of a `CloneServer`. */
export interface CloneServerOptions extends CloneOptions {
  /**
   * Makes it one of a pair: the star tells which of the two serves. The caller binds and connects it, the server closes it
   * when it is closed itself; `CloneServer.follow` names the other server.
   */
  readonly binaryStar?: BinaryStar | undefined;
  /**
   * So many snapshots are sent at a time; who asks for more asks again.
   * @default {100}
   */
  readonly maxSnapshots?: number | undefined;
  /**
   * Options of the sockets that connect to the other server of a pair, where they differ from `socketOptions`.
   * @default {socketOptions}
   */
  readonly peerSocketOptions?: Readonly<Partial<CommonOptions>> | undefined;
}

/** What a `CloneServer` tells. */
export interface CloneServerEvents {
  /** A value was set. */
  update: { readonly key: string; readonly value: Frame; readonly properties: CloneProperties };
  /** A value was deleted, or has expired. */
  delete: { readonly key: string };
  /** A passive server has all values of the active one, updates follow. */
  synchronised: { readonly sequence: number; readonly size: number };
  /** A client's update was refused: it would make more keys than `maxKeys`. */
  refused: { readonly key: string };
  /** A peer sent what is no CHP, or is above a limit; it was dropped. */
  malformed: {
    readonly from: CloneFlow;
    readonly reason: string;
    readonly frames: readonly Frame[];
  };
  /** A socket has failed. */
  error: { readonly error: unknown };
}

/** Figures of a `CloneServer`. */
export interface CloneServerStats {
  /** Updates that this server published. */
  readonly published: number;
  /** Updates that came again and were published before. */
  readonly repeated: number;
  /** Updates that were taken over from the active server. */
  readonly followed: number;
  /** Updates that a passive server holds until the active one has published them. */
  readonly pending: number;
  /** Updates that were held and dropped. */
  readonly dropped: number;
  /** Snapshots that were sent. */
  readonly snapshots: number;
  /** Snapshots that were given up, because their client was gone or read nothing. */
  readonly abandoned: number;
  /** Requests for snapshots that were not answered: the server is passive, or too many were under way. */
  readonly unanswered: number;
  /** Updates that were refused for `maxKeys`. */
  readonly refused: number;
  /** Values that have expired. */
  readonly expired: number;
  /** Messages that are no CHP, or above a limit. */
  readonly malformed: number;
}

/** The figures that the server itself counts. */
export type CloneServerCounters = Record<
  Exclude<keyof CloneServerStats, "pending" | "dropped" | "snapshots" | "abandoned">,
  number
>;
