// Paranoid Pirate's queue and worker (PPP, RFC 6), each with an other end that does exactly what a test says.

import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, type Frame, Router } from "../../../mod.ts";
import {
  ParanoidPirateQueue,
  type ParanoidPirateQueueOptions,
  ParanoidPirateWorker,
  type ParanoidPirateWorkerOptions,
  type PirateHandler,
  type WorkerBrokerStats,
} from "../../../src/patterns/pirate/mod.ts";
import { pulse } from "../../../src/patterns/pirate/pulse.ts";
import { assertFrames, fromHex, toHex } from "../../_util/bytes.ts";
import { Cleanup } from "../../_util/cleanup.ts";
import { eventually, pause, within } from "../../_util/deadline.ts";
import { ANY_PORT } from "../../_util/ports.ts";
import { type RawConnection, RawServer } from "../../_util/raw_peer.ts";
import { connectAs, shakeHands } from "../../_util/raw_zmtp.ts";
import { failure } from "../../_util/rejection.ts";

const WAIT_MS = 10_000;
const SOON = { receiveTimeout: WAIT_MS, reconnectInterval: 10 } as const;
/** Silence is noticed soon. */
const NERVOUS = { heartbeatInterval: 50, heartbeatLiveness: 4 } as const;
/** Nobody is lost while a test lasts. */
const CALM = { heartbeatInterval: 100, heartbeatLiveness: 1000 } as const;
/** Golden vectors of the protocol, as octets of ZMTP. */
const READY = "000101";
const HEARTBEAT = "000102";
const REQUEST = "0106636c69656e74 0100 000568656c6c6f";
const REPLY = "0106636c69656e74 0100 0005776f726c64";

/** The next octets that are no heartbeat. */
async function takeOctets(connection: RawConnection, hex: string): Promise<void> {
  for (;;) {
    const octets = await connection.take(3);
    if (toHex(octets) === HEARTBEAT && hex !== HEARTBEAT) continue;
    const rest = await connection.take(fromHex(hex).length - 3);
    assertEquals(toHex(octets) + toHex(rest), hex.replaceAll(" ", ""));
    return;
  }
}

/** The next message that is no heartbeat; of a ROUTER with its peer. */
async function hear(socket: Dealer | Router): Promise<Frame[]> {
  for (;;) {
    const frames = await socket.receive();
    if (frames.at(-1)!.toString() !== "\x02") return frames;
  }
}

