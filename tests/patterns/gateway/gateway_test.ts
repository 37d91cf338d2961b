// The elastic PUSH gateway: who gets what, who waits, and what is said on the wire.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, type Frame, Router } from "../../../mod.ts";
import {
  GatewayWorker,
  type GatewayWorkerOptions,
  PushGateway,
  type PushGatewayOptions,
} from "../../../src/patterns/gateway/mod.ts";
import { assertFrames, fromHex, toHex } from "../../_util/bytes.ts";
import { eventually, pause, staysPending, within } from "../../_util/deadline.ts";
import { ANY_PORT } from "../../_util/ports.ts";
import { SilentRelay } from "../../_util/silent_relay.ts";
import { failure, rejection } from "../../_util/rejection.ts";

const WAIT_MS = 20_000;
const READY = fromHex("01");
const VERSION = "EPG1";

describe("the elastic PUSH gateway", () => {
  const opened: { close(): Promise<void> | void }[] = [];
  const keep = <T extends { close(): Promise<void> | void }>(part: T): T => {
    opened.push(part);
    return part;
  };
  afterEach(async () => {
    const all = opened.splice(0).reverse();
    await within(Promise.all(all.map((part) => part.close())), WAIT_MS, "all is closed");
  });

  async function makeGateway(options: PushGatewayOptions = {}): Promise<PushGateway> {
    const gateway = keep(new PushGateway(options));
    await gateway.bind(ANY_PORT);
    return gateway;
  }

  function makeWorker(gateway: PushGateway, options: Partial<GatewayWorkerOptions>): GatewayWorker {
    return keep(new GatewayWorker({ endpoint: gateway.lastEndpoint!, ...options }));
  }

  const there = (gateway: PushGateway, count: number): Promise<void> =>
    eventually(() => gateway.stats().workers === count, WAIT_MS, `${count} workers`);

  const idle = (gateway: PushGateway): Promise<void> => within(gateway.idle(), WAIT_MS, "idle");

  /** A worker of plain frames. */
  function makeDealer(gateway: PushGateway): Dealer {
    const dealer = keep(new Dealer({ linger: 0, receiveTimeout: WAIT_MS }));
    dealer.connect(gateway.lastEndpoint!);
    return dealer;
  }

  it("gives each item to one worker, and each worker its share", async () => {
    const gateway = await makeGateway();
    const took: string[][] = [[], [], []];
    for (const mine of took) {
      makeWorker(gateway, { credit: 10, handler: ([item]) => void mine.push(String(item)) });
    }
    await there(gateway, 3);
    for (let i = 0; i < 3000; i++) await gateway.send(i);
    await idle(gateway);
    assertEquals(took.flat().map(Number).sort((a, b) => a - b), Array.from(Array(3000).keys()));
    for (const mine of took) assertGreater(mine.length, 500);
    const { accepted, done, held, buffered, returned } = gateway.stats();
    assertEquals([accepted, done, held, buffered, returned], [3000, 3000, 0, 0, 0]);
  });

  it("gives a worker no more than its credit, and has the producer wait", async () => {
    const gateway = await makeGateway({ maxBuffer: 2 });
    const worker = makeWorker(gateway, { credit: 3 });
    await there(gateway, 1);
    for (let i = 0; i < 5; i++) await within(gateway.send([i, "body"]), WAIT_MS, `item ${i}`);
    assert(!gateway.trySend("no room"));
    const sixth = gateway.send(5);
    const aborting = new AbortController();
    const given = gateway.send("given up", { signal: aborting.signal });
    aborting.abort(Object.assign(new Error("enough"), { code: "ENOUGH" }));
    await rejection(given, "ENOUGH");
    await staysPending(sixth, 30, "there is no room");
    await eventually(() => worker.stats().queued === 3);
    const { buffered, held, waiting } = gateway.stats();
    assertEquals([buffered, held, waiting], [2, 3, 1]);
    const job = await worker.receive();
    assertFrames(job.body, ["0", "body"]);
    assert(job.done());
    assert(!job.done(), "once");
    await within(sixth, WAIT_MS, "there is room");
    for (let i = 1; i < 6; i++) {
      const job = await worker.receive();
      assertEquals(String(job.body[0]), `${i}`);
      job.done();
    }
    await idle(gateway);
    assertEquals(gateway.stats().done, 6);
    assertEquals(gateway.workers()[0].done, 6);
  });

  it("without a buffer waits for a worker with credit", async () => {
    const gateway = await makeGateway({ maxBuffer: 0 });
    const first = gateway.send("a");
    await staysPending(first, 20, "nobody is there");
    const worker = makeWorker(gateway, { credit: 1 });
    await within(first, WAIT_MS, "a worker is there");
    const second = gateway.send("b");
    await staysPending(second, 20, "it has no credit");
    (await worker.receive()).done();
    await within(second, WAIT_MS, "it has credit again");
  });

  it("has a closed worker finish what it has begun, and gives the rest to others, once", async () => {
    const gateway = await makeGateway({ maxBuffer: 10_000 });
    const times: number[] = Array(2000).fill(0);
    const handler = async ([item]: Frame[]): Promise<void> => {
      await pause(1);
      times[Number(String(item))]++;
    };
    const workers: GatewayWorker[] = [];
    const hire = (): void => {
      workers.push(makeWorker(gateway, { credit: 50, concurrency: 10, handler }));
    };
    hire();
    hire();
    await there(gateway, 2);
    for (let i = 0; i < times.length; i++) await gateway.send(i);
    for (let round = 0; round < 6; round++) {
      await pause(20);
      hire();
      await workers.shift()!.close();
    }
    await idle(gateway);
    assertEquals(times.filter((count) => count !== 1), []);
    assertGreater(gateway.stats().returned, 0);
    assertEquals(gateway.stats().lost, 0);
  });

  it("drains a worker: it is closed over there, and others go on", async () => {
    const gateway = await makeGateway();
    let count = 0;
    const handler = async (): Promise<void> => {
      await pause(1);
      count++;
    };
    const [ada, ben] = ["Ada", "Ben"].map((name) => makeWorker(gateway, { name, handler }));
    await there(gateway, 2);
    for (let i = 0; i < 200; i++) await gateway.send(i);
    const { id } = gateway.workers().find(({ name }) => name === "Ada")!;
    await within(gateway.drain(id), WAIT_MS, "Ada leaves");
    assert(ada.closed);
    assertEquals(gateway.workers().map(({ name }) => name), ["Ben"]);
    await rejection(gateway.drain(id), "EHOSTUNREACH");
    await idle(gateway);
    assertEquals([count, gateway.stats().lost, ben.closed], [200, 0, false]);
  });

  it("gives what a handler fails on to others, and up after maxFailures", async () => {
    const gateway = await makeGateway({ maxFailures: 3 });
    const failed: unknown[] = [];
    gateway.events.on("failed", ({ body, failures }) => failed.push([body, failures]));
    let errors = 0;
    let tries = 0;
    const worker = makeWorker(gateway, {
      handler: ([item]) => {
        if (String(item) === "bad" && ++tries < 10) throw new Error("no");
      },
    });
    worker.events.on("error", () => errors++);
    await gateway.send("bad");
    await gateway.send("good");
    await idle(gateway);
    assertEquals(failed, [[["bad"], 3]]);
    assertEquals([errors, gateway.stats().done, worker.stats().refused], [3, 1, 3]);
  });

  it("says what its page says, to the octet", async () => {
    const gateway = await makeGateway({ heartbeatInterval: 50, heartbeatLiveness: 400 });
    const dealer = makeDealer(gateway);
    await dealer.send([READY, VERSION, fromHex("00000002"), "Ada"]);
    assertEquals((await dealer.receive()).map(toHex), ["06"]);
    await gateway.send(["a", "b"]);
    let message = await dealer.receive();
    while (message.length === 1) message = await dealer.receive(); // heartbeats
    assertEquals(message.map(toHex), ["11", "00000001", "61", "62"]);
    await dealer.send([fromHex("03"), fromHex("00000001")]);
    do message = await dealer.receive(); while (message.length === 1);
    assertEquals(message.map(toHex), ["11", "00000002", "61", "62"]);
    await dealer.send([fromHex("02"), fromHex("0000000200000002000000ff")]);
    await idle(gateway);
    assertEquals(gateway.stats().done, 1);
    await gateway.send("c");
    do message = await dealer.receive(); while (message.length === 1);
    await dealer.send([fromHex("04"), new Uint8Array(0)]);
    await dealer.send(fromHex("05"));
    await there(gateway, 0);
    assertEquals([gateway.stats().buffered, gateway.stats().lost], [1, 0]);
    await dealer.send(fromHex("06"));
    do message = await dealer.receive(); while (toHex(message[0]) === "06");
    assertEquals(message.map(toHex), ["13"]);
  });

  it("has the worker say what its page says", async () => {
    const router = keep(new Router({ linger: 0, receiveTimeout: WAIT_MS }));
    await router.bind(ANY_PORT);
    const worker = keep(
      new GatewayWorker({
        endpoint: router.lastEndpoint!,
        credit: 258,
        name: "Ada",
        heartbeatInterval: 10_000,
      }),
    );
    const [id, ...ready] = await router.receive();
    assertEquals(ready.map(toHex), ["01", "45504731", "00000102", "416461"]);
    let joined = 0;
    worker.events.on("joined", () => joined++);
    await router.send([id, fromHex("06")]);
    await router.send([id, fromHex("11"), fromHex("80000001"), "work"]);
    await router.send([id, fromHex("11"), fromHex("80000002"), "work"]);
    await router.send([id, fromHex("11"), fromHex("80000003"), "work"]);
    // What is not of the protocol is told, and nothing else happens.
    for (const rubbish of ["", "11", "0606", "ff"]) await router.send([id, fromHex(rubbish)]);
    await router.send([id, fromHex("11"), fromHex("0000"), "work"]);
    await eventually(() => worker.stats().malformed === 5);
    (await worker.receive()).done();
    assertEquals((await router.receive()).slice(1).map(toHex), ["02", "80000001"]);
    (await worker.receive()).refuse();
    assertEquals((await router.receive()).slice(1).map(toHex), ["03", "80000002"]);
    const job = await worker.receive();
    const closed = worker.close();
    assertEquals((await router.receive()).slice(1).map(toHex), ["04", "80000003"]);
    await router.send([id, fromHex("11"), fromHex("80000004"), "late"]);
    job.done();
    assertEquals((await router.receive()).slice(1).map(toHex), ["02", "80000003"]);
    assertEquals((await router.receive()).slice(1).map(toHex), ["05"]);
    await closed;
    assertEquals([joined, worker.stats().received], [1, 3]);
  });

  it("has the worker begin anew when it is not known, and not before it was", async () => {
    const router = keep(new Router({ linger: 0, receiveTimeout: WAIT_MS }));
    await router.bind(ANY_PORT);
    const endpoint = router.lastEndpoint!;
    const worker = keep(new GatewayWorker({ endpoint, heartbeatInterval: 10_000 }));
    const lost: string[] = [];
    worker.events.on("lost", ({ reason }) => lost.push(reason));
    const [first] = await router.receive();
    await router.send([first, fromHex("13")]);
    await router.send([first, fromHex("11"), fromHex("00000001"), "work"]);
    const job = await worker.receive();
    assertEquals(lost, []);
    await router.send([first, fromHex("06")]);
    await router.send([first, fromHex("13")]);
    const [second, command] = await router.receive();
    assertEquals(toHex(command), "01");
    assert(toHex(first) !== toHex(second), "on a new socket");
    assertEquals(lost, ["unknown"]);
    assert(!job.done());
  });

  it("counts what is not of the protocol, and goes on", async () => {
    const gateway = await makeGateway();
    const dealer = makeDealer(gateway);
    const told: string[] = [];
    gateway.events.on("malformed", ({ peer, reason }) => told.push(`${peer.length} ${reason}`));
    const one = fromHex("00000001");
    await dealer.send("");
    await dealer.send(READY);
    await dealer.send([READY, "EPG2", one, ""]);
    await dealer.send([READY, VERSION, fromHex("00000000"), ""]);
    await dealer.send([READY, VERSION, one, "x".repeat(256)]);
    await dealer.send([READY, VERSION, one, "", ""]);
    await dealer.send([fromHex("11"), one]);
    await dealer.send([READY, VERSION, one, "Ada"]);
    await dealer.send([fromHex("02"), fromHex("000000")]);
    await dealer.send(fromHex("02"));
    await dealer.send([fromHex("04"), one, one]);
    await eventually(() => told.length === 10);
    const count = (text: string): number => told.filter((line) => line.includes(text)).length;
    assertEquals([count("5 it begins with no"), count("5 READY"), count("5 a command")], [2, 5, 3]);
    assertEquals([gateway.stats().malformed, gateway.stats().workers], [10, 1]);
    failure(() => gateway.trySend([]), "EINVAL");
    await rejection(gateway.send(undefined as unknown as string), "EINVAL");
    await gateway.send("still there");
    assertEquals(toHex((await dealer.receive())[0]), "06");
    assertFrames((await dealer.receive()).slice(2), ["still there"]);
  });

  it("gives what a silent worker has to others, and does not know it any more", async () => {
    const gateway = await makeGateway({ heartbeatInterval: 100, heartbeatLiveness: 5 });
    const dealer = makeDealer(gateway);
    const lost: unknown[] = [];
    gateway.events.on("lost", ({ name, returned, reason }) => lost.push([name, returned, reason]));
    await dealer.send([READY, VERSION, fromHex("0000000a"), "Ada"]);
    await there(gateway, 1);
    for (let i = 0; i < 5; i++) await gateway.send(i);
    await eventually(() => lost.length > 0, WAIT_MS);
    assertEquals(lost, [["Ada", 5, "silent"]]);
    const items: number[] = [];
    makeWorker(gateway, { handler: ([item]) => void items.push(Number(String(item))) });
    await dealer.send([fromHex("02"), fromHex("00000001")]); // too late
    await idle(gateway);
    assertEquals(items, [0, 1, 2, 3, 4]);
    assertEquals(gateway.stats().done, 5);
  });

  it("gives what a worker without connection has to others, before it would be silent", async () => {
    const gateway = await makeGateway({ heartbeatInterval: 200, heartbeatLiveness: 1000 });
    const dealer = makeDealer(gateway);
    await dealer.send([READY, VERSION, fromHex("0000000a"), "Ada"]);
    await there(gateway, 1);
    const reasons: string[] = [];
    gateway.events.on("lost", ({ reason }) => reasons.push(reason));
    await gateway.send("x");
    await dealer.close();
    const items: string[] = [];
    makeWorker(gateway, { handler: ([item]) => void items.push(String(item)) });
    await idle(gateway);
    assertEquals([items, reasons], [["x"], ["disconnected"]]);
  });

  it("gives up a connection that goes silent, at both ends, and both find each other again", async () => {
    const beats = { heartbeatInterval: 100, heartbeatLiveness: 8 };
    const gateway = await makeGateway(beats);
    const relay = keep(await SilentRelay.to(gateway.lastEndpoint!));
    const worker = keep(new GatewayWorker({ ...beats, endpoint: relay.endpoint, credit: 2 }));
    const lost: string[] = [];
    gateway.events.on("lost", ({ reason, returned }) => lost.push(`gateway ${reason} ${returned}`));
    worker.events.on("lost", ({ reason }) => lost.push(`worker ${reason}`));
    await gateway.send("x");
    const early = await worker.receive();
    relay.mute();
    await eventually(() => new Set(lost).size === 2, WAIT_MS);
    assertEquals([...new Set(lost)].sort(), ["gateway silent 1", "worker silent"]);
    assert(!early.done());
    const again = await within(worker.receive(), WAIT_MS, "the item comes by a new connection");
    assertEquals(String(again.body), "x");
    again.done();
    await idle(gateway);
    assertEquals(gateway.stats().done, 1);
  });

  it("a worker comes back to a gateway that was restarted, and what it had does not count", async () => {
    const beats = { heartbeatInterval: 100, heartbeatLiveness: 10 };
    const first = await makeGateway(beats);
    const endpoint = first.lastEndpoint!;
    const worker = makeWorker(first, { ...beats, credit: 5 });
    const lost: string[] = [];
    worker.events.on("lost", ({ reason }) => lost.push(reason));
    await first.send("old");
    const old = await worker.receive();
    await first.send("older"); // waits there
    await eventually(() => worker.stats().queued === 1);
    await first.close();
    const second = keep(new PushGateway(beats));
    await second.bind(endpoint);
    await there(second, 1);
    assert(old.signal.aborted);
    assert(!old.done());
    assertEquals(worker.stats().queued, 0);
    await second.send("new");
    const job = await worker.receive();
    assertEquals(String(job.body), "new");
    assert(job.done());
    await idle(second);
    assertGreater(lost.length, 0);
  });

  it("takes no more workers than it may, and gives none more than it may", async () => {
    const beats = { heartbeatInterval: 50, heartbeatLiveness: 10 };
    const gateway = await makeGateway({ ...beats, maxWorkers: 1, maxCredit: 2 });
    const first = makeWorker(gateway, { ...beats, credit: 1000, closeTimeout: 50 });
    await there(gateway, 1);
    const second = makeWorker(gateway, { ...beats });
    await eventually(() => gateway.stats().turnedAway > 0, WAIT_MS);
    assertEquals(gateway.workers()[0].credit, 2);
    await gateway.send(1);
    await gateway.send(2);
    await gateway.send(3);
    assertEquals(gateway.stats().buffered, 1);
    await first.close();
    await eventually(() => second.stats().received === 2, WAIT_MS, "the next one is taken");
  });

  it("close ends what waits; a worker's close waits for no longer than it is told", async () => {
    const gateway = await makeGateway({ maxBuffer: 1 });
    const worker = makeWorker(gateway, { credit: 1, closeTimeout: 50 });
    await gateway.send("a");
    const { signal } = await worker.receive();
    await gateway.send("b");
    const waiting = gateway.send("c");
    const idling = gateway.idle();
    const iterated = (async () => {
      for await (const job of worker) job.refuse();
    })();
    await within(worker.close(), WAIT_MS, "nobody says done");
    await iterated;
    assert(signal.aborted);
    await rejection(worker.receive(), "EBADF");
    await there(gateway, 0);
    assertEquals(gateway.stats().buffered, 2);
    const [sent, idled] = [rejection(waiting, "EBADF"), rejection(idling, "EBADF")];
    await gateway.close();
    await sent;
    await idled;
    await rejection(gateway.send("d"), "EBADF");
    failure(() => gateway.trySend("d"), "EBADF");
  });

  it("a signal closes either side; wrong options are refused", async () => {
    const aborting = new AbortController();
    const gateway = await makeGateway({ signal: aborting.signal });
    const worker = makeWorker(gateway, { signal: aborting.signal });
    await there(gateway, 1);
    aborting.abort();
    assert(gateway.closed && worker.closed);
    failure(() => new PushGateway({ maxBuffer: -1 }), "EINVAL");
    failure(() => new PushGateway({ maxWorkers: 0 }), "EINVAL");
    failure(() => new PushGateway({ maxFailures: 0.5 }), "EINVAL");
    failure(() => new GatewayWorker({ endpoint: "tcp://127.0.0.1:1", credit: 0 }), "EINVAL");
    failure(
      () => new GatewayWorker({ endpoint: "tcp://127.0.0.1:1", name: "x".repeat(256) }),
      "EINVAL",
    );
    failure(() => new GatewayWorker({ endpoint: "nowhere" }), "EINVAL");
  });

  it("is quick: 20 000 items are not 20 000 turns of the event loop", async () => {
    const gateway = await makeGateway();
    makeWorker(gateway, { credit: 100, handler: () => {} });
    await there(gateway, 1);
    const start = performance.now();
    for (let i = 0; i < 20_000; i++) await gateway.send("x");
    await idle(gateway);
    assertLess(performance.now() - start, WAIT_MS);
  });
});
