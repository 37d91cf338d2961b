// What the tests of a socket's figures send, and how they look at the figures.

import { assertEquals } from "@std/assert";
import type { PeerStats, Socket } from "../../mod.ts";
import { utf8 } from "./bytes.ts";
import { concat } from "./octets.ts";
import { message } from "./raw_zmtp.ts";

/** Messages around the borders of the wire format, the core's ring and the bodies that are kept by reference. */
export const MESSAGES: readonly (readonly Uint8Array[])[] = [
  [utf8("")],
  [utf8("hello")],
  [utf8("two"), utf8("frames")],
  [new Uint8Array(255)],
  [new Uint8Array(256), utf8("tail")],
  [new Uint8Array(40_000)],
  [utf8("head"), new Uint8Array(300_000)],
];
/** Their octets on the wire. */
export const WIRE: Uint8Array = concat(...MESSAGES.map((frames) => message(...frames)));
/** How many octets their frames have. */
export const BODIES: number = MESSAGES.flat().reduce((sum, frame) => sum + frame.length, 0);

/** The figures of the one peer of a socket. */
export function onlyPeer(socket: Socket): PeerStats {
  const { peers } = socket.stats();
  assertEquals(peers.length, 1);
  return peers[0];
}

/** Checks that the figures of a socket none of whose peers has gone are the sums of theirs. */
export function assertTotals(socket: Socket): void {
  const { peers, ...totals } = socket.stats();
  const sum = Object.fromEntries(
    Object.keys(totals).map((name) => [
      name,
      peers.reduce((sum, peer) => sum + (peer as unknown as Record<string, number>)[name], 0),
    ]),
  );
  assertEquals(totals as Record<string, number>, sum, "the totals are the sums");
}
