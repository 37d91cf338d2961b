// Two sessions joined in memory: what one has to send the other receives, in pieces of any size.

import { NullMechanism } from "../../src/security/null.ts";
import type { Property } from "../../src/security/mechanism.ts";
import { Session } from "../../src/session/session.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { utf8 } from "./bytes.ts";
import { concat } from "./octets.ts";
import { openDoor } from "./open_door.ts";

/** The types of this package. */
export const OWN_TYPES: readonly SocketType[] = [
  "PAIR",
  "PUB",
  "SUB",
  "REQ",
  "REP",
  "DEALER",
  "ROUTER",
  "PULL",
  "PUSH",
  "XPUB",
  "XSUB",
];

/** The types that the RFC lets each type talk to. */
export const LEGAL_PEERS: Readonly<Record<SocketType, readonly string[]>> = {
  PAIR: ["PAIR"],
  PUB: ["SUB", "XSUB"],
  SUB: ["PUB", "XPUB"],
  REQ: ["REP", "ROUTER"],
  REP: ["REQ", "DEALER"],
  DEALER: ["REP", "DEALER", "ROUTER"],
  ROUTER: ["REQ", "DEALER", "ROUTER"],
  PULL: ["PUSH"],
  PUSH: ["PULL"],
  XPUB: ["SUB", "XSUB"],
  XSUB: ["PUB", "XPUB"],
  STREAM: [],
};

/** All types of ZMTP 3.1. */
export const ALL_TYPES: readonly string[] = [
  ...OWN_TYPES,
  "CLIENT",
  "SERVER",
  "RADIO",
  "DISH",
  "SCATTER",
  "GATHER",
  "PEER",
  "CHANNEL",
];

/** A session as a socket of this type starts it. */
export function newSession(type: SocketType, routingId = ""): Session {
  const properties: Property[] = [["Socket-Type", utf8(type)]];
  if (["REQ", "DEALER", "ROUTER"].includes(type)) properties.push(["Identity", utf8(routingId)]);
  return new Session(type, new NullMechanism(properties, openDoor()));
}

/** What a session had to send so far. */
export function outputOf(session: Session): Uint8Array {
  return concat(...session.takeOutput());
}

/** What each side said, and the error that ended it. */
export interface Conversation {
  readonly said: [Uint8Array, Uint8Array];
  readonly errors: [unknown, unknown];
}

/** Lets two sessions talk, `chunk` octets at a time, until neither has anything to say. */
export function converse(a: Session, b: Session, chunk: number = Infinity): Conversation {
  const sessions = [a, b] as const;
  const said: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)];
  const errors: [unknown, unknown] = [undefined, undefined];
  let quiet = 0;
  for (let i = 0; quiet < 2; i = 1 - i) {
    const octets = outputOf(sessions[i]);
    quiet = octets.length === 0 ? quiet + 1 : 0;
    said[i] = concat(said[i], octets);
    try {
      for (let at = 0; at < octets.length; at += chunk) {
        sessions[1 - i].receive(octets.slice(at, at + chunk));
      }
    } catch (error) {
      errors[1 - i] = error;
    }
  }
  return { said, errors };
}
