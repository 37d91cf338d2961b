// The options of listening and connecting that need a peer that does not answer: connectTimeout and backlog.

import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Push } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { within } from "../_util/deadline.ts";
import { DeafListener } from "../_util/deaf_listener.ts";
import { codeOf, EventLog } from "../_util/event_log.ts";
import { runtimeName } from "../_util/process.ts";

const cleanup = new Cleanup();

async function deaf(backlog: number): Promise<DeafListener> {
  return cleanup.add(await DeafListener.listen(backlog));
}

describe("connectTimeout", () => {
  afterEach(() => cleanup.run());

  it("ends an attempt that gets no answer, and the next one too", async () => {
    const listener = await deaf(1);
    await listener.fill();
    const push = cleanup.add(new Push({ connectTimeout: 150, reconnectInterval: 20 }));
    const log = new EventLog(push);
    const start = performance.now();
    push.connect(listener.endpoint);
    for (let round = 1; round <= 2; round++) {
      const retry = await log.nth("connect:retry", round);
      assertEquals(codeOf(retry), "ETIMEDOUT");
      const took = retry.at - start;
      assertGreaterOrEqual(took, 145 * round);
      assertLess(took, 3_000);
    }
    assertEquals(log.of("connect"), []);
  });

  it("of 0 leaves the attempt to the system, which goes on trying", async () => {
    const listener = await deaf(1);
    await listener.fill();
    const push = cleanup.add(new Push({ connectTimeout: 0, reconnectInterval: 20 }));
    const log = new EventLog(push);
    push.connect(listener.endpoint);
    await log.nth("connect:retry", 1, 700).then(
      () => assert(false, "the attempt ended"),
      () => {}, // as it should be
    );
    assertEquals(log.types, ["connect:delay"]);
  });

  it("does not hold up a close, and neither does a long one", async () => {
    const listener = await deaf(1);
    await listener.fill();
    for (const connectTimeout of [0, 60_000]) {
      const push = cleanup.add(new Push({ connectTimeout, linger: 0 }));
      push.connect(listener.endpoint);
      await within(push.close(), 1_000, "close");
    }
  });
});

describe("backlog", () => {
  afterEach(() => cleanup.run());

  for (const backlog of [1, 4, 20]) {
    it(`of ${backlog} lets so many connections wait to be accepted`, async () => {
      const room = await (await deaf(backlog)).fill();
      // Linux lets one more in; Bun always asks for 512.
      const expected = runtimeName === "Bun" ? 512 : backlog;
      assert(room === expected || room === expected + 1, `${room} connections`);
    });
  }
});
