// The guide's Freelance programs: each tells its story and ends by itself.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { countLines, tell } from "./tell.ts";

describe("the guide's Freelance programs", () => {
  it("freelance_failover: the next server is asked until none is left", async () => {
    const story = await tell("freelance_failover.ts");
    const line = /^(?:[AB] did task [123]|no reply from [AB]|task \d: ETIMEDOUT)$/;
    assertEquals(countLines(story, line), story.trim().split("\n").length, story);
    // On a loaded machine a living server can be late as well.
    assert(countLines(story, /^[AB] did task [123]$/) >= 1, story);
    assert(countLines(story, /^no reply from [AB]$/) >= 3, story);
    assertMatch(story, /^task 4: ETIMEDOUT\n$/m);
  });

  it("freelance_shotgun: the first reply counts, the others are thrown away", async () => {
    const story = await tell("freelance_shotgun.ts");
    assertMatch(story, /^quick did task 1\nslow did task 2\n/);
    // The end of a server may be noticed before or after the next request.
    assertMatch(story, /^[34] copies were sent, 2 replies used, 1 thrown away$/m);
    assertMatch(story, /^1000 requests one after the other, \d+\.\d\d ms each$/m);
  });

  it("freelance: work is shared, goes to who lives, and waits for a newcomer", async () => {
    const story = await tell("freelance.ts");
    assertMatch(story, /^the client knows 3 servers, all alive$/m);
    const [, ...shares] = /^1000 replies: A (\d+), B (\d+), C (\d+)$/m.exec(story)!.map(Number);
    assertEquals(shares.reduce((sum, share) => sum + share), 1_000, story);
    assertEquals(countLines(story, /^[ABC] is disconnected$/), 3, story);
    assertMatch(story, /^C did one more task$/m);
    assertMatch(story, /^D did the last task\n$/m);
  });
});
