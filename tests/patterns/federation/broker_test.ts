// One cluster: clients, workers, and what a broker does with what they send.

import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Request, Router, type ZmqError } from "../../../mod.ts";
import {
  FederatedBroker,
  FederatedClient,
  FederatedWorker,
} from "../../../src/patterns/federation/mod.ts";
import { textsOf } from "../../_util/bytes.ts";
import { eventually, pause, within } from "../../_util/deadline.ts";
import { failure, rejection } from "../../_util/rejection.ts";
import { BEATS, dealerAt, Held, Stage, WAIT_MS } from "./stage.ts";

const stage = new Stage();
afterEach(() => stage.close());

const READY = Uint8Array.of(1);

describe("A broker of one cluster", () => {
  it("gives requests to its workers and brings the replies back", async () => {
    const broker = await stage.broker("a");
    await stage.worker(broker, ([a, b]) => [`${b}`, `${a}`], { concurrency: 4 });
    const client = stage.client(broker);
    const asked = Array.from({ length: 100 }, (_, i) => client.request([`${i}`, "body"]));
    const replies = await within(Promise.all(asked), WAIT_MS, "100 replies");
    assertEquals(replies.map(textsOf), asked.map((_, i) => ["body", `${i}`]));
    const { local, cloudOut, answered, waiting, outstanding, workers, free } = broker.stats();
    assertEquals([local, answered, cloudOut, waiting, outstanding, workers, free], [
      100,
      100,
      0,
      0,
      0,
      1,
      4,
    ]);
    assertEquals(client.stats().answered, 100);
  });

  it("serves REQ clients and REQ workers as the guide's broker does, the least recently used one first", async () => {
    const broker = await stage.broker("a");
    const workers: Request[] = [];
    for (let i = 0; i < 3; i++) {
      const worker = stage.add(new Request({ linger: 0 }));
      worker.connect(broker.endpoints.workers!);
      await worker.send(READY);
      await eventually(() => broker.stats().workers === i + 1, WAIT_MS);
      workers.push(worker);
      void (async () => {
        for await (const [address, empty, body] of worker) {
          assertEquals(empty.length, 0);
          await worker.send([address, "", `${body} from ${i}`]);
        }
      })();
    }
    const client = stage.add(new Request({ linger: 0 }));
    client.connect(broker.endpoints.clients!);
    const replies = [];
    for (let i = 0; i < 6; i++) {
      await client.send("hello");
      replies.push(...textsOf(await within(client.receive(), WAIT_MS, "a reply")));
    }
    assertEquals(replies, [0, 1, 2, 0, 1, 2].map((i) => `hello from ${i}`));
  });

  it("gives a worker no more at once than it has asked for", async () => {
    const broker = await stage.broker("a");
    const held = new Held();
    await stage.worker(broker, held.handler, { concurrency: 2 });
    const client = stage.client(broker);
    const asked = ["1", "2", "3"].map((text) => client.request(text));
    await held.got(2);
    await eventually(() => broker.stats().waiting === 1, WAIT_MS);
    await pause(50);
    assertEquals(held.texts, ["1", "2"]);
    held.answer("one");
    assertEquals(textsOf(await asked[0]), ["one"]);
    await held.got(3);
    held.answer("two");
    held.answer("three");
    assertEquals((await Promise.all(asked)).map(String), ["one", "two", "three"]);
  });

  it("spreads requests over workers that take several", async () => {
    const broker = await stage.broker("a");
    const both = [new Held(), new Held()];
    for (const { handler } of both) await stage.worker(broker, handler, { concurrency: 3 });
    const client = stage.client(broker);
    const asked = ["1", "2", "3", "4"].map((text) => client.request(text));
    for (const held of both) {
      await held.got(2);
      held.answer("x");
      held.answer("x");
    }
    await Promise.all(asked);
    assertEquals(both.map(({ texts }) => texts), [["1", "3"], ["2", "4"]]);
  });

  it("holds clients up when too much waits, and loses nothing", async () => {
    const broker = await stage.broker("a", { maxWaiting: 5 });
    const clients = [1, 2, 3].map(() => stage.client(broker, { timeout: WAIT_MS }));
    const asked = clients.flatMap((client) =>
      Array.from({ length: 300 }, (_, i) => client.request(`${i}`))
    );
    await eventually(() => broker.stats().waiting === 5, WAIT_MS);
    await pause(50);
    assertEquals(broker.stats().waiting, 5);
    await stage.worker(broker, ([text]) => `${text}`, { concurrency: 3 });
    const replies = await within(Promise.all(asked), WAIT_MS, "all replies");
    assertEquals(replies.map(String), asked.map((_, i) => `${i % 300}`));
  });

  it("does a request that comes again once, and tells it by its number", async () => {
    const broker = await stage.broker("a");
    const held = new Held();
    await stage.worker(broker, held.handler);
    const client = stage.client(broker, { timeout: 200, retries: 1_000 });
    const reply = client.request("once");
    await held.got(1);
    await eventually(() => broker.stats().repeated >= 2, WAIT_MS);
    assertEquals(held.texts, ["once"]);
    held.answer("done");
    assertEquals(textsOf(await reply), ["done"]);
    assertEquals(broker.stats().answered, 1);
    assertGreater(client.stats().retried, 1);
  });

  it("forgets the number of a request that was answered", async () => {
    const broker = await stage.broker("a");
    await stage.worker(broker, ([text]) => `${text}`);
    const client = stage.add(dealerAt(broker.endpoints.clients!));
    for (const body of ["1", "2"]) {
      await client.send(["same", "", body]);
      const reply = await within(client.receive(), WAIT_MS, "a reply");
      assertEquals(textsOf(reply), ["same", "", body]);
    }
    assertEquals(broker.stats().repeated, 0);
  });

  it("gives what a worker fails at to the next one", async () => {
    const broker = await stage.broker("a");
    const failing = await stage.worker(broker, () => {
      throw new Error("no");
    });
    let errors = 0;
    failing.events.on("error", () => errors++);
    await stage.worker(broker, () => "yes");
    assertEquals(String(await stage.client(broker).request("?")), "yes");
    assertEquals([errors, broker.stats().retried, broker.stats().free], [1, 1, 2]);
  });

  it("gives what a worker has that leaves, or starts anew, to the next one", async () => {
    // It does not wait for a heartbeat to find out.
    const broker = await stage.broker("a", { heartbeatInterval: 60_000, heartbeatLiveness: 3 });
    const lost: number[] = [];
    broker.events.on("workerLost", ({ requests }) => lost.push(requests));
    const client = stage.client(broker, { timeout: WAIT_MS });
    const first = client.request("1");
    const held = new Held();
    const leaving = await stage.worker(broker, held.handler);
    await held.got(1);
    await leaving.close();
    await eventually(() => broker.stats().workers === 0, WAIT_MS);

    const raw = stage.add(dealerAt(broker.endpoints.workers!, "old"));
    await raw.send([READY, "1"]);
    const second = client.request("2");
    await within(raw.receive(), WAIT_MS, "the request that was left");
    await raw.send([READY, "2"]);
    for (let i = 0; i < 2; i++) {
      const [token, , body] = await within(raw.receive(), WAIT_MS, "both requests");
      await raw.send([token, "", `did ${body}`]);
    }
    assertEquals([String(await first), String(await second)], ["did 1", "did 2"]);
    assertEquals([lost, broker.stats().malformed], [[1, 1], 0]);
  });

  it("drops what every worker fails at, and says so", async () => {
    const broker = await stage.broker("a", { maxTries: 3 });
    const dropped: [string, number][] = [];
    broker.events.on("dropped", ({ body, tries }) => dropped.push([String(body), tries]));
    const worker = await stage.worker(broker, ([text]) => {
      if (String(text) === "poison") throw new Error("poison");
      return "fine";
    });
    let failures = 0;
    worker.events.on("error", () => failures++);
    const client = stage.client(broker, { timeout: 300, retries: 0 });
    const error = await rejection(client.request("poison"), "ETIMEDOUT");
    assertStringIncludes(error.message, "was sent 1 times");
    assertEquals([dropped, failures], [[["poison", 3]], 3]);
    assertEquals(String(await stage.client(broker).request("water")), "fine");
    assertEquals(broker.stats().dropped, 1);
    assertEquals(worker.stats().failed, 3);
  });

  it("drops a second answer, and an answer to another broker's question", async () => {
    const broker = await stage.broker("a");
    const worker = stage.add(dealerAt(broker.endpoints.workers!));
    await worker.send(READY);
    const client = stage.client(broker);
    const reply = client.request("q");
    const [token] = await within(worker.receive(), WAIT_MS, "the request");
    // Who does not have it cannot give it back.
    const other = stage.add(dealerAt(broker.endpoints.workers!));
    await other.send([READY, "3"]);
    await other.send(token);
    await eventually(() => broker.stats().workers === 2, WAIT_MS);
    await pause(20);
    assertEquals([broker.stats().retried, broker.stats().outstanding], [0, 1]);
    await worker.send([Uint8Array.from(token, (octet, i) => i < 4 ? octet ^ 1 : octet), "", "no"]);
    await worker.send([token, "", "first"]);
    await worker.send([token, "", "second"]);
    assertEquals(String(await reply), "first");
    await eventually(() => broker.stats().stale === 2, WAIT_MS);
    const { answered, free } = broker.stats();
    assertEquals([answered, free, client.stats().late], [1, 4, 0]);
  });

  it("drops and counts what is not of the protocol", async () => {
    const broker = await stage.broker("a");
    const from: string[] = [];
    broker.events.on("malformed", (event) => from.push(event.from));
    const client = stage.add(dealerAt(broker.endpoints.clients!));
    const deep = Array.from({ length: 20 }, () => "hop");
    const nonsense: Parameters<typeof client.send>[0][] = [
      "",
      "x",
      ["", ""].slice(1),
      ["a", "b"],
      ["a", ""],
      [...deep, "", "body"],
    ];
    for (const message of nonsense) await client.send(message);
    await eventually(() => broker.stats().malformed === nonsense.length, WAIT_MS);
    const worker = stage.add(dealerAt(broker.endpoints.workers!));
    const words: Parameters<typeof client.send>[0][] = [
      "",
      ["", ""],
      "\x07",
      "hello?",
      ["\x01", "many"],
      ["\x01", "0"],
      ["\x01", "1", "2"],
      ["\x03", "x"],
      ["token-ab", "", ""].slice(0, 2),
      ["", "\x02"],
    ];
    for (const message of words) await worker.send(message);
    const total = nonsense.length + words.length;
    // One octet more than a command is a reply to nothing that was asked.
    await eventually(
      () => broker.stats().malformed + broker.stats().stale === total,
      WAIT_MS,
      "all are counted",
    );
    assertEquals([...new Set(from)], ["client", "worker"]);
    assertEquals(broker.stats().workers, 0);
    await stage.worker(broker, () => "well");
    assertEquals(String(await stage.client(broker).request("how are you?")), "well");
  });

  it("goes on when a client never reads, and when one is gone", async () => {
    const broker = await stage.broker("a");
    await stage.worker(broker, () => new Uint8Array(20_000), { concurrency: 100 });
    const deaf = stage.add(dealerAt(broker.endpoints.clients!));
    deaf.receiveHighWaterMark = 1;
    for (let i = 0; i < 3_000; i++) await deaf.send([String(i), "", "x"]);
    const gone = stage.client(broker);
    gone.request("x").catch(() => {});
    await gone.close();
    const client = stage.client(broker);
    assertEquals((await client.request("x"))[0].length, 20_000);
    await eventually(() => {
      const { answered, undeliverable } = broker.stats();
      return answered + undeliverable >= 3_001;
    }, WAIT_MS);
    // What did not fit between the two high-water marks and the network's buffers.
    assertGreater(broker.stats().undeliverable, 0);
    assertEquals(broker.stats().waiting, 0);
  });

  it("knows no more workers than it may", async () => {
    const broker = await stage.broker("a", { maxWorkers: 2, maxConcurrency: 5 });
    await stage.worker(broker, () => "x", { concurrency: 1_000 });
    await stage.worker(broker, () => "x", { concurrency: 3 });
    const third = stage.add(new FederatedWorker({ ...BEATS, handler: () => "x" }));
    third.connect(broker.endpoints.workers!);
    await pause(300);
    const { workers, free } = broker.stats();
    assertEquals([workers, free], [2, 8]);
  });

  it("is found again by workers and clients when it starts anew at its addresses", async () => {
    const broker = await stage.broker("a");
    const { clients, workers } = broker.endpoints;
    const worker = await stage.worker(broker, ([text]) => `did ${text}`);
    const client = stage.client(broker, { timeout: 300, retries: 60 });
    assertEquals(String(await client.request("1")), "did 1");
    await broker.close();
    const second = client.request("2");
    await pause(400);
    const next = stage.add(new FederatedBroker({ name: "a", ...BEATS }));
    await next.bind({ clients, workers });
    assertEquals(String(await within(second, WAIT_MS, "the reply")), "did 2");
    assertLess(worker.stats().reconnects, 50);
  });

  it("is joined by a REQ worker that answers what an earlier broker gave it", async () => {
    const broker = await stage.broker("a");
    const worker = stage.add(dealerAt(broker.endpoints.workers!));
    await worker.send(["", "8 octets", "", "late"]);
    await eventually(() => broker.stats().workers === 1, WAIT_MS);
    assertEquals([broker.stats().stale, broker.stats().free], [1, 1]);
    const reply = stage.client(broker).request("x");
    const [empty, token] = await within(worker.receive(), WAIT_MS, "a request");
    assertEquals(empty.length, 0);
    await worker.send(["", token, "", "done"]);
    assertEquals(String(await reply), "done");
  });

  it("keeps a worker that only sends heartbeats", async () => {
    const beats = { heartbeatInterval: 50, heartbeatLiveness: 20 };
    const broker = await stage.broker("a", beats);
    let lost = 0;
    broker.events.on("workerLost", () => lost++);
    const worker = await stage.worker(broker, () => "x", beats);
    await pause(1_300);
    assertEquals([lost, broker.stats().workers, worker.stats().reconnects], [0, 1, 0]);
  });

  it("gives a silent worker up, and takes it back when it is heard again", async () => {
    const beats = { heartbeatInterval: 50, heartbeatLiveness: 10 };
    const broker = await stage.broker("a", beats);
    const worker = stage.add(dealerAt(broker.endpoints.workers!));
    await worker.send([READY, "3"]);
    const reply = stage.client(broker).request("late");
    const [token] = await within(worker.receive(), WAIT_MS, "the request");
    await eventually(() => broker.stats().workers === 0, WAIT_MS);
    await worker.send([Uint8Array.of(2), "3"]);
    await eventually(() => broker.stats().workers === 1, WAIT_MS);
    // It has it once more by now; its first answer is as good.
    await worker.send([token, "", "at last"]);
    assertEquals(String(await within(reply, WAIT_MS, "the reply")), "at last");
    assertEquals(broker.stats().free, 3);
  });

  it("finds out that a REQ worker is gone by its connection", async () => {
    const broker = await stage.broker("a");
    const gone = new Request({ linger: 0 });
    gone.connect(broker.endpoints.workers!);
    await gone.send(READY);
    const reply = stage.client(broker).request("x");
    await within(gone.receive(), WAIT_MS, "the request");
    await gone.close();
    await eventually(() => broker.stats().workers === 0, WAIT_MS);
    await stage.worker(broker, () => "other");
    assertEquals(String(await reply), "other");
  });
});

