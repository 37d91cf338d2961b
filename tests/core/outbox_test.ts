// The outbox beside its model: random use must give the model's octets, counts and refusals, whatever the ring does inside.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Core } from "../../src/core/instance.ts";
import { Outbox } from "../../src/core/outbox.ts";
import { toBytes } from "../../src/message.ts";
import { utf8 } from "../_util/bytes.ts";
import { assertMessages, assertOctets, concat, pattern } from "../_util/octets.ts";
import { encodeMessage } from "./models/frame_model.ts";
import { body, DIRECT, flush, type Part, part, REFERENCE, Twins } from "./models/outbox_twins.ts";

interface Step {
  readonly box: number;
  readonly run: (twins: Twins) => void;
}

/** A printable step, so that a counterexample can be read. */
function step<T>(
  name: string,
  argument: fc.Arbitrary<T>,
  run: (twins: Twins, argument: T) => void,
): fc.Arbitrary<Step> {
  return fc.tuple(fc.nat(1), argument).map(([box, value]) => ({
    box,
    run: (twins) => run(twins, value),
    toString: () => `box ${box}: ${name} ${describeValue(value)}`,
  }));
}

function describeValue(value: unknown): string {
  if (value instanceof Uint8Array) return `of ${value.length}`;
  if (!Array.isArray(value)) return String(value);
  return `[${value.map((part) => `${typeof part} of ${part.length}`).join(", ")}]`;
}

const none = fc.constant("");
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: step(
        "append",
        fc.array(part, { minLength: 1, maxLength: 5 }),
        (twins, parts) => void twins.append(parts),
      ),
    },
    {
      weight: 4,
      arbitrary: step(
        "take",
        fc.constantFrom(1, 300, 5_000, 100_000, 256 * 1024),
        (twins, limit) => twins.take(limit),
      ),
    },
    {
      weight: 4,
      arbitrary: step(
        "write",
        fc.oneof(fc.nat(20), fc.nat(5_000), fc.constant(Infinity)),
        (twins, count) => twins.write(count),
      ),
    },
    { weight: 1, arbitrary: step("rewind", none, (twins) => twins.rewind()) },
    { weight: 1, arbitrary: step("trim", none, (twins) => twins.trim()) },
    { weight: 1, arbitrary: step("drain", none, (twins) => twins.drain()) },
    { weight: 1, arbitrary: step("clear", none, (twins) => twins.clear()) },
    {
      weight: 2,
      arbitrary: step(
        "append span",
        fc.array(body, { minLength: 1, maxLength: 3 }),
        (twins, frames) => void twins.appendSpan(frames),
      ),
    },
    {
      weight: 1,
      arbitrary: step("append command", body, (twins, body) => void twins.appendCommand(body)),
    },
  ),
  { size: "+1", maxLength: 100 },
);

function use(core: Core, sequence: readonly Step[]): void {
  const both = [new Twins(core), new Twins(core)];
  for (const { box, run } of sequence) {
    run(both[box]);
    both[1 - box].check();
  }
  for (const twins of both) {
    twins.finish();
    twins.box.free();
  }
}

