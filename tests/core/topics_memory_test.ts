// What topics cost: little each, nothing once they are removed, and no harm when there is no memory for one more.

import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { ZmqError } from "../../src/errors.ts";
import { Core } from "../../src/core/instance.ts";
import { Arena, CoreMemory } from "../../src/core/memory.ts";
import { Topics } from "../../src/core/topics.ts";
import { pattern } from "../_util/octets.ts";
import { Rations, roomIn } from "./models/memory_use.ts";
import { keyOf, numbered, topic, TopicsModel } from "./models/topic_model.ts";

const MANY = 100_000;

/** Topics in a core of their own, by the core's exports alone. */
class Bare {
  readonly core: Core;
  address = 0;

  constructor(core: Core) {
    this.core = core;
  }

  open(): this {
    this.address = this.core.exports.topicsNew() >>> 0;
    this.#refresh();
    return this;
  }

  add(topic: Uint8Array): number {
    const count = this.core.exports.topicsAdd(
      this.address,
      this.core.place(topic),
      topic.length,
    );
    this.#refresh();
    return count;
  }

  remove(topic: Uint8Array): number {
    const { core } = this;
    const left = core.exports.topicsRemove(this.address, core.place(topic), topic.length);
    this.#refresh();
    return left;
  }

  match(octets: Uint8Array): boolean {
    const { core } = this;
    return core.exports.topicsMatch(this.address, core.place(octets), octets.length) === 1;
  }

  keys(): string[] {
    const { core, address } = this;
    const out = core.room(core.exports.topicsLongest(address));
    const keys: string[] = [];
    for (let next = 0;;) {
      next = core.exports.topicsNext(address, next) >>> 0;
      if (next === 0) return keys.sort();
      keys.push(keyOf(core.bytes.subarray(out, out + core.exports.topicsRead(next, out))));
    }
  }

  free(): void {
    this.core.exports.topicsFree(this.address);
  }

  #refresh(): void {
    if (this.core.bytes.length === 0) this.core.refresh();
  }
}

/** A core that already has its room for long topics. */
function newCore(pages: number): Core {
  const core = new Core();
  core.room(65_526);
  core.exports.memoryLimit(pages);
  return core;
}

/** How much memory each of so many topics takes. */
function octetsEach(count: number, topicOf: (index: number) => Uint8Array): number {
  const room = roomIn(newCore(500));
  const core = newCore(500);
  const topics = new Bare(core).open();
  for (let i = 0; i < count; i++) topics.add(topicOf(i));
  assertEquals(core.exports.topicsCount(topics.address), count);
  return (room - roomIn(core)) * 64 / count;
}

describe("topics that are removed", () => {
  it("give all their memory back, time and again, in whatever order they go", () => {
    const room = roomIn(newCore(200));
    const core = newCore(200);
    for (const stride of [1, 7_919]) {
      const topics = new Bare(core).open();
      for (let i = 0; i < MANY; i++) topics.add(numbered(i));
      for (let i = 0; i < MANY; i++) topics.remove(numbered((i * stride) % MANY));
      assertEquals(topics.keys(), []);
      topics.free();
    }
    assertEquals(roomIn(core), room);
  });

  it("give all their memory back at once with the set that they are in", () => {
    const room = roomIn(newCore(200));
    const core = newCore(200);
    const topics = new Bare(core).open();
    for (let i = 0; i < MANY; i++) topics.add(numbered(i * 31));
    for (let size = 0; size < 2_000; size += 7) assertEquals(topics.add(pattern(size)), 1);
    topics.free();
    assertEquals(roomIn(core), room);
  });

  it("give all their memory back, whatever they are", () => {
    const sequences = fc.array(
      fc.record({ kind: fc.constantFrom("add", "add", "remove"), topic }),
      { size: "+1", maxLength: 60 },
    );
    const room = roomIn(newCore(40));
    fc.assert(
      fc.property(sequences, fc.boolean(), (sequence, all) => {
        const core = newCore(40);
        const topics = new Bare(core).open();
        const model = new TopicsModel();
        for (const { kind, topic } of sequence) {
          const answer = topics[kind as "add" | "remove"](topic);
          if (answer !== 0 || kind === "remove") {
            assertEquals(answer, model[kind as "add" | "remove"](topic));
          }
        }
        if (all) {
          for (const { topic, count } of [...model.entries.values()]) {
            for (let left = count - 1; left >= 0; left--) assertEquals(topics.remove(topic), left);
          }
        }
        topics.free();
        assertEquals(roomIn(core), room);
      }),
      { numRuns: 40 },
    );
  });

  it("do not let the memory grow that a hundred thousand others take after them", () => {
    const core = new Core();
    const topics = new Bare(core).open();
    let size = 0;
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < MANY; i++) topics.add(numbered(i + round * MANY));
      for (let i = 0; i < MANY; i++) topics.remove(numbered(i + round * MANY));
      if (round === 0) size = core.bytes.length;
    }
    assertEquals(core.bytes.length, size);
    topics.free();
  });
});

describe("a topic's memory", () => {
  it("is less than 100 octets for 20 octets of which neighbours share the start", () => {
    assertLess(octetsEach(200_000, numbered), 64);
  });

  it("is that of the topic and little more where nothing is shared", () => {
    assertLess(octetsEach(50_000, (i) => pattern(100, i)), 200);
  });
});

