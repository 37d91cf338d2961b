// The golden vectors of the versions before ZMTP 3, and every way in which a stream may cut them.

import downgrade from "../conformance/vectors/downgrade.json" with { type: "json" };
import zmtp10 from "../conformance/vectors/zmtp10.json" with { type: "json" };
import zmtp20 from "../conformance/vectors/zmtp20.json" with { type: "json" };
import { fromHex } from "./bytes.ts";
import type { FakeStream } from "./fake_stream.ts";
import { concat } from "./octets.ts";
import type { OldProtocol } from "./old_peer.ts";
import { expand } from "./vectors.ts";

interface OldVector {
  readonly id: string;
  readonly meaning: string;
  readonly octets: Uint8Array;
}

/** How a peer begins. */
export interface OpeningVector extends OldVector {
  readonly protocol: OldProtocol;
  /** The type that the peer tells; empty in ZMTP 1.0. */
  readonly socketType: string;
  readonly routingId: Uint8Array;
}

/** Frames of a message. */
export interface OldFrameVector extends OldVector {
  readonly protocol: OldProtocol;
  readonly messages: Uint8Array[][];
}

/** What a socket of the type `to` is sent, and makes of it; no protocol where it refuses. */
export interface StimulusVector extends OldVector {
  readonly to: "DEALER" | "ROUTER";
  readonly protocol: OldProtocol | undefined;
  readonly socketType: string;
  readonly messages: Uint8Array[][];
}

/** Openings of both versions. */
export const OPENINGS: readonly OpeningVector[] = [
  ...zmtp20.openings.map((vector) => ({ ...vector, protocol: "2.0" as const })),
  ...zmtp10.openings.map((vector) => ({ ...vector, protocol: "1.0" as const, socketType: "" })),
].map(({ id, meaning, hex, protocol, socketType, routingId }) => ({
  id,
  meaning,
  octets: expand(hex),
  protocol,
  socketType,
  routingId: fromHex(routingId),
}));

/** Frames of both versions. */
export const OLD_FRAMES: readonly OldFrameVector[] = [
  ...zmtp20.frames.map((vector) => ({ ...vector, protocol: "2.0" as const })),
  ...zmtp10.frames.map((vector) => ({ ...vector, protocol: "1.0" as const })),
].map(({ id, meaning, hex, protocol, messages }) => ({
  id,
  meaning,
  octets: expand(hex),
  protocol,
  messages: messages.map((frames) => frames.map(expand)),
}));

/** What a ROUTER says to a peer of ZMTP 2.0. */
export const ANSWER: Uint8Array = expand(zmtp20.answers[0].hex);

/** A whole conversation: what a ROUTER is sent and reads, its reply, and the octets of that. */
export const EXCHANGE: {
  readonly octets: Uint8Array;
  readonly messages: Uint8Array[][];
  readonly reply: Uint8Array[];
  readonly answer: Uint8Array;
} = {
  octets: expand(zmtp20.exchanges[0].hex),
  messages: zmtp20.exchanges[0].messages.map((frames) => frames.map(expand)),
  reply: zmtp20.exchanges[0].reply.map(expand),
  answer: expand(zmtp20.exchanges[0].answer),
};

/** What tells a version. */
export const STIMULI: readonly StimulusVector[] = downgrade.stimuli.map((vector) => ({
  id: vector.id,
  meaning: vector.meaning,
  octets: expand(vector.hex),
  to: vector.to as "DEALER" | "ROUTER",
  protocol: (vector.protocol ?? undefined) as OldProtocol | undefined,
  socketType: vector.socketType,
  messages: vector.messages.map((frames) => frames.map(expand)),
}));

/** A way to deliver octets. */
export type Way = (stream: FakeStream) => void;

/** Whole, octet by octet, and cut: at every place, or where a `tail` begins. */
export function waysOf(octets: Uint8Array, tail: Uint8Array = new Uint8Array(0)): Way[] {
  const all = concat(octets, tail);
  const ways: Way[] = [(stream) => stream.deliver(all), (stream) => stream.deliver(all, 1)];
  for (let at = tail.length > 0 ? octets.length : 1; at < all.length && at <= octets.length; at++) {
    ways.push((stream) => {
      stream.deliver(all.subarray(0, at));
      stream.deliver(all.subarray(at));
    });
  }
  return ways;
}
