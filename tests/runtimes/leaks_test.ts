// What is opened and closed leaves nothing behind: no descriptor, no timer, no memory.

import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Pull, Push } from "../../mod.ts";
import { anywhere, TRANSPORTS } from "../_util/anywhere.ts";
import type { Holdings } from "../_util/churn.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { start } from "../_util/process.ts";
import { describeOver, nowhere } from "../_util/transports.ts";

const MB = 1_000_000;
const cleanup = new Cleanup();

describe("ten times a thousand connections", () => {
  afterEach(() => cleanup.run());

  it("leave no descriptor, no timer and no memory behind", async () => {
    const output = await cleanup.add(start("churn.ts", "10", "1000", "200")).succeeds(55_000);
    const history = JSON.parse(output.trim().split("\n").at(-1)!) as Holdings[];
    const [first, ...rounds] = history;
    const last = rounds.pop()!;
    // A runtime may open one or two of its own when they are first needed.
    for (const { files } of [...rounds, last]) {
      assertLessOrEqual(files, first.files + 2, describeAll(history));
    }
    assertEquals(last.resources, [], describeAll(history));
    // The first rounds fill the caches and the heap, on Node in steps of 25 MB that end after a dozen rounds; the others
    // must not add to that.
    const grown = Math.min(...rounds.slice(-2).map(({ memory }) => memory)) - rounds[5].memory;
    assertLess(grown, 40 * MB, describeAll(history));
  });
});

describeOver(TRANSPORTS, "a socket", (transport) => {
  afterEach(() => cleanup.run());

  it("may bind and unbind, connect and disconnect any number of times", async () => {
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
    const push = cleanup.add(new Push());
    for (let i = 0; i < 300; i++) {
      await pull.bind(anywhere(transport));
      const endpoint = pull.lastEndpoint!;
      push.connect(endpoint);
      if (i % 3 > 0) {
        await push.send(String(i));
        assertEquals(String(await pull.receive()), String(i));
      }
      push.disconnect(endpoint);
      await pull.unbind(endpoint);
    }
  });

  it("may be opened and closed ten thousand times", async () => {
    for (let i = 0; i < 10_000; i++) {
      const dealer = new Dealer({ linger: 0 });
      if (i % 10 === 0) dealer.connect(nowhere(transport));
      if (i % 20 === 0) await dealer.send("x");
      await dealer.close();
    }
  });
});

function describeAll(history: readonly Holdings[]): string {
  return history.map(({ memory, files, resources }) =>
    `${Math.round(memory / MB)} MB, ${files} files ${resources.join(" ")}`
  ).join("\n");
}