describe("ParanoidPirateQueue", () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function queueOf(options: ParanoidPirateQueueOptions): Promise<ParanoidPirateQueue> {
    const queue = cleanup.add(new ParanoidPirateQueue(options));
    await queue.bind(ANY_PORT, ANY_PORT);
    return queue;
  }

  function clientOf(queue: ParanoidPirateQueue, routingId = "client"): Dealer {
    const client = cleanup.add(new Dealer({ ...SOON, routingId }));
    client.connect(queue.frontendEndpoint!);
    return client;
  }

  async function workerOf(queue: ParanoidPirateQueue, routingId: string): Promise<Dealer> {
    const worker = cleanup.add(new Dealer({ ...SOON, routingId }));
    worker.connect(queue.backendEndpoint!);
    const { workers } = queue.stats();
    await worker.send("\x01");
    await eventually(() => queue.stats().workers > workers, WAIT_MS, "the worker is known");
    return worker;
  }

  const becomes = (queue: ParanoidPirateQueue, wanted: Partial<WorkerBrokerStats>): Promise<void> =>
    eventually(
      () => Object.entries(wanted).every(([name, n]) => Reflect.get(queue.stats(), name) === n),
      WAIT_MS,
      JSON.stringify(wanted),
    );

  it("PPP-02, PPP-03: speaks PPP, octet by octet", async () => {
    const queue = await queueOf(CALM);
    const worker = cleanup.add(await connectAs(queue.backendEndpoint!, "DEALER"));
    worker.send(fromHex(READY));
    await takeOctets(worker, HEARTBEAT);
    const client = clientOf(queue);
    await client.send(["", "hello"]);
    await takeOctets(worker, REQUEST);
    worker.send(fromHex(HEARTBEAT), fromHex(REPLY));
    assertFrames(await client.receive(), ["", "world"]);
    await takeOctets(worker, HEARTBEAT);
    await becomes(queue, { requests: 1, replies: 1, malformed: 0, workers: 1, idle: 1 });
  });

  it("PPP-04, PPP-06: takes an idle worker that was silent off its list, and gives it nothing", async () => {
    const queue = await queueOf(NERVOUS);
    const lost: string[] = [];
    queue.events.on(
      "lost",
      ({ worker, client }) => lost.push(`${worker} ${client} ${queue.stats().idle}`),
    );
    const silent = await workerOf(queue, "silent");
    const start = performance.now();
    await becomes(queue, { workers: 0, lost: 1 });
    assertGreaterOrEqual(performance.now() - start, 100);
    assertEquals(lost, ["silent undefined 0"]);
    const client = clientOf(queue);
    await client.send(["", "x"]);
    while (silent.tryReceive() !== undefined); // heartbeats of before
    await pause(200);
    assertEquals(silent.tryReceive(), undefined, "neither a request nor a heartbeat");
    await silent.send("\x02");
    assertFrames(await hear(silent), ["client", "", "x"]);
  });

  it("gives nothing to a silent worker, also before it had time to notice", async () => {
    const queue = await queueOf(NERVOUS);
    const client = clientOf(queue);
    await workerOf(queue, "silent");
    await client.send("connected");
    await becomes(queue, { malformed: 1 });
    const sent = client.send(["", "x"]);
    const start = performance.now();
    while (performance.now() - start < 300); // nothing else happens
    await sent;
    await becomes(queue, { lost: 1, workers: 0 });
    await pause(50);
    assertEquals(queue.stats().requests, 0);
  });

  it("keeps a worker that sends anything, also while it works", async () => {
    const queue = await queueOf({ heartbeatInterval: 100, heartbeatLiveness: 10 });
    const worker = await workerOf(queue, "worker");
    const client = clientOf(queue);
    await client.send(["", "x"]);
    const request = await hear(worker);
    const signs = ["\x02", ["nonsense"], ["nonsense", "without", "end"], ["client", "wrong"]];
    for (let i = 0; i < 24; i++) {
      await worker.send(signs[i % signs.length]);
      await pause(50);
    }
    await worker.send(request);
    assertFrames(await client.receive(), ["", "x"]);
    assertEquals([queue.stats().lost, queue.stats().malformed], [0, 18]);
  });

  it("gives a busy worker that was silent no more, and still takes its answer", async () => {
    const queue = await queueOf(NERVOUS);
    const lost: string[] = [];
    queue.events.on("lost", ({ worker, client }) => lost.push(`${worker} ${client}`));
    const worker = await workerOf(queue, "worker");
    const client = clientOf(queue);
    await client.send(["", "1"]);
    const request = await hear(worker);
    await becomes(queue, { lost: 1, workers: 1, idle: 0 });
    assertEquals(lost, ["worker client"]);
    await client.send(["", "2"]);
    while (worker.tryReceive() !== undefined); // heartbeats of before
    await eventually(
      async () => {
        await worker.send("\x02");
        return worker.tryReceive() !== undefined;
      },
      WAIT_MS,
      "it hears of the queue again",
    );
    assertEquals(queue.stats().requests, 1, "it has a request, and is not ready for another");
    await worker.send(request);
    assertFrames(await client.receive(), ["", "1"]);
    assertFrames(await hear(worker), ["client", "", "2"]);
  });

  it("forgets a lost worker in the end, and whom it loses by the end of a connection", async () => {
    const queue = await queueOf({ heartbeatInterval: 10, heartbeatLiveness: 2 });
    const client = clientOf(queue);
    await client.send(["", "x"]);
    const worker = cleanup.add(new Dealer({ ...SOON, routingId: "worker" }));
    worker.connect(queue.backendEndpoint!);
    await worker.send("\x01");
    await becomes(queue, { requests: 1, workers: 1, lost: 1 });
    await becomes(queue, { workers: 0, lost: 1 });
    const calm = await queueOf(CALM);
    const leaving = await workerOf(calm, "leaving");
    await leaving.close();
    await becomes(calm, { workers: 0, lost: 1 });
  });

  it("goes on with the others, in their order, when one of many is gone", async () => {
    const queue = await queueOf(CALM);
    const workers: Dealer[] = [];
    for (const name of ["a", "b", "c", "d"]) workers.push(await workerOf(queue, name));
    await workers[1].close();
    await becomes(queue, { workers: 3, idle: 3 });
    const given: string[] = [];
    queue.events.on("request", ({ worker }) => given.push(`${worker}`));
    const client = clientOf(queue);
    for (let i = 0; i < 3; i++) await client.send(["", "x"]);
    await becomes(queue, { requests: 3, idle: 0, lost: 1 });
    assertEquals(given, ["a", "c", "d"]);
  });

  it("knows a worker of before a restart by its heartbeat, or by its answer", async () => {
    const queue = await queueOf(CALM);
    for (const [i, sign] of ["\x02", ["client", "", "reply"]].entries()) {
      const worker = cleanup.add(new Dealer({ ...SOON, routingId: `worker ${i}` }));
      worker.connect(queue.backendEndpoint!);
      await worker.send(sign);
      await becomes(queue, { workers: i + 1, idle: i + 1, unexpected: i });
    }
  });

  it("drops a second reply, and what breaks the protocol", async () => {
    const queue = await queueOf(CALM);
    const worker = await workerOf(queue, "worker");
    const client = clientOf(queue);
    await client.send(["", "x"]);
    const request = await hear(worker);
    await worker.send(request);
    await worker.send(request);
    await becomes(queue, { unexpected: 1, replies: 1, idle: 1 });
    for (const nonsense of ["\x03", "", "\x01\x01", "READY", ["client", "x"], ["client", ""]]) {
      await worker.send(nonsense);
    }
    await becomes(queue, { malformed: 6, workers: 1, idle: 1 });
    const stranger = cleanup.add(new Dealer(SOON));
    stranger.connect(queue.backendEndpoint!);
    await stranger.send("\x03");
    await becomes(queue, { malformed: 7, workers: 1 });
    await client.send(["", "y"]);
    await hear(worker);
    await worker.send("\x01");
    await becomes(queue, { abandoned: 1, idle: 1 });
  });

  it("refuses options that cannot be right", () => {
    failure(() => new ParanoidPirateQueue({ heartbeatInterval: 0 }), "EINVAL");
    failure(() => new ParanoidPirateQueue({ heartbeatLiveness: 0.5 }), "EINVAL");
  });
});

