// A subscriber's own topics beside a map: whatever is added, removed and asked.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { CoreMemory } from "../../../src/core/memory.ts";
import { Topics } from "../../../src/core/topics.ts";
import { keyOf, topic, TopicsModel } from "../../core/models/topic_model.ts";
import type { Target } from "../target.ts";

type Step = readonly ["add" | "remove" | "match" | "list", Uint8Array];

const memory = new CoreMemory();
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom("add", "add", "add", "remove", "match", "list"),
  topic,
);

export const topics: Target<readonly Step[]> = {
  name: "topics",
  arbitrary: fc.array(step, { maxLength: 80, size: "max" }),
  check(steps) {
    const actual = new Topics(memory);
    const model = new TopicsModel();
    for (const [what, topic] of steps) {
      if (what === "add") assertEquals(actual.add(topic), model.add(topic));
      else if (what === "remove") assertEquals(actual.remove(topic), model.remove(topic));
      else if (what === "match") assertEquals(actual.match(topic), model.match(topic));
      else assertEquals(actual.list().map(keyOf).sort(), model.keys());
      assertEquals(actual.count, model.count);
      assertEquals(actual.all, model.match(new Uint8Array(0)));
    }
    actual.free();
    assertEquals(actual.count, 0);
    if (memory.filters.core.bytes.length > 64 * 1024 * 1024) throw new Error("memory was lost");
  },
};
