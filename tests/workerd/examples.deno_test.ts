// The workers of examples/workerd, as a user runs them.

import { assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { commandFor, Program } from "../_util/process.ts";

const RUN_MS = 120_000;

describe("the workers of examples/workerd", () => {
  it("ask a libzmq REP service, and accept libzmq's PUSH", async () => {
    const program = new Program(commandFor("../../examples/workerd/main.ts"));
    const story = await program.succeeds(RUN_MS);
    assertMatch(story, /^GET \/bolt {2}200 \{"item":"bolt","count":40\}$/m);
    assertMatch(story, /^GET \/washer {2}200 \{"item":"washer","count":60\}$/m);
    assertMatch(story, /^heard of the saw's last reading, 1000, over ws$/m);
    assertMatch(story, /^GET \/ {2}200 \{"count":3000,.*"saw":1000\}\}$/m);
  });
});