describe("ParanoidPirateWorker", () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  function workerOf(
    endpoint: string,
    options: ParanoidPirateWorkerOptions,
  ): ParanoidPirateWorker {
    const worker = cleanup.add(new ParanoidPirateWorker(options));
    worker.connect(endpoint);
    return worker;
  }

  async function stage(
    handler: PirateHandler,
    options: Partial<ParanoidPirateWorkerOptions> = CALM,
  ): Promise<[Router, ParanoidPirateWorker]> {
    const router = cleanup.add(new Router({ receiveTimeout: WAIT_MS }));
    await router.bind(ANY_PORT);
    return [router, workerOf(router.lastEndpoint!, { ...options, handler })];
  }

  it("PPP-01, PPP-02, PPP-03: speaks PPP, octet by octet", async () => {
    const server = cleanup.add(await RawServer.listen());
    const worker = workerOf(server.endpoint, { ...CALM, handler: () => "world" });
    const queue = await server.accept();
    await shakeHands(queue, "ROUTER");
    assertEquals(toHex(await queue.take(3)), READY);
    await takeOctets(queue, HEARTBEAT);
    queue.send(fromHex(HEARTBEAT), fromHex(REQUEST));
    await takeOctets(queue, REPLY);
    await takeOctets(queue, HEARTBEAT);
    const { requests, replies, malformed, conversations } = worker.stats();
    assertEquals([requests, replies, malformed, conversations], [1, 1, 0, 1]);
    failure(() => worker.connect(server.endpoint), "EBUSY");
  });

  it("PPP-04, PPP-05: says READY again, over a fresh socket and after longer and longer pauses, when the queue is silent", async () => {
    const [router, worker] = await stage((request) => request, {
      heartbeatInterval: 30,
      heartbeatLiveness: 4,
      reconnectInterval: 10,
      reconnectMaxInterval: 40,
    });
    const pauses: number[] = [];
    worker.events.on("lost", ({ pause }) => pauses.push(pause));
    const ids = new Set<string>();
    let last: Frame[];
    do {
      last = await hear(router);
      assertFrames(last.slice(1), ["\x01"]);
      ids.add(last[0].toString("hex"));
    } while (ids.size < 5);
    assertEquals(pauses.slice(0, 4), [10, 20, 40, 40]);
    // One sign of life, and the next pause is a short one again.
    const { length } = pauses;
    for (let answered = ""; !pauses.includes(10, length);) {
      const [id] = await router.receive();
      if (id.toString("hex") !== answered) await router.send([id, "\x02"]);
      answered = id.toString("hex");
    }
  });

  it("answers one request after the other, and has heartbeats with the queue meanwhile", async () => {
    let running = 0;
    const go = Promise.withResolvers<void>();
    const [router, worker] = await stage(async ([text]) => {
      assertEquals(++running, 1);
      await go.promise;
      running--;
      return `${text}!`;
    });
    const [id] = await hear(router);
    for (const text of ["a", "b", "c"]) await router.send([id, "client", "", text]);
    for (let i = 0; i < 3; i++) assertFrames((await router.receive()).slice(1), ["\x02"]);
    assertEquals(worker.stats().waiting, 2);
    go.resolve();
    for (const text of ["a!", "b!", "c!"]) {
      assertFrames((await hear(router)).slice(1), ["client", "", text]);
    }
  });

  it("says READY instead of a reply when its handler fails, and tells", async () => {
    const errors: unknown[] = [];
    const [router, worker] = await stage(([text]) => {
      if (`${text}` === "bad") throw new Error("no");
      return `${text}` === "nothing" ? [] : text;
    });
    worker.events.on("error", ({ error }) => errors.push(error));
    const [id] = await hear(router);
    for (const text of ["bad", "nothing"]) {
      await router.send([id, "client", "", text]);
      assertFrames((await hear(router)).slice(1), ["\x01"]);
    }
    await router.send([id, "", "good"]);
    assertFrames((await hear(router)).slice(1), ["", "good"]);
    assertEquals([errors.length, worker.stats().failures, worker.stats().replies], [2, 2, 1]);
  });

  it("drops what breaks the protocol, and more requests than it may keep", async () => {
    const never = Promise.withResolvers<string>();
    const [router, worker] = await stage(() => never.promise, { ...CALM, maxWaiting: 2 });
    const reasons: string[] = [];
    worker.events.on("malformed", ({ reason }) => reasons.push(reason));
    const [id] = await hear(router);
    await router.send([id, "no", "envelope"]);
    assertFrames((await hear(router)).slice(1), ["\x01"]);
    for (const nonsense of ["\x01", "\x03", ""]) await router.send([id, nonsense]);
    for (let i = 0; i < 5; i++) await router.send([id, "", String(i)]);
    await eventually(() => worker.stats().malformed === 6, WAIT_MS);
    assertEquals([worker.stats().requests, worker.stats().waiting], [1, 2]);
    assertEquals(reasons.filter((reason) => reason.startsWith("more than 2 requests")).length, 2);
  });

  it("gives up what it does for a queue that it has lost, and never answers the next one with it", async () => {
    const reasons: string[] = [];
    const answer = Promise.withResolvers<string>();
    const [router, worker] = await stage((_, { signal }) => {
      signal.addEventListener("abort", () => reasons.push(signal.reason.code));
      return answer.promise;
    }, { heartbeatInterval: 50, heartbeatLiveness: 4, reconnectInterval: 10 });
    const [id] = await hear(router);
    for (let i = 0; i < 3; i++) await router.send([id, "client", "", "x"]);
    assertFrames((await hear(router)).slice(1), ["\x01"]);
    assertEquals(reasons, ["ETIMEDOUT"]);
    answer.resolve("too late");
    await eventually(() => worker.stats().discarded === 3, WAIT_MS);
    assertFrames((await hear(router)).slice(1), ["\x01"]);
  });

  it("is closed while it waits for its queue, and refuses options that cannot be right", async () => {
    const [, worker] = await stage(() => "", { heartbeatInterval: 10, reconnectInterval: 300 });
    await eventually(() => worker.stats().waiting === 0 && worker.stats().conversations === 1);
    await within(
      new Promise<void>((resolve) => worker.events.once("lost", () => resolve())),
      WAIT_MS,
      "loss",
    );
    await within(worker.close(), WAIT_MS, "close");
    await pause(400);
    assertEquals(worker.stats().conversations, 1, "it does not begin anew");
    const handler = (): string => "";
    failure(() => new ParanoidPirateWorker({ handler, reconnectInterval: 0 }), "EINVAL");
    failure(() => new ParanoidPirateWorker({ handler, maxWaiting: 0 }), "EINVAL");
    failure(() => new ParanoidPirateWorker({} as ParanoidPirateWorkerOptions), "EINVAL");
    const wrong = new ParanoidPirateWorker({ handler });
    failure(() => wrong.connect("nonsense"), "EINVAL");
    await wrong.close();
    assert(worker.closed);
  });
});

describe("pulse()", () => {
  it("leaves a beat out when the program stood still, so that what has come is read first", async () => {
    const beats: number[] = [];
    const stop = pulse(200, (time) => beats.push(time));
    await eventually(() => beats.length > 0, WAIT_MS);
    const start = performance.now();
    while (performance.now() - start < 300); // it stands still
    const end = performance.now();
    await eventually(() => beats.at(-1)! > end, WAIT_MS);
    stop();
    assertGreaterOrEqual(beats.find((time) => time > end)! - end, 25);
  });
});
