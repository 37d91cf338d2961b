// Pipelines, requests, routers and pairs over inproc, and proxies from there to other transports.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  Dealer,
  Pair,
  Proxy,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { anywhere } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, staysPending, within } from "../_util/deadline.ts";
import { assertOctets, pattern } from "../_util/octets.ts";
import { boundPair, started } from "../_util/proxies.ts";
import { numbers, subscribed, takeMany, takeTexts } from "../_util/pubsub.ts";
import { rejection } from "../_util/rejection.ts";

const RECEIVES = { receiveTimeout: 5_000, reconnectInterval: 5 } as const;
const cleanup = new Cleanup();

function fresh(): string {
  return anywhere("inproc");
}

describe("workers over inproc", () => {
  afterEach(() => cleanup.run());

  const WORKERS = 10;

  for (const bound of ["sender", "workers"] as const) {
    it(`each get the same share of a PUSH's messages when the ${bound} bind`, async () => {
      const push = cleanup.add(new Push());
      const workers = Array.from({ length: WORKERS }, () => cleanup.add(new Pull(RECEIVES)));
      if (bound === "sender") await push.bind(fresh());
      for (const worker of workers) {
        if (bound === "sender") {
          worker.connect(push.lastEndpoint!);
        } else {
          await worker.bind(fresh());
          push.connect(worker.lastEndpoint!);
        }
      }
      for (const text of numbers(100 * WORKERS)) await push.send(text);
      for (const [i, worker] of workers.entries()) {
        const own = numbers(100).map((round) => String(Number(round) * WORKERS + i));
        assertEquals(await takeMany(worker, 100), own);
        assert(!worker.readable);
      }
    });
  }

  it("that wait are all served while a PUSH goes on and on", async () => {
    const push = cleanup.add(new Push());
    await push.bind(fresh());
    const counts = new Array(WORKERS).fill(0);
    const count = 20_000;
    const working = counts.map(async (_, i) => {
      const worker = cleanup.add(new Pull(RECEIVES));
      worker.connect(push.lastEndpoint!);
      for await (const [text] of worker) {
        if (text.length === 0) return;
        counts[i]++;
      }
    });
    for (let i = 0; i < count; i++) await push.send("work");
    for (let i = 0; i < WORKERS; i++) await push.send("");
    await within(Promise.all(working), 5_000, "all workers");
    assertEquals(counts, new Array(WORKERS).fill(count / WORKERS));
  });

  it("are read in turn by the PULL that they send to", async () => {
    const pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind(fresh());
    for (let i = 0; i < WORKERS; i++) {
      const worker = cleanup.add(new Push());
      worker.connect(pull.lastEndpoint!);
      for (let n = 0; n < 20; n++) await worker.send(`${i}`);
    }
    for (let round = 0; round < 20; round++) {
      const turn = await takeMany(pull, WORKERS);
      assertEquals(turn.sort(), numbers(WORKERS));
    }
  });
});

describe("REQ and REP over inproc", () => {
  afterEach(() => cleanup.run());

  it("go to and fro thousands of times", async () => {
    const reply = cleanup.add(new Reply(RECEIVES));
    await reply.bind(fresh());
    void (async () => {
      for await (const frames of reply) await reply.send(frames);
    })();
    const request = cleanup.add(new Request(RECEIVES));
    request.connect(reply.lastEndpoint!);
    for (const text of numbers(5_000)) {
      await request.send([text, ""]);
      assertFrames(await request.receive(), [text, ""]);
    }
  });

  it("do not get stuck on a request that its REP did not read: the next one has it", async () => {
    const name = fresh();
    const request = cleanup.add(new Request(RECEIVES));
    request.connect(name);
    for (let round = 0; round < 3; round++) {
      const busy = cleanup.add(new Reply(RECEIVES));
      await busy.bind(name);
      await request.send(String(round));
      assert(busy.readable);
      await busy.close();
      const reply = cleanup.add(new Reply(RECEIVES));
      await reply.bind(name);
      assertFrames(await reply.receive(), [String(round)]);
      await reply.send("answer");
      assertFrames(await request.receive(), ["answer"]);
      await reply.close();
    }
  });

  it("do not get stuck on a REP that dies over a request, with relaxed", async () => {
    const name = fresh();
    const options = { ...RECEIVES, relaxed: true, correlate: true, receiveTimeout: 20 };
    const request = cleanup.add(new Request(options));
    request.connect(name);
    const dying = cleanup.add(new Reply(RECEIVES));
    await dying.bind(name);
    await request.send("lost");
    await dying.receive();
    await dying.close();
    await rejection(request.receive(), "EAGAIN");
    const reply = cleanup.add(new Reply(RECEIVES));
    await reply.bind(name);
    await request.send("again");
    assertFrames(await reply.receive(), ["again"]);
    await reply.send("answer");
    assertFrames(await request.receive(), ["answer"]);
  });

  it("keep envelopes over ROUTER and DEALER, by reference", async () => {
    const [front, back] = await boundPair(cleanup, "inproc", new Router(), new Dealer());
    started(cleanup, new Proxy(front, back));
    const reply = cleanup.add(new Reply(RECEIVES));
    reply.connect(back.lastEndpoint!);
    const request = cleanup.add(new Request(RECEIVES));
    request.connect(front.lastEndpoint!);
    const body = pattern(1_000);
    await request.send(["question", body]);
    const question = await reply.receive();
    assertStrictEquals(question[1].buffer, body.buffer);
    await reply.send(question);
    const answer = await request.receive();
    assertStrictEquals(answer[1].buffer, body.buffer);
  });
});

