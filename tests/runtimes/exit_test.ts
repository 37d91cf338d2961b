// What keeps a process alive and what does not, each in a process of its own.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull, Push } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { pause } from "../_util/deadline.ts";
import { type Program, start } from "../_util/process.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
/** Far more than any of them needs, starting included. */
const AT_ONCE_MS = 5_000;
/** Long enough for a program that has nothing to do to be gone. */
const ALIVE_MS = 400;
const cleanup = new Cleanup();

function run(name: string, ...args: string[]): Program {
  return cleanup.add(start("exit_cases.ts", name, ...args));
}

/** The endpoint that a program says it is bound to. */
async function endpointOf(program: Program): Promise<string> {
  await program.prints("done");
  return /at (\S+)/.exec(program.output)![1];
}

describe("a process ends by itself", () => {
  afterEach(() => cleanup.run());

  const cases: Readonly<Record<string, string>> = {
    "open": "with sockets that are just open",
    "bound": "with sockets that listen",
    "connecting": "with sockets that try to connect",
    "connected": "with sockets that are connected to each other",
    "after a timeout": "when its receive has timed out",
    "after an abort": "when its receive was cancelled",
    "with linger 0": "with messages that linger 0 does not wait for",
    "with some linger": "with messages, when their linger is over",
    "closed with some linger": "when a close that waits is over",
    "closed with some linger, late": "when a close that waits for later messages is over",
    "closed with messages that nobody can get": "when nobody is left to get its messages",
    "closed": "when all is closed",
  };
  for (const [name, what] of Object.entries(cases)) {
    it(what, async () => {
      const output = await run(name).succeeds(AT_ONCE_MS);
      const says: Readonly<Record<string, string>> = {
        "after a timeout": "EAGAIN",
        "after an abort": "TimeoutError",
        "connected": "x",
      };
      assertStringIncludes(output, says[name] ?? (name.startsWith("closed") ? "closed" : "done"));
      assertStringIncludes(output, "done");
    });
  }

  it("with messages that nobody has read", async () => {
    const pull = cleanup.add(new Pull());
    await pull.bind(ANY_PORT);
    await run("with unread messages", pull.lastEndpoint!).succeeds(AT_ONCE_MS);
    assertEquals(String(await pull.receive()), "x");
  });
});

describe("a process stays", () => {
  afterEach(() => cleanup.run());

  for (const name of ["with a receive pending", "with an iterator pending"]) {
    it(`${name}, until a message comes`, async () => {
      const program = run(name);
      const endpoint = await endpointOf(program);
      await pause(ALIVE_MS);
      assert(!program.ended);
      const push = cleanup.add(new Push());
      push.connect(endpoint);
      await push.send("a message");
      assertStringIncludes(await program.succeeds(AT_ONCE_MS), "got a message");
    });
  }

  it("with a send pending, until a peer comes", async () => {
    const program = run("with a send pending");
    const endpoint = await endpointOf(program);
    await pause(ALIVE_MS);
    assert(!program.ended);
    const pull = cleanup.add(new Pull({ receiveTimeout: AT_ONCE_MS }));
    pull.connect(endpoint);
    assertEquals(String(await pull.receive()), "sent");
    assertStringIncludes(await program.succeeds(AT_ONCE_MS), "sent");
  });

  for (const name of ["with messages to deliver", "closing with messages to deliver"]) {
    it(`${name}, until they are delivered`, async () => {
      const reserved = new Pull();
      await reserved.bind(ANY_PORT);
      const endpoint = reserved.lastEndpoint!;
      await reserved.close();
      const program = run(name, endpoint);
      await program.prints("queued");
      await pause(ALIVE_MS);
      assert(!program.ended);
      const pull = cleanup.add(new Pull({ receiveTimeout: AT_ONCE_MS }));
      await pull.bind(endpoint);
      for (let i = 0; i < 1000; i++) assertEquals(String(await pull.receive()), String(i));
      await program.succeeds(AT_ONCE_MS);
    });
  }
});
