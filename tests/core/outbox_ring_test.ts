// The outbox's ring: where it goes round, grows and shrinks, and what happens when there is no memory for it.

import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Core } from "../../src/core/instance.ts";
import { Outbox } from "../../src/core/outbox.ts";
import { RING_MINIMUM } from "../../wasm/layout.ts";
import { utf8 } from "../_util/bytes.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import { encodeMessage } from "./models/frame_model.ts";
import { OutboxModel } from "./models/outbox_model.ts";
import { capacityOf, DIRECT, flush, REFERENCE, Twins } from "./models/outbox_twins.ts";

const PAGE = 65_536;

describe("Outbox's ring", () => {
  it("goes round its end without a message in two pieces", () => {
    const core = new Core();
    const box = new Outbox(core);
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
      { numRuns: 150 },
    );
  });

  it("grows as far as it must and shrinks again while idle", () => {
    const core = new Core();
    const box = new Outbox(core);
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
