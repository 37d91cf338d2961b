// When a link writes: a lone message at once, hot traffic in batches, and never two writes at a time.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { utf8 } from "../_util/bytes.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { assertMessages, assertOctets, concat, pattern } from "../_util/octets.ts";
import { ping } from "../_util/raw_zmtp.ts";
import { encodeMessage, readStream } from "../core/models/frame_model.ts";

const BATCH = 128 * 1024;
const LARGEST_WRITE = 256 * 1024;

describe("a link that writes", () => {
  it("writes a lone message in the same tick", () => {
    const stand = new LinkStand().serve();
    stand.pipe.send("hello");
    assertMessages(stand.sentMessages(), [[utf8("hello")]]);
    stand.host.clock.settle();
    stand.pipe.send("again");
    assertMessages(stand.sentMessages(), [[utf8("again")]]);
  });

  it("collects what follows in the same turn into one write at its end", () => {
    const stand = new LinkStand().serve();
    for (let i = 0; i < 100; i++) stand.pipe.send(String(i));
    assertEquals(stand.stream.writes.length, 1);
    stand.host.clock.endTurn();
    assertEquals(stand.stream.writes.length, 2);
    assertEquals(stand.sentMessages().length, 100);
    stand.host.clock.settle();
    assertEquals(stand.stream.writes.length, 2);
  });

  it("writes a batch within the turn as soon as it is worth it", () => {
    const stand = new LinkStand().serve();
    const body = pattern(1_000);
    const wire = encodeMessage([body]).length;
    stand.pipe.send(body);
    let sent = 1;
    while (stand.stream.writes.length === 1) {
      stand.pipe.send(body);
      sent++;
    }
    const [, batch] = stand.stream.writes;
    assertEquals(batch.length, (sent - 1) * wire);
    assert(batch.length >= BATCH && batch.length < BATCH + wire);
  });

  it("writes smaller batches when the high-water mark is small", () => {
    const stand = new LinkStand({ options: { sendHighWaterMark: 10 } }).serve();
    for (let i = 0; i < 30; i++) stand.pipe.send(pattern(130, i));
    assertGreater(stand.stream.writes.length, 2);
    assertEquals(stand.pipe.full, false);
  });

  it("does not write the next messages because a write is done", () => {
    const stand = new LinkStand({ stream: { late: true } }).serve();
    stand.pipe.send("one");
    stand.pipe.send("two");
    stand.pipe.send("three");
    stand.stream.drain();
    assertEquals(stand.stream.writes.length, 1);
    stand.host.clock.endTurn();
    assertEquals(stand.stream.writes.length, 2);
    stand.stream.drain();
    assertEquals(stand.sentMessages().length, 3);
  });

  it("takes a new message at once again in the next turn", () => {
    const stand = new LinkStand({ stream: { late: true } }).serve();
    for (let i = 0; i < 5; i++) {
      stand.pipe.send("m");
      assertEquals(stand.stream.writes.length, i + 1);
      stand.stream.drain();
      stand.host.clock.endTurn();
    }
  });

  it("sends all that waits when a write that blocked is done", () => {
    const stand = new LinkStand({ stream: { room: 97 } }).serve();
    for (let i = 0; i < 20; i++) stand.pipe.send(`message ${i}`);
    stand.host.clock.settle();
    assert(stand.stream.busy);
    stand.stream.drain(10);
    assert(stand.stream.busy);
    stand.stream.drain();
    assertEquals(stand.stream.busy, false);
    stand.host.clock.settle();
    assertEquals(stand.pipe.outbox.empty, true);
  });

  it("offers the rest again when the stream asks for it", () => {
    const stand = new LinkStand({ stream: { gulp: 5 } }).serve();
    stand.pipe.send("a long message");
    stand.stream.flow();
    assertMessages(stand.sentMessages(), [[utf8("a long message")]]);
  });

  it("ends each turn without writing when nothing waits", () => {
    const stand = new LinkStand().serve();
    stand.pipe.send("m");
    stand.host.clock.settle();
    stand.stream.deliver(ping("x"));
    stand.host.clock.settle();
    assertEquals(stand.stream.writes.length, 2);
    assertEquals(stand.host.clock.turning, false);
  });

  it("writes some 256 kB at most of small messages at once", () => {
    const stand = new LinkStand();
    for (let i = 0; i < 2_000; i++) stand.pipe.send(pattern(500, i));
    stand.link.start();
    stand.stream.deliver(stand.peerHandshake);
    const sizes = stand.stream.writes.map(({ length }) => length);
    assertEquals(stand.pipe.outbox.empty, true);
    for (const size of sizes) assertLess(size, LARGEST_WRITE + 510);
  });

  it("writes long bodies from their own memory", () => {
    const stand = new LinkStand().serve();
    const body = pattern(1_000_000);
    stand.pipe.send(["a", body, "b"]);
    stand.host.clock.settle();
    assertOctets(stand.stream.takeOutput(), encodeMessage([utf8("a"), body, utf8("b")]));
    assertEquals(stand.stream.writes.map(({ length }) => length), [3 + 9, body.length, 3]);
  });

  it("tells the host that there is room while its messages leave", () => {
    const stand = new LinkStand({ options: { sendHighWaterMark: 5 }, stream: { room: 94 } })
      .serve();
    let sent = 0;
    while (!stand.pipe.full) stand.pipe.send(pattern(50, sent++));
    assertGreater(sent, 5);
    let told = 0;
    stand.host.onWritable = () => told++;
    stand.stream.drain(20);
    assertEquals(told, 0);
    stand.stream.drain();
    assertGreater(told, 0);
    assertEquals(stand.pipe.full, false);
  });

  it("takes what the host sends when it is told that there is room", () => {
    const stand = new LinkStand({ options: { sendHighWaterMark: 3 }, stream: { late: true } })
      .serve();
    let sent = 0;
    stand.host.onWritable = (pipe) => {
      while (sent < 1_000 && !pipe.full) pipe.send(pattern(100, sent++));
    };
    stand.pipe.send("go");
    while (stand.stream.busy || stand.host.clock.turning) {
      stand.stream.drain();
      stand.host.clock.endTurn();
    }
    assertEquals([sent, stand.sentMessages().length], [1_000, 1_001]);
  });

  it("keeps the process alive until everything is handed over", () => {
    const stand = new LinkStand({ stream: { room: 94 } }).serve();
    stand.pipe.send("one");
    stand.pipe.send("two");
    assertEquals(stand.host.holds, 1);
    stand.stream.drain(5);
    stand.host.clock.settle();
    assertEquals(stand.host.holds, 1);
    stand.stream.drain();
    stand.host.clock.settle();
    assertEquals(stand.host.holds, 0);
  });

  it("writes every message once and in order, however the stream takes them (ZMTP31-SEM-04, ZMTP31-SEM-05)", () => {
    const action = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(0, 1, 30, 255, 256, 3_000, 40_000, 130_000) },
      { weight: 3, arbitrary: fc.constantFrom("drain 1", "drain 300", "drain all") },
      { weight: 2, arbitrary: fc.constant("turn") },
      { weight: 1, arbitrary: fc.constant("ping") },
    );
    fc.assert(
      fc.property(
        fc.array(action, { size: "+1" }),
        fc.record({ late: fc.boolean(), gulp: fc.constantFrom(1_000, 100_000, Infinity) }),
        fc.constantFrom(94, 200, 10_000, Infinity),
        (actions, how, room) => {
          const stand = new LinkStand({ stream: { ...how, room } }).serve();
          const sent: Uint8Array[][] = [];
          for (const action of actions) {
            if (typeof action === "number") {
              sent.push([pattern(action, sent.length), pattern(3, sent.length)]);
              stand.pipe.send([...sent.at(-1)!]);
            } else if (action === "turn") stand.host.clock.endTurn();
            else if (action === "ping") stand.stream.deliver(ping("x"));
            else stand.stream.drain(action === "drain all" ? Infinity : Number(action.slice(6)));
            stand.stream.checkBorrowed();
          }
          stand.stream.drain();
          while (stand.stream.busy || stand.host.clock.turning) {
            stand.stream.flow();
            stand.host.clock.endTurn();
          }
          const { messages, commands, fault } = readStream(stand.stream.takeOutput());
          assertEquals(fault, undefined);
          assertMessages(messages, sent);
          assertEquals(commands.length, actions.filter((action) => action === "ping").length);
          assertEquals([stand.pipe.outbox.empty, stand.host.holds], [true, 0]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("writes a message of a thousand frames in one piece", () => {
    const stand = new LinkStand().serve();
    const frames = Array.from({ length: 1_000 }, (_, i) => pattern(i % 300, i));
    stand.pipe.send(frames);
    assertOctets(concat(...stand.stream.writes), encodeMessage(frames));
  });
});
