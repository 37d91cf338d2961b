// Subscribers that are slower than their publisher: drops are counted, noDrop waits, the event loop turns.

import { assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import { Context, type Publisher, Subscriber } from "../../mod.ts";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { eventually, pause, staysPending, within } from "../_util/deadline.ts";
import { fill } from "../_util/filling.ts";
import { memory } from "../_util/memory.ts";
import { peers, subscribed, takeMany } from "../_util/pubsub.ts";
import { BATCHES, BUFFERS, PublisherStage } from "../_util/publisher_stage.ts";
import { cancelMessage, subscribeMessage } from "../_util/raw_subscriptions.ts";
import { rejection } from "../_util/rejection.ts";
import { describeOver, DISTINCT_TRANSPORTS } from "../_util/transports.ts";

const MB = 1_000_000;

describeOver(DISTINCT_TRANSPORTS, "a subscriber that never reads", (transport) => {
  const stage = new PublisherStage(transport);
  afterEach(() => stage.cleanup.run());

  it("has its messages dropped and counted; the others get every one, in order", async () => {
    const publisher = await stage.open();
    const healthy = [await stage.join(publisher, ""), await stage.join(publisher, "n")];
    await stage.stall(publisher);
    const body = new Uint8Array(1_000);
    const count = 40_000;
    const burst = 500;
    for (let sent = 0; sent < count; sent += burst) {
      for (let i = sent; i < sent + burst; i++) await publisher.send([`n${i}`, body]);
      for (const subscriber of healthy) {
        for (let i = sent; i < sent + burst; i++) {
          const [number, rest] = await subscriber.receive();
          assertEquals([String(number), rest.length], [`n${i}`, 1_000]);
        }
      }
    }
    const { dropped, peers: all } = publisher.stats();
    assertGreater(dropped, count - (BUFFERS + BATCHES) / 1_000 - 1_000);
    assertEquals(all.map((peer) => peer.dropped).sort((a, b) => a - b), [0, 0, dropped]);
    const stalled = all.find((peer) => peer.dropped > 0)!;
    // Over inproc, what a peer could read has left.
    if (transport === "inproc") assertEquals(stalled.queued, 0);
    else assertGreater(stalled.queued, 0);
    assertLess(stalled.queued, 1_000 + BATCHES / 1_000);
  });

  it("holds no more than its mark, however long that lasts", async () => {
    const publisher = await stage.open({ sendHighWaterMark: 100 });
    await stage.stall(publisher);
    const body = new Uint8Array(10_000);
    const send = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await publisher.send(body);
    };
    await send(5_000);
    const before = memory();
    await send(30_000);
    assertLess(memory() - before, 100 * MB);
    assertGreater(publisher.stats().dropped, 30_000);
  });

  it("gets what was kept for it when it reads on, without gaps in front", async () => {
    const publisher = await stage.open({ sendHighWaterMark: 100 });
    const slow = await stage.stall(publisher);
    let sent = 0;
    const body = "x".repeat(10_000);
    while (publisher.stats().dropped < 50) await publisher.send([String(sent++), body]);
    const kept = sent - publisher.stats().dropped;
    slow.resume();
    for (let i = 0; i < kept; i++) {
      assertEquals(String.fromCharCode(...(await slow.hear())[0]), String(i));
    }
    await publisher.send("after");
    assertEquals(String.fromCharCode(...(await slow.hear())[0]), "after");
    assertEquals(publisher.stats().peers[0].queued, 0);
  });

  it("loses whole messages only", async () => {
    const publisher = await stage.open({ sendHighWaterMark: 10 });
    const slow = await stage.stall(publisher);
    const body = new Uint8Array(20_000);
    let sent = 0;
    while (publisher.stats().dropped < 50) {
      const number = String(sent++);
      await publisher.send([number, body, "", number]);
    }
    slow.resume();
    for (let i = sent - publisher.stats().dropped; i > 0; i--) {
      const frames = await slow.hear();
      assertEquals(frames.map(({ length }) => length).slice(1, 3), [20_000, 0]);
      assertEquals([...frames[3]], [...frames[0]]);
    }
  });

  it("goes on being counted when it is gone", async () => {
    const publisher = await stage.open({ sendHighWaterMark: 10 });
    const body = new Uint8Array(100_000);
    let expected = 0;
    for (let round = 0; round < 3; round++) {
      const peer = await stage.stall(publisher);
      while (publisher.stats().dropped < expected + 20) await publisher.send(body);
      expected = publisher.stats().dropped;
      peer.leave();
      await peers(publisher, 0);
      const { dropped, peers: left } = publisher.stats();
      assertEquals([dropped, left], [expected, []]);
    }
  });

  it("does not make others wait when it unsubscribes or dies", async () => {
    const publisher = await stage.open({ sendHighWaterMark: 10 });
    const healthy = await stage.join(publisher, "n");
    for (let round = 0; round < 10; round++) {
      const peer = await stage.stall(publisher);
      for (let i = 0; i < 50; i++) await publisher.send(["fill", new Uint8Array(100_000)]);
      if (round % 2 === 0) peer.leave();
      else peer.ask("-");
      await publisher.send(`n${round}`);
      assertEquals(await takeMany(healthy, 1), [`n${round}`]);
      peer.leave();
      await peers(publisher, 1);
    }
  });
});

