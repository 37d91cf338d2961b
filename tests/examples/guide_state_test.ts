// The guide's programs about pairs of servers and shared state, as a user runs them.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { countLines, tell } from "./tell.ts";

describe("the guide's programs about state that outlives a server", () => {
  it("binary_star: the backup takes over, the primary that is back stands by", async () => {
    const story = await tell("binary_star.ts");
    const answers = story.split("\n").filter((line) => line.includes("answered"));
    assertEquals(answers, [
      "client: request 1, answered by the primary",
      "client: request 2, answered by the primary",
      "client: request 3, answered by the backup",
      "client: request 4, answered by the backup",
    ]);
    for (
      const line of [
        "primary: active, was primary",
        "backup: passive, was backup",
        "backup: active, was passive",
        "primary: passive, was primary",
      ]
    ) assertEquals(countLines(story, new RegExp(`^${line}$`)), 1, story);
  });

  it("clone: updates, a snapshot, clients' updates, a subtree, a value that expires", async () => {
    const story = await tell("clone.ts");
    assertEquals(story.split("\n").filter((line) => /^ {3}\w+: /.test(line)), [
      "   Ada: /prices/apple=5 /prices/pear=4",
      "   Ben: /prices/apple=5 /prices/pear=4",
      "   Ada: /people/ada=here /prices/apple=5",
      "   Ben: /people/ada=here /prices/apple=5",
      "   Cleo: /people/ada=here /people/dan=asleep",
      "   Cleo: /people/ada=here /people/cleo=here /people/dan=asleep",
      "   Ben: /people/ada=here /people/dan=asleep /prices/apple=5 /prices/plum=6",
    ]);
    assertStringIncludes(story, "it let 1 value expire");
  });

  it("clone_pair: nothing is lost with the primary", async () => {
    const story = await tell("clone_pair.ts");
    assertStringIncludes(story, "the primary dies with 2 values");
    assertEquals(countLines(story, /^(ada|ben) has ada=after ben=before more=after$/), 2, story);
    assertEquals(countLines(story, /^backup: serves$/), 1, story);
  });
});