describe("without memory for it, a topic", () => {
  it("is refused, and nothing else is lost or changed", () => {
    const room = roomIn(newCore(12));
    const sequences = fc.array(
      fc.record({
        kind: fc.constantFrom("add", "add", "remove"),
        topic,
        pieces: fc.constantFrom(0, 0, 0, 1, 2, 40),
      }),
      { size: "+1", maxLength: 100 },
    );
    fc.assert(
      fc.property(sequences, (sequence) => {
        const core = newCore(12);
        const topics = new Bare(core).open();
        const rations = new Rations(core, 12);
        const model = new TopicsModel();
        for (const { kind, topic, pieces } of sequence) {
          const { held } = rations;
          const answer = rations.during(pieces, () => topics[kind as "add" | "remove"](topic));
          if (answer === 0 && kind === "add" && topic.length < 400) {
            assertEquals(rations.held, held, "something stayed behind");
          }
          if (kind === "remove" || answer !== 0) {
            assertEquals(answer, model[kind as "add" | "remove"](topic));
          } else if (topic.length < 4_000) {
            assertLess(pieces, 40, "there was memory");
          }
          assertEquals(topics.match(topic), model.match(topic));
        }
        assertEquals(topics.keys(), model.keys());
        for (const { topic, count } of [...model.entries.values()]) {
          for (let left = count - 1; left >= 0; left--) assertEquals(topics.remove(topic), left);
        }
        assertEquals([topics.keys(), core.exports.topicsCount(topics.address)], [[], 0]);
        rations.end();
        topics.free();
        assertEquals(roomIn(core), room);
      }),
      { numRuns: 150 },
    );
  });

  it("is refused at whichever allocation memory ends, and what was there stays as it was", () => {
    const old = numbered(0);
    const other = numbered(1);
    const answers = new Set<string>();
    // Cells of one size after the other run out while others are still there.
    for (let fillers = 0; fillers < 400; fillers++) {
      const core = newCore(8);
      const topics = new Bare(core).open();
      topics.add(old);
      for (let i = 0; i < fillers >> 1; i++) {
        const octet = i < old[0] ? i : i + 1;
        topics.add(Uint8Array.of(octet, 1));
        if (fillers % 2 === 1) topics.add(Uint8Array.of(octet, 2));
      }
      const rations = new Rations(core, 8);
      const keys = topics.keys();
      let answer = 0;
      for (let pieces = 0; answer === 0; pieces++) {
        const { held } = rations;
        answer = rations.during(pieces, () => topics.add(other));
        answers.add(`${answer} with ${pieces}`);
        assertEquals([topics.match(old), topics.match(other)], [true, answer === 1]);
        if (answer === 1) break;
        assertEquals([topics.keys(), rations.held], [keys, held]);
      }
      assertEquals(topics.keys().length, keys.length + 1);
    }
    assert(answers.has("0 with 0"), "memory never ended half way");
  });

  it("leaves no memory behind", () => {
    const room = roomIn(newCore(6));
    const core = newCore(6);
    const topics = new Bare(core).open();
    let refused = 0;
    for (let i = 0; refused < 100; i++) if (topics.add(pattern(30 + i % 700, i)) === 0) refused++;
    assertEquals(topics.add(new Uint8Array(0)), 1, "the empty topic takes no memory");
    topics.free();
    assertEquals(roomIn(core), room);
  });

  it("cannot be added to a set that could not be made", () => {
    const room = roomIn(newCore(8));
    const core = newCore(8);
    const rations = new Rations(core, 8);
    assertEquals(new Bare(core).open().address, 0);
    rations.end();
    assertEquals(roomIn(core), room);
  });
});

describe("Topics in an arena that is full", () => {
  it("move to a larger one, and stay what they are", () => {
    const memory = new CoreMemory();
    const topics = new Topics(memory);
    const first = memory.filters.core;
    for (let i = 0; i < 250_000; i++) topics.add(numbered(i));
    assert(memory.filters.core !== first, "there was room for all of them");
    assertEquals(memory.filters, topics.arena);
    assertEquals([topics.count, topics.list().length], [250_000, 250_000]);
    for (let i = 0; i < 500_000; i += 7_919) assertEquals(topics.match(numbered(i)), i < 250_000);
    topics.free();
  });

  it("are refused with ENOBUFS when no larger one can be had", () => {
    const memory = new CoreMemory();
    const topics = new Topics(memory);
    const { arena } = topics;
    arena.enlarge = () => false;
    let added = 0;
    const error = assertThrows(() => {
      for (;; added++) topics.add(numbered(added));
    }, ZmqError);
    assertEquals(error.code, "ENOBUFS");
    assertEquals([topics.count, topics.match(numbered(added))], [added, false]);
    assertEquals(topics.remove(numbered(added - 1)), 0);
    assertEquals(topics.add(numbered(added - 1)), 1);
    topics.free();
  });

  it("take everything in the arena along, where it was", () => {
    const arena = new Arena(4);
    const address = arena.core.exports.alloc(4_096);
    const octets = pattern(4_096);
    arena.core.bytes.set(octets, address);
    arena.core.place(pattern(5_000));
    const room = arena.core.room(5_000);
    assert(arena.enlarge());
    assertEquals(arena.core.bytes.length, 8 * 65_536);
    assertEquals(arena.core.bytes.slice(address, address + 4_096), octets);
    assertEquals(arena.core.room(5_000), room);
    const next = arena.core.exports.alloc(4_096) >>> 0;
    assert(next !== 0 && (next >= address + 4_096 || next + 4_096 <= address));
  });
});
