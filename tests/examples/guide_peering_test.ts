// The guide's federation of clusters, as a user runs it: each program tells its story and ends by itself.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { countLines, tell } from "./tell.ts";

const NAMES = ["oslo", "rome", "lima"];

describe("the guide's federation programs", () => {
  it("peering1: each broker hears of the others' workers", async () => {
    const story = await tell("peering1.ts");
    for (const name of NAMES) {
      for (const peer of NAMES) {
        const lines = countLines(story, new RegExp(`^${name}: ${peer} has \\d workers free$`));
        assertEquals(lines, name === peer ? 0 : 5, story);
      }
    }
  });

  it("peering2: replies come home, from other clusters too", async () => {
    const story = await tell("peering2.ts");
    for (const name of NAMES) {
      assertMatch(
        story,
        new RegExp(`^${name}: 50 requests answered, \\d+ in other clusters$`, "m"),
      );
    }
  });

  it("peering3: what is too much for one cluster is done by the others", async () => {
    const story = await tell("peering3.ts");
    for (const name of NAMES) {
      const [, ...counts] = new RegExp(
        `^${name}: 12 requests answered: (\\d+) in oslo, (\\d+) in rome, (\\d+) in lima$`,
        "m",
      ).exec(story)!;
      assertEquals(counts.reduce((sum, count) => sum + Number(count), 0), 12, story);
    }
    assertEquals(countLines(story, /^oslo: 12 requests answered: 0 in oslo, /), 1, story);
    assertStringIncludes(story, "oslo has no workers any more");
  });
});
