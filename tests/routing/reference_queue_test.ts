// Queues of messages by reference: order, marks of both ends, what a peer that is gone leaves behind.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { CoreMemory } from "../../src/core/memory.ts";
import { Frame } from "../../src/message.ts";
import { defaultOptions } from "../../src/option_values.ts";
import type { OptionValues } from "../../src/options.ts";
import { FrameMaker } from "../../src/routing/frame_maker.ts";
import { Pipe } from "../../src/routing/pipe.ts";
import { ReferenceOutbox, type ReferencePipe, References } from "../../src/routing/references.ts";
import { BOX_APART, BOX_WAITING } from "../../wasm/layout.ts";
import { textOf, textsOf, utf8 } from "../_util/bytes.ts";

const memory = new CoreMemory();
const FULL = 0xffffffff;

function message(text: string | number): Frame[] {
  return [new Frame(utf8(String(text)))];
}

function fill(queue: References, from: number, to: number): void {
  for (let i = from; i < to; i++) queue.push(message(i), 1);
}

function firsts(messages: readonly (readonly Uint8Array[])[]): string[] {
  return messages.map(([first]) => textOf(first));
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => String(from + i));
}

describe("References", () => {
  it("gives messages in the order in which they came, and counts them", () => {
    const queue = new References();
    fill(queue, 0, 5_000);
    assertEquals([queue.messages, queue.received, queue.octets], [5_000, 5_000, 5_000]);
    for (let i = 0; i < 5_000; i++) assertEquals(textsOf(queue.shift()), [String(i)]);
    assertEquals([queue.messages, queue.received], [0, 5_000]);
  });

  it("keeps the newest, those that are wanted, or none", () => {
    const queue = new References();
    fill(queue, 0, 20);
    queue.shift();
    queue.filter((octets) => octets.length === 1);
    assertEquals(queue.messages, 9);
    queue.keepLast();
    assertEquals(firsts(queue.drain()), ["9"]);
    queue.keepLast();
    fill(queue, 0, 3);
    queue.clear();
    assertEquals(queue.messages, 0);
  });

  it("skips what is not wanted, up to the first that is", () => {
    const queue = new References();
    fill(queue, 0, 10);
    queue.skip((octets) => octets[0] % 5 === 0);
    assertEquals(firsts(queue.drain()), numbers(2, 10));
    fill(queue, 0, 3);
    queue.skip(() => false);
    assertEquals(queue.messages, 0);
  });

  it("calls once when no more than so many are left, however they went", () => {
    const ways: readonly ((queue: References) => void)[] = [
      (queue) => queue.shift(),
      (queue) => queue.clear(),
      (queue) => queue.keepLast(),
      (queue) => queue.filter(() => false),
      (queue) => queue.skip(() => false),
      (queue) => queue.drain(),
    ];
    for (const take of ways) {
      const queue = new References();
      let calls = 0;
      fill(queue, 0, 4);
      queue.watch(2, () => calls++);
      queue.shift();
      assertEquals(calls, 0);
      take(queue);
      assertEquals(calls, 1);
      fill(queue, 4, 8);
      queue.clear();
      assertEquals(calls, 1, "nobody watches any more");
    }
  });

  it("may be filled again by whom it calls", () => {
    const queue = new References();
    fill(queue, 0, 3);
    queue.watch(2, () => fill(queue, 3, 6));
    assertEquals(textsOf(queue.shift()), ["0"]);
    assertEquals(firsts(queue.drain()), numbers(1, 6));
  });

  it("does what an array does, in any order of calls", () => {
    const action = fc.oneof(
      { weight: 4, arbitrary: fc.nat(700).map((count) => ({ push: count })) },
      { weight: 4, arbitrary: fc.nat(700).map((count) => ({ shift: count })) },
      { weight: 1, arbitrary: fc.constantFrom("drain", "keepLast", "filter") },
    );
    fc.assert(fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
      const queue = new References();
      let model: string[] = [];
      let next = 0;
      for (const each of actions) {
        if (each === "drain") assertEquals(firsts(queue.drain()), model.splice(0));
        else if (each === "keepLast") queue.keepLast(), model = model.slice(-1);
        else if (each === "filter") {
          queue.filter((octets) => octets[octets.length - 1] % 2 === 0);
          model = model.filter((text) => Number(text) % 2 === 0);
        } else if (typeof each === "object" && "push" in each) {
          fill(queue, next, next + each.push);
          model.push(...numbers(next, next += each.push));
        } else if (typeof each === "object") {
          for (let i = 0; i < each.shift && model.length > 0; i++) {
            assertEquals(textOf(queue.shift()[0]), model.shift());
          }
        }
        assertEquals(queue.messages, model.length);
      }
      assertEquals(firsts(queue.drain()), model);
    }));
  });
});

