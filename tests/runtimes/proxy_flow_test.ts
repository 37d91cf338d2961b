// Back-pressure through a proxy: a slow back end slows the front down, nothing is lost, memory stays bounded.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import {
  Dealer,
  Proxy,
  Publisher,
  Pull,
  Push,
  Router,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause, staysPending, within } from "../_util/deadline.ts";
import { fill, type Fillable } from "../_util/filling.ts";
import { memory } from "../_util/memory.ts";
import { boundPair, type Running, started } from "../_util/proxies.ts";
import { numbers, subscribed, takeMany, takeTexts } from "../_util/pubsub.ts";
import { join } from "../_util/scripted_peer.ts";
import { describeOver, DISTINCT_TRANSPORTS } from "../_util/transports.ts";

const RECEIVES = { receiveTimeout: 10_000 } as const;
/** More than the system's buffers take of the two connections that a message goes over. */
const BUFFERS = 32_000_000;
/** What waits beyond the marks: batches that are written, collected and read. */
const BATCHES = 6 * 256 * 1024;
const SMALL = { sendHighWaterMark: 10 } as const;
const MB = 1_000_000;
const cleanup = new Cleanup();

async function streamer(
  transport: Transport,
  mark: number,
): Promise<Running & { push: Push; pull: Pull }> {
  const [front, back] = await boundPair(
    cleanup,
    transport,
    new Pull({ receiveHighWaterMark: mark }),
    new Push({ sendHighWaterMark: mark }),
  );
  const push = cleanup.add(new Push({ sendHighWaterMark: mark }));
  push.connect(front.lastEndpoint!);
  const pull = cleanup.add(new Pull({ ...RECEIVES, receiveHighWaterMark: mark }));
  pull.connect(back.lastEndpoint!);
  return { ...started(cleanup, new Proxy(front, back)), push, pull };
}

/** Sends until nothing moves any more: behind two connections room comes in bursts. */
async function fillUp(socket: Fillable): Promise<number> {
  let taken = 0;
  for (let more = -1; more !== 0; taken += more) more = await fill(socket, []);
  return taken;
}

describeOver(DISTINCT_TRANSPORTS, "a Proxy of PULL and PUSH", (transport) => {
  afterEach(() => cleanup.run());

  for (
    const [mark, size] of [[10, 10_000], [100, 10_000], [10, 200_000], [1_000, 1_000]] as const
  ) {
    it(`stops the front when the back is full: ${size} octets at marks of ${mark}`, async () => {
      const { proxy, push, pull } = await streamer(transport, mark);
      const body = new Uint8Array(size);
      const before = memory();
      let sent = 0;
      const numbered = {
        sendTimeout: -1,
        send: async (): Promise<void> => {
          push.sendTimeout = numbered.sendTimeout;
          await push.send([String(sent), body]);
          sent++;
        },
      };
      const taken = await fillUp(numbered);
      // Who found an inproc queue full goes on when half of it is read: the front may stay half full.
      assertGreater(taken, 3 * mark);
      assertLess(taken, 4 * mark + (BUFFERS + BATCHES) / size);
      const grown = memory() - before;
      assertLess(grown, 4 * (4 * mark * size + BATCHES) + 150 * MB, `${grown / MB} MB`);
      push.sendTimeout = -1;
      const last = push.send([String(sent++), body]);
      for (let i = 0; i < sent; i++) {
        const [number, rest] = await pull.receive();
        assertEquals([String(number), rest.length], [String(i), size]);
      }
      await last;
      assertEquals(pull.readable, false);
      const { frontEnd, backEnd } = proxy.statistics;
      assertEquals([frontEnd.messagesIn, backEnd.messagesOut], [sent, sent]);
    });
  }

  it("loses nothing when the back end reads slowly, and when it comes and goes", async () => {
    const { push, pull } = await streamer(transport, 10);
    const body = new Uint8Array(5_000);
    const count = 4_000;
    const sending = (async () => {
      for (let i = 0; i < count; i++) await push.send([String(i), body]);
    })();
    for (let i = 0; i < count; i++) {
      assertEquals(String((await pull.receive())[0]), String(i));
      if (i % 400 === 0) await pause(10);
    }
    await sending;
  });

  it("holds messages for a back end that is not there yet", async () => {
    const [front, back] = await boundPair(cleanup, transport, new Pull(), new Push());
    const { proxy } = started(cleanup, new Proxy(front, back));
    const push = cleanup.add(new Push());
    push.connect(front.lastEndpoint!);
    for (const text of numbers(500)) await push.send(text);
    await pause(20);
    assertEquals(proxy.statistics.backEnd.messagesOut, 0);
    const pull = cleanup.add(new Pull(RECEIVES));
    pull.connect(back.lastEndpoint!);
    assertEquals(await takeMany(pull, 500), numbers(500));
  });

  it("does not starve the event loop while it forwards a flood", async () => {
    const { push, pull } = await streamer(transport, 1_000);
    let running = true;
    const sending = (async () => {
      while (running) await push.send("flood");
    })();
    let received = 0;
    const receiving = (async () => {
      for await (const _ of pull) received++;
    })();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    try {
      await eventually(() => ticks >= 30 && received > 10_000, 5_000);
    } finally {
      clearInterval(timer);
      running = false;
    }
    await sending;
    await pull.close();
    await receiving;
  });
});

