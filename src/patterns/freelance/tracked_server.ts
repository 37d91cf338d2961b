// What a client of the Freelance Protocol knows of a server.

import type { Entry } from "./requests.ts";

/** What a `FreelanceClient` knows of a server. */
export interface FreelanceServerInfo {
  /** Where it is, and its name. */
  readonly endpoint: string;
  /** True when it has given a sign of life lately. */
  readonly alive: boolean;
  /** How long its PONGs take, in milliseconds; undefined before the first. */
  readonly roundTrip: number | undefined;
  /** Requests that it was sent last and has not answered. */
  readonly pending: number;
}

/** How much the newest round trip counts. */
const NEWEST = 0.3;

export class Server {
  readonly endpoint: string;
  readonly id: Uint8Array;
  /** Requests whose answer is expected from it. */
  readonly entries: Set<Entry<Server>> = new Set();
  alive = false;
  /** Its queue had no room a moment ago. */
  full = false;
  heardAt = 0;
  nextPing = 0;
  /** When the oldest PING went that was not answered. */
  pinged: number | undefined;
  roundTrip: number | undefined;

  constructor(endpoint: string, id: Uint8Array) {
    this.endpoint = endpoint;
    this.id = id;
  }

  ponged(time: number): void {
    if (this.pinged === undefined) return;
    const newest = time - this.pinged;
    this.pinged = undefined;
    this.roundTrip = this.roundTrip === undefined
      ? newest
      : this.roundTrip + NEWEST * (newest - this.roundTrip);
  }
}

export function infoOf({ endpoint, alive, roundTrip, entries }: Server): FreelanceServerInfo {
  return { endpoint, alive, roundTrip, pending: entries.size };
}

/** The best living server that the request is not with: one that was not asked before one that was. */
export function bestOf(
  servers: Iterable<Server>,
  entry: Entry<Server>,
): Server | undefined {
  let best: Server | undefined;
  for (const server of servers) {
    if (!server.alive || server.full || server === entry.server) continue;
    if (best === undefined || isBetter(server, best, entry)) best = server;
  }
  return best;
}

function isBetter(a: Server, b: Server, { asked }: Entry<Server>): boolean {
  if (asked.has(a) !== asked.has(b)) return asked.has(b);
  if (a.entries.size !== b.entries.size) return a.entries.size < b.entries.size;
  return (a.roundTrip ?? Infinity) < (b.roundTrip ?? Infinity);
}
