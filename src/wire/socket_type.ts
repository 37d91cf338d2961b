// Socket types by their names on the wire, and which may talk to which (RFC 23 and 37, "The Socket-Type Property").

/** The socket types of this package, as ZMTP names them. */
export type SocketType =
  | "PAIR"
  | "PUB"
  | "SUB"
  | "REQ"
  | "REP"
  | "DEALER"
  | "ROUTER"
  | "PULL"
  | "PUSH"
  | "XPUB"
  | "XSUB"
  | "STREAM";

/** The number that libzmq gives each type. */
export const SOCKET_TYPE_ID: Readonly<Record<SocketType, number>> = {
  PAIR: 0,
  PUB: 1,
  SUB: 2,
  REQ: 3,
  REP: 4,
  DEALER: 5,
  ROUTER: 6,
  PULL: 7,
  PUSH: 8,
  XPUB: 9,
  XSUB: 10,
  STREAM: 11,
};

const PEERS: Readonly<Record<SocketType, readonly string[]>> = {
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
  // It does not speak ZMTP.
  STREAM: [],
};

/** The types that may be at the other end of `type`. */
export function peersOf(type: SocketType): readonly string[] {
  return PEERS[type];
}

/** True when `type` announces its routing id in the handshake, also an empty one, as libzmq does. */
export function announcesIdentity(type: SocketType): boolean {
  return type === "REQ" || type === "DEALER" || type === "ROUTER";
}

const NAMES = Object.keys(SOCKET_TYPE_ID) as SocketType[];

/** The octet for a type in ZMTP 2.0, which has no XPUB and XSUB of their own (RFC 15). */
export function encodeTypeOctet(type: SocketType): number {
  if (type === "XPUB") return SOCKET_TYPE_ID.PUB;
  if (type === "XSUB") return SOCKET_TYPE_ID.SUB;
  return SOCKET_TYPE_ID[type];
}

/** The type for such an octet; undefined for one that nobody sends. libzmq has numbers for XPUB and XSUB all the same. */
export function decodeTypeOctet(octet: number): SocketType | undefined {
  return octet < SOCKET_TYPE_ID.STREAM ? NAMES[octet] : undefined;
}