describeOver(DISTINCT_TRANSPORTS, "a Publisher", (transport) => {
  const stage = new PublisherStage(transport);
  afterEach(() => stage.cleanup.run());

  const audiences: Readonly<Record<string, (publisher: Publisher) => Promise<unknown>>> = {
    "nobody": () => Promise.resolve(),
    "a subscriber to something else": (publisher) => stage.join(publisher, "else"),
    "a subscriber that does not read": (publisher) => stage.stall(publisher),
  };
  for (const [whom, come] of Object.entries(audiences)) {
    it(`that sends without a pause to ${whom} lets timers and others run`, async () => {
      const publisher = await stage.open();
      await come(publisher);
      let ticks = 0;
      const timer = setInterval(() => ticks++, 10);
      const end = performance.now() + 2_000;
      while (ticks < 20 && performance.now() < end) await publisher.send("something");
      clearInterval(timer);
      assertGreater(ticks, 19);
      const late = await stage.join(publisher, "late");
      await publisher.send("late");
      assertEquals(await takeMany(late, 1), ["late"]);
    });
  }

  for (const stalled of [0, 3]) {
    it(`that awaits its sends does not overrun a reader, with ${stalled} that do not read`, async () => {
      const publisher = await stage.open();
      for (let i = 0; i < stalled; i++) await stage.stall(publisher);
      const body = new Uint8Array(1_000);
      // The stalled ones are full before it begins.
      for (let i = 0; i < 30_000 * Math.sign(stalled); i++) await publisher.send(["fill", body]);
      const reader = await stage.join(publisher, "n", "end");
      let received = 0;
      const reading = (async () => {
        for await (const [topic] of reader) {
          if (String(topic) === "end") return;
          received++;
        }
      })();
      const count = 30_000;
      for (let i = 0; i < count; i++) await publisher.send(["n", body]);
      await eventually(async () => {
        await publisher.send("end");
        return await Promise.race([reading.then(() => true), pause(5).then(() => false)]);
      });
      // A busy machine may cost some; without heed to the reader it would be nearly all.
      assertGreater(received, count / 2);
    });
  }

  it("without a mark drops nothing", async () => {
    const publisher = await stage.open({ sendHighWaterMark: 0 });
    const slow = await stage.stall(publisher);
    const count = 3_000;
    const body = "x".repeat(10_000);
    for (let i = 0; i < count; i++) await publisher.send([String(i), body]);
    assertEquals(publisher.stats().dropped, 0);
    slow.resume();
    for (let i = 0; i < count; i++) {
      assertEquals(String.fromCharCode(...(await slow.hear())[0]), String(i));
    }
  });
});

