// What can go wrong on the way, as a schedule says: the language of both faulty runtimes.

import type { Random } from "./faulty_random.ts";

/** How octets move in one direction of a connection. */
export interface LineFaults {
  /** The most octets that a write takes at a time. */
  readonly gulp: number;
  /** The most octets of one read. */
  readonly sip: number;
  /** How often a write takes nothing within the call, from 0 to 1. */
  readonly late: number;
  /** How often a step waits for another turn, from 0 to 1. */
  readonly lag: number;
  /** Octets that can be under way; a writer waits for its reader beyond that. */
  readonly room: number;
  /** The connection breaks when so many octets were taken. */
  readonly cutAt: number;
}

/** What happens to one connection. */
export interface ConnectionFaults {
  readonly toListener: LineFaults;
  readonly toDialer: LineFaults;
  /** When it breaks, the end that dialled hears of it first; else the other one does. */
  readonly dialerFirst: boolean;
}

/** What happens at an address, in the order of calls, counted from 0. Codes of errors; undefined when all is well. */
export interface Script {
  /** The faults of a connection. */
  readonly connection?: (count: number, random: Random) => ConnectionFaults;
  /** Why an attempt to connect fails. */
  readonly connecting?: (count: number, random: Random) => string | undefined;
  /** Why listening fails. */
  readonly listening?: (count: number, random: Random) => string | undefined;
  /** Why accepting fails; the connection waits to be accepted all the same, unless it is lost (`ECONNABORTED`). */
  readonly accepting?: (count: number, random: Random) => string | undefined;
  /** Why a name is not resolved. */
  readonly resolving?: (count: number, random: Random) => string | undefined;
}

/** A line without faults. */
export const PLAIN_LINE: LineFaults = {
  gulp: Infinity,
  sip: Infinity,
  late: 0,
  lag: 0,
  room: 64 * 1024,
  cutAt: Infinity,
};

/** How large the pieces are: single octets, a few, or as they come. */
const SIZES = [1, 7, 100, 1_500, 20_000, Infinity] as const;

const ROOMS = [64, 1_000, 64 * 1024] as const;

/** Any pace, in pieces of `finest` octets and more, without an end. */
function anyLine(random: Random, finest: number): LineFaults {
  const sizes = SIZES.filter((size) => size >= finest);
  return {
    gulp: random.of(sizes),
    sip: random.of(sizes),
    late: random.of([0, 0.3, 1]),
    lag: random.of([0, 0, 0.2, 0.5]),
    room: random.of(ROOMS.filter((room) => room >= finest)),
    cutAt: Infinity,
  };
}

/** A connection at any pace that never breaks. */
export function anyConnection(random: Random, finest = 1): ConnectionFaults {
  return {
    toListener: anyLine(random, finest),
    toDialer: anyLine(random, finest),
    dialerFirst: false,
  };
}

/** Any connection that breaks when about so many octets were taken, in one direction or the other. */
function breaking(random: Random, finest: number, most: number): ConnectionFaults {
  const faults = anyConnection(random, finest);
  const cutAt = random.between(0, most);
  return random.chance(0.5)
    ? { ...faults, toListener: { ...faults.toListener, cutAt } }
    : { ...faults, toDialer: { ...faults.toDialer, cutAt } };
}

/** How bad it is. */
export interface Trouble {
  /** So many connections break. */
  readonly resets: number;
  /** Within about so many octets. */
  readonly octets: number;
  /** How fine the pieces are in which octets move. */
  readonly finest: number;
  /** So many calls of each other kind may fail. */
  readonly failures: number;
  /** Whether the end that dialled may hear of a break first. */
  readonly anyOrder: boolean;
}

const CONNECT_CODES = ["ECONNREFUSED", "EMFILE", "ETIMEDOUT", "EHOSTUNREACH", "ENETDOWN"] as const;
const ACCEPT_CODES = ["EMFILE", "ENFILE", "ECONNABORTED"] as const;
const RESOLVE_CODES = ["EAI_AGAIN", "ENOTFOUND", "EMFILE"] as const;

/** Trouble that comes to an end: the peer returns. */
export function trouble(bad: Trouble): Script {
  const { resets, octets, finest, failures } = bad;
  const failing = (codes: readonly string[]) => (count: number, random: Random) =>
    count < failures * 2 && random.chance(0.5) ? random.of(codes) : undefined;
  return {
    connection(count, random) {
      const faults = count < resets
        ? breaking(random, finest, octets)
        : anyConnection(random, finest);
      return { ...faults, dialerFirst: bad.anyOrder && random.chance(0.5) };
    },
    connecting: failing(CONNECT_CODES),
    accepting: failing(ACCEPT_CODES),
    resolving: failing(RESOLVE_CODES),
  };
}
