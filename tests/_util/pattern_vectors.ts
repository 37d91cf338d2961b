// The golden vectors of request-reply and publish-subscribe, and sockets that have them to read, in every way a stream may
// cut them.

import { assertEquals } from "@std/assert";
import patterns from "../conformance/vectors/patterns.json" with { type: "json" };
import { toHex } from "./bytes.ts";
import { assertMessages, concat } from "./octets.ts";
import type { AnySocket, OctetPeer } from "./pattern_stage.ts";
import { expand } from "./vectors.ts";

/** What a socket of one type says, and one of another type reads. */
export interface PatternVector {
  readonly id: string;
  readonly meaning: string;
  readonly octets: Uint8Array;
  readonly from: string;
  readonly to: string;
  /** What the user reads of it. */
  readonly messages: Uint8Array[][];
  /** What the user replies, and what goes out then. */
  readonly reply: Uint8Array[] | undefined;
  readonly answer: Uint8Array | undefined;
}

/** All of them. */
export const PATTERNS: readonly PatternVector[] = patterns.vectors.map((vector) => ({
  id: vector.id,
  meaning: vector.meaning,
  octets: expand(vector.hex),
  from: vector.from,
  to: vector.to,
  messages: vector.messages.map((frames) => frames.map(expand)),
  reply: vector.reply?.map(expand),
  answer: vector.answer === undefined ? undefined : expand(vector.answer),
}));

/** Octets that are the beginning of another frame, or of one and a half. */
const TAILS = [[], [1], [1, 9], [0, 5, 1, 2, 3], [2, 0, 0]].map((octets) =>
  Uint8Array.from(octets)
);

/**
 * Has a socket read the vector whole, cut anywhere, octet by octet, and with a tail. `open` answers a socket that may
 * receive, and its peer.
 */
export async function readEveryWay(
  { octets, messages, reply, answer }: PatternVector,
  open: () => Promise<[AnySocket, OctetPeer]>,
): Promise<void> {
  const ways: ((peer: OctetPeer) => void)[] = [
    (peer) => peer.stream.deliver(octets, 1),
    ...TAILS.map((tail) => (peer: OctetPeer) => peer.send(octets, tail)),
    ...TAILS.map((tail) => (peer: OctetPeer) => peer.stream.deliver(concat(octets, tail), 1)),
  ];
  for (let at = 1; at < octets.length; at++) {
    ways.push((peer) => peer.send(octets.subarray(0, at)).send(octets.subarray(at)));
  }
  for (const way of ways) {
    const [socket, peer] = await open();
    const before = peer.octets.length;
    way(peer);
    const first = socket.tryReceive();
    const read = first === undefined ? [] : [first];
    if (reply !== undefined) socket.trySend(reply);
    else for (let next = rest(socket); next; next = rest(socket)) read.push(next);
    assertMessages(read, messages);
    if (answer !== undefined) assertEquals(toHex(peer.octets.subarray(before)), toHex(answer));
    peer.leave();
  }
}

/** A further message; a REQ and a REP have to do something else first. */
function rest(socket: AnySocket): Uint8Array[] | undefined {
  try {
    return socket.tryReceive();
  } catch {
    return undefined; // it is not their turn
  }
}