describeOver(DISTINCT_TRANSPORTS, "a Proxy of ROUTER and DEALER", (transport) => {
  afterEach(() => cleanup.run());

  it("makes its clients wait while no worker reads, and loses no request", async () => {
    const [front, back] = await boundPair(
      cleanup,
      transport,
      new Router({ ...SMALL, receiveHighWaterMark: 10 }),
      new Dealer({ ...SMALL, receiveHighWaterMark: 10 }),
    );
    started(cleanup, new Proxy(front, back));
    const client = cleanup.add(new Dealer(SMALL));
    client.connect(front.lastEndpoint!);
    const worker = cleanup.add(new Dealer({ ...RECEIVES, receiveHighWaterMark: 10 }));
    worker.connect(back.lastEndpoint!);
    const body = new Uint8Array(20_000);
    const taken = await fill(client, [body]);
    assertLess(taken, 40 + (BUFFERS + BATCHES) / body.length);
    for (let i = 0; i < taken; i++) assertEquals((await worker.receive())[1].length, 20_000);
    assertEquals(worker.readable, false);
  });

  it("goes on answering while its workers are full", async () => {
    const [front, back] = await boundPair(cleanup, transport, new Router(), new Dealer(SMALL));
    started(cleanup, new Proxy(front, back));
    const client = cleanup.add(new Dealer({ routingId: "c", ...SMALL, ...RECEIVES }));
    client.connect(front.lastEndpoint!);
    const worker = cleanup.add(new Dealer({ ...RECEIVES, receiveHighWaterMark: 10 }));
    worker.connect(back.lastEndpoint!);
    await client.send("first");
    const [id] = await worker.receive();
    await fill(client, [new Uint8Array(20_000)]);
    for (const text of numbers(100)) await worker.send([id, text]);
    assertEquals(await takeMany(client, 100), numbers(100));
  });
});

