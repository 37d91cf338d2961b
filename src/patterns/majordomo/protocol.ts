// The commands of MDP 0.1 (RFC 7) and 0.2 (RFC 18), as octets and as numbers.

import { refuse } from "../base/checks.ts";
import { octetsOf } from "../base/octets.ts";

/** A version of the Majordomo Protocol: `"0.1"` is RFC 7, which everybody speaks, `"0.2"` RFC 18, which has partial replies. */
export type MajordomoVersion = "0.1" | "0.2";

/** What workers and brokers say to each other; the numbers are those of 0.2, which 0.1 lacks PARTIAL of. */
export const READY = 1;
export const REQUEST = 2;
export const PARTIAL = 3;
export const FINAL = 4;
export const HEARTBEAT = 5;
export const DISCONNECT = 6;

/** What 0.2 says to clients. */
export const CLIENT_PARTIAL = 2;
export const CLIENT_FINAL = 3;
export const CLIENT_REQUEST = 1;

export const EMPTY: Uint8Array = new Uint8Array(0);
/** One frame for each octet that a command can be. */
export const OCTETS: readonly Uint8Array[] = Array.from({ length: 7 }, (_, i) => Uint8Array.of(i));
/** The longest name of a service, in octets. */
export const LONGEST_NAME = 255;

/** How one version is spoken. */
export interface Dialect {
  readonly version: MajordomoVersion;
  /** Frames before a worker's command, and before a broker's to a worker. */
  readonly worker: readonly Uint8Array[];
  /** Frames before the service of a request. */
  readonly request: readonly Uint8Array[];
  /** Frames before the service of a part of a reply, and of its end. In 0.1 there are no parts. */
  readonly partial: readonly Uint8Array[] | undefined;
  readonly final: readonly Uint8Array[];
}

const CLIENT_1 = octetsOf("MDPC01");
const CLIENT_2 = octetsOf("MDPC02");

export const FIRST: Dialect = {
  version: "0.1",
  worker: [EMPTY, octetsOf("MDPW01")],
  request: [EMPTY, CLIENT_1],
  partial: undefined,
  final: [EMPTY, CLIENT_1],
};

export const SECOND: Dialect = {
  version: "0.2",
  worker: [octetsOf("MDPW02")],
  request: [CLIENT_2, OCTETS[CLIENT_REQUEST]],
  partial: [CLIENT_2, OCTETS[CLIENT_PARTIAL]],
  final: [CLIENT_2, OCTETS[CLIENT_FINAL]],
};

/** @throws {TypeError} `EINVAL` for what is no version. */
export function dialectOf(version: MajordomoVersion = "0.1"): Dialect {
  if (version === "0.1") return FIRST;
  if (version === "0.2") return SECOND;
  return refuse("version", version, '"0.1" or "0.2"');
}

/** The octet of a worker's command. */
export function octetOf(dialect: Dialect, command: number): Uint8Array {
  return OCTETS[dialect === FIRST && command > PARTIAL ? command - 1 : command];
}

/** The command that a frame is; 0 when it is none. */
export function commandOf(dialect: Dialect, frame: Uint8Array): number {
  if (frame.length !== 1) return 0;
  const octet = frame[0];
  if (dialect === SECOND) return octet <= DISCONNECT ? octet : 0;
  if (octet < PARTIAL) return octet;
  return octet < DISCONNECT ? octet + 1 : 0;
}

const LETTER_C = 0x43;
const LETTER_W = 0x57;
const DIGIT_1 = 0x31;
const DIGIT_2 = 0x32;

/** Whom a header is of: 0 for what is no header. */
export const OF_CLIENT = 1;
export const OF_WORKER = 2;

/** The side and version of a header frame: `MDPC01`, `MDPW01`, `MDPC02` or `MDPW02`; 0 for any other. */
export function sideOf(frame: Uint8Array, version: typeof DIGIT_1 | typeof DIGIT_2): number {
  if (
    frame.length !== 6 || frame[5] !== version || frame[0] !== 0x4d || frame[1] !== 0x44 ||
    frame[2] !== 0x50 || frame[4] !== 0x30
  ) return 0;
  return frame[3] === LETTER_C ? OF_CLIENT : frame[3] === LETTER_W ? OF_WORKER : 0;
}

/** The routing ids before a header: a client may be behind so many proxies, or use one of them itself to number requests. */
const MOST_HOPS = 8;

/**
 * Where the header of a message from a ROUTER stands; 0 when it has none. Before it are the routing id, those that proxies
 * put behind it, and in 0.1 an empty frame.
 */
export function headerAt(message: readonly Uint8Array[]): number {
  const most = Math.min(message.length - 1, MOST_HOPS + 1);
  for (let i = 1; i <= most; i++) {
    const frame = message[i];
    if (frame.length === 0) {
      return i + 1 < message.length && sideOf(message[i + 1], DIGIT_1) !== 0 ? i + 1 : 0;
    }
    if (sideOf(frame, DIGIT_2) !== 0) return i;
  }
  return 0;
}

/** The dialect of a header frame, which it must be. */
export function dialectOfHeader(header: Uint8Array): Dialect {
  return header[5] === DIGIT_1 ? FIRST : SECOND;
}

/** True for a header of a client. */
export function isOfClient(header: Uint8Array): boolean {
  return header[3] === LETTER_C;
}

/** True when a name can be that of a service. */
export function isName(name: Uint8Array): boolean {
  return name.length > 0 && name.length <= LONGEST_NAME;
}
