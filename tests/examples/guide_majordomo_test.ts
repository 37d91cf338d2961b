// The guide's programs about Majordomo: each tells its story and ends by itself.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { tell } from "./tell.ts";

describe("the guide's Majordomo programs", () => {
  it("majordomo: every request has its reply, whoever leaves", async () => {
    const story = await tell("majordomo.ts");
    const lines = story.trim().split("\n");
    for (
      const line of [
        "10 of 10 requests were answered, one after the other",
        "1000 of 1000 requests at once have their own replies",
        "a worker is gone: disconnect",
        "a worker of countdown has come",
      ]
    ) assert(lines.includes(line), story);
    assertMatch(story, /^the reply: slow, by Ben$/m);
    assertEquals(lines.slice(-4), ["3 …", "2 …", "1 …", "lift-off!"]);
  });

  it("mmi_echo: the broker tells when the service comes and goes", async () => {
    assertEquals((await tell("mmi_echo.ts")).trim().split("\n"), [
      "the service echo is not there",
      "the service echo is there",
      "the service echo is not there",
      "what the broker does not know of: 501",
    ]);
  });

  it("tripping: requests at once are faster than one by one", async () => {
    const story = await tell("tripping.ts");
    const [one, many] = [...story.matchAll(/: (\d+) round trips a second$/gm)].map(([, n]) => +n);
    assert(one > 0 && many > one, story);
  });
});
