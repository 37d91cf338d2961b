// The guide's programs about inproc, STREAM, poll and events: each tells its story and ends by itself.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { countLines, tell } from "./tell.ts";

describe("the guide's programs about sockets", () => {
  it("relay: each step hears of the one before", async () => {
    const story = await tell("relay.ts");
    assertEquals(story.trim().split("\n"), [
      "step 1: ready, telling step 2",
      `step 2: heard "one", telling step 3`,
      `step 3: heard "one, two", that is everybody`,
    ]);
  });

  it("worker_pool: every client is answered, and every worker has its share", async () => {
    const story = await tell("worker_pool.ts");
    const [, count, rounds] = /^(\d+) of 10 clients .* in the time of (\d+) answers$/m.exec(story)!;
    assertEquals(count, "10", story);
    assert(Number(rounds) >= 3, story); // ten requests, four at a time
    const [, shares] = /^the workers answered (.*)$/m.exec(story)!;
    assertEquals(shares.split(", ").map(Number).sort(), [2, 2, 3, 3], story);
  });

  it("poller: serves two sockets, and ends when both are silent", async () => {
    const story = await tell("poller.ts");
    for (let number = 1; number <= 10; number++) {
      assertMatch(story, new RegExp(`^worked on task ${number}$`, "m"));
      assertMatch(story, new RegExp(`^heard of 10001 ${20 + number} °C$`, "m"));
    }
    assertEquals(countLines(story, /10002/), 0, story);
    assertStringIncludes(story, "nothing for 500 ms; looked 20 times");
  });

  it("monitor: shows a retry, a handshake, a refusal and an end", async () => {
    const story = await tell("monitor.ts");
    const lines = story.trim().split("\n");
    const order = [
      /^client: connect:delay$/,
      /^client: connect:retry in \d+ ms: ECONNREFUSED$/,
      /^server: bind$/,
      /^server: accept$/,
      /^server: handshake with a DEALER named "Ada"$/,
      /^server: handshake:error:protocol: .+/,
      /^server: disconnect of "Ada"$/,
      /^server: end$/,
    ];
    let from = 0;
    for (const pattern of order) {
      const found = lines.findIndex((line, index) => index >= from && pattern.test(line));
      assert(found >= 0, `${pattern} after line ${from} of\n${story}`);
      from = found + 1;
    }
    assertMatch(story, /^client: handshake with a ROUTER named ""$/m);
    assertMatch(story, /^client: end$/m);
  });

  it("http_server: answers each path to every client", async () => {
    const story = await tell("http_server.ts");
    assertMatch(story, /^listening at http:\/\/127\.0\.0\.1:\d+\/$/m);
    assertStringIncludes(story, "/: 200 <h1>Hello from a STREAM socket</h1>");
    assertMatch(story, /^\/time: 200 \d{4}-\d\d-\d\d$/m);
    assertStringIncludes(story, "/nothing: 404 No /nothing here");
    for (const number of [1, 2, 3, 4, 5]) {
      assertStringIncludes(story, `/double?number=${number}: 200 ${2 * number}\n`);
    }
  });
});
