// What goes into an outbox besides the user's own messages, and what is taken out unsent: commands, messages that are wire
// octets already, bodies that outboxes share, clear().

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Core } from "../../src/core/instance.ts";
import { Outbox } from "../../src/core/outbox.ts";
import { Span } from "../../src/span.ts";
import { utf8 } from "../_util/bytes.ts";
import { assertMessages, assertOctets, concat, pattern } from "../_util/octets.ts";
import { COMMAND, encodeFrame, encodeMessage } from "./models/frame_model.ts";
import { capacityOf, DIRECT, flush, REFERENCE, Twins } from "./models/outbox_twins.ts";

const PAGE = 65_536;

describe("Outbox.appendCommand()", () => {
  it("puts a command on the wire between messages, in short form up to 255 octets (ZMTP31-FRAME-06, ZMTP31-CMD-06)", () => {
    for (const size of [0, 1, 255, 256, 5_000, 65_536]) {
      const box = new Outbox(new Core());
      box.append("before");
      assert(box.appendCommand(pattern(size)));
      box.append(["after", pattern(REFERENCE)]);
      const expected = concat(
        encodeMessage([utf8("before")]),
        encodeFrame(COMMAND, pattern(size)),
        encodeMessage([utf8("after"), pattern(REFERENCE)]),
      );
      assertOctets(flush(box), expected, `a command of ${size}`);
    }
  });

  it("is left out by drain(): it was for this connection alone", () => {
    const box = new Outbox(new Core());
    box.appendCommand(pattern(10));
    box.append(["a", "b"]);
    box.appendCommand(pattern(300));
    box.append("c");
    box.appendCommand(pattern(20));
    assertMessages(box.drain(), [[utf8("a"), utf8("b")], [utf8("c")]]);
    assert(box.empty);
  });

  it("waits again after rewind(), as messages do", () => {
    const box = new Outbox(new Core());
    box.appendCommand(pattern(10));
    box.append("a");
    box.take(1_000);
    box.advance(5);
    box.rewind();
    assertEquals(box.waiting, 2);
    assertMessages(box.drain(), [[utf8("a")]]);
  });

  it("is refused without memory", () => {
    const core = new Core();
    core.exports.memoryLimit(core.bytes.length / PAGE);
    const box = new Outbox(core);
    let appended = 0;
    while (box.appendCommand(pattern(500))) appended++;
    assertEquals([box.waiting, box.bytes], [appended, appended * 509]);
    assertEquals(flush(box).length, appended * 509);
  });
});

describe("a span appended to an Outbox", () => {
  it("is sent as it is, whatever lies around it", () => {
    const twins = new Twins(new Core());
    for (const size of [0, 1, 29, 30, 31, 32, 33, 255, 256, 3_000, 70_000]) {
      assert(twins.appendSpan([pattern(size, size)]));
      assert(twins.appendSpan([pattern(3), pattern(size, size), new Uint8Array(0)]));
    }
    twins.finish();
    assertEquals(twins.model.sent.length, 22);
  });

  it("is copied when it is short: what becomes of the slab afterwards does not matter", () => {
    const box = new Outbox(new Core());
    const slab = encodeMessage([pattern(REFERENCE - 200)]);
    const expected = slab.slice();
    box.append(new Span(slab, 0, slab.length));
    slab.fill(0);
    assertOctets(flush(box), expected);
  });

  it("is sent, rewound and drained like other messages when its bodies are long", () => {
    const twins = new Twins(new Core());
    twins.append(["a", pattern(DIRECT)]);
    twins.appendSpan([pattern(DIRECT, 1), pattern(2)]);
    twins.append([pattern(REFERENCE, 2)]);
    twins.take(1_000_000);
    twins.write(DIRECT + 500);
    twins.rewind();
    assertEquals(twins.box.waiting, 2);
    twins.drain();
  });

  it("is refused without memory, and nothing of it stays", () => {
    const core = new Core();
    core.exports.memoryLimit(core.bytes.length / PAGE);
    const twins = new Twins(core);
    let appended = 0;
    while (twins.appendSpan([pattern(500), pattern(300)])) appended++;
    assertEquals(twins.box.waiting, appended);
    twins.take(2_000);
    twins.write(Infinity);
    assert(twins.appendSpan([pattern(500)]));
    twins.finish();
  });
});