describeOver(DISTINCT_TRANSPORTS, "a Publisher with noDrop", (transport) => {
  const stage = new PublisherStage(transport);
  afterEach(() => stage.cleanup.run());

  it("waits for a full subscriber and loses nothing", async () => {
    const publisher = await stage.open({ noDrop: true, sendHighWaterMark: 20 });
    const subscriber = await stage.join(publisher, "");
    subscriber.receiveHighWaterMark = 20;
    const body = new Uint8Array(10_000);
    const count = 4_000;
    let sent = 0;
    const sending = (async () => {
      for (; sent < count; sent++) await publisher.send([String(sent), body]);
    })();
    await staysPending(sending, 300, "sending to a subscriber that does not read");
    assertLess(sent, count - 1_000);
    for (let i = 0; i < count; i++) {
      const [number, rest] = await subscriber.receive();
      assertEquals([String(number), rest.length], [String(i), 10_000]);
    }
    await within(sending, 5_000, "the last send");
    assertEquals(publisher.stats().dropped, 0);
  });

  it("says EAGAIN when sendTimeout is over; what it took is delivered", async () => {
    const publisher = await stage.open({ noDrop: true, sendHighWaterMark: 10 });
    const slow = await stage.stall(publisher);
    const taken = await fill(publisher, [new Uint8Array(20_000)]);
    assertGreater(taken, 9);
    assertLess(taken, 10 + (BUFFERS + BATCHES) / 20_000);
    publisher.sendTimeout = 0;
    for (let i = 0; i < 5; i++) await rejection(publisher.send("not taken"), "EAGAIN");
    publisher.sendTimeout = 50;
    await rejection(publisher.send("not taken"), "EAGAIN");
    slow.resume();
    for (let i = 0; i < taken; i++) assertEquals((await slow.hear())[0].length, 20_000);
    publisher.sendTimeout = 5_000;
    await publisher.send("taken");
    assertEquals(String.fromCharCode(...(await slow.hear())[0]), "taken");
    assertEquals(publisher.stats().dropped, 0);
  });

  it("gives a message to all of its subscribers or to none", async () => {
    const publisher = await stage.open({ noDrop: true, sendHighWaterMark: 10, sendTimeout: 0 });
    const healthy = await stage.join(publisher, "");
    await stage.stall(publisher);
    const body = new Uint8Array(20_000);
    let taken = 0;
    for (let refused = 0; refused < 20; await pause(1)) {
      await publisher.send([String(taken), body]).then(() => taken++, () => refused++);
    }
    for (let i = 0; i < taken; i++) {
      assertEquals(String((await healthy.receive())[0]), String(i));
    }
    assertEquals(healthy.readable, false);
  });

  it("waits only for those who are to get the message", async () => {
    const publisher = await stage.open({ noDrop: true, sendHighWaterMark: 10, sendTimeout: 0 });
    const healthy = await stage.join(publisher, "n");
    await stage.stall(publisher, "f");
    await rejection(
      (async () => {
        for (;;) await publisher.send(["fill", new Uint8Array(100_000)]);
      })(),
      "EAGAIN",
    );
    for (let i = 0; i < 5; i++) {
      await publisher.send(`n${i}`);
      await publisher.send("x for nobody");
      assertEquals(await takeMany(healthy, 1), [`n${i}`]);
    }
  });

  it("stops waiting when the full subscriber is gone", async () => {
    const publisher = await stage.open({ noDrop: true, sendHighWaterMark: 10 });
    const peer = await stage.stall(publisher);
    await fill(publisher, [new Uint8Array(100_000)]);
    const sending = [1, 2, 3].map((i) => publisher.send(String(i)));
    await staysPending(Promise.all(sending), 50, "a send to a full subscriber");
    peer.leave();
    await within(Promise.all(sending), 5_000, "the sends");
  });

  it("stops waiting when the full subscriber unsubscribes", async () => {
    const publisher = await stage.open({ noDrop: true, sendHighWaterMark: 10 });
    const peer = await stage.stall(publisher, "a");
    await fill(publisher, ["a", new Uint8Array(100_000)]);
    const sending = publisher.send("a");
    await staysPending(sending, 50, "a send to a full subscriber");
    peer.ask("-a");
    await within(sending, 5_000, "the send");
  });

  it("keeps the order of the sends that wait, and forgets one that is cancelled", async () => {
    const publisher = await stage.open({ noDrop: true, sendHighWaterMark: 10 });
    const peer = await stage.stall(publisher);
    const taken = await fill(publisher, [new Uint8Array(100_000)]);
    const abort = new AbortController();
    const sends = [1, 2, 3].map((i) =>
      publisher.send(String(i), i === 2 ? { signal: abort.signal } : {})
    );
    abort.abort(new Error("no longer"));
    await assertRejects(() => sends[1], Error, "no longer");
    peer.resume();
    for (let i = 0; i < taken; i++) assertEquals((await peer.hear())[0].length, 100_000);
    for (const text of ["1", "3"]) {
      assertEquals(String.fromCharCode(...(await peer.hear())[0]), text);
    }
    await Promise.all([sends[0], sends[2]]);
  });

  it("stops waiting when noDrop is taken back", async () => {
    const publisher = await stage.open({ noDrop: true, sendHighWaterMark: 10 });
    await stage.stall(publisher);
    await fill(publisher, [new Uint8Array(100_000)]);
    publisher.noDrop = false;
    for (let i = 0; i < 10; i++) await within(publisher.send("x"), 5_000, "a send that may drop");
    assertEquals(publisher.stats().dropped, 10);
  });
});

describeOver(SYSTEM_TRANSPORTS, "on the wire, a Publisher", (transport) => {
  const stage = new PublisherStage(transport);
  afterEach(() => stage.cleanup.run());

  it("with a stalled subscriber closes when linger is over", async () => {
    const publisher = await stage.open({ linger: 100 });
    await stage.stall(publisher);
    while (publisher.stats().dropped === 0) await publisher.send(new Uint8Array(10_000));
    const closing = publisher.close();
    await staysPending(closing, 50, "a close that lingers");
    await within(closing, 2_000, "close");
  });

  it("serves subscribers of other contexts", async () => {
    const publisher = await stage.open({ context: new Context() });
    const subscribers = [new Context(), new Context()].map((context) => {
      const subscriber = stage.cleanup.add(new Subscriber({ receiveTimeout: 10_000, context }));
      subscriber.connect(publisher.lastEndpoint!);
      subscriber.subscribe("a");
      return subscriber;
    });
    await subscribed(publisher, 2);
    for (let i = 0; i < 100; i++) await publisher.send([`a${i}`, "b"]);
    for (const subscriber of subscribers) {
      assertEquals((await takeMany(subscriber, 100)).at(-1), "a99");
    }
  });

  it("with noDrop stops waiting when the full subscriber unsubscribes by a message", async () => {
    const publisher = await stage.open({ noDrop: true, sendHighWaterMark: 10 });
    const peer = await stage.raw(publisher);
    peer.pause();
    peer.send(subscribeMessage("a"));
    await subscribed(publisher, 1);
    await fill(publisher, ["a", new Uint8Array(100_000)]);
    const sending = publisher.send("a");
    await staysPending(sending, 50, "a send to a full subscriber");
    peer.send(cancelMessage("a"));
    await within(sending, 5_000, "the send");
  });
});
