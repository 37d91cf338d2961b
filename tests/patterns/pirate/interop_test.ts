// Pirates of ours among pirates that speak libzmq: see libzmq_ppp.mjs.

import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { after, describe, it } from "@std/testing/bdd";
import {
  LazyPirateClient,
  ParanoidPirateQueue,
  ParanoidPirateWorker,
} from "../../../src/patterns/pirate/mod.ts";
import { commandOf } from "../../crash/peers.ts";
import { textsOf } from "../../_util/bytes.ts";
import { Cleanup } from "../../_util/cleanup.ts";
import { eventually, pause } from "../../_util/deadline.ts";
import { ANY_PORT } from "../../_util/ports.ts";
import { Program } from "../../_util/process.ts";

const WAIT_MS = 15_000;
const BEATS = { heartbeatInterval: 100, heartbeatLiveness: 10 } as const;
const PATIENCE = 1_000;

describe("pirates of libzmq", () => {
  const cleanup = new Cleanup();
  after(() => cleanup.run());

  function start(...args: string[]): Program {
    const path = new URL("./libzmq_ppp.mjs", import.meta.url).pathname;
    return cleanup.add(new Program([commandOf("libzmq")[0], path, ...args]));
  }

  /** The address that a program prints after a word. */
  async function addressFrom(program: Program, word: string): Promise<string> {
    await program.prints(`${word} tcp://`);
    await eventually(() => new RegExp(`^${word} tcp:.*\n`, "m").test(program.output));
    return new RegExp(`^${word} (.*)$`, "m").exec(program.output)![1];
  }

  async function askTen(client: LazyPirateClient): Promise<string[]> {
    const replies = Array.from({ length: 10 }, (_, i) => client.request(`question ${i}`));
    return (await Promise.all(replies)).map(([text]) => `${text}`);
  }

  const tenBy = (name: string): string[] =>
    Array.from({ length: 10 }, (_, i) => `question ${i} by ${name}`);

  it("have a worker of ours under their queue: it answers, and nobody loses the other", async () => {
    const queue = start("queue");
    const worker = cleanup.add(
      new ParanoidPirateWorker({ ...BEATS, handler: ([text]) => `${text} by us` }),
    );
    worker.connect(await addressFrom(queue, "workers"));
    const clients = await addressFrom(queue, "clients");
    const client = cleanup.add(new LazyPirateClient({ endpoint: clients, timeout: WAIT_MS }));
    assertEquals(await askTen(client), tenBy("us"));
    await pause(1.5 * PATIENCE);
    const theirs = start("client", clients, "10");
    assertEquals((await theirs.succeeds()).trim().split("\n"), tenBy("us"));
    assertEquals(worker.stats(), {
      requests: 20,
      replies: 20,
      failures: 0,
      discarded: 0,
      malformed: 0,
      conversations: 1,
      waiting: 0,
    });
    assert(!queue.output.includes("malformed"));
    // Their queue dies: it is noticed.
    await queue.kill();
    await eventually(() => worker.stats().conversations > 1, WAIT_MS, "a new conversation");
  });

  it("have a worker under our queue: it answers, stays, and comes back after a restart", async () => {
    let queue = cleanup.add(new ParanoidPirateQueue(BEATS));
    await queue.bind(ANY_PORT, ANY_PORT);
    const addresses = [queue.frontendEndpoint!, queue.backendEndpoint!] as const;
    const worker = start("worker", addresses[1]);
    const client = cleanup.add(new LazyPirateClient({ endpoint: addresses[0], timeout: WAIT_MS }));
    assertEquals(await askTen(client), tenBy("libzmq"));
    await pause(1.5 * PATIENCE);
    const theirs = start("client", addresses[0], "10");
    assertEquals((await theirs.succeeds()).trim().split("\n"), tenBy("libzmq"));
    const { lost, malformed, unexpected, workers, replies } = queue.stats();
    assertEquals([lost, malformed, unexpected, workers, replies], [0, 0, 0, 1, 20]);
    assert(!worker.output.includes("malformed"));
    await queue.close();
    await worker.prints("lost");
    queue = cleanup.add(new ParanoidPirateQueue(BEATS));
    await queue.bind(...addresses);
    await eventually(() => queue.stats().workers >= 1, WAIT_MS, "their worker is back");
    assertEquals(await askTen(client), tenBy("libzmq"));
  });

  it("have a REP: its late answer is passed over, the one to the next try is taken", async () => {
    const rep = start("rep");
    const client = cleanup.add(
      new LazyPirateClient({ endpoint: await addressFrom(rep, "rep"), timeout: 100, retries: 150 }),
    );
    for (const text of ["a", "b"]) {
      assertEquals(textsOf(await client.request(text)), [`${text} by libzmq`]);
    }
    await rep.prints("ignored a");
    assertGreaterOrEqual(client.stats().retries, 1);
  });
});
