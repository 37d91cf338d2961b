// Links whose peers speak different versions, one after the other: messages wait in one form and leave in that of the
// peer, whole, in order and once, wherever a connection breaks.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { utf8 } from "../_util/bytes.ts";
import type { FakeStreamOptions } from "../_util/fake_stream.ts";
import { LinkStand, messagesAfterHandshake } from "../_util/link_stand.ts";
import { assertMessages, assertOctets, concat, pattern } from "../_util/octets.ts";
import { oldMessage, oldOpening, type OldProtocol, openingTo, readOld } from "../_util/old_peer.ts";

type AnyProtocol = OldProtocol | "3.1";

interface Connection {
  readonly protocol: AnyProtocol;
  readonly stream: FakeStreamOptions;
  /** Sizes of messages to send, and when the peer reads on or the turn ends. */
  readonly actions: readonly (number | string)[];
}

/** Octets of both greeting and READY. */
const HANDSHAKE = 94;
/** Around the sizes at which a header becomes longer, and at which a body is kept apart. */
const SIZES = [0, 1, 252, 253, 254, 255, 256, 5_000, 33_000, 70_000];

const protocol = fc.constantFrom<AnyProtocol[]>("1.0", "2.0", "3.1");
const action = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...SIZES) },
  { weight: 2, arbitrary: fc.nat(2_000).map((count) => `drain ${count}`) },
  { weight: 1, arbitrary: fc.constant("turn") },
);
const connection: fc.Arbitrary<Connection> = fc.record({
  protocol,
  stream: fc.record({
    room: fc.oneof(fc.nat(600), fc.nat(100_000)).map((room) => HANDSHAKE + room),
    gulp: fc.constantFrom(500, 5_000, 50_000, Infinity),
    late: fc.boolean(),
  }),
  actions: fc.array(action, { maxLength: 12 }),
});

/** A link to a peer of this version, past its opening. */
function open(
  protocol: AnyProtocol,
  before?: LinkStand,
  stream: FakeStreamOptions = {},
): LinkStand {
  const stand = before === undefined
    ? new LinkStand({ stream })
    : new LinkStand({ host: before.host, pipe: before.pipe, stream });
  stand.link.start();
  stand.stream.deliver(
    protocol === "3.1" ? stand.peerHandshake : oldOpening(protocol, "ROUTER"),
  );
  stand.stream.flow();
  return stand;
}

/** The whole messages that reached the peer. */
function arrivedAt(stand: LinkStand, protocol: AnyProtocol): Uint8Array[][] {
  const octets = stand.stream.takeOutput();
  if (protocol === "3.1") {
    return octets.length < HANDSHAKE ? [] : messagesAfterHandshake(octets);
  }
  return readOld(protocol, octets.subarray(openingTo(protocol, "DEALER").length)).messages;
}

/** Lives through connections with one pipe; what was sent, and what each peer got. */
function live(connections: readonly Connection[]): [Uint8Array[][], Uint8Array[][]] {
  const sent: Uint8Array[][] = [];
  const arrived: Uint8Array[][] = [];
  let stand: LinkStand | undefined;
  for (const { protocol, stream, actions } of connections) {
    stand = open(protocol, stand, stream);
    for (const action of actions) {
      if (typeof action === "number") {
        sent.push([pattern(action, sent.length), pattern(2, sent.length)]);
        stand.pipe.send([...sent.at(-1)!]);
      } else if (action === "turn") stand.host.clock.endTurn();
      else stand.stream.drain(Number(action.slice(6)));
      stand.stream.checkBorrowed();
    }
    stand.stream.end();
    arrived.push(...arrivedAt(stand, protocol));
  }
  return [sent, arrived];
}

function calm(protocol: AnyProtocol): Connection {
  return { protocol, stream: {}, actions: ["turn", "turn"] };
}

describe("a pipe whose peers speak different versions", () => {
  it("loses no message and sends none twice, wherever connections break", () => {
    fc.assert(
      fc.property(
        fc.array(connection, { minLength: 1, maxLength: 5 }),
        protocol,
        (connections, last) => {
          const [sent, arrived] = live([...connections, calm(last), calm(last)]);
          assertMessages(arrived, sent);
        },
      ),
      { numRuns: 150 },
    );
  });

  for (const protocol of ["1.0", "2.0"] as const) {
    it(`sends what was cut off at any octet again, from its first frame: ${protocol}`, () => {
      const frames = [pattern(3), pattern(254), pattern(2)];
      const opening = openingTo(protocol, "DEALER").length;
      const length = oldMessage(protocol, ...frames).length;
      for (let room = 0; room <= 2 * length + 1; room++) {
        const broken = open(protocol, undefined, { room: opening + room });
        for (let i = 0; i < 2; i++) broken.pipe.send([...frames]);
        broken.host.clock.settle();
        broken.stream.end();
        const next = open(room % 2 === 0 ? "1.0" : "3.1", broken);
        const again = arrivedAt(next, room % 2 === 0 ? "1.0" : "3.1");
        assertMessages(again, Array(2 - Math.min(2, Math.floor(room / length))).fill(frames));
      }
    });

    it(`drops what had come of a message when its connection breaks: ${protocol}`, () => {
      const octets = oldMessage(protocol, "a", "", pattern(300));
      for (let at = 0; at < octets.length; at++) {
        const broken = open(protocol);
        broken.stream.deliver(octets.subarray(0, at));
        broken.stream.end();
        assertEquals(broken.receiveAll(), []);
        const next = open("1.0", broken);
        next.stream.deliver(oldMessage("1.0", "whole"));
        assertMessages(next.receiveAll(), [[utf8("whole")]]);
      }
    });

    it(`reads what is cut at random: ${protocol}`, () => {
      const message = fc.array(fc.constantFrom(...SIZES), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(
          fc.array(message, { maxLength: 6 }),
          fc.array(fc.oneof(fc.nat(12), fc.nat(20_000)), { minLength: 1, maxLength: 20 }),
          (sizes, pieces) => {
            const sent = sizes.map((frames, i) => frames.map((size, j) => pattern(size, i + j)));
            const octets = concat(...sent.map((frames) => oldMessage(protocol, ...frames)));
            const stand = open(protocol);
            let at = 0;
            for (let i = 0; at < octets.length; i++) {
              const size = Math.max(1, pieces[i % pieces.length], Math.ceil(octets.length / 200));
              stand.stream.deliver(octets.subarray(at, at + size));
              at += size;
            }
            assertEquals(stand.error, undefined);
            assertMessages(stand.receiveAll(), sent);
          },
        ),
        { numRuns: 60 },
      );
    });
  }

  it("probes a ROUTER in the form of its version", () => {
    for (const [protocol, probe] of [["1.0", [1, 0]], ["2.0", [0, 0]]] as const) {
      const stand = new LinkStand({ options: { probeRouter: true } });
      stand.link.start();
      stand.stream.deliver(oldOpening(protocol, "ROUTER"));
      stand.stream.flow();
      const said = stand.stream.takeOutput();
      const opening = openingTo(protocol, "DEALER");
      assertOctets(said, concat(opening, Uint8Array.from(probe)));
    }
  });
});