describe("ROUTER over inproc", () => {
  afterEach(() => cleanup.run());

  it("knows ids of peers that waited for it, and names one itself", async () => {
    const name = fresh();
    const dealer = cleanup.add(new Dealer({ ...RECEIVES, routingId: "dealer" }));
    dealer.connect(name);
    await dealer.send("early");
    const client = cleanup.add(new Router({ ...RECEIVES, routingId: "client", mandatory: true }));
    client.connect(name, { routingId: "server" });
    await client.send(["server", "early too"]);
    const router = cleanup.add(new Router({ ...RECEIVES, routingId: "other", mandatory: true }));
    await router.bind(name);
    const messages = [await takeTexts(router), await takeTexts(router)];
    assertEquals(messages.sort(), [["client", "early too"], ["dealer", "early"]]);
    await router.send(["dealer", "to the dealer"]);
    assertFrames(await dealer.receive(), ["to the dealer"]);
    await router.send(["client", "to the client"]);
    assertFrames(await client.receive(), ["server", "to the client"]);
  });

  it("says EHOSTUNREACH of a peer in the tick in which it is gone", async () => {
    const router = cleanup.add(new Router({ ...RECEIVES, mandatory: true }));
    await router.bind(fresh());
    const dealer = cleanup.add(new Dealer({ ...RECEIVES, routingId: "d" }));
    dealer.connect(router.lastEndpoint!);
    await router.send(["d", "here"]);
    dealer.disconnect(router.lastEndpoint!);
    await rejection(router.send(["d", "gone"]), "EHOSTUNREACH");
    dealer.connect(router.lastEndpoint!);
    await router.send(["d", "back"]);
    assertEquals(await takeMany(dealer, 2), ["here", "back"]);
  });

  it("lets a second peer with the same id wait until the first has gone", async () => {
    const router = cleanup.add(new Router(RECEIVES));
    await router.bind(fresh());
    const [first, second] = [1, 2].map(() =>
      cleanup.add(new Dealer({ ...RECEIVES, routingId: "same" }))
    );
    first.connect(router.lastEndpoint!);
    second.connect(router.lastEndpoint!);
    await second.send("from the second");
    await first.send("from the first");
    assertEquals(await takeTexts(router), ["same", "from the first"]);
    const receiving = router.receive();
    await staysPending(receiving, 20, "a receive from the second");
    await first.close();
    assertFrames(await receiving, ["same", "from the second"]);
    await router.send(["same", "welcome"]);
    assertFrames(await second.receive(), ["welcome"]);
  });

  it("with handover gives the id to the newer peer", async () => {
    const router = cleanup.add(new Router({ ...RECEIVES, handover: true }));
    await router.bind(fresh());
    const [first, second] = [1, 2].map(() =>
      cleanup.add(new Dealer({ ...RECEIVES, routingId: "same", reconnectInterval: -1 }))
    );
    first.connect(router.lastEndpoint!);
    await first.send("from the first");
    second.connect(router.lastEndpoint!);
    await router.send(["same", "to the second"]);
    assertFrames(await second.receive(), ["to the second"]);
    assertEquals(await takeTexts(router), ["same", "from the first"]);
    assert(!first.readable);
  });
});

