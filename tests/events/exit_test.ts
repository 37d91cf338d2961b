// Observers, polls and streams keep a process alive while somebody waits for them, and no longer.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { Push } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { pause } from "../_util/deadline.ts";
import { type Program, start } from "../_util/process.ts";

/** Far more than any of them needs, starting included. */
const AT_ONCE_MS = 10_000;
/** Long enough for a program that has nothing to do to be gone. */
const ALIVE_MS = 400;
const cleanup = new Cleanup();

describe("a process ends by itself", () => {
  after(() => cleanup.run());

  /** All in one process, which stays if one of them keeps it; and what each of them says. */
  const cases: Readonly<Record<string, string>> = {
    "idle observer": "",
    "listeners": "heard bind",
    "unread events": "",
    "observer closed while receiving": "EBADF",
    "iteration that was left": "got bind",
    "iteration to the end": "end",
    "poll with a timeout": "0 ready",
    "poll that was aborted": "TimeoutError",
    "readable stream that nobody reads": "",
  };
  it("when nobody waits for an event, a poll or a stream any more", async () => {
    const program = cleanup.add(start("event_exit_cases.ts", ...Object.keys(cases)));
    const lines = (await program.succeeds(AT_ONCE_MS)).trim().split("\n");
    for (const says of Object.values(cases).filter((text) => text !== "")) {
      assert(lines.includes(says), `${says} is not in ${lines}`);
    }
    assertEquals(lines.filter((line) => line === "done"), ["done"]);
  });
});

describe("a process stays", () => {
  const cases: Readonly<Record<string, [what: string, got: string]>> = {
    "receive pending": ["with a receive of events pending, until one comes", "accept"],
    "iteration pending": ["with an iteration over events pending, until one comes", "accept"],
    "poll pending": ["with a poll pending, until a message comes", "readable true"],
    "poll with a long timeout": ["with a poll of a minute, until a message comes", "readable true"],
    "readable stream being read": ["while a readable stream is read", "a message"],
  };
  const programs: Map<string, Program> = new Map();

  before(async () => {
    for (const name of Object.keys(cases)) {
      programs.set(name, cleanup.add(start("event_exit_cases.ts", name)));
    }
    await Promise.all(Array.from(programs.values(), (program) => program.prints("done")));
    await pause(ALIVE_MS);
  });
  after(() => cleanup.run());

  for (const [name, [what, got]] of Object.entries(cases)) {
    it(what, async () => {
      const program = programs.get(name)!;
      assert(!program.ended);
      const push = cleanup.add(new Push());
      push.connect(/at (\S+)/.exec(program.output)![1]);
      await push.send("a message");
      assertStringIncludes(await program.succeeds(AT_ONCE_MS), `got ${got}`);
    });
  }
});
