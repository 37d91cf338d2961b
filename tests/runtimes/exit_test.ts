// What keeps a process alive and what does not, each in a process of its own.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { after, afterEach, describe, it } from "@std/testing/bdd";
import { Pull, Push } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS, type Transport } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { pause } from "../_util/deadline.ts";
import { type Program, start } from "../_util/process.ts";
import { SocketFolder } from "../_util/socket_folder.ts";
import { describeOver, reserve } from "../_util/transports.ts";

/** Far more than any of them needs, starting included. */
const AT_ONCE_MS = 5_000;
/** Long enough for a program that has nothing to do to be gone. */
const ALIVE_MS = 400;
const cleanup = new Cleanup();

/** Socket files of programs. */
const folder = new SocketFolder();
after(() => folder.remove());

function run(name: string, transport: Transport, ...endpoint: string[]): Program {
  return cleanup.add(start("exit_cases.ts", name, transport, folder.path, ...endpoint));
}

/** The endpoint that a program says it is bound to. */
async function endpointOf(program: Program): Promise<string> {
  await program.prints("done");
  return /at (\S+)/.exec(program.output)![1];
}

const ENDING: Readonly<Record<string, string>> = {
  "open": "with sockets that are just open",
  "bound": "with sockets that listen",
  "connecting": "with sockets that try to connect",
  "connected": "with sockets that are connected to each other",
  "with unread messages": "with messages that its own socket has not read",
  "after a timeout": "when its receive has timed out",
  "after an abort": "when its receive was cancelled",
  "with linger 0": "with messages that linger 0 does not wait for",
  "with some linger": "with messages, when their linger is over",
  "closed with some linger": "when a close that waits is over",
  "closed with some linger, late": "when a close that waits for later messages is over",
  "closed with messages that nobody can get": "when nobody is left to get its messages",
  "closed": "when all is closed",
};

describe("a process ends by itself", () => {
  afterEach(() => cleanup.run());

  for (const [name, what] of Object.entries(ENDING)) {
    it(what, async () => {
      const output = await run(name, "tcp").succeeds(AT_ONCE_MS);
      const says: Readonly<Record<string, string>> = {
        "after a timeout": "EAGAIN",
        "after an abort": "TimeoutError",
        "connected": "x",
      };
      assertStringIncludes(output, says[name] ?? (name.startsWith("closed") ? "closed" : "done"));
      assertStringIncludes(output, "done");
    });
  }
});

describeOver(["ipc", "inproc"], "a process ends by itself", (transport) => {
  afterEach(() => cleanup.run());

  it("with all of that at once", async () => {
    const output = await run(Object.keys(ENDING).join("+"), transport).succeeds(AT_ONCE_MS);
    for (const text of ["EAGAIN", "TimeoutError", "closed", "done"]) {
      assertStringIncludes(output, text);
    }
  });
});

describeOver(SYSTEM_TRANSPORTS, "a process ends", (transport) => {
  afterEach(() => cleanup.run());

  it("when another has its messages", async () => {
    const pull = cleanup.add(new Pull());
    await pull.bind(anywhere(transport));
    await run("with a message delivered", transport, pull.lastEndpoint!).succeeds(AT_ONCE_MS);
    assertEquals(String(await pull.receive()), "x");
  });
});

describeOver(SYSTEM_TRANSPORTS, "a process stays", (transport) => {
  afterEach(() => cleanup.run());

  // One of each is enough over ipc: a process takes its time.
  const some = (names: string[]): string[] => transport === "tcp" ? names : names.slice(0, 1);

  for (const name of some(["with a receive pending", "with an iterator pending"])) {
    it(`${name}, until a message comes`, async () => {
      const program = run(name, transport);
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
    const program = run("with a send pending", transport);
    const endpoint = await endpointOf(program);
    await pause(ALIVE_MS);
    assert(!program.ended);
    const pull = cleanup.add(new Pull({ receiveTimeout: AT_ONCE_MS }));
    pull.connect(endpoint);
    assertEquals(String(await pull.receive()), "sent");
    assertStringIncludes(await program.succeeds(AT_ONCE_MS), "sent");
  });

  for (const name of some(["closing with messages to deliver", "with messages to deliver"])) {
    it(`${name}, until they are delivered`, async () => {
      const endpoint = await reserve(transport);
      const program = run(name, transport, endpoint);
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

// Nobody outside can do its part here: it is enough that the process is still there.
describe("over inproc: a process stays", () => {
  afterEach(() => cleanup.run());

  const cases = [
    "with a receive pending",
    "with a send pending",
    "closing with messages to deliver",
  ];
  for (const name of cases) {
    it(name, async () => {
      const program = run(name, "inproc");
      await program.prints("done");
      await pause(ALIVE_MS);
      assert(!program.ended);
    });
  }
});