/** An outbox, and a peer that it can be joined to. */
class Stand {
  readonly own: OptionValues;
  readonly theirs: OptionValues;
  readonly outbox: ReferenceOutbox;
  readonly peer: ReferencePipe;
  relieved = 0;

  constructor(sendHighWaterMark = 3, receiveHighWaterMark = 2) {
    this.own = { ...defaultOptions(), sendHighWaterMark };
    this.theirs = { ...defaultOptions(), receiveHighWaterMark };
    this.outbox = this.#newOutbox(this.own);
    const hold = () => () => {};
    const inbox = new References();
    this.peer = new Pipe(this.#newOutbox(this.theirs), inbox, this.theirs, hold, "inproc://x");
  }

  #newOutbox(options: OptionValues): ReferenceOutbox {
    return new ReferenceOutbox(memory.outboxes, new FrameMaker(Infinity), options);
  }

  join(): this {
    this.outbox.join(
      { pipe: this.peer, options: this.theirs },
      () => this.relieved++,
    );
    return this;
  }

  append(from: number, to: number): this {
    for (const text of numbers(from, to)) this.outbox.append(text);
    return this;
  }

  /** What the core sees: whether there is room. */
  get mirror(): number {
    return memory.outboxes.words[(this.outbox.box >>> 2) + BOX_WAITING];
  }
}

