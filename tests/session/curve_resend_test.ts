// Sealed messages and broken connections: whatever the stream took whole has arrived, everything else is sealed again for the
// next connection, once.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { textOf, utf8 } from "../_util/bytes.ts";
import { CurveLink } from "../_util/curve_link.ts";
import type { FakeStreamOptions } from "../_util/fake_stream.ts";
import { assertMessages, pattern } from "../_util/octets.ts";

const { handshakeSize: HANDSHAKE } = new CurveLink();
const PUSH_HANDSHAKE = HANDSHAKE - "DEALER".length + "PUSH".length;

/** Lets the next connection of the same pipe carry what is left; what it carried. */
async function carryOn(before: CurveLink): Promise<Uint8Array[][]> {
  const next = await new CurveLink({ before }).shakeHands();
  next.host.clock.settle();
  return next.cut();
}

interface Connection {
  readonly stream: FakeStreamOptions;
  /** Sizes of messages to send, and when the peer reads on or the turn ends. */
  readonly actions: readonly (number | string)[];
  readonly graceful: boolean;
}

const action = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(0, 5, 200, 300, 5_000, 33_000, 300_000) },
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
const CALM: Connection = { stream: {}, actions: ["turn", "turn"], graceful: true };

/** Lives through connections with one pipe; what was sent, and what each peer got. */
async function live(connections: readonly Connection[]): Promise<[Uint8Array[][], Uint8Array[][]]> {
  const sent: Uint8Array[][] = [];
  const arrived: Uint8Array[][] = [];
  let stand: CurveLink | undefined;
  for (const { stream, actions, graceful } of connections) {
    stand = new CurveLink({ stream, ...(stand && { before: stand }) });
    await stand.shakeHands();
    for (const action of actions) {
      if (typeof action === "number") {
        sent.push([pattern(action, sent.length), pattern(2, sent.length)]);
        stand.pipe.send([...sent.at(-1)!]);
      } else if (action === "turn") stand.host.clock.endTurn();
      else if (action === "ping") stand.stream.deliver(stand.peer.command("PING", "\0\0x"));
      else stand.stream.drain(Number(action.slice(6)));
    }
    arrived.push(...stand.cut(graceful ? undefined : new Error("reset")));
  }
  return [sent, arrived];
}

describe("a pipe whose CURVE connections break", () => {
  for (const [type, step] of [["DEALER", 1], ["PUSH", 7]] as const) {
    it(`sends what was cut off at any octet again, as a ${type}`, async () => {
      const frames = [pattern(3), pattern(300), pattern(2)];
      const length = 38 + 342 + 37;
      const handshake = type === "PUSH" ? PUSH_HANDSHAKE : HANDSHAKE;
      for (let room = 0; room <= 2 * length + 1; room += step) {
        // Within the long frame one place is as good as another.
        const place = room % length;
        if (place > 90 && place < 370 && place % 10 > 0) continue;
        const broken = await new CurveLink({ type, stream: { room: handshake + room } })
          .shakeHands();
        for (let i = 0; i < 2; i++) broken.pipe.send([...frames]);
        broken.host.clock.settle();
        const first = broken.cut();
        assertEquals(first.length, Math.min(2, Math.floor(room / length)), `cut at ${room}`);
        const second = await carryOn(broken);
        assertMessages([...first, ...second], [frames, frames]);
      }
    });
  }

  it("sends a batch that was cut off at any octet again, message by message", async () => {
    const bodies = Array.from({ length: 9 }, (_, i) => utf8("x".repeat(i)));
    const total = bodies.reduce((sum, body) => sum + 35 + body.length, 0);
    for (let room = 0; room <= total; room++) {
      const broken = await new CurveLink({ stream: { room: HANDSHAKE + room } }).shakeHands();
      for (const body of bodies) broken.pipe.send([body]);
      broken.host.clock.settle();
      const first = broken.cut();
      const second = await carryOn(broken);
      assertMessages([...first, ...second], bodies.map((body) => [body]));
      assertEquals(broken.pipe.outbox.messagesSent, bodies.length);
    }
  });

  it("sends a long message that was cut off again, and no other", async () => {
    for (const size of [33_000, 100_000, 300_000, 1_000_000]) {
      const sealed = 9 + 33 + size;
      const messages = [[pattern(size)], [utf8("after")], [pattern(size, 1), utf8("tail")]];
      for (const room of [0, 1, 42, sealed - 1, sealed, sealed + 1, sealed + 40, 2 * sealed + 41]) {
        const broken = await new CurveLink({ stream: { room: HANDSHAKE + room } }).shakeHands();
        for (const frames of messages) broken.pipe.send([...frames]);
        broken.host.clock.settle();
        const first = broken.cut();
        const second = await carryOn(broken);
        assertMessages([...first, ...second], messages);
      }
    }
  });

  it("loses no message and sends none twice, wherever they break", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(connection, { minLength: 1, maxLength: 5 }), async (list) => {
        const [sent, arrived] = await live([...list, CALM, CALM]);
        assertMessages(arrived, sent);
      }),
      { numRuns: 60 },
    );
  });

  it("answers PING between the pieces of a long message only after it", async () => {
    const stand = await new CurveLink({ stream: { room: HANDSHAKE + 50_000 } }).enter();
    stand.pipe.send([pattern(200_000)]);
    stand.stream.deliver(stand.peer.command("PING", "\0\0context"));
    stand.stream.drain(Infinity);
    stand.stream.flow();
    assertMessages(stand.listen(), [[pattern(200_000)]]);
    assertEquals(stand.commands.map(textOf), ["\x04PONGcontext"]);
  });
});
