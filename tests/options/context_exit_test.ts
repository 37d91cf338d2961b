// What a Context does to the end of the process, each in a process of its own.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { pause } from "../_util/deadline.ts";
import { freeEndpoint } from "../_util/ports.ts";
import { start } from "../_util/process.ts";

/** Far more than any of them needs, starting included. */
const AT_ONCE_MS = 5_000;
/** Long enough for a program that has nothing to do to be gone. */
const ALIVE_MS = 400;
const cleanup = new Cleanup();

describe("a process with a Context of its own ends by itself", () => {
  afterEach(() => cleanup.run());

  const cases: readonly (readonly [name: string, what: string, says: string])[] = [
    ["idle", "with sockets that have nothing to do", "done"],
    ["terminated while it waits", "when it was terminated while a receive was pending", "ETERM"],
    ["not blocky", "with messages that blocky of false does not wait for", "done"],
  ];
  for (const [name, what, says] of cases) {
    it(what, async () => {
      const program = cleanup.add(start("context_exit_cases.ts", name, await freeEndpoint()));
      assertStringIncludes(await program.succeeds(AT_ONCE_MS), says);
    });
  }
});

describe("a process with a Context of its own stays", () => {
  afterEach(() => cleanup.run());

  for (const name of ["blocky", "terminating"]) {
    it(`with messages to deliver, until they are, ${name}`, async () => {
      const endpoint = await freeEndpoint();
      const program = cleanup.add(start("context_exit_cases.ts", name, endpoint));
      await program.prints("done");
      await pause(ALIVE_MS);
      assert(!program.ended && !program.output.includes("terminated"));
      const pull = cleanup.add(new Pull({ receiveTimeout: AT_ONCE_MS }));
      await pull.bind(endpoint);
      assertEquals(String(await pull.receive()), "delivered");
      const output = await program.succeeds(AT_ONCE_MS);
      assertEquals(output.includes("terminated"), name === "terminating");
    });
  }
});
