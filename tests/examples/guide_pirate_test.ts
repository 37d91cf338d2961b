// The guide's Pirates and the load balancer, as a user runs them.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { countLines, tell } from "./tell.ts";

describe("the guide's Pirate programs", () => {
  it("lazy_pirate: the client asks again, and gives up only when the server is gone", async () => {
    const story = await tell("lazy_pirate.ts");
    assertEquals(countLines(story, /^client: .*, aye$/), 5, story);
    assertEquals(countLines(story, /^client: gives up: ETIMEDOUT$/), 1, story);
    assert(countLines(story, /^client: no reply to try/) >= 3, story);
    assertStringIncludes(story, "5 of 6 questions were answered");
  });

  it("simple_pirate: who asks a worker that dies asks again", async () => {
    const story = await tell("simple_pirate.ts");
    assertEquals(
      countLines(story, /^client \d: job 10 of client \d, done by (Anne|Bart)$/),
      4,
      story,
    );
    assertEquals(countLines(story, /^Calico: dies over "job \d+ of client \d"$/), 1, story);
    assert(countLines(story, /^client \d: no reply, asks again$/) >= 1, story);
    const [, requests] = /^(\d+) requests went to workers/m.exec(story)!;
    assert(Number(requests) > 40, story);
  });

  it("paranoid_pirate: the workers come back to a queue that was started again", async () => {
    const story = await tell("paranoid_pirate.ts");
    assertEquals(countLines(story, /^client: .*, says (Mary|Ned)$/), 4, story);
    assertMatch(story, /^client: who is left, says Mary$/m);
    assertMatch(story, /^queue: a worker is gone$/m);
    assertMatch(story, /^Mary: no queue, waits 50 ms$/m);
    assertMatch(story, /^client: what news, says Mary$/m);
  });

  it("load_balancer: fast workers do more", async () => {
    const story = await tell("load_balancer.ts");
    assertStringIncludes(story, "10 clients had 100 answers to 100 requests");
    const did = (ms: number): number =>
      Number(new RegExp(`takes ${ms} ms did (\\d+)`).exec(story)![1]);
    assertEquals(did(5) + did(10) + did(50), 100, story);
    assert(did(5) > did(50), story);
  });
});
