// Messages and broken connections: whatever the stream took whole has arrived, everything else is sent again, once.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import type { FakeStreamOptions } from "../_util/fake_stream.ts";
import { utf8 } from "../_util/bytes.ts";
import { LinkStand, messagesAfterHandshake } from "../_util/link_stand.ts";
import { assertMessages, pattern } from "../_util/octets.ts";
import { ping } from "../_util/raw_zmtp.ts";

/** Octets of both greeting and READY. */
const HANDSHAKE = 94;

interface Connection {
  readonly stream: FakeStreamOptions;
  /** Sizes of messages to send, and when the peer reads on or the turn ends. */
  readonly actions: readonly (number | string)[];
  readonly graceful: boolean;
}

const action = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(0, 5, 200, 300, 5_000, 33_000) },
  { weight: 2, arbitrary: fc.nat(2_000).map((count) => `drain ${count}`) },
  { weight: 1, arbitrary: fc.constantFrom("turn", "ping") },
);
const connection: fc.Arbitrary<Connection> = fc.record({
  stream: fc.record({
    room: fc.oneof(fc.nat(300), fc.nat(40_000)).map((room) => HANDSHAKE + room),
    gulp: fc.constantFrom(1_000, 50_000, Infinity),
    late: fc.boolean(),
  }),
  actions: fc.array(action, { maxLength: 15 }),
  graceful: fc.boolean(),
});

/** Lives through connections with one pipe; what was sent, and what each peer got. */
function live(connections: readonly Connection[]): [Uint8Array[][], Uint8Array[][]] {
  const sent: Uint8Array[][] = [];
  const arrived: Uint8Array[][] = [];
  let stand = new LinkStand();
  for (const { stream, actions, graceful } of connections) {
    stand = new LinkStand({ host: stand.host, pipe: stand.pipe, stream });
    stand.link.start();
    stand.stream.deliver(stand.peerHandshake);
    stand.stream.flow();
    for (const action of actions) {
      if (typeof action === "number") {
        sent.push([pattern(action, sent.length), pattern(2, sent.length)]);
        stand.pipe.send([...sent.at(-1)!]);
      } else if (action === "turn") stand.host.clock.endTurn();
      else if (action === "ping") stand.stream.deliver(ping("x"));
      else stand.stream.drain(Number(action.slice(6)));
    }
    stand.stream.end(graceful ? undefined : new Error("reset"));
    arrived.push(...messagesOf(stand.stream.takeOutput()));
  }
  return [sent, arrived];
}

/** The whole messages behind a handshake, which may be incomplete itself. */
function messagesOf(octets: Uint8Array): Uint8Array[][] {
  return octets.length < HANDSHAKE ? [] : messagesAfterHandshake(octets);
}

const CALM: Connection = { stream: {}, actions: ["turn", "turn"], graceful: true };

describe("a pipe whose connections break", () => {
  it("loses no message and sends none twice, wherever they break (ZMTP31-SEM-04, ZMTP31-SEM-05)", () => {
    fc.assert(
      fc.property(fc.array(connection, { minLength: 1, maxLength: 6 }), (connections) => {
        const [sent, arrived] = live([...connections, CALM, CALM]);
        assertMessages(arrived, sent);
      }),
      { numRuns: 300 },
    );
  });

  it("sends what was cut off at any octet again, from its first frame (CONN-06, ZMTP31-SEM-04)", () => {
    const frames = [pattern(3), pattern(300), pattern(2)];
    const length = 5 + 309 + 4;
    for (let room = 0; room <= 3 * length + 1; room++) {
      const broken = new LinkStand({ stream: { room: HANDSHAKE + room } }).serve();
      for (let i = 0; i < 3; i++) broken.pipe.send([...frames]);
      broken.host.clock.settle();
      broken.stream.end();
      const whole = Math.floor(room / length);
      const next = new LinkStand({ host: broken.host, pipe: broken.pipe });
      next.link.start();
      next.stream.deliver(next.peerHandshake);
      const again = messagesAfterHandshake(next.stream.takeOutput());
      assertEquals(again.length, 3 - Math.min(whole, 3));
      assertMessages(again, again.map(() => frames));
    }
  });

  it("probes each new ROUTER before it sends the rest again (ROUTER-11)", () => {
    const first = new LinkStand({
      options: { probeRouter: true },
      stream: { room: HANDSHAKE + 4 },
    });
    first.serve();
    first.pipe.send("hello");
    assert(first.stream.busy);
    first.stream.end();
    const next = new LinkStand({ host: first.host, pipe: first.pipe });
    next.link.start();
    next.stream.deliver(next.peerHandshake);
    assertMessages(messagesAfterHandshake(next.stream.takeOutput()), [[utf8("")], [utf8("hello")]]);
  });

  it("keeps the process alive for what waits for the next connection", () => {
    const stand = new LinkStand({ stream: { room: HANDSHAKE + 1 } }).serve();
    stand.pipe.send("hello");
    stand.stream.end();
    stand.host.clock.settle();
    assertEquals(stand.host.holds, 1);
    new LinkStand({ host: stand.host, pipe: stand.pipe }).serve();
    assertEquals(stand.host.holds, 0);
  });

  it("gives the messages that wait to whoever disposes of it", () => {
    const stand = new LinkStand({ stream: { room: HANDSHAKE + 10 } }).serve();
    const frames = [utf8("a"), pattern(40_000)];
    stand.pipe.send([...frames]);
    stand.pipe.send("b");
    stand.stream.end();
    assertMessages(stand.pipe.dispose(), [frames, [utf8("b")]]);
    assertEquals(stand.host.holds, 0);
  });
});
