// A sample of the behaviour suite over the real runtime with faults; `deno task faults` runs all of it. On Deno only: the
// faults come in by an import map.

import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

const SAMPLE = ["runtimes/patterns_test", "runtimes/request_reply_test", "options/no_effect_test"];
/** Always the same: what is to be found by others is looked for by hand. */
const SEED = "1";

describe("the behaviour suite", () => {
  it("passes over a runtime with short writes, short reads and delays", async () => {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", new URL("run.ts", import.meta.url).pathname],
        ...["--seed", SEED, ...SAMPLE],
      ],
      stdin: "null",
    }).output();
    const text = new TextDecoder();
    const output = text.decode(stdout) + text.decode(stderr);
    assertEquals(success, true, output);
    assertMatch(output, /^3 runs of files, [1-9]\d+ random schedules, 0 failed$/m);
  });
});
