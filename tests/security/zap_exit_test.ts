// Handlers, Authenticators and handshakes that wait for them keep no process alive by themselves.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Push } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { pause } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { type Program, start } from "../_util/process.ts";

/** Far more than any of them needs, starting included. */
const AT_ONCE_MS = 10_000;
/** Long enough for a program that has nothing to do to be gone. */
const ALIVE_MS = 400;
const cleanup = new Cleanup();

/** What ends by itself, and what it says before that. */
const ENDING: Readonly<Record<string, string>> = {
  "idle authenticator": "done",
  "authenticator that is closed": "done",
  "authenticator that has let somebody in": "got x, accepted 1",
  "authenticator that has denied somebody": "denied",
  "callback that never answers": "asked",
  "handler that never answers": "asked",
  "handler that never reads": "asked",
  "client that is refused for lack of a handler": "refused",
  "server and client of CURVE": "got sealed",
};

function run(name: string): Program {
  return cleanup.add(start("zap_exit_cases.ts", name));
}

describe("a process ends by itself", () => {
  afterEach(() => cleanup.run());

  for (const [name, says] of Object.entries(ENDING)) {
    it(`with this and nothing else to do: ${name}`, async () => {
      const lines = (await run(name).succeeds(AT_ONCE_MS)).trim().split("\n");
      assertStringIncludes(lines.join("\n"), says);
      assertEquals(lines.at(-1), "done");
    });
  }
});

describe("a process stays", () => {
  afterEach(() => cleanup.run());

  /** Connects to a program that is to be still there. */
  async function visit(name: string): Promise<[Program, Push]> {
    const program = run(name);
    await program.prints("done");
    await pause(ALIVE_MS);
    assert(!program.ended);
    const push = cleanup.add(new Push({ plainUsername: "user", plainPassword: "word" }));
    return [program, push];
  }

  it("for somebody who receives, and its Authenticator serves", async () => {
    const [program, push] = await visit("receive pending");
    push.connect(/at (\S+)/.exec(program.output)![1]);
    await push.send("a message");
    assertStringIncludes(await program.succeeds(AT_ONCE_MS), "got a message");
  });

  it("for a handler of its own that receives", async () => {
    const [program, push] = await visit("handler of its own that serves");
    const log = new EventLog(push);
    push.connect(/at (\S+)/.exec(program.output)![1]);
    assertEquals((await log.next("handshake:error:auth")).error.status, 400);
    assertStringIncludes(await program.succeeds(AT_ONCE_MS), "got asked");
  });
});
