// zeromq.js's tests of what is held in memory: messages and contexts go when nobody needs them.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { TRANSPORTS } from "../_util/anywhere.ts";
import { commandFor, Program } from "../_util/process.ts";

/** Runs `releases.ts` on this runtime, in a process that can collect its garbage. */
function release(...args: string[]): Promise<string> {
  return new Program(commandFor("../migration/releases.ts", args)).succeeds();
}

describe("what is collected", () => {
  for (const transport of TRANSPORTS) {
    it(`are messages that were sent and received over ${transport}`, async () => {
      assertEquals(await release("messages", transport), "released\n");
    });

    it(`are messages that were echoed over ${transport}`, async () => {
      assertEquals(await release("echoes", transport), "released\n");
    });
  }

  it("is a short message while it waits for a peer, but not a long one", async () => {
    assertEquals(await release("waiting"), "short ones released, long ones kept\n");
  });

  it("is a context whose sockets are closed", async () => {
    assertEquals(await release("context"), "released\n");
  });
});
