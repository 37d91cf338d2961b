// A connection of players: one, or many that share it.

import type { Session } from "./session.ts";

export class Connection {
  readonly id: Uint8Array;
  readonly key: string;
  readonly sessions: Set<Session> = new Set();
  heardAt: number;
  /** Since when its queue has been full; undefined while there is room. */
  stalledAt: number | undefined;

  constructor(id: Uint8Array, key: string, time: number) {
    this.id = id;
    this.key = key;
    this.heardAt = time;
  }
}
