// The game servers that the gateway knows, and which one is next.

import type { Session } from "./session.ts";

/** One game server. */
export class GameServerRecord {
  readonly id: Uint8Array;
  readonly key: string;
  readonly name: string;
  readonly capacity: number;
  readonly sessions: Set<Session> = new Set();
  /** Sessions for which its queue had no room. */
  readonly stalled: Set<Session> = new Set();
  /** As it reports it: 0 idle, 1000 or more for too busy. */
  load = 0;
  leaving = false;
  heardAt: number;
  sentAt: number;

  constructor(id: Uint8Array, key: string, name: string, capacity: number, time: number) {
    this.id = id;
    this.key = key;
    this.name = name;
    this.capacity = capacity;
    this.heardAt = time;
    this.sentAt = time;
  }

  /** How full it is. */
  get share(): number {
    return this.sessions.size / this.capacity;
  }

  get hasRoom(): boolean {
    return !this.leaving && this.sessions.size < this.capacity;
  }
}

const BUSY = 1000;

/** All of them. */
export class Fleet {
  readonly #servers: Map<string, GameServerRecord> = new Map();

  get size(): number {
    return this.#servers.size;
  }

  values(): IterableIterator<GameServerRecord> {
    return this.#servers.values();
  }

  get(key: string): GameServerRecord | undefined {
    return this.#servers.get(key);
  }

  add(server: GameServerRecord): void {
    this.#servers.set(server.key, server);
  }

  /** False when it was not there. */
  delete(server: GameServerRecord): boolean {
    return this.#servers.delete(server.key);
  }

  /** The one with the smallest share of its capacity; one that says that it is too busy only when all do. */
  best(): GameServerRecord | undefined {
    let best: GameServerRecord | undefined;
    for (const server of this.#servers.values()) {
      if (server.hasRoom && (best === undefined || isBetter(server, best))) best = server;
    }
    return best;
  }

  /** How many sessions each has above its fair share, with a little play. */
  *above(): Generator<[server: GameServerRecord, excess: number]> {
    let capacity = 0;
    let sessions = 0;
    for (const server of this.#servers.values()) {
      sessions += server.sessions.size;
      if (!server.leaving) capacity += server.capacity;
    }
    for (const server of this.#servers.values()) {
      if (server.leaving) continue;
      const fair = Math.ceil(sessions / capacity * server.capacity);
      const excess = server.sessions.size - fair - Math.floor(fair / 50);
      if (excess > 0) yield [server, server.sessions.size - fair];
    }
  }
}

function isBetter(one: GameServerRecord, other: GameServerRecord): boolean {
  if ((one.load >= BUSY) !== (other.load >= BUSY)) return other.load >= BUSY;
  return one.share < other.share;
}
