// Proxies: requests to workers and back, publishers to subscribers, steering, statistics, capture.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import {
  Dealer,
  Proxy,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  StateError,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { anywhere, type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, staysPending, within } from "../_util/deadline.ts";
import { numbers, subscribed, takeMany, takeTexts } from "../_util/pubsub.ts";
import { assertSays, failure, rejection } from "../_util/rejection.ts";
import { boundPair, type Running, started } from "../_util/proxies.ts";
import { describeOver } from "../_util/transports.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
const cleanup = new Cleanup();

async function queue(transport: Transport): Promise<{ proxy: Proxy; front: string; back: string }> {
  const [front, back] = await boundPair(cleanup, transport, new Router(), new Dealer());
  const { proxy } = started(cleanup, new Proxy(front, back));
  return { proxy, front: front.lastEndpoint!, back: back.lastEndpoint! };
}

async function streamer(transport: Transport): Promise<Running & { push: Push; pull: Pull }> {
  const [front, back] = await boundPair(cleanup, transport, new Pull(), new Push());
  const push = cleanup.add(new Push());
  push.connect(front.lastEndpoint!);
  const pull = cleanup.add(new Pull(RECEIVES));
  pull.connect(back.lastEndpoint!);
  return { ...started(cleanup, new Proxy(front, back)), push, pull };
}

describeOver(TRANSPORTS, "a Proxy of ROUTER and DEALER", (transport) => {
  afterEach(() => cleanup.run());

  it("deals the requests of many clients to many workers, and brings each its answers", async () => {
    const { front, back } = await queue(transport);
    let served = 0;
    const workers = Array.from({ length: 3 }, () => {
      const worker = cleanup.add(new Dealer(RECEIVES));
      worker.connect(back);
      return (async () => {
        for await (const [id, text] of worker) {
          // None to four answers, as the number says.
          const answers = Number(String(text)) % 5;
          for (let i = 0; i < answers; i++) await worker.send([id, `${text}.${i}`]);
          served++;
        }
      })();
    });
    const clients = Array.from({ length: 5 }, async (_, i) => {
      const client = cleanup.add(new Dealer({ routingId: `client ${i}`, ...RECEIVES }));
      client.connect(front);
      for (const text of numbers(50)) await client.send(text);
      const expected = numbers(50).flatMap((text) =>
        numbers(Number(text) % 5).map((answer) => `${text}.${answer}`)
      );
      assertEquals((await takeMany(client, expected.length)).sort(), expected.sort());
    });
    await Promise.all(clients);
    await eventually(() => served === 250);
    await cleanup.run();
    await Promise.all(workers);
  });

  it("joins Request and Reply", async () => {
    const { proxy, front, back } = await queue(transport);
    for (let i = 0; i < 2; i++) {
      const reply = cleanup.add(new Reply());
      reply.connect(back);
      void (async () => {
        for await (const frames of reply) await reply.send([...frames, "answered"]);
      })();
    }
    const requests = [1, 2, 3].map(() => cleanup.add(new Request(RECEIVES)));
    for (const request of requests) request.connect(front);
    await Promise.all(requests.map(async (request, i) => {
      for (let n = 0; n < 30; n++) {
        await request.send([`question ${n}`, String(i)]);
        assertEquals(await takeTexts(request), [`question ${n}`, String(i), "answered"]);
      }
    }));
    const { frontEnd, backEnd } = proxy.statistics;
    assertEquals([frontEnd.messagesIn, frontEnd.messagesOut], [90, 90]);
    assertEquals([backEnd.messagesIn, backEnd.messagesOut], [90, 90]);
  });

  it("drops the answers for a client that is gone, and serves the others", async () => {
    for (const mandatory of [false, true]) {
      const [router, dealer] = await boundPair(
        cleanup,
        transport,
        new Router({ mandatory }),
        new Dealer(),
      );
      started(cleanup, new Proxy(router, dealer));
      const worker = cleanup.add(new Dealer(RECEIVES));
      worker.connect(dealer.lastEndpoint!);
      const [gone, stays] = ["gone", "stays"].map((routingId) => {
        const client = cleanup.add(new Dealer({ routingId, ...RECEIVES }));
        client.connect(router.lastEndpoint!);
        return client;
      });
      await gone.send("question");
      assertEquals(await takeTexts(worker), ["gone", "question"]);
      await gone.close();
      await stays.send("question");
      assertEquals(await takeTexts(worker), ["stays", "question"]);
      for (const id of ["gone", "nobody", "stays"]) await worker.send([id, "answer"]);
      assertEquals(await takeTexts(stays), ["answer"]);
    }
  });

  it("goes on when clients and workers go", async () => {
    const { front, back } = await queue(transport);
    for (let round = 0; round < 5; round++) {
      const reply = cleanup.add(new Reply());
      reply.connect(back);
      const request = cleanup.add(new Request(RECEIVES));
      request.connect(front);
      await request.send(`question ${round}`);
      await reply.send(await reply.receive());
      assertEquals(await takeTexts(request), [`question ${round}`]);
      await Promise.all([reply.close(), request.close()]);
    }
  });
});

