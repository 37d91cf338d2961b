// What the pages of the Pirate patterns promise, with real processes that are killed and frozen, and connections that go
// silent. WASMQ_RUNS says how often.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  LazyPirateClient,
  LoadBalancingBroker,
  ParanoidPirateQueue,
  type ParanoidPirateWorker,
  type WorkerBroker,
} from "../../../src/patterns/pirate/mod.ts";
import { Actor } from "../../_util/actor.ts";
import { toHex } from "../../_util/bytes.ts";
import { Cleanup } from "../../_util/cleanup.ts";
import { eventually, pause, within } from "../../_util/deadline.ts";
import { ANY_PORT } from "../../_util/ports.ts";
import { SilentRelay } from "../../_util/silent_relay.ts";
import { rejection } from "../../_util/rejection.ts";
import { RUNS } from "../../_util/runs.ts";
import { BEATS, TRIES, workerOf } from "./settings.ts";

const WAIT_MS = 30_000;

/** So that each run comes at another moment: requests take 5 ms. */
const sometime = (): Promise<void> => pause(20 * Math.random());

describe("pirates in trouble", () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  /** A test for each run. */
  function scenario(title: string, play: () => Promise<void>): void {
    for (let run = 1; run <= RUNS; run++) it(RUNS > 1 ? `${title} (${run})` : title, play);
  }

  function clientOf(endpoint: string, options: object = TRIES): LazyPirateClient {
    return cleanup.add(new LazyPirateClient({ ...options, endpoint }));
  }

  /** Requests of several clients; each has to be answered with what was asked. */
  class Traffic {
    answered = 0;
    by: Set<string> = new Set();
    #asked = 0;
    #going = true;
    readonly #all: Promise<unknown>;

    constructor(clients: readonly LazyPirateClient[]) {
      this.#all = Promise.all(clients.map((client) => this.#ask(client)));
      this.#all.catch(() => {});
    }

    async #ask(client: LazyPirateClient): Promise<void> {
      while (this.#going) {
        const text = `${this.#asked++}`;
        const reply = await client.request(text);
        assertEquals(reply.length, 1);
        const [question, by] = `${reply[0]}`.split(" by ");
        assertEquals(question, text);
        this.by.add(by);
        this.answered++;
      }
    }

    /** Waits for so many more answers. */
    async more(count: number): Promise<void> {
      const target = this.answered + count;
      await Promise.race([
        eventually(() => this.answered >= target, WAIT_MS, `${target} answers`),
        this.#all,
      ]);
    }

    /** Ends it; as many answers as questions. */
    async end(): Promise<void> {
      this.#going = false;
      await within(this.#all, WAIT_MS, "the last answers");
      assertEquals(this.answered, this.#asked);
    }
  }

  async function brokerOf<B extends WorkerBroker>(broker: B): Promise<B> {
    cleanup.add(broker);
    await broker.bind(ANY_PORT, ANY_PORT);
    return broker;
  }

  /** A process. */
  const start = (...args: string[]): Actor =>
    cleanup.add(new Actor("../patterns/pirate/programs/actor.ts", ...args));

  /** A worker in this process: one that is not harmed. */
  const crew = (...args: Parameters<typeof workerOf>): ReturnType<typeof workerOf> =>
    cleanup.add(workerOf(...args));

  /** The id of the worker that is registered, or lost, next. */
  const next = (broker: WorkerBroker, type: "worker" | "lost"): Promise<string> =>
    within(
      new Promise((resolve) => broker.events.once(type, ({ worker }) => resolve(toHex(worker)))),
      WAIT_MS,
      `another ${type}`,
    );

  scenario("a Paranoid Pirate worker is killed: each request of a client is answered", async () => {
    const queue = await brokerOf(new ParanoidPirateQueue(BEATS));
    const traffic = new Traffic([1, 2, 3].map(() => clientOf(queue.frontendEndpoint!)));
    crew("paranoid", queue.backendEndpoint!, "survivor");
    const victim = start("paranoid", queue.backendEndpoint!, "victim");
    await eventually(() => traffic.by.has("victim"), WAIT_MS, "it works");
    await sometime();
    await victim.kill();
    await traffic.more(20);
    await eventually(() => queue.stats().workers === 1, WAIT_MS, "the dead one is off the list");
    await traffic.end();
  });

  scenario(
    "a Paranoid Pirate queue is killed: workers come back to the next one by themselves",
    async () => {
      let queue = start("queue");
      const addresses = [await queue.address("clients"), await queue.address("workers")] as const;
      const workers = ["a", "b"].map((name) => crew("paranoid", addresses[1], name));
      const traffic = new Traffic([1, 2, 3].map(() => clientOf(addresses[0])));
      await traffic.more(10);
      await sometime();
      await queue.kill();
      queue = start("queue", ...addresses);
      traffic.by.clear();
      await traffic.more(1);
      await eventually(() => traffic.by.size === workers.length, WAIT_MS, "both work again");
      await traffic.end();
    },
  );

  scenario("a client is killed: the queue and its workers serve the others", async () => {
    const queue = await brokerOf(new ParanoidPirateQueue(BEATS));
    crew("paranoid", queue.backendEndpoint!, "worker");
    const traffic = new Traffic([clientOf(queue.frontendEndpoint!)]);
    const victim = start("client", queue.frontendEndpoint!);
    await victim.prints("had ", 3);
    await sometime();
    await victim.kill();
    await traffic.more(20);
    await traffic.end();
    await eventually(() => queue.stats().idle === 1, WAIT_MS, "the worker is free");
    assertEquals([queue.stats().lost, queue.stats().malformed], [0, 0]);
  });

  scenario(
    "a worker is frozen: it is given nothing after its patience, and works again when it goes on",
    async () => {
      const queue = await brokerOf(new ParanoidPirateQueue(BEATS));
      const given: string[] = [];
      queue.events.on("request", ({ worker }) => given.push(toHex(worker)));
      crew("paranoid", queue.backendEndpoint!, "survivor");
      const frozen = start("paranoid", queue.backendEndpoint!, "frozen");
      const traffic = new Traffic([1, 2].map(() => clientOf(queue.frontendEndpoint!)));
      await eventually(() => traffic.by.has("frozen"), WAIT_MS, "it works");
      const lost = next(queue, "lost");
      await sometime();
      frozen.freeze();
      const id = await lost;
      given.length = 0;
      await traffic.more(20);
      assert(given.length >= 10 && !given.includes(id), "it is given nothing");
      traffic.by.clear();
      frozen.thaw();
      await eventually(() => traffic.by.has("frozen"), WAIT_MS, "it works again");
      await traffic.end();
    },
  );

  scenario(
    "a connection goes silent: queue and worker notice, and meet again over another one",
    async () => {
      const queue = await brokerOf(new ParanoidPirateQueue(BEATS));
      const relay = cleanup.add(await SilentRelay.to(queue.backendEndpoint!));
      const meeting = next(queue, "worker");
      const worker = crew("paranoid", relay.endpoint, "worker") as ParanoidPirateWorker;
      const id = await meeting;
      const traffic = new Traffic([clientOf(queue.frontendEndpoint!)]);
      await traffic.more(5);
      const again = next(queue, "worker");
      const { lost } = queue.stats();
      await sometime();
      relay.mute();
      assertNotEquals(await again, id);
      await traffic.more(5);
      await eventually(() => queue.stats().lost > lost, WAIT_MS, "the old one is lost");
      assert(worker.stats().conversations >= 2);
      await traffic.end();
    },
  );

  scenario(
    "no worker is left: a request is rejected after its tries, and the next one is answered",
    async () => {
      const queue = await brokerOf(new ParanoidPirateQueue(BEATS));
      const client = clientOf(queue.frontendEndpoint!, { timeout: 100, retries: 2 });
      const start = performance.now();
      await rejection(client.request("x"), "ETIMEDOUT");
      assert(performance.now() - start >= 290, "three tries");
      crew("paranoid", queue.backendEndpoint!, "worker");
      const patient = clientOf(queue.frontendEndpoint!);
      assertEquals(`${(await patient.request("y"))[0]}`, "y by worker");
    },
  );

  scenario("a Simple Pirate worker is killed: each request of a client is answered", async () => {
    const broker = await brokerOf(new LoadBalancingBroker());
    const traffic = new Traffic([1, 2, 3].map(() => clientOf(broker.frontendEndpoint!)));
    crew("simple", broker.backendEndpoint!, "survivor");
    const victim = start("simple", broker.backendEndpoint!, "victim");
    await eventually(() => traffic.by.has("victim"), WAIT_MS, "it works");
    await sometime();
    await victim.kill();
    await traffic.more(20);
    await traffic.end();
  });

  scenario(
    "a load-balancing broker is killed: Simple Pirate workers with a timeout come back",
    async () => {
      let broker = start("balancer");
      const addresses = [await broker.address("clients"), await broker.address("workers")] as const;
      crew("simple", addresses[1], "worker");
      const traffic = new Traffic([1, 2].map(() => clientOf(addresses[0])));
      await traffic.more(10);
      await sometime();
      await broker.kill();
      broker = start("balancer", ...addresses);
      await broker.prints("workers tcp://");
      await traffic.more(10);
      await traffic.end();
    },
  );

  scenario(
    "a REP service is killed and started again: each request of a Lazy Pirate is answered",
    async () => {
      let service = start("rep");
      const address = await service.address("service");
      const traffic = new Traffic([1, 2, 3].map(() => clientOf(address)));
      await traffic.more(20);
      await sometime();
      await service.kill();
      service = start("rep", address);
      await service.prints("service tcp://");
      await traffic.more(20);
      await traffic.end();
    },
  );
});