describe("The parts of a cluster", () => {
  it("refuse options that make no sense", () => {
    const handler = () => "x";
    for (
      const make of [
        () => new FederatedBroker({ name: "" }),
        () => new FederatedBroker({ name: "\0x" }),
        () => new FederatedBroker({ name: "x".repeat(256) }),
        () => new FederatedBroker({ name: 5 as never }),
        () => new FederatedBroker({ name: "x", maxWaiting: 0 }),
        () => new FederatedBroker({ name: "x", heartbeatInterval: -1 }),
        () => new FederatedWorker({ handler: "x" as never }),
        () => new FederatedWorker({ handler, concurrency: 0 }),
        () => new FederatedClient({ timeout: 0 }),
        () => new FederatedClient({ retries: -1 }),
        () => new FederatedClient({ maxPending: 0.5 }),
      ]
    ) failure(make, "EINVAL");
  });

  it("end when they are told to, and say so to who waits", async () => {
    const abort = new AbortController();
    const broker = await stage.broker("a", { signal: abort.signal });
    const client = stage.client(broker);
    const waits = rejection(client.request("x"), "EBADF");
    await eventually(() => broker.stats().waiting === 1, WAIT_MS);
    await client.close();
    await waits;
    await rejection(client.request("x"), "EBADF");
    abort.abort();
    assert(broker.closed);
    await broker.close();
    failure(() => broker.addPeer({ name: "b", cloud: "x", state: "x" }), "EBADF");
    await rejection(broker.bind({}), "EBADF");
  });

  it("do no more at once than they said, whatever the broker gives them", async () => {
    const router = stage.add(new Router({ linger: 0 }));
    await router.bind("tcp://127.0.0.1:*");
    const held = new Held();
    const worker = stage.add(new FederatedWorker({ ...BEATS, handler: held.handler }));
    worker.connect(router.lastEndpoint!);
    const [id, ...ready] = await within(router.receive(), WAIT_MS, "READY");
    assertEquals(textsOf(ready), ["\x01", "1"]);
    await router.send([id, "token-1", "", "1"]);
    await router.send([id, "token-2", "", "2"]);
    await router.send([id, "nonsense"]);
    await eventually(() => worker.stats().malformed === 1, WAIT_MS);
    assertEquals([held.texts, worker.stats().running], [["1"], 1]);
    held.answer("one");
    await held.got(2);
    assertEquals(worker.stats().answered, 1);
  });

  it("limit and cancel requests", async () => {
    const broker = await stage.broker("a");
    const held = new Held();
    await stage.worker(broker, held.handler);
    const client = stage.client(broker, { maxPending: 1 });
    const abort = new AbortController();
    const cancelled = client.request("x", { signal: abort.signal })
      .then(() => "answered", (reason: Error) => reason.name);
    await held.got(1);
    await rejection(client.request("y"), "ENOBUFS");
    abort.abort();
    assertEquals(await cancelled, "AbortError");
    held.answer("too late");
    await eventually(() => client.stats().late === 1, WAIT_MS);
    const signal = AbortSignal.abort(new Error("before"));
    const error = await client.request("z", { signal }).catch((error: ZmqError) => error.message);
    assertEquals(error, "before");
    assertEquals(client.stats().pending, 0);
  });

  it("drop what a server says that is no broker", async () => {
    const liar = stage.add(new Router({ linger: 0 }));
    await liar.bind("tcp://127.0.0.1:*");
    const client = stage.add(new FederatedClient({ timeout: 200, retries: 1 }));
    client.connect(liar.lastEndpoint!);
    void (async () => {
      for await (const [id, number] of liar) {
        await liar.send([id, "what?"]);
        await liar.send([id, number]);
        await liar.send([id, "1234", "", "not yours"]);
      }
    })();
    await rejection(client.request("x"), "ETIMEDOUT");
    const { malformed, late } = client.stats();
    assertEquals([malformed, late], [4, 2]);
  });
});