describe("Outbox.clear()", () => {
  it("drops what waits, and the ring is as good as new", () => {
    const core = new Core();
    const twins = new Twins(core);
    for (let round = 0; round < 200; round++) {
      for (let i = 0; i < 1 + round % 7; i++) twins.append([pattern(90 + round, i)]);
      twins.clear();
    }
    assert(twins.box.empty);
    assertEquals(capacityOf(core, twins.box) <= 4_096, true, "the ring grew");
    twins.append(["again"]);
    twins.finish();
  });

  it("leaves what is in flight as it is, wherever the ring goes round", () => {
    for (let filled = 0; filled < 40; filled++) {
      const twins = new Twins(new Core());
      for (let i = 0; i < filled; i++) twins.append([pattern(60, i)]);
      twins.take(1_000);
      for (let i = 0; i < 8; i++) twins.append([pattern(150, i)]);
      twins.write(500);
      twins.clear();
      twins.append([pattern(100, 1)]);
      twins.append([pattern(300, 2)]);
      twins.clear();
      twins.append([pattern(200, 3)]);
      twins.rewind();
      twins.finish();
    }
  });

  it("drops bodies by reference, but for those that are in flight", () => {
    const twins = new Twins(new Core());
    twins.append(["a", pattern(DIRECT, 1)]);
    twins.append([pattern(REFERENCE, 2), "b"]);
    twins.take(1);
    twins.append([pattern(DIRECT, 3)]);
    assertEquals(twins.box.bodies.length, 3);
    twins.clear();
    assertEquals(twins.box.bodies.length, 1);
    twins.append([pattern(REFERENCE, 4), pattern(DIRECT, 5)]);
    twins.rewind();
    assertEquals(twins.box.bodies.length, 3);
    twins.finish();
    assertEquals([twins.model.sent.length, twins.box.bodies.length], [2, 0]);
  });

  it("works again and again on an outbox that is always full", () => {
    const core = new Core();
    const twins = new Twins(core);
    for (let i = 0; i < 2_000; i++) {
      twins.clear();
      twins.append([pattern(10, i), pattern(i % 500, i)]);
      if (i % 5 === 0) twins.take(1);
      if (i % 5 === 3) twins.write(i % 50);
      if (i % 50 === 49) twins.write(Infinity);
    }
    assertEquals(capacityOf(core, twins.box) <= 8_192, true, "the ring grew");
    twins.finish();
  });
});

describe("Outbox.share()", () => {
  it("adds the bodies of a message that the core appended", () => {
    const core = new Core();
    const box = new Outbox(core);
    const [first, second] = [pattern(DIRECT, 1), pattern(DIRECT, 2)];
    box.append(first);
    core.exports.outboxPushReference(box.box, second.length, 0);
    core.refresh();
    box.share([second]);
    assertEquals([box.waiting, box.bodies.length], [2, 2]);
    box.take(1_000_000);
    const parts: Uint8Array[] = [];
    for (let done = false; !done;) {
      parts.push(box.next());
      done = box.advance(box.next().length);
    }
    assertStrictEquals(parts[1], first);
    assertStrictEquals(parts[3], second);
  });
});

describe("Outbox.dropped", () => {
  it("counts one at a time, and stays", () => {
    const box = new Outbox(new Core());
    assertEquals(box.dropped, 0);
    for (let i = 0; i < 5; i++) box.drop();
    box.append("a");
    box.clear();
    flush(box);
    assertEquals([box.dropped, box.waiting], [5, 0]);
  });
});