describe("Outbox", () => {
  it("does what its model does, two at a time in one memory", () => {
    fc.assert(fc.property(steps, (sequence) => use(new Core(), sequence)), { numRuns: 75 });
  });

  it("does what its model does while memory is short", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 6 }), (sequence, pages) => {
        const core = new Core();
        core.exports.memoryLimit(pages);
        use(core, sequence);
      }),
      { numRuns: 75 },
    );
  });

  it("puts messages on the wire as ZMTP frames, short form up to 255 octets (ZMTP31-FRAME-07)", () => {
    const box = new Outbox(new Core());
    const messages: Part[][] = [
      [""],
      ["hello"],
      [pattern(255)],
      [pattern(256)],
      ["A", "", "BB"],
      [pattern(256), "b"],
      ["ä€😀", "\ud800"],
    ];
    for (const parts of messages) assert(box.append(parts.length === 1 ? parts[0] : parts));
    const expected = messages.map((parts) => encodeMessage(parts.map(toBytes)));
    assertOctets(flush(box), concat(...expected));
  });

  it("encodes text of every length around its scratch space", () => {
    const box = new Outbox(new Core());
    for (const char of ["x", "ä", "€", "😀"]) {
      for (const length of [84, 85, 86, 127, 128, 255, 256, 1_364, 1_365, 1_366, 4_096, 40_000]) {
        const text = char.repeat(length);
        box.append(text);
        assertOctets(flush(box), encodeMessage([utf8(text)]), `${length} times ${char}`);
      }
    }
  });

  it("sends a run whose octets are given in one piece", () => {
    const box = new Outbox(new Core());
    for (let i = 0; i < 50; i++) box.append(pattern(20, i));
    assert(box.take(10_000));
    assertEquals(box.next().length, 50 * 22);
    assertEquals(box.advance(50 * 22 - 1), false);
    assertEquals(box.next().length, 1);
    assertEquals(box.advance(1), true);
    assert(box.empty);
  });

  it("takes whole messages only, at least one, and no more once the limit is reached (ZMTP31-SEM-03, ZMTP31-MSG-01)", () => {
    const box = new Outbox(new Core());
    const message = [pattern(50), pattern(50)];
    for (let i = 0; i < 10; i++) box.append(message);
    const taken = (limit: number): number => {
      const before = box.waiting;
      box.take(limit);
      const messages = before - box.waiting;
      while (!box.advance(box.next().length));
      return messages;
    };
    assertEquals([taken(1), taken(104), taken(105), taken(208)], [1, 1, 2, 2]);
    assertEquals(taken(Infinity) > 0, true);
  });

  it("keeps long bodies by reference: their memory is written, not a copy of it", () => {
    const core = new Core();
    const box = new Outbox(core);
    const long = pattern(DIRECT);
    box.append(["a", long, "b"]);
    box.take(1);
    const parts: Uint8Array[] = [];
    for (let done = false; !done;) {
      parts.push(box.next());
      done = box.advance(box.next().length);
    }
    assertEquals(parts.length, 3);
    assertStrictEquals(parts[1], long);
    assertOctets(concat(...parts), encodeMessage([utf8("a"), long, utf8("b")]));
    assert(core.bytes.length < DIRECT, "the body is not in the core's memory");
  });

  it("copies short bodies: what the caller changes afterwards is not sent", () => {
    const box = new Outbox(new Core());
    const body = pattern(REFERENCE - 1);
    const expected = encodeMessage([body]);
    box.append(body);
    body.fill(0);
    assertOctets(flush(box), expected);
  });

  it("gathers bodies of middling size into one write with their neighbours", () => {
    const box = new Outbox(new Core());
    for (let i = 0; i < 3; i++) box.append([pattern(10, i), pattern(REFERENCE, i)]);
    box.take(256 * 1024);
    assertEquals(box.next().length, 3 * (12 + REFERENCE + 9));
  });
});

describe("Outbox.rewind()", () => {
  it("has what did not leave whole wait again, from its first frame (CONN-06)", () => {
    const frames = [pattern(3, 1), pattern(REFERENCE, 2), pattern(4, 3)];
    const wire = encodeMessage(frames);
    for (const written of [0, 1, 5, 6, 14, 100, wire.length - 1, wire.length, wire.length + 1]) {
      const twins = new Twins(new Core());
      for (let i = 0; i < 3; i++) twins.append(frames);
      twins.take(1_000_000);
      twins.write(written);
      twins.rewind();
      const left = written < wire.length ? 3 : 2;
      assertEquals(twins.box.waiting, left);
      assertOctets(flush(twins.box), concat(...Array.from({ length: left }, () => wire)));
    }
  });

  it("does nothing when nothing is in flight", () => {
    const twins = new Twins(new Core());
    twins.rewind();
    twins.append(["a"]);
    twins.rewind();
    assertEquals(twins.box.waiting, 1);
  });

  it("keeps the order with what was appended meanwhile", () => {
    const twins = new Twins(new Core());
    twins.append(["one"]);
    twins.append(["two"]);
    twins.take(1_000);
    twins.append(["three"]);
    twins.rewind();
    assertMessages(twins.box.drain(), [[utf8("one")], [utf8("two")], [utf8("three")]]);
  });

  it("brings a flight back that was outgrown by what was appended meanwhile", () => {
    const twins = new Twins(new Core());
    for (let i = 0; i < 10; i++) twins.append([pattern(100, i)]);
    twins.take(1_000_000);
    twins.write(150);
    for (let i = 0; i < 500; i++) twins.append([pattern(100, i)]);
    twins.rewind();
    assertEquals(twins.box.waiting, 509);
    twins.finish();
  });
});

describe("Outbox.drain()", () => {
  it("gives all messages as frames of their own memory", () => {
    const core = new Core();
    const box = new Outbox(core);
    const long = pattern(DIRECT);
    const messages: Part[][] = [["a", "", "b"], [long], [pattern(300), long]];
    for (const parts of messages) box.append(parts);
    const drained = box.drain();
    const expected = messages.map((parts) => parts.map(toBytes).map((octets) => octets.slice()));
    long.fill(0);
    for (let i = 0; i < 200; i++) box.append(pattern(100, i));
    assertMessages(drained, expected);
    for (const frame of drained.flat()) assert(frame.buffer !== core.bytes.buffer);
  });

  it("gives nothing when nothing waits", () => {
    assertEquals(new Outbox(new Core()).drain(), []);
  });
});
