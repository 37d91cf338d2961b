// Options, events and figures of the gateway.

import type { Frame } from "../../../mod.ts";
import type { HeartbeatOptions, PartOptions } from "../../../src/patterns/mod.ts";

/** Options of a `GameGateway`. */
export interface GameGatewayOptions extends PartOptions, HeartbeatOptions {
  /**
   * How many results a player may leave unacknowledged, and how many of his inputs may wait.
   * @default {64}
   */
  readonly window?: number | undefined;
  /**
   * How many inputs a game server may do before it saves a state.
   * @default {256}
   */
  readonly maxUnsaved?: number | undefined;
  /**
   * How long a session is kept for a player who is not heard of, in milliseconds.
   * @default {30000}
   */
  readonly sessionTimeout?: number | undefined;
  /**
   * How long a player's connection may take nothing, in milliseconds.
   * @default {5000}
   */
  readonly stallTimeout?: number | undefined;
  /**
   * How many messages may wait for one connection of players.
   * @default {1000}
   */
  readonly playerQueue?: number | undefined;
  /**
   * How many sessions there may be.
   * @default {100000}
   */
  readonly maxSessions?: number | undefined;
  /**
   * How many game servers there may be.
   * @default {1000}
   */
  readonly maxServers?: number | undefined;
  /**
   * Moves sessions from full servers to newcomers, with their state. Otherwise a player stays where he is as long as that
   * server does.
   * @default {false}
   */
  readonly rebalance?: boolean | undefined;
}

/** What a `GameGateway` tells. */
export interface GameGatewayEvents {
  /** A game server has registered. */
  server: { readonly name: string; readonly capacity: number };
  /** A game server is gone, with so many sessions that go on elsewhere. */
  lost: { readonly name: string; readonly reason: string; readonly sessions: number };
  /** A game server has left in peace. */
  left: { readonly name: string };
  /** A player was cut off. */
  cut: { readonly session: number; readonly reason: string };
  /** Somebody does not speak the protocol; the message was dropped. */
  malformed: { readonly side: "player" | "server"; readonly frames: readonly Frame[] };
}

/** What a `GameGateway` has counted. */
export interface GameGatewayStats {
  readonly connections: number;
  readonly sessions: number;
  /** Sessions that wait for a server with room. */
  readonly waiting: number;
  readonly servers: number;
  /** Inputs that were accepted, and those that had come before. */
  readonly inputs: number;
  readonly repeatedInputs: number;
  /** Results that were new, and those that a second server found again. */
  readonly results: number;
  readonly replayed: number;
  /** Results sent to players, some twice for players that came back. */
  readonly delivered: number;
  readonly pushes: number;
  readonly droppedPushes: number;
  /** Sessions that were moved with their state, and those that a lost server left. */
  readonly moved: number;
  readonly reassigned: number;
  /** Players that came back by their token. */
  readonly resumed: number;
  readonly cut: number;
  readonly malformed: number;
}

/** A game server as `GameGateway.servers` shows it. */
export interface GameServerInfo {
  readonly name: string;
  readonly capacity: number;
  readonly sessions: number;
  readonly load: number;
  readonly leaving: boolean;
}
