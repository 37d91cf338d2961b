// The guide's programs, as a user runs them: each tells its story and ends by itself.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { countLines, tell } from "./tell.ts";

describe("the guide's publish-subscribe programs", () => {
  it("weather: each client averages its place", async () => {
    const story = await tell("weather.ts");
    for (const postcode of [10_001, 10_042, 10_199]) {
      assertMatch(story, new RegExp(`^${postcode}: \\d+\\.\\d °C on average of 50 updates$`, "m"));
    }
    assertStringIncludes(story, "the clients asked for 3 places");
  });

  it("weather_proxy: only what is wanted outside crosses the proxy", async () => {
    const story = await tell("weather_proxy.ts");
    for (const client of ["Ada: 10001", "Ben: 10042", "Cleo: 10042"]) {
      assertMatch(story, new RegExp(`^${client} has \\d+\\.\\d °C on average$`, "m"));
    }
    const [, published, wanted] = /^(\d+) updates were published; (\d+) went/m.exec(story)!;
    assert(Number(wanted) >= 100, story); // 50 samples of two places
    assert(Number(wanted) <= Number(published) / 100, story); // two places of two hundred
  });

  it("envelopes: readers get what is filed under their topics", async () => {
    const story = await tell("envelopes.ts");
    assertEquals(countLines(story, /^the coach {2}reads \[sport\.(chess|rowing)\] /), 6, story);
    assertEquals(countLines(story, /^the sailor reads \[(weather|sport\.rowing)\] /), 6, story);
    assertEquals(countLines(story, / reads /), 12, story);
  });

  it("synchronised: every subscriber gets every update", async () => {
    const story = await tell("synchronised.ts");
    assertStringIncludes(story, "0 to come");
    assertEquals(countLines(story, /^\w+: 10000 of 10000 updates$/), 5, story);
  });

  it("slow_joiner: the first messages are lost, and each cure helps", async () => {
    const story = await tell("slow_joiner.ts");
    const [, first] = /^without a cure: .*the first to arrive was (\d+)$/m.exec(story)!;
    assert(Number(first) > 1, story);
    assertMatch(story, /^1\. .*the first to arrive was 1$/m);
    assertMatch(story, /^2\. .*the first to arrive was 1$/m);
    assertMatch(story, /^3\. .*was told 100$/m);
  });

  it("last_value_cache: a newcomer is told the present value, and nobody is told twice", async () => {
    const story = await tell("last_value_cache.ts");
    for (const client of ["Ada: N042", "Ben: N042", "Cleo: N007"]) {
      const own = story.split("\n").filter((line) => line.startsWith(`${client} at `));
      assertEquals(own.length, 3, story);
      assertMatch(own[0], / at 10\d\d \(cached\) /);
      assertMatch(own[1], / at 10\d\d \(live\) /);
      assertMatch(own[2], / at 10\d\d \(live\) /);
    }
  });

  it("suicidal_snail: the slow subscriber ends itself", async () => {
    const story = await tell("suicidal_snail.ts");
    assertMatch(story, /^slow snail: my news is \d+ ms old, I cannot keep up: goodbye$/m);
    assertMatch(story, /^fast snail: /m); // on a machine that stands still, it says goodbye as well
  });

  it("espresso: the tap sees messages and subscriptions", async () => {
    const story = await tell("espresso.ts");
    assertEquals(countLines(story, /^Ada has [AB]-\d+$/), 3, story);
    assertEquals(countLines(story, /^Ben has [BC]-\d+$/), 3, story);
    for (const topic of ["A", "B", "C"]) {
      assertMatch(story, new RegExp(`^ +tap: subscribe ${topic}$`, "m"));
    }
    assert(countLines(story, /^ +tap: message [ABC]-\d+$/) >= 3, story);
  });
});
