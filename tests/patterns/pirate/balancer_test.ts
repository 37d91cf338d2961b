// The load-balancing broker and Simple Pirate's worker, among each other and with peers that do as they like.

import { assert, assertEquals, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Dealer, type MessageLike, Request, Router } from "../../../mod.ts";
import {
  LoadBalancingBroker,
  type PirateHandler,
  SimplePirateWorker,
  type WorkerBrokerEvents,
  type WorkerBrokerStats,
} from "../../../src/patterns/pirate/mod.ts";
import { assertFrames, textsOf } from "../../_util/bytes.ts";
import { Cleanup } from "../../_util/cleanup.ts";
import { eventually, pause, staysPending, within } from "../../_util/deadline.ts";
import { ANY_PORT } from "../../_util/ports.ts";
import { failure, rejection } from "../../_util/rejection.ts";

const WAIT_MS = 10_000;
const SOON = { receiveTimeout: WAIT_MS, reconnectInterval: 10 } as const;

describe("LoadBalancingBroker", () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function brokerOf(
    options: ConstructorParameters<typeof LoadBalancingBroker>[0] = {},
  ): Promise<LoadBalancingBroker> {
    const broker = cleanup.add(new LoadBalancingBroker(options));
    await broker.bind(ANY_PORT, ANY_PORT);
    return broker;
  }

  function clientOf(broker: LoadBalancingBroker, routingId: string | null = null): Dealer {
    const client = cleanup.add(new Dealer({ ...SOON, routingId }));
    client.connect(broker.frontendEndpoint!);
    return client;
  }

  /** A worker that says and hears exactly what a test says. */
  async function workerOf(
    broker: LoadBalancingBroker,
    routingId: string | null = null,
    ready: MessageLike = "\x01",
  ): Promise<Dealer> {
    const worker = cleanup.add(new Dealer({ ...SOON, routingId }));
    worker.connect(broker.backendEndpoint!);
    const { workers } = broker.stats();
    await worker.send(["", ready]);
    await eventually(() => broker.stats().workers > workers, WAIT_MS, "the worker is known");
    return worker;
  }

  const becomes = (
    broker: LoadBalancingBroker,
    wanted: Partial<WorkerBrokerStats>,
  ): Promise<void> =>
    eventually(
      () => Object.entries(wanted).every(([name, n]) => Reflect.get(broker.stats(), name) === n),
      WAIT_MS,
      `${JSON.stringify(wanted)} of ${JSON.stringify(broker.stats())}`,
    );

  it("gives each request to the worker that is free for longest, and brings the reply back", async () => {
    const broker = await brokerOf();
    const log: [string, string, string][] = [];
    for (const type of ["request", "reply"] as const) {
      broker.events.on(type, ({ client, worker }) => log.push([type, `${client}`, `${worker}`]));
    }
    const known: string[] = [];
    broker.events.on("worker", ({ worker }) => known.push(`${worker}`));
    const a = await workerOf(broker, "a");
    const b = await workerOf(broker, "b", "READY");
    const client = clientOf(broker, "client");
    await client.send(["", "1"]);
    await client.send(["", "2", ""]);
    await client.send(["hop", "", "3"]);
    assertEquals(textsOf(await a.receive()), ["", "client", "", "1"]);
    assertEquals(textsOf(await b.receive()), ["", "client", "", "2", ""]);
    await b.send(["", "client", "", "two", ""]);
    assertEquals(textsOf(await client.receive()), ["", "two", ""]);
    assertEquals(textsOf(await b.receive()), ["", "client", "hop", "", "3"]);
    await a.send(["", "client", "", "one"]);
    await b.send(["", "client", "hop", "", "three"]);
    const rest = [textsOf(await client.receive()), textsOf(await client.receive())];
    assertEquals(rest.sort(), [["", "one"], ["hop", "", "three"]]);
    assertEquals(known, ["a", "b"]);
    assertEquals(log.slice(0, 3), [
      ["request", "client", "a"],
      ["request", "client", "b"],
      ["reply", "client", "b"],
    ]);
    assertEquals(broker.stats(), {
      requests: 3,
      replies: 3,
      dropped: 0,
      unexpected: 0,
      malformed: 0,
      lost: 0,
      abandoned: 0,
      refused: 0,
      workers: 2,
      idle: 2,
    });
  });

  it("serves many clients with a few workers, whatever comes first", async () => {
    const broker = await brokerOf();
    const ask = async (i: number): Promise<string> => {
      const client = cleanup.add(new Request(SOON));
      client.connect(broker.frontendEndpoint!);
      let text = "";
      for (let n = 0; n < 10; n++) {
        await client.send(`${i}.${n}`);
        text += String((await client.receive())[0]) + " ";
      }
      return text;
    };
    const clients = Array.from({ length: 20 }, (_, i) => ask(i));
    const handlers: PirateHandler[] = [
      (request) => request,
      async (request) => {
        await Promise.resolve();
        return [...request];
      },
      ([text]) => String(text),
    ];
    for (const handler of handlers) {
      const worker = cleanup.add(new SimplePirateWorker({ handler }));
      worker.connect(broker.backendEndpoint!);
    }
    const replies = await within(Promise.all(clients), WAIT_MS, "all replies");
    for (const [i, text] of replies.entries()) {
      assertEquals(text, Array.from({ length: 10 }, (_, n) => `${i}.${n} `).join(""));
    }
    assertEquals([broker.stats().requests, broker.stats().replies], [200, 200]);
  });

  it("leaves requests where they are while nobody is free, and loses none of them", async () => {
    const broker = await brokerOf({ socketOptions: { linger: 0 } });
    const client = cleanup.add(new Dealer({ ...SOON, sendHighWaterMark: 100 }));
    client.connect(broker.frontendEndpoint!);
    const body = new Uint8Array(20_000);
    let sent = 0;
    // As long as a pause of the event loop makes room, somebody reads.
    for (let full = 0; full < 50;) {
      if (client.trySend(["", String(sent), body])) {
        sent++;
        full = 0;
      } else {
        full++;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    await staysPending(client.send(["", String(sent++), body]), 200, "a send without a worker");
    assertLess(sent, 5000, "it is held back");
    const numbers: number[] = [];
    const worker = cleanup.add(
      new SimplePirateWorker({
        handler: ([number]) => {
          numbers.push(Number(String(number)));
          return "done";
        },
      }),
    );
    worker.connect(broker.backendEndpoint!);
    for (let i = 0; i < sent; i++) await client.receive();
    assertEquals(numbers, Array.from({ length: sent }, (_, i) => i));
    assertEquals(broker.stats().replies, sent);
  });

  it("takes one reply to a request: a second, a foreign and an early one are dropped", async () => {
    const broker = await brokerOf();
    const worker = await workerOf(broker, "worker");
    const client = clientOf(broker, "client");
    const other = clientOf(broker, "other");
    await worker.send(["", "client", "", "early"]);
    await becomes(broker, { unexpected: 1 });
    await client.send(["", "1"]);
    await worker.receive();
    await worker.send(["", "other", "", "foreign"]);
    await worker.send(["", "client", "", "first"]);
    await worker.send(["", "client", "", "second"]);
    assertEquals(textsOf(await client.receive()), ["", "first"]);
    await becomes(broker, { unexpected: 3, idle: 1 });
    await other.send(["", "2"]);
    await worker.receive();
    // A second answer to the client before, while it has another request: that one is not spoilt.
    await worker.send(["", "client", "", "third"]);
    await worker.send(["", "other", "", "right"]);
    assertEquals(textsOf(await other.receive()), ["", "right"]);
    assertEquals([client.tryReceive(), broker.stats().unexpected], [undefined, 4]);
  });

  it("counts what breaks the protocol, and goes on", async () => {
    const broker = await brokerOf();
    const told: WorkerBrokerEvents["malformed"][] = [];
    broker.events.on("malformed", (event) => told.push(event));
    const client = clientOf(broker, "client");
    const worker = await workerOf(broker, "worker");
    const requests = [["no delimiter"], ["no", "delimiter", "at all"], ["hop", ""]];
    for (const request of requests) await client.send(request);
    await client.send(""); // a probe is none
    await becomes(broker, { malformed: 3 });
    const replies = [
      ["x"],
      ["x", "y"],
      ["x", "client", "", "y"],
      ["", "x"],
      ["", ""],
      ["", "client", "x"],
      ["", "client", ""],
    ];
    for (const reply of replies) await worker.send(reply);
    await becomes(broker, { malformed: 10, unexpected: 0, requests: 0 });
    assertEquals(told.map(({ from }) => from).filter((from) => from === "worker").length, 7);
    assertEquals(`${told[0].id} ${told[3].id}`, "client worker");
    await client.send(["", "good"]);
    assertFrames(await worker.receive(), ["", "client", "", "good"]);
    await worker.send(["", "garbage"]);
    await worker.send(["", "client", "", "reply"]);
    assertEquals(textsOf(await client.receive()), ["", "reply"]);
  });

  it("lets a worker give a request up with READY, and takes no second READY for a second worker", async () => {
    const broker = await brokerOf();
    const worker = await workerOf(broker);
    await worker.send(["", "READY"]);
    const client = clientOf(broker);
    await client.send(["", "1"]);
    await worker.receive();
    await worker.send(["", "READY"]);
    await client.send(["", "2"]);
    const [, id] = await worker.receive();
    await worker.send(["", id, "", "two"]);
    assertEquals(textsOf(await client.receive()), ["", "two"]);
    await becomes(broker, { abandoned: 1, workers: 1, idle: 1 });
  });

  it("gives a request to the next worker when the first is gone", async () => {
    const broker = await brokerOf();
    const gone: string[] = [];
    broker.events.on("lost", ({ worker }) => gone.push(`${worker}`));
    const dead = [await workerOf(broker, "dead 1"), await workerOf(broker, "dead 2")];
    const alive = await workerOf(broker, "alive");
    await Promise.all(dead.map((worker) => worker.close()));
    await pause(100); // the end of their connections comes round
    const client = clientOf(broker);
    await client.send(["", "x"]);
    await alive.send(await alive.receive());
    assertEquals(textsOf(await client.receive()), ["", "x"]);
    assertEquals(gone, ["dead 1", "dead 2"]);
    await becomes(broker, { workers: 1, idle: 1, lost: 2 });
  });

  it("drops the replies to a client that reads nothing, and serves the others", async () => {
    const broker = await brokerOf({ socketOptions: { linger: 0 } });
    const drops: string[] = [];
    broker.events.on("drop", ({ client, reason }) => drops.push(`${client} ${reason}`));
    const worker = cleanup.add(new SimplePirateWorker({ handler: () => new Uint8Array(100_000) }));
    worker.connect(broker.backendEndpoint!);
    const deaf = cleanup.add(new Dealer({ receiveHighWaterMark: 1, routingId: "deaf", linger: 0 }));
    deaf.connect(broker.frontendEndpoint!);
    const other = clientOf(broker);
    await eventually(async () => {
      for (let i = 0; i < 100; i++) await deaf.send(["", "x"]);
      await other.send(["", "y"]);
      await other.receive();
      return drops.length > 0;
    }, WAIT_MS);
    assertEquals(drops[0], "deaf the reply cannot be sent: EAGAIN");
  });

  it("drops the reply to a client that is gone", async () => {
    const broker = await brokerOf();
    const drops: string[] = [];
    broker.events.on("drop", ({ client, reason }) => drops.push(`${client} ${reason}`));
    const worker = await workerOf(broker);
    const leaving = clientOf(broker, "leaving");
    await leaving.send(["", "x"]);
    const request = await worker.receive();
    await leaving.close();
    await pause(100); // the end of its connection comes round
    await worker.send(request);
    await becomes(broker, { dropped: 1, replies: 0, idle: 1 });
    assertEquals(drops, ["leaving the reply cannot be sent: EHOSTUNREACH"]);
  });

  it("registers no more workers than it may, and forgets those whose connection is gone", async () => {
    const broker = await brokerOf({ maxWorkers: 2 });
    const [a] = [await workerOf(broker, "a"), await workerOf(broker, "b")];
    const third = cleanup.add(new Dealer(SOON));
    third.connect(broker.backendEndpoint!);
    await third.send(["", "READY"]);
    await becomes(broker, { refused: 1, workers: 2 });
    const client = clientOf(broker);
    await client.send(["", "x"]);
    await a.receive();
    await a.close(); // with a request: only its connection tells
    await eventually(async () => {
      await third.send(["", "READY"]);
      return broker.stats().lost === 1;
    }, WAIT_MS);
    await becomes(broker, { workers: 2, idle: 2 });
  });

  it("knows a worker that answers before it was registered: after a restart of the broker", async () => {
    const broker = await brokerOf();
    const worker = cleanup.add(new Dealer(SOON));
    worker.connect(broker.backendEndpoint!);
    await worker.send(["", "client of before", "", "reply"]);
    await becomes(broker, { workers: 1, idle: 1, unexpected: 1 });
  });

  it("is closed with its context, by its signal, or by close, and refuses nonsense", async () => {
    const context = new Context();
    const [first, second] = [await brokerOf({ context }), await brokerOf()];
    const worker = cleanup.add(new SimplePirateWorker({ handler: () => "x", context }));
    worker.connect(first.backendEndpoint!);
    await becomes(first, { workers: 1 });
    worker.events.on("error", () => {});
    await within(context.terminate(), WAIT_MS, "the end of the context");
    await eventually(() => first.closed && worker.closed, WAIT_MS);
    await second.close();
    await rejection(second.bind(ANY_PORT, ANY_PORT), "EBADF");
    failure(() => new LoadBalancingBroker({ maxWorkers: 0 }), "EINVAL");
  });
});

describe("SimplePirateWorker", () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function stage(
    handler: PirateHandler,
    timeout?: number,
  ): Promise<[Router, SimplePirateWorker]> {
    const router = cleanup.add(new Router({ receiveTimeout: WAIT_MS }));
    await router.bind(ANY_PORT);
    const worker = cleanup.add(new SimplePirateWorker({ handler, timeout }));
    worker.connect(router.lastEndpoint!);
    return [router, worker];
  }

  it("says READY, and answers with the envelope of the request", async () => {
    const [router, worker] = await stage(([a, b]) => [`${b}`, `${a}`]);
    const [id, ...ready] = await router.receive();
    assertFrames(ready, ["", "\x01"]);
    await router.send([id, "", "client", "hop", "", "a", "b"]);
    assertFrames((await router.receive()).slice(1), ["", "client", "hop", "", "b", "a"]);
    assertEquals(worker.stats(), {
      requests: 1,
      replies: 1,
      failures: 0,
      malformed: 0,
      sockets: 1,
    });
    failure(() => worker.connect(router.lastEndpoint!), "EBUSY");
  });

  it("says READY again instead of a reply when its handler fails, and tells", async () => {
    const errors: unknown[] = [];
    const answers: unknown[] = [new Error("no"), undefined, [], { not: "a frame" }, "at last"];
    const [router, worker] = await stage(() => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer as string;
    });
    worker.events.on("error", ({ error }) => errors.push(error));
    const [id] = await router.receive();
    for (let i = 0; i < 4; i++) {
      await router.send([id, "", "client", "", "x"]);
      assertFrames((await router.receive()).slice(1), ["", "\x01"]);
    }
    await router.send([id, "", "no envelope"]);
    assertFrames((await router.receive()).slice(1), ["", "\x01"]);
    await router.send([id, "", "client", "", "x"]);
    assertFrames((await router.receive()).slice(1), ["", "client", "", "at last"]);
    assertEquals(errors.length, 4);
    assertEquals(worker.stats(), {
      requests: 5,
      replies: 1,
      failures: 4,
      malformed: 1,
      sockets: 1,
    });
  });

  it("begins anew over a fresh socket when no request came in time, if it was told to", async () => {
    const [router] = await stage((request) => request, 100);
    const ids = new Set<string>();
    for (let i = 0; i < 3; i++) ids.add((await router.receive())[0].toString("hex"));
    assertEquals(ids.size, 3);
  });

  it("tells its handler when it is closed, and takes no answer then", async () => {
    const told = Promise.withResolvers<string>();
    const [router, worker] = await stage((_, { signal }) => {
      signal.addEventListener("abort", () => told.resolve(signal.reason.code));
      return new Promise(() => {});
    });
    const [id] = await router.receive();
    await router.send([id, "", "client", "", "x"]);
    await eventually(() => worker.stats().requests === 1, WAIT_MS);
    await within(worker.close(), WAIT_MS, "close");
    assertEquals(await told.promise, "EBADF");
    failure(() => worker.connect(router.lastEndpoint!), "EBADF");
    failure(() => new SimplePirateWorker({ handler: "x" as unknown as PirateHandler }), "EINVAL");
    failure(() => new SimplePirateWorker({ handler: () => "", timeout: -1 }), "EINVAL");
    assert(worker.closed);
  });
});
