// Observers, polls and streams keep a process alive while somebody waits for them, and no longer.

import { assert, assertStringIncludes } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Push } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { pause } from "../_util/deadline.ts";
import { type Program, start } from "../_util/process.ts";

/** Far more than any of them needs, starting included. */
const AT_ONCE_MS = 10_000;
/** Long enough for a program that has nothing to do to be gone. */
const ALIVE_MS = 400;
const cleanup = new Cleanup();

function run(name: string): Program {
  return cleanup.add(start("event_exit_cases.ts", name));
}

describe("a process ends by itself", () => {
  afterEach(() => cleanup.run());

  const cases: Readonly<Record<string, [what: string, says: string]>> = {
    "idle observer": ["with an observer that nobody asks", "done"],
    "listeners": ["with listeners", "heard bind"],
    "unread events": ["with events that nobody has received", "done"],
    "observer closed while receiving": ["when the observer that it asked was closed", "EBADF"],
    "iteration that was left": ["when it has left an iteration over events", "got bind"],
    "iteration to the end": ["when it has iterated to the end of the events", "end"],
    "poll with a timeout": ["when the timeout of a poll is over", "0 ready"],
    "poll that was aborted": ["when a poll was aborted", "TimeoutError"],
    "readable stream that nobody reads": ["with a readable stream that nobody reads", "done"],
  };
  for (const [name, [what, says]] of Object.entries(cases)) {
    it(what, async () => {
      const output = await run(name).succeeds(AT_ONCE_MS);
      assertStringIncludes(output, says);
      assertStringIncludes(output, "done");
    });
  }
});

describe("a process stays", () => {
  afterEach(() => cleanup.run());

  const cases: Readonly<Record<string, [what: string, got: string]>> = {
    "receive pending": ["with a receive of events pending, until one comes", "accept"],
    "iteration pending": ["with an iteration over events pending, until one comes", "accept"],
    "poll pending": ["with a poll pending, until a message comes", "readable true"],
    "poll with a long timeout": ["with a poll of a minute, until a message comes", "readable true"],
    "readable stream being read": ["while a readable stream is read", "a message"],
  };
  for (const [name, [what, got]] of Object.entries(cases)) {
    it(what, async () => {
      const program = run(name);
      await program.prints("done");
      const endpoint = /at (\S+)/.exec(program.output)![1];
      await pause(ALIVE_MS);
      assert(!program.ended);
      const push = cleanup.add(new Push());
      push.connect(endpoint);
      await push.send("a message");
      assertStringIncludes(await program.succeeds(AT_ONCE_MS), `got ${got}`);
    });
  }
});