describeOver(TRANSPORTS, "a Proxy of XSUB and XPUB", (transport) => {
  afterEach(() => cleanup.run());

  it("brings topics up and messages down", async () => {
    const [front, back] = await boundPair(cleanup, transport, new XSubscriber(), new XPublisher());
    started(cleanup, new Proxy(front, back));
    const publishers = [1, 2].map(() => cleanup.add(new Publisher()));
    for (const each of publishers) each.connect(front.lastEndpoint!);
    const subscribers = ["a", "ab", "b", "a"].map((topic) => {
      const subscriber = cleanup.add(new Subscriber(RECEIVES));
      subscriber.connect(back.lastEndpoint!);
      subscriber.subscribe(topic);
      return subscriber;
    });
    // Each topic goes up once, whatever the number of subscribers.
    for (const each of publishers) await subscribed(each, 3);
    await subscribed(back, 4);
    for (const [i, each] of publishers.entries()) {
      for (const text of ["a", "abc", "b", "c"]) await each.send([`${text}`, String(i)]);
    }
    const expected = [["a", "abc"], ["abc"], ["b"], ["a", "abc"]];
    for (const [i, subscriber] of subscribers.entries()) {
      const texts = await takeMany(subscriber, 2 * expected[i].length);
      assertEquals(texts.sort(), [...expected[i], ...expected[i]].sort());
      assertEquals(subscriber.readable, false);
    }
    await subscribers[0].close();
    await subscribers[1].close();
    for (const each of publishers) await subscribed(each, 2);
    await subscribers[3].close();
    for (const each of publishers) {
      await subscribed(each, 1);
      await each.send("a");
      await each.send("b");
    }
    assertEquals(await takeMany(subscribers[2], 2), ["b", "b"]);
  });

  it("brings user messages up, and a late publisher all topics", async () => {
    const [front, back] = await boundPair(cleanup, transport, new XSubscriber(), new XPublisher());
    started(cleanup, new Proxy(front, back));
    const subscriber = cleanup.add(new XSubscriber(RECEIVES));
    subscriber.connect(back.lastEndpoint!);
    for (let i = 0; i < 100; i++) await subscriber.send(`\x01topic ${i}`);
    const publisher = cleanup.add(new XPublisher(RECEIVES));
    publisher.connect(front.lastEndpoint!);
    await subscribed(publisher, 100);
    await takeMany(publisher, 100);
    await subscriber.send(["up", "stream"]);
    assertEquals(await takeTexts(publisher), ["up", "stream"]);
    await publisher.send(["topic 7", "down"]);
    assertEquals(await takeTexts(subscriber), ["topic 7", "down"]);
  });

  it("may be a chain of three", async () => {
    let upstream: string | undefined;
    const publisher = cleanup.add(new Publisher());
    for (let i = 0; i < 3; i++) {
      const front = cleanup.add(new XSubscriber());
      const back = cleanup.add(new XPublisher());
      await back.bind(anywhere(transport));
      if (upstream === undefined) {
        await front.bind(anywhere(transport));
        publisher.connect(front.lastEndpoint!);
      } else front.connect(upstream);
      upstream = back.lastEndpoint!;
      started(cleanup, new Proxy(front, back));
    }
    const subscriber = cleanup.add(new Subscriber(RECEIVES));
    subscriber.connect(upstream!);
    subscriber.subscribe("far");
    await subscribed(publisher, 1);
    for (let i = 0; i < 500; i++) await publisher.send(["far away", String(i)]);
    for (let i = 0; i < 500; i++) {
      assertEquals(await takeTexts(subscriber), ["far away", String(i)]);
    }
  });
});

