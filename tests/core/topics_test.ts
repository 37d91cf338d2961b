// A subscriber's own topics beside their model: counts, matches and lists, for topics that are often the start of each
// other.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { CoreMemory } from "../../src/core/memory.ts";
import { Topics } from "../../src/core/topics.ts";
import { TOPIC_LIMIT } from "../../wasm/layout.ts";
import { utf8 } from "../_util/bytes.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import { keyOf, numbered, topic, TopicsModel } from "./models/topic_model.ts";

/** One memory for all: what one test gives back the next one gets, dirty. */
const memory = new CoreMemory();

interface Step {
  readonly kind: "add" | "remove" | "match";
  readonly topic: Uint8Array;
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ kind: fc.constantFrom("add", "add", "add", "remove", "remove", "match"), topic }),
  { size: "+1", maxLength: 120 },
);

function assertAll(topics: Topics, model: TopicsModel): void {
  assertEquals(topics.count, model.count);
  assertEquals(topics.list().map(keyOf).sort(), model.keys());
}

/** Fails unless every topic, and what lies around it, matches as in the model. */
function assertMatches(topics: Topics, model: TopicsModel): void {
  for (const { topic } of model.entries.values()) {
    for (
      const octets of [
        topic,
        concat(topic, Uint8Array.of(0)),
        concat(topic, utf8("ab")),
        topic.subarray(0, -1),
        topic.subarray(1),
      ]
    ) {
      assertEquals(topics.match(octets), model.match(octets));
    }
  }
}

function removeAll(topics: Topics, model: TopicsModel): void {
  for (const { topic, count } of [...model.entries.values()]) {
    for (let left = count - 1; left >= 0; left--) assertEquals(topics.remove(topic), left);
    model.entries.delete(keyOf(topic));
  }
  assertEquals([topics.count, topics.list()], [0, []]);
  topics.free();
}