describe("PAIR over inproc", () => {
  afterEach(() => cleanup.run());

  it("lets a second peer wait until the first has gone", async () => {
    const pair = cleanup.add(new Pair(RECEIVES));
    await pair.bind(fresh());
    const [first, second] = [1, 2].map(() => cleanup.add(new Pair(RECEIVES)));
    for (const peer of [first, second]) peer.connect(pair.lastEndpoint!);
    await second.send("from the second");
    await pair.send("to the first");
    assertFrames(await first.receive(), ["to the first"]);
    assert(!pair.readable);
    await first.close();
    assertFrames(await pair.receive(), ["from the second"]);
    await pair.send("to the second");
    assertFrames(await second.receive(), ["to the second"]);
  });

  it("signals to and fro without end", async () => {
    const [one, two] = [1, 2].map(() => cleanup.add(new Pair(RECEIVES)));
    await one.bind(fresh());
    two.connect(one.lastEndpoint!);
    const echo = (async () => {
      for (let i = 0; i < 5_000; i++) await two.send(await two.receive());
    })();
    for (const text of numbers(5_000)) {
      await one.send(text);
      assertFrames(await one.receive(), [text]);
    }
    await echo;
  });
});

describe("conflate over inproc", () => {
  afterEach(() => cleanup.run());

  it("at a PULL leaves the newest of what is unread", async () => {
    const pull = cleanup.add(new Pull({ ...RECEIVES, conflate: true }));
    await pull.bind(fresh());
    const push = cleanup.add(new Push({ sendHighWaterMark: 2 }));
    push.connect(pull.lastEndpoint!);
    for (let round = 0; round < 3; round++) {
      for (const text of numbers(20)) await push.send(text);
      assertFrames(await pull.receive(), ["19"]);
      assert(!pull.readable);
    }
  });

  it("at a PUSH keeps the newest for a name that nobody has yet", async () => {
    const name = fresh();
    const push = cleanup.add(new Push({ conflate: true, sendHighWaterMark: 2 }));
    push.connect(name);
    for (const text of numbers(20)) await push.send(text);
    const pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind(name);
    assertFrames(await pull.receive(), ["19"]);
    assert(!pull.readable);
  });
});

describe("a Proxy between inproc and another transport", () => {
  afterEach(() => cleanup.run());

  for (const outside of ["tcp", "ipc"] as const) {
    it(`joins clients over ${outside} and workers over inproc`, async () => {
      const front = cleanup.add(new Router());
      await front.bind(anywhere(outside));
      const back = cleanup.add(new Dealer());
      await back.bind(fresh());
      started(cleanup, new Proxy(front, back));
      for (let i = 0; i < 3; i++) {
        const reply = cleanup.add(new Reply(RECEIVES));
        reply.connect(back.lastEndpoint!);
        void (async () => {
          for await (const frames of reply) await reply.send([...frames, `worker ${i}`]);
        })();
      }
      const body = pattern(300_000);
      await Promise.all([1, 2, 3].map(async (client) => {
        const request = cleanup.add(new Request(RECEIVES));
        request.connect(front.lastEndpoint!);
        for (const text of numbers(20)) {
          await request.send([`${client}/${text}`, body]);
          const [name, rest] = await request.receive();
          assertEquals(String(name), `${client}/${text}`);
          assertOctets(rest, body);
        }
      }));
    });

    it(`brings topics from inproc to ${outside} and messages back`, async () => {
      const front = cleanup.add(new XSubscriber());
      await front.bind(anywhere(outside));
      const back = cleanup.add(new XPublisher());
      await back.bind(fresh());
      const capture = cleanup.add(new Pair());
      await capture.bind(fresh());
      const tap = cleanup.add(new Pair(RECEIVES));
      tap.connect(capture.lastEndpoint!);
      started(cleanup, new Proxy(front, back, capture));
      const publisher = cleanup.add(new Publisher());
      publisher.connect(front.lastEndpoint!);
      const subscriber = cleanup.add(new Subscriber(RECEIVES));
      subscriber.connect(back.lastEndpoint!);
      subscriber.subscribe("a");
      await subscribed(publisher, 1);
      const body = pattern(10_000);
      for (const topic of ["b", "a1"]) await publisher.send([topic, body]);
      const [topic, rest] = await subscriber.receive();
      assertEquals(String(topic), "a1");
      assertOctets(rest, body);
      assertEquals(await takeTexts(tap), ["\x01a"]);
      assertEquals(String((await tap.receive())[0]), "a1");
      await eventually(() => !subscriber.readable);
    });
  }
});