describeOver(TRANSPORTS, "a Proxy", (transport) => {
  afterEach(() => cleanup.run());

  it("keeps the order, the frames and every octet", async () => {
    const { push, pull } = await streamer(transport);
    const body = new Uint8Array(1_000_000).map((_, i) => i * 7);
    for (let i = 0; i < 20; i++) await push.send([String(i), "", body, "tail"]);
    for (let i = 0; i < 20; i++) {
      const [number, empty, rest, tail] = await pull.receive();
      assertEquals([String(number), empty.length, String(tail)], [String(i), 0, "tail"]);
      assert(rest.length === body.length && rest.every((octet, at) => octet === body[at]));
    }
  });

  it("has its sockets as properties", async () => {
    const [front, back] = await boundPair(cleanup, transport, new Pull(), new Push());
    const capture = cleanup.add(new Push());
    const proxy = new Proxy(front, back, capture);
    assertEquals([proxy.frontEnd, proxy.backEnd, proxy.capture], [front, back, capture]);
    assertEquals(new Proxy(front, back).capture ?? null, null);
  });

  it("holds messages back while it is paused", async () => {
    const { proxy, push, pull } = await streamer(transport);
    await push.send("1");
    assertEquals(await takeTexts(pull), ["1"]);
    for (let round = 0; round < 3; round++) {
      proxy.pause();
      proxy.pause();
      await push.send("2");
      const receiving = pull.receive();
      await staysPending(receiving, 100, "a receive behind a paused proxy");
      proxy.resume();
      proxy.resume();
      assertEquals(String(await receiving), "2");
    }
  });

  it("closes its sockets when it is terminated, and run resolves", async () => {
    for (const paused of [false, true]) {
      const { proxy, run, push } = await streamer(transport);
      await staysPending(run, 20, "run");
      if (paused) proxy.pause();
      await push.send("x");
      proxy.terminate();
      await within(run, 5_000, "run");
      assertEquals([proxy.frontEnd.closed, proxy.backEnd.closed], [true, true]);
      for (const call of [() => proxy.pause(), () => proxy.resume(), () => proxy.terminate()]) {
        assertInstanceOf(failure(call, "EBADF"), StateError);
      }
    }
  });

  it("delivers what it has taken before its sockets are closed", async () => {
    const { proxy, run, push, pull } = await streamer(transport);
    for (const text of numbers(500)) await push.send(text);
    await eventually(() => proxy.statistics.backEnd.messagesOut === 500);
    proxy.terminate();
    assertEquals(await takeMany(pull, 500), numbers(500));
    await within(run, 5_000, "run");
  });

  it("says EBADF to being steered before it runs", async () => {
    const [front, back] = await boundPair(cleanup, transport, new Pull(), new Push());
    const proxy = new Proxy(front, back);
    for (const call of [() => proxy.pause(), () => proxy.resume(), () => proxy.terminate()]) {
      assertInstanceOf(failure(call, "EBADF"), StateError);
    }
  });

  it("does not run with a socket that is neither bound nor connected", async () => {
    const bound = async (): Promise<Pull> => {
      const pull = cleanup.add(new Pull(RECEIVES));
      await pull.bind(anywhere(transport));
      return pull;
    };
    const loose = (): Push => cleanup.add(new Push());
    assertSays(await rejection(new Proxy(loose(), await bound()).run(), "EINVAL"), "ront");
    const front = await bound();
    assertSays(await rejection(new Proxy(front, loose()).run(), "EINVAL"), "ack");
    // They belong to nobody, and can be used.
    const push = cleanup.add(new Push());
    push.connect(front.lastEndpoint!);
    await push.send("x");
    assertEquals(await takeTexts(front), ["x"]);
  });

  it("does not run with a closed socket, nor twice", async () => {
    const [front, back] = await boundPair(cleanup, transport, new Pull(), new Push());
    const { proxy, run } = started(cleanup, new Proxy(front, back));
    assertInstanceOf(await proxy.run().then(() => undefined, (error) => error), Error);
    await staysPending(run, 20, "the first run");
    proxy.terminate();
    await run;
    assertInstanceOf(
      await new Proxy(front, back).run().then(() => undefined, (error) => error),
      Error,
    );
  });

  it("owns its sockets: they are busy for everybody else", async () => {
    const { proxy, push, pull } = await streamer(transport);
    const [front, back] = [proxy.frontEnd as Pull, proxy.backEnd as Push];
    await rejection(front.receive(), "EBUSY");
    await rejection(back.send("x"), "EBUSY");
    await push.send("still");
    assertEquals(await takeTexts(pull), ["still"]);
    await rejection(new Proxy(front, back).run(), "EBUSY");
    const other = cleanup.add(new Pull());
    await other.bind(anywhere(transport));
    await rejection(new Proxy(other, back).run(), "EBUSY");
    other.receiveTimeout = 0;
    await rejection(other.receive(), "EAGAIN"); // it was not taken by half a proxy
    await push.send("again");
    assertEquals(await takeTexts(pull), ["again"]);
  });

  it("does not run with a socket on which a receive waits", async () => {
    const [front, back] = await boundPair(cleanup, transport, new Pull(RECEIVES), new Push());
    const receiving = front.receive();
    await rejection(new Proxy(front, back).run(), "EBUSY");
    const push = cleanup.add(new Push());
    push.connect(front.lastEndpoint!);
    await push.send("mine");
    assertEquals(String(await receiving), "mine");
    started(cleanup, new Proxy(front, back));
    const pull = cleanup.add(new Pull(RECEIVES));
    pull.connect(back.lastEndpoint!);
    await push.send("through");
    assertEquals(await takeTexts(pull), ["through"]);
  });

  it("passes on what its sockets had received before it ran", async () => {
    const [front, back] = await boundPair(cleanup, transport, new Pull(), new Push());
    const push = cleanup.add(new Push());
    push.connect(front.lastEndpoint!);
    for (const text of numbers(50)) await push.send(text);
    await eventually(() => front.readable);
    started(cleanup, new Proxy(front, back));
    const pull = cleanup.add(new Pull(RECEIVES));
    pull.connect(back.lastEndpoint!);
    assertEquals(await takeMany(pull, 50), numbers(50));
  });

  it("ends when one of its sockets is closed, and closes the other", async () => {
    for (const which of ["frontEnd", "backEnd"] as const) {
      const { proxy, run } = await streamer(transport);
      await proxy[which].close();
      await within(run.catch(() => {}), 5_000, "run");
      assertEquals([proxy.frontEnd.closed, proxy.backEnd.closed], [true, true]);
      failure(() => proxy.pause(), "EBADF");
    }
  });

  it("may have one socket as both ends", async () => {
    const reply = cleanup.add(new Reply());
    await reply.bind(anywhere(transport));
    const { proxy, run } = started(cleanup, new Proxy(reply, reply));
    const request = cleanup.add(new Request(RECEIVES));
    request.connect(reply.lastEndpoint!);
    for (const text of ["msg1", "msg22", "msg333"]) {
      await request.send([text, "x"]);
      assertEquals(await takeTexts(request), [text, "x"]);
    }
    proxy.terminate();
    await within(run, 5_000, "run");
    assert(reply.closed);
  });

  it("may bind and connect more while it runs", async () => {
    const { proxy, push, pull } = await streamer(transport);
    const late = cleanup.add(new Push());
    await late.bind(anywhere(transport));
    proxy.frontEnd.connect(late.lastEndpoint!);
    await late.send("late");
    assertEquals(await takeTexts(pull), ["late"]);
    await push.send("early");
    assertEquals(await takeTexts(pull), ["early"]);
  });
});
