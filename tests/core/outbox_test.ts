// The outbox beside its model: random use must give the model's octets, counts and refusals, whatever the ring does inside.

import { assert, assertEquals, assertGreater, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Core } from "../../src/core/instance.ts";
import { Outbox } from "../../src/core/outbox.ts";
import { toBytes } from "../../src/message.ts";
import { BOX_CAPACITY, RING_MINIMUM } from "../../wasm/layout.ts";
import { utf8 } from "../_util/bytes.ts";
import { assertMessages, assertOctets, concat, pattern } from "../_util/octets.ts";
import { encodeMessage } from "./models/frame_model.ts";
import { OutboxModel } from "./models/outbox_model.ts";
import { size } from "./models/streams.ts";

const PAGE = 65_536;
/** From this size on a body is kept by reference, and from the other one it is written by itself. */
const REFERENCE = 32 * 1024;
const DIRECT = 128 * 1024;

type Part = Uint8Array | string;

/** An outbox and its model, kept in step and compared after each step. */
class Twins {
  readonly core: Core;
  readonly box: Outbox;
  readonly model: OutboxModel = new OutboxModel();

  constructor(core: Core) {
    this.core = core;
    this.box = new Outbox(core);
  }

  append(parts: readonly Part[]): boolean {
    const done = this.box.append(parts.length === 1 ? parts[0] : [...parts]);
    if (done) this.model.append(parts.map(toBytes));
    this.check();
    return done;
  }

  take(limit: number): void {
    if (this.box.inFlight) return;
    const before = this.box.waiting;
    const taken = this.box.take(limit);
    assertEquals(taken, before > 0);
    this.model.take(before - this.box.waiting, limit);
    assertEquals(taken, this.model.flight.length > 0);
    this.check();
  }

  /** Hands over up to `count` octets, as a stream would take them. */
  write(count: number): void {
    while (count > 0 && this.box.inFlight) {
      const taken = Math.min(count, this.box.next().length);
      assertEquals(this.box.advance(taken), this.model.advance(taken));
      count -= taken;
      this.check();
    }
  }

  rewind(): void {
    this.box.rewind();
    this.model.rewind();
    this.check();
  }

  trim(): void {
    this.box.trim();
    this.check();
  }

  drain(): void {
    if (!this.box.inFlight) this.model.drain(this.box.drain());
    this.check();
  }

  /** Sends all that is left. */
  finish(): void {
    while (!this.box.empty) {
      this.take(100_000);
      this.write(Infinity);
    }
  }

  check(): void {
    const { box, model } = this;
    assertEquals(
      [box.waiting, box.bytes, box.inFlight, box.empty],
      [
        model.waiting.length,
        model.bytes,
        model.flight.length > 0,
        model.flight.length + model.waiting.length === 0,
      ],
    );
    // The ring may have moved meanwhile: what is in flight is found all the same.
    if (!box.inFlight) return;
    const octets = box.next();
    assertOctets(octets, model.rest.subarray(0, octets.length), "octets in flight");
    assertGreater(octets.length, 0);
  }
}

interface Step {
  readonly box: number;
  readonly run: (twins: Twins) => void;
}

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.string({ unit: "grapheme", maxLength: 400 }),
  fc.constantFrom("ä".repeat(1365), "€".repeat(1366), "x".repeat(4_097), "é".repeat(20_000)),
);
const body = fc.tuple(
  fc.oneof(
    { weight: 10, arbitrary: size },
    {
      weight: 1,
      arbitrary: fc.constantFrom(REFERENCE - 1, REFERENCE, 100_000, DIRECT - 1, DIRECT, 140_000),
    },
  ),
  fc.nat(255),
).map(([size, seed]) => pattern(size, seed));
const part: fc.Arbitrary<Part> = fc.oneof(
  { weight: 3, arbitrary: body },
  { weight: 1, arbitrary: text },
);

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

