// What of publish-subscribe and proxies keeps a process alive and what does not, each in a process of its own.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { after, afterEach, describe, it } from "@std/testing/bdd";
import { Publisher, Pull, Push, Subscriber } from "../../mod.ts";
import type { Transport } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { pause } from "../_util/deadline.ts";
import { type Program, start } from "../_util/process.ts";
import { subscribed } from "../_util/pubsub.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { subscribeCommand } from "../_util/raw_subscriptions.ts";
import { shakeHands, takeMessage } from "../_util/raw_zmtp.ts";
import { SocketFolder } from "../_util/socket_folder.ts";
import { describeOver } from "../_util/transports.ts";

/** Far more than any of them needs, starting included. */
const AT_ONCE_MS = 5_000;
/** Long enough for a program that has nothing to do to be gone. */
const ALIVE_MS = 400;
const cleanup = new Cleanup();

/** Socket files of programs. */
const folder = new SocketFolder();
after(() => folder.remove());

function run(name: string, transport: Transport = "tcp", ...endpoint: string[]): Program {
  return cleanup.add(start("pubsub_exit_cases.ts", name, transport, folder.path, ...endpoint));
}

/** Runs a case that goes on; its endpoints. */
async function runsOn(name: string): Promise<{ program: Program; endpoints: string[] }> {
  const program = run(name);
  await program.prints("done");
  await pause(ALIVE_MS);
  assert(!program.ended);
  return { program, endpoints: program.output.match(/tcp:\/\/\S+/g)! };
}

const ENDING: Readonly<Record<string, string>> = {
  "open": "with publishers and subscribers that are just open",
  "bound": "with publishers and subscribers that listen",
  "subscribed at nobody": "with subscriptions that no publisher has got",
  "publishing to nobody": "with messages that nobody has subscribed to",
  "connected": "with a publisher and a subscriber that are connected",
  "with unread messages": "with messages that its subscriber has not read",
  "with unread requests": "with requests that its publisher has not read",
  "with a terminated proxy": "when its proxy is terminated",
};

describe("a process ends by itself", () => {
  afterEach(() => cleanup.run());

  for (const [name, what] of Object.entries(ENDING)) {
    it(what, async () => {
      assertStringIncludes(await run(name).succeeds(AT_ONCE_MS), "done");
    });
  }
});

describeOver(["ipc", "inproc"], "a process ends by itself", (transport) => {
  afterEach(() => cleanup.run());

  it("with all of that at once", async () => {
    const output = await run(Object.keys(ENDING).join("+"), transport).succeeds(AT_ONCE_MS);
    assertStringIncludes(output, "done");
  });
});

describe("a process stays", () => {
  afterEach(() => cleanup.run());

  it("with a receive of a Subscriber pending, until a message comes", async () => {
    const { program, endpoints: [endpoint] } = await runsOn("with a receive pending");
    const publisher = cleanup.add(new Publisher());
    publisher.connect(endpoint);
    await subscribed(publisher, 1);
    await publisher.send("a message");
    assertStringIncludes(await program.succeeds(AT_ONCE_MS), "got a message");
  });

  it("with a receive of an XPublisher pending, until a subscription comes", async () => {
    const { program, endpoints: [endpoint] } = await runsOn("with a receive of requests pending");
    const subscriber = cleanup.add(new Subscriber());
    subscriber.connect(endpoint);
    subscriber.subscribe("a topic");
    assertStringIncludes(await program.succeeds(AT_ONCE_MS), "got a topic");
  });

  it("with messages for a slow subscriber, until they are delivered", async () => {
    const server = cleanup.add(await RawServer.listen());
    const program = run("with messages to deliver", "tcp", server.endpoint);
    const peer = await server.accept();
    await shakeHands(peer, "SUB");
    peer.pause();
    peer.send(subscribeCommand(""));
    await program.prints("queued");
    await pause(ALIVE_MS);
    assert(!program.ended);
    peer.resume();
    for (let i = 0; i < 200; i++) {
      assertEquals(String.fromCharCode(...(await takeMessage(peer))[0]), String(i));
    }
    await program.succeeds(AT_ONCE_MS);
  });

  it("with a proxy that runs, until it is terminated", async () => {
    const { program, endpoints: [front, back] } = await runsOn("with a proxy");
    const push = cleanup.add(new Push());
    push.connect(front);
    const pull = cleanup.add(new Pull({ receiveTimeout: AT_ONCE_MS }));
    pull.connect(back);
    await push.send("through");
    assertEquals(String(await pull.receive()), "through");
    assertStringIncludes(await program.succeeds(AT_ONCE_MS), "over");
  });
});