describe("Topics", () => {
  it("count, match and list as their model does", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const topics = new Topics(memory);
        const model = new TopicsModel();
        for (const { kind, topic } of sequence) {
          assertEquals(topics[kind](topic), model[kind](topic));
        }
        assertAll(topics, model);
        assertMatches(topics, model);
        removeAll(topics, model);
      }),
      { numRuns: 150 },
    );
  });

  it("match nothing while there are none, and everything with the empty one", () => {
    const topics = new Topics(memory);
    for (const octets of ["", "a", "abc"].map(utf8)) assertEquals(topics.match(octets), false);
    topics.add(utf8(""));
    for (const octets of ["", "a", "abc"].map(utf8)) assert(topics.match(octets));
    assertEquals(topics.list(), [utf8("")]);
    assertEquals([topics.remove(utf8("")), topics.remove(utf8(""))], [0, -1]);
    assertEquals(topics.match(utf8("a")), false);
    topics.free();
  });

  it("know whether the empty one is among them", () => {
    const topics = new Topics(memory);
    assertEquals(topics.all, false);
    for (const topic of ["", "a", ""]) topics.add(utf8(topic));
    topics.remove(utf8("a"));
    assertEquals(topics.all, true);
    topics.remove(utf8(""));
    assertEquals(topics.all, true);
    topics.remove(utf8(""));
    assertEquals(topics.all, false);
    topics.free();
  });

  it("answer a topic's count as it goes up and down", () => {
    const topics = new Topics(memory);
    assertEquals([topics.add(utf8("A")), topics.add(utf8("A")), topics.add(utf8("AB"))], [1, 2, 1]);
    assertEquals(topics.count, 2);
    assertEquals([topics.remove(utf8("A")), topics.remove(utf8("A"))], [1, 0]);
    assertEquals([topics.match(utf8("A")), topics.match(utf8("ABC"))], [false, true]);
    assertEquals([topics.remove(utf8("A")), topics.remove(utf8("ABC"))], [-1, -1]);
    topics.free();
  });

  it("do not take what lies between topics, or before or behind one, for a topic", () => {
    const topics = new Topics(memory);
    for (const text of ["romane", "romanus", "romulus", "rubens"]) topics.add(utf8(text));
    for (const text of ["r", "rom", "roman", "rub", "romane!", "romanf", "", "s", "romaneromane"]) {
      assertEquals(topics.remove(utf8(text)), -1, text);
    }
    for (const text of ["r", "rom", "roman", "rub", "rubent", "romulu", "Romane"]) {
      assertEquals(topics.match(utf8(text)), false, text);
    }
    for (const text of ["romane", "romanes", "romanus", "rubens "]) {
      assert(topics.match(utf8(text)));
    }
    topics.free();
  });

  it("tell all 256 first octets apart, added and removed in any order", () => {
    const orders = fc.shuffledSubarray(Array.from({ length: 256 }, (_, i) => i), {
      minLength: 256,
    });
    fc.assert(
      fc.property(orders, orders, (adding, removing) => {
        const topics = new Topics(memory);
        const prefix = utf8("p");
        for (const [i, octet] of adding.entries()) {
          assertEquals(topics.add(concat(prefix, Uint8Array.of(octet))), 1);
          assertEquals(topics.count, i + 1);
        }
        const left = new Set(adding);
        for (const octet of removing) {
          assertEquals(topics.remove(concat(prefix, Uint8Array.of(octet))), 0);
          left.delete(octet);
          if (octet % 16 > 0) continue;
          for (let other = 0; other < 256; other++) {
            assertEquals(topics.match(Uint8Array.of(112, other, 1)), left.has(other));
          }
          assertEquals(new Set(topics.list().map(([, second]) => second)), left);
        }
        topics.free();
      }),
      { numRuns: 15 },
    );
  });

  it("may be as long as a command can carry", () => {
    const topics = new Topics(memory);
    const long = pattern(TOPIC_LIMIT, 1);
    const other = long.slice();
    other[TOPIC_LIMIT - 1] ^= 1;
    topics.add(long);
    assertEquals([topics.match(long), topics.match(other)], [true, false]);
    assert(topics.match(concat(long, utf8("and more"))));
    assertEquals(topics.match(long.subarray(0, -1)), false);
    topics.add(other);
    topics.add(long.subarray(0, 30_000));
    const sizes = topics.list().map(({ length }) => length).sort();
    assertEquals(sizes, [30_000, TOPIC_LIMIT, TOPIC_LIMIT]);
    assertEquals([topics.remove(long), topics.remove(other)], [0, 0]);
    assertOctets(topics.list()[0], long.subarray(0, 30_000));
    topics.free();
  });

  it("may each be the start of the next, ten thousand deep", () => {
    const topics = new Topics(memory);
    const longest = pattern(10_000, 3);
    // Not in order, so that paths are split as well as prolonged.
    const sizes = Array.from({ length: 10_000 }, (_, i) => 1 + (i * 7_919) % 10_000);
    for (const size of sizes) assertEquals(topics.add(longest.subarray(0, size)), 1);
    assertEquals(topics.count, 10_000);
    assertEquals(new Set(topics.list().map(({ length }) => length)).size, 10_000);
    for (let size = 1; size <= 10_000; size += 2) {
      assertEquals(topics.remove(longest.subarray(0, size)), 0);
    }
    assertEquals([topics.match(longest), topics.match(longest.subarray(0, 1))], [true, false]);
    assertEquals(topics.list().every(({ length }) => length % 2 === 0), true);
    topics.free();
  });

  it("are listed each once, a hundred thousand of them", () => {
    const topics = new Topics(memory);
    const model = new Set<string>();
    for (let i = 0; i < 100_000; i++) {
      const topic = numbered(i * 13);
      topics.add(topic);
      model.add(keyOf(topic));
    }
    const all = topics.list();
    assertEquals([all.length, topics.count], [100_000, 100_000]);
    for (const topic of all) assert(model.delete(keyOf(topic)), "listed twice, or never added");
    assertEquals(model.size, 0);
    topics.free();
  });

  it("are of one socket alone", () => {
    const [one, other] = [new Topics(memory), new Topics(memory)];
    one.add(utf8("A"));
    other.add(utf8("B"));
    assertEquals([one.match(utf8("B")), other.match(utf8("A"))], [false, false]);
    one.free();
    assertEquals([one.count, other.count, other.match(utf8("BC"))], [0, 1, true]);
    other.free();
  });
});