describeOver(TRANSPORTS, "terminate", (transport) => {
  afterEach(() => cleanup.run());

  it("works while the back end has no peer", async () => {
    const [front, back] = await boundPair(cleanup, transport, new Subscriber(), new Push());
    front.subscribe();
    const { proxy, run } = started(cleanup, new Proxy(front, back));
    const publisher = cleanup.add(new Publisher());
    publisher.connect(front.lastEndpoint!);
    await subscribed(publisher, 1);
    for (let i = 0; i < 3; i++) await publisher.send("This is a test");
    await eventually(() => front.readable);
    assertEquals(proxy.statistics.backEnd.messagesOut, 0);
    proxy.terminate();
    await within(run, 5_000, "run");
    assert(front.closed && back.closed);
  });

  it("works while the back end is full, linger allowing", async () => {
    const [front, back] = await boundPair(
      cleanup,
      transport,
      new Pull({ receiveHighWaterMark: 10 }),
      new Push({ ...SMALL, linger: 0 }),
    );
    const stalled = cleanup.add(await join(back.lastEndpoint!, "PULL"));
    stalled.pause();
    const { proxy, run } = started(cleanup, new Proxy(front, back));
    const push = cleanup.add(new Push(SMALL));
    push.connect(front.lastEndpoint!);
    await fill(push, [new Uint8Array(50_000)]);
    await staysPending(run, 50, "run");
    proxy.pause();
    proxy.resume();
    proxy.terminate();
    await within(run, 5_000, "run");
    assert(front.closed && back.closed);
  });
});

describeOver(
  DISTINCT_TRANSPORTS,
  "a Proxy of XSUB and XPUB with noDrop and small marks",
  (transport) => {
    afterEach(() => cleanup.run());

    it("stops the publisher for a slow subscriber; its statistics are there all the while", async () => {
      const marks = { sendHighWaterMark: 10, receiveHighWaterMark: 10 };
      const [front, back] = await boundPair(
        cleanup,
        transport,
        new XSubscriber(marks),
        new XPublisher({ ...marks, noDrop: true }),
      );
      const { proxy } = started(cleanup, new Proxy(front, back));
      const publisher = cleanup.add(new XPublisher({ ...marks, noDrop: true, ...RECEIVES }));
      publisher.connect(front.lastEndpoint!);
      const subscriber = cleanup.add(new Subscriber({ ...RECEIVES, receiveHighWaterMark: 10 }));
      subscriber.connect(back.lastEndpoint!);
      subscriber.subscribe();
      assertEquals(await takeTexts(publisher), ["\x01"]);
      const body = new Uint8Array(20_000);
      let sent = 0;
      const numbered = {
        sendTimeout: -1,
        send: async (): Promise<void> => {
          publisher.sendTimeout = numbered.sendTimeout;
          await publisher.send([String(sent), body]);
          sent++;
        },
      };
      await fillUp(numbered);
      assertGreater(sent, 19);
      assertLess(sent, 40 + (BUFFERS + BATCHES) / body.length);
      assertGreater(proxy.statistics.frontEnd.messagesIn, 0);
      for (let i = 0; i < sent; i++) {
        assertEquals(String((await subscriber.receive())[0]), String(i));
        if (i % 50 === 0) assertGreater(proxy.statistics.backEnd.messagesOut, i);
      }
      assertEquals(proxy.statistics.backEnd.messagesOut, sent);
      assertEquals([back.stats().dropped, publisher.stats().dropped], [0, 0]);
    });

    it("without noDrop drops for the slow one alone, and others get everything", async () => {
      const [front, back] = await boundPair(
        cleanup,
        transport,
        new XSubscriber(),
        new XPublisher({ sendHighWaterMark: 10 }),
      );
      started(cleanup, new Proxy(front, back));
      const publisher = cleanup.add(new Publisher());
      publisher.connect(front.lastEndpoint!);
      const [slow, quick] = [
        new Subscriber({ receiveHighWaterMark: 10 }),
        new Subscriber(RECEIVES),
      ].map((subscriber) => {
        cleanup.add(subscriber);
        subscriber.connect(back.lastEndpoint!);
        subscriber.subscribe();
        return subscriber;
      });
      await subscribed(back, 2);
      await subscribed(publisher, 1);
      const body = new Uint8Array(20_000);
      let sent = 0;
      while (back.stats().dropped < 20) {
        await publisher.send([String(sent), body]);
        assertEquals(String((await quick.receive())[0]), String(sent));
        sent++;
        assertLess(sent, 5_000);
      }
      assert(slow.readable);
      assertEquals(back.stats().peers.filter(({ dropped }) => dropped > 0).length, 1);
    });
  },
);
