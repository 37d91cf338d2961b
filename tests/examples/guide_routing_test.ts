// The guide's programs about routing: names, custom routing, load balancing, asynchronous servers.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { countLines, tell } from "./tell.ts";

function linesOf(story: string): string[] {
  return story.trim().split("\n");
}

/** How often each worker did something, by the lines "NAME did N tasks" or "NAME answered N requests". */
function sharesOf(story: string): Map<string, number> {
  const lines = story.matchAll(/^(\w+) (?:did|answered) (\d+) (?:tasks|requests)$/gm);
  return new Map(Array.from(lines, ([, name, count]) => [name, Number(count)]));
}

describe("the guide's programs about routing", () => {
  it("identity, router_to_rep: envelopes are what they should be", async () => {
    const [story, custom] = await Promise.all(["identity.ts", "router_to_rep.ts"].map(tell));
    assertMatch(story, /^\[ {2}5\] 00( [0-9a-f]{2}){4}$/m);
    assertStringIncludes(story, `[  5] "PEER2"\n[  0] ""\n[ 17] "my name is my own"\n`);
    assertMatch(story, /^hello, 00( [0-9a-f]{2}){4}\nhello, "PEER2"\n$/m);

    const lines = linesOf(custom);
    assertMatch(lines[0], /^a ROUTER: .*"REP"/);
    assertEquals(lines.filter((line) => line.startsWith("got ")), [
      "got [question 1] [Ada] [] [7]",
      "got [question 2] [Ada] [] [12]",
      "got [question 3] [Ada] [] [42]",
      "got [question 4] [Ada] [] [42]",
    ]);
    assertEquals(countLines(custom, /^(add|multiply) received \[\d+ \d+\]$/), 4, custom);
  });

  it("router_to_req, router_to_dealer: the fast get more to do than the slow", async () => {
    for (const story of await Promise.all(["router_to_req.ts", "router_to_dealer.ts"].map(tell))) {
      const shares = sharesOf(story);
      const [hare, horse, tortoise] = ["hare", "horse", "tortoise"].map((name) =>
        shares.get(name)!
      );
      // On a machine that stands still nobody is fast.
      assert(hare + 3 > horse && horse + 3 > tortoise, story);
      assertEquals(hare + horse + tortoise, 100, story);
      assertStringIncludes(story, "\n100 tasks in all\n");
    }
  });

  it("load_balancer_poll, load_balancer_loops: every request is answered by a free worker", async () => {
    const [polled, loops] = await Promise.all(
      ["load_balancer_poll.ts", "load_balancer_loops.ts"].map(tell),
    );
    assertStringIncludes(polled, "30 of 30 replies were right");
    const shares = sharesOf(polled);
    assertEquals(Array.from(shares.values()).reduce((sum, count) => sum + count), 30, polled);
    assert(shares.get("hare")! + 3 > shares.get("tortoise")!, polled);

    assertStringIncludes(loops, "30 of 30 replies were right");
    const [, counts] = /^the workers answered (.*)$/m.exec(loops)!;
    const answered = counts.split(", ").map(Number);
    assertEquals(answered.reduce((sum, count) => sum + count), 30, loops);
    assert(answered.length === 3 && answered.every((count) => count > 0), loops);
  });

  it("async_server, request_handlers: replies come when they are ready", async () => {
    const [story, handlers] = await Promise.all(
      ["async_server.ts", "request_handlers.ts"].map(tell),
    );
    for (const name of ["Ada", "Ben", "Cleo"]) {
      const [, replies] = new RegExp(`^${name}: (\\d+) replies to 4 requests$`, "m").exec(story)!;
      const told = new RegExp(`^${name} \\(\\d+\\): reply [1-4] to request [1-4]$`);
      assertEquals(countLines(story, told), Number(replies), story);
    }

    const order = linesOf(handlers).slice(0, -1).map((line) => line.split(",")[0]);
    assertEquals(order.toSorted(), ["Ada", "Ben", "Cleo", "Dora", "Emil"], handlers);
    assert(order.indexOf("Ben") < order.indexOf("Ada"), handlers);
    const [, most] = /^at most (\d) handlers ran at a time$/m.exec(handlers)!;
    assert(Number(most) > 1 && Number(most) <= 4, handlers);
  });
});