function capacityOf(core: Core, box: Outbox): number {
  // The only ring that is there: its header has the capacity that was asked for last.
  return core.words[boxAddresses.get(box)! / 4 + BOX_CAPACITY];
}

const boxAddresses = new WeakMap<Outbox, number>();

/** An outbox whose header can be looked at. */
function openBox(core: Core): Outbox {
  const address = core.exports.outboxNew();
  core.exports.outboxFree(address);
  const box = new Outbox(core);
  boxAddresses.set(box, address);
  return box;
}

/** Sends everything that waits; the octets. */
function flush(box: Outbox, limit = 256 * 1024): Uint8Array {
  const parts: Uint8Array[] = [];
  while (box.take(limit)) {
    for (let done = false; !done;) {
      const octets = box.next();
      parts.push(octets.slice());
      done = box.advance(octets.length);
    }
  }
  return concat(...parts);
}

describe("Outbox", () => {
  it("does what its model does, two at a time in one memory", () => {
    fc.assert(fc.property(steps, (sequence) => use(new Core(), sequence)), { numRuns: 150 });
  });

  it("does what its model does while memory is short", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 6 }), (sequence, pages) => {
        const core = new Core();
        core.exports.memoryLimit(pages);
        use(core, sequence);
      }),
      { numRuns: 150 },
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

  it("takes whole messages only, at least one, and no more once the limit is reached", () => {
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

describe("Outbox's ring", () => {
  it("goes round its end without a message in two pieces", () => {
    const core = new Core();
    const box = openBox(core);
    const model = new OutboxModel();
    const sent: Uint8Array[] = [];
    for (let i = 0; i < 2_000; i++) {
      const body = pattern(150 + i % 90, i);
      box.append(body);
      model.append([body]);
      if (box.waiting < 5) continue;
      box.take(200);
      sent.push(box.next().slice());
      box.advance(box.next().length);
    }
    sent.push(flush(box));
    assertOctets(concat(...sent), concat(...model.waiting.map(({ wire }) => wire)));
    assertEquals(capacityOf(core, box), RING_MINIMUM);
  });

  it("ends a flight where it goes round, and goes on from there", () => {
    const twins = new Twins(new Core());
    for (let i = 0; i < 7; i++) twins.append([pattern(253, i)]);
    twins.take(600);
    twins.write(Infinity);
    for (let i = 0; i < 2; i++) twins.append([pattern(250, i)]);
    twins.take(1_000_000);
    assertGreater(twins.box.waiting, 0);
    twins.finish();
    assertEquals(twins.model.sent.length, 9);
  });

  it("counts right through all its borders: exactly full, round its end, outgrown", () => {
    // Messages of a quarter or an eighth of the smallest ring, so that they often end where another one begins.
    const action = fc.constantFrom(254, 254, 126, 503, -1, -1, -2, -4);
    fc.assert(
      fc.property(fc.array(action, { minLength: 20, maxLength: 80 }), (actions) => {
        const twins = new Twins(new Core());
        for (const action of actions) {
          if (action > 0) twins.append([pattern(action, actions.length)]);
          for (let i = action; i < 0; i++) {
            twins.take(1);
            twins.write(Infinity);
          }
        }
        twins.finish();
      }),
      { numRuns: 300 },
    );
  });

  it("grows as far as it must and shrinks again while idle", () => {
    const core = new Core();
    const box = openBox(core);
    for (let i = 0; i < 10_000; i++) box.append(pattern(98, i & 7));
    assertGreater(capacityOf(core, box), 999_999);
    assert(capacityOf(core, box) < 4_000_000);
    flush(box);
    let rounds = 0;
    while (box.trim()) assert(++rounds < 40);
    assertEquals(capacityOf(core, box), RING_MINIMUM);
    box.append("still works");
    assertOctets(flush(box), encodeMessage([utf8("still works")]));
  });

  it("does not shrink below what is in use", () => {
    const core = new Core();
    const twins = new Twins(core);
    for (let i = 0; i < 300; i++) twins.append([pattern(98, i)]);
    for (let i = 0; i < 20; i++) twins.trim();
    twins.finish();
    assertEquals(twins.model.sent.length, 300);
  });

  it("does not grow its memory while use is steady", () => {
    const core = new Core();
    const box = new Outbox(core);
    const round = (): void => {
      for (let i = 0; i < 2_000; i++) box.append(pattern(100, i & 3));
      flush(box);
      while (box.trim());
    };
    for (let i = 0; i < 3; i++) round();
    const before = core.bytes.length;
    for (let i = 0; i < 30; i++) round();
    assertEquals(core.bytes.length, before);
  });

  it("gives its memory back with free()", () => {
    const core = new Core();
    const round = (): void => {
      const boxes = Array.from({ length: 20 }, () => new Outbox(core));
      for (const box of boxes) for (let i = 0; i < 100; i++) box.append(pattern(400, i));
      for (const box of boxes) box.take(10_000);
      for (const box of boxes) for (let i = 0; i < 300; i++) box.append(pattern(400, i));
      for (const box of boxes) box.free();
    };
    round();
    round();
    const before = core.bytes.length;
    for (let i = 0; i < 10; i++) round();
    assertEquals(core.bytes.length, before);
  });
});

describe("Outbox without memory", () => {
  /** An outbox that holds as much as its memory can take. */
  function full(): { core: Core; twins: Twins } {
    const core = new Core();
    core.exports.memoryLimit(core.bytes.length / PAGE);
    const twins = new Twins(core);
    for (let i = 0; twins.append([pattern(200, i), pattern(100, i)]); i++) assert(i < 100_000);
    assertGreater(twins.box.waiting, 10);
    return { core, twins };
  }

  it("refuses a message and keeps nothing of it", () => {
    const { twins } = full();
    const { waiting, bytes } = twins.box;
    assertEquals(twins.append([pattern(10), pattern(30_000), pattern(10)]), false);
    assertEquals(twins.append(["x".repeat(1_000), pattern(20_000)]), false);
    assertEquals(twins.append([pattern(REFERENCE, 1), pattern(30_000)]), false);
    assertEquals([twins.box.waiting, twins.box.bytes], [waiting, bytes]);
    twins.finish();
  });

  it("refuses a message that no longer fits at its third frame, references and all", () => {
    const { twins } = full();
    const long = pattern(DIRECT);
    let refused = 0;
    for (let i = 0; i < 300 && refused < 3; i++) {
      if (!twins.append([long, long, pattern(700, i)])) refused++;
    }
    assertEquals(refused, 3);
    twins.finish();
    assert(twins.append([long, "works again"]));
    twins.finish();
  });

  it("takes messages again once some have left", () => {
    const { twins } = full();
    twins.take(20_000);
    twins.write(Infinity);
    assert(twins.append(["again"]));
    twins.finish();
    assertEquals(twins.model.sent.at(-1)!.frames.map(String), [String(utf8("again"))]);
  });

  it("takes messages again once memory may grow", () => {
    const { core, twins } = full();
    core.exports.memoryLimit(65_536);
    assert(twins.append([pattern(30_000)]));
    twins.finish();
  });

  it("cannot be opened, and says so", () => {
    const { core, twins } = full();
    const boxes: Outbox[] = [];
    assertThrows(
      () => {
        for (let i = 0; i < 10_000; i++) boxes.push(new Outbox(core));
      },
      RangeError,
      "memory",
    );
    for (const box of boxes) box.free();
    twins.finish();
  });

  it("does not ask to be trimmed for ever when there is no memory to trim with", () => {
    const { core, twins } = full();
    const others: Outbox[] = [];
    assertThrows(() => {
      for (;;) {
        const box = new Outbox(core);
        others.push(box);
        while (box.append(pattern(200)));
      }
    }, RangeError);
    assertGreater(others.length, 1);
    twins.finish();
    let rounds = 0;
    while (twins.box.trim()) assert(++rounds < 100, "asks for ever");
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