describe("ReferenceOutbox", () => {
  it("keeps messages until it is joined to a peer, and hands them over then", () => {
    const { outbox, peer } = new Stand().append(0, 3);
    assertEquals([outbox.waiting, outbox.unsent, outbox.empty], [3, 3, false]);
    assertEquals([outbox.messagesSent, outbox.sent], [0, 0]);
    const stand = new Stand().append(0, 3).join();
    assertEquals([stand.outbox.unsent, stand.outbox.empty], [0, true]);
    assertEquals([stand.outbox.messagesSent, stand.outbox.sent], [3, 3]);
    assertEquals(firsts(stand.peer.inbox.drain()), numbers(0, 3));
    assertEquals(peer.inbox.messages, 0);
  });

  it("appends to the peer's inbox from then on", () => {
    const stand = new Stand().append(0, 1).join().append(1, 4);
    assertEquals(firsts(stand.peer.inbox.drain()), numbers(0, 4));
    assertEquals([stand.outbox.messagesSent, stand.peer.inbox.received], [4, 4]);
  });

  it("has as many waiting as there are beyond the peer's mark", () => {
    const stand = new Stand(3, 2).join();
    const waiting: number[] = [];
    for (let i = 0; i < 5; i++) {
      waiting.push(stand.outbox.waiting);
      stand.append(i, i + 1);
    }
    assertEquals([...waiting, stand.outbox.waiting], [0, 0, 0, 1, 2, 3]);
    stand.theirs.receiveHighWaterMark = 4;
    assertEquals(stand.outbox.waiting, 1);
    stand.peer.unread = 2;
    assertEquals(stand.outbox.waiting, 3, "what the peer took out and holds counts for it");
    stand.theirs.receiveHighWaterMark = 0;
    assertEquals(stand.outbox.waiting, 0, "a peer without a mark takes everything");
  });

  it("tells of room once, when half of what both hold is left", () => {
    const stand = new Stand(3, 2).join().append(0, 5);
    assertEquals(stand.outbox.waiting, 3);
    for (const calls of [0, 0, 1, 1, 1]) {
      stand.peer.inbox.shift();
      assertEquals(stand.relieved, calls);
    }
    stand.append(0, 2).peer.inbox.clear();
    assertEquals(stand.relieved, 1, "nobody has found it full again");
  });

  it("gives back what a closed peer did not read, in order", () => {
    const stand = new Stand().join().append(0, 5);
    stand.peer.inbox.shift();
    stand.outbox.leave(true);
    assertEquals(stand.peer.inbox.messages, 0);
    assertEquals([stand.outbox.unsent, stand.outbox.messagesSent], [4, 1]);
    stand.append(5, 6);
    assertEquals(firsts(stand.outbox.drain()), numbers(1, 6));
  });

  it("leaves a peer that is still open what it has", () => {
    const stand = new Stand().join().append(0, 3);
    stand.outbox.leave(false);
    stand.append(3, 4);
    assertEquals(firsts(stand.peer.inbox.drain()), numbers(0, 3));
    assertEquals(firsts(stand.outbox.drain()), ["3"]);
    assertEquals(stand.relieved, 0);
  });

  it("owes what no peer could read yet, and not what a closed one has left", () => {
    const stand = new Stand(3, 2);
    assert(!stand.outbox.owed);
    assert(stand.append(0, 1).outbox.owed);
    stand.join();
    assert(!stand.outbox.owed);
    stand.outbox.leave(true);
    assert(!stand.outbox.owed);
    assert(stand.append(1, 2).outbox.owed);
  });

  it("shows the core that it stands apart, and when it is full", () => {
    const stand = new Stand(2, 1).join();
    const { words } = memory.outboxes;
    assertEquals(words[(stand.outbox.box >>> 2) + BOX_APART], 1);
    stand.append(0, 2);
    assertEquals(stand.mirror, 0);
    stand.append(2, 3);
    assertEquals(stand.mirror, FULL);
    stand.peer.inbox.shift();
    assertEquals(stand.mirror, FULL);
    stand.peer.inbox.shift();
    assertEquals(stand.mirror, 0, "when room is told of");
    stand.outbox.free();
  });

  it("counts drops, before and after it is given up", () => {
    const { outbox } = new Stand();
    outbox.drop();
    assert(outbox.box !== 0);
    outbox.drop();
    assertEquals(outbox.dropped, 2);
    outbox.free();
    outbox.free();
    assertEquals(outbox.dropped, 2);
  });
});

describe("FrameMaker", () => {
  for (const pooling of [true, false]) {
    it(`copies up to 128 octets and shares longer ones, ${pooling ? "" : "not "}pooling`, () => {
      const maker = new FrameMaker(pooling ? 0 : Infinity);
      for (const size of [0, 1, 31, 32, 33, 127, 128, 129, 5_000]) {
        const octets = new Uint8Array(size + 2).fill(7).subarray(1, size + 1);
        const [frame] = maker.framesFrom(octets);
        assertEquals([...frame], [...octets]);
        assertEquals(frame.buffer === octets.buffer, size > 128, `${size} octets`);
      }
      const kept = new Frame([1, 2, 3]);
      assertStrictEquals(maker.framesFrom([kept, "x"])[0], kept);
    });

    it(`gives each frame memory that no other one has, ${pooling ? "" : "not "}pooling`, () => {
      const maker = new FrameMaker(pooling ? 0 : Infinity);
      fc.assert(fc.property(
        fc.array(fc.oneof(fc.string({ unit: "grapheme", maxLength: 40 }), fc.uint8Array())),
        (parts) => {
          if (parts.length === 0) return;
          const expected = parts.map((part) =>
            typeof part === "string" ? utf8(part) : part.slice()
          );
          const frames = maker.framesFrom(parts);
          assertEquals(frames.map((frame) => [...frame]), expected.map((octets) => [...octets]));
          for (const [i, frame] of frames.entries()) {
            frame.fill(0xff);
            for (let j = i + 1; j < frames.length; j++) {
              assertEquals([...frames[j]], [...expected[j]]);
            }
          }
        },
      ));
    });
  }
});
