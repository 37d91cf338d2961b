// Sockets that leave inproc and come back: what waits for the next one, what is kept, what close waits for.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pair } from "../../mod.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { staysPending, within } from "../_util/deadline.ts";
import { fresh, InprocSockets } from "../_util/inproc_sockets.ts";
import { numbers, takeMany } from "../_util/pubsub.ts";
import { assertSays, failure, rejection } from "../_util/rejection.ts";

const SHORT_MS = 30;
const cleanup = new Cleanup();

const { openPull, openPush, bound } = new InprocSockets(cleanup);

describe("over inproc, when the bound socket goes", () => {
  afterEach(() => cleanup.run());

  for (const how of ["unbind", "close"] as const) {
    it(`by ${how}, its peers wait for the next one, and their messages with them`, async () => {
      const name = fresh();
      const pushes = [openPush(), openPush()];
      for (const push of pushes) push.connect(name);
      for (let round = 0; round < 5; round++) {
        const pull = await bound(name);
        for (const push of pushes) await push.send(`first ${round}`);
        assertEquals(await takeMany(pull, 2), [`first ${round}`, `first ${round}`]);
        if (how === "unbind") await pull.unbind(name);
        else await pull.close();
        for (const push of pushes) await push.send(`then ${round}`);
        const next = await bound(name);
        assertEquals(await takeMany(next, 2), [`then ${round}`, `then ${round}`]);
        await next.close();
      }
    });
  }

  it("by close, what it did not read goes to the next one, in order and once", async () => {
    const name = fresh();
    const pull = await bound(name);
    const push = openPush();
    push.connect(name);
    for (const text of numbers(10)) await push.send(text);
    assertEquals(await takeMany(pull, 4), numbers(4));
    await pull.close();
    await push.send("10");
    assertEquals(await takeMany(await bound(name), 7), numbers(11).slice(4));
  });

  it("by close with a message to send, who comes then gets it, and meets the next one", async () => {
    const name = fresh();
    const push = openPush();
    await push.bind(name);
    const sent = push.send("last");
    const closed = push.close();
    const pull = openPull({ reconnectInterval: 1 });
    pull.connect(name);
    assertEquals(await takeMany(pull, 1), ["last"]);
    await Promise.all([sent, closed]);
    const next = openPush();
    await next.bind(name);
    await next.send("first");
    assertEquals(await takeMany(pull, 1), ["first"]);
  });

  it("by unbind, it keeps what it has", async () => {
    const name = fresh();
    const pull = await bound(name);
    const push = openPush();
    push.connect(name);
    for (const text of numbers(10)) await push.send(text);
    await pull.unbind(name);
    await push.send("for the next");
    assertEquals(await takeMany(pull, 10), numbers(10));
    assert(!pull.readable);
    assertFrames(await (await bound(name)).receive(), ["for the next"]);
  });

  it("and is a sender, its peers have what it sent, and then its successor's", async () => {
    const name = fresh();
    const pull = openPull();
    pull.connect(name);
    for (let round = 0; round < 3; round++) {
      const push = openPush();
      await push.bind(name);
      for (const text of numbers(10)) await push.send(`${round}${text}`);
      await within(push.close(), 1_000, "close");
    }
    const expected = numbers(3).flatMap((round) => numbers(10).map((text) => round + text));
    assertEquals(await takeMany(pull, 30), expected);
  });

  it("and never comes back, reconnectInterval -1 lets go of it", async () => {
    const name = fresh();
    const pull = await bound(name);
    const push = openPush({ reconnectInterval: -1, sendTimeout: SHORT_MS });
    push.connect(name);
    await push.send("1");
    assertFrames(await pull.receive(), ["1"]);
    await pull.close();
    const next = await bound(name, { receiveTimeout: SHORT_MS });
    await rejection(push.send("2"), "EAGAIN");
    await rejection(next.receive(), "EAGAIN");
    failure(() => push.disconnect(name), "ENOENT");
  });
});

describe("over inproc, when the connected socket goes", () => {
  afterEach(() => cleanup.run());

  it("by disconnect, its peer keeps what it was sent and gets no more", async () => {
    const name = fresh();
    const pull = await bound(name);
    const push = openPush();
    push.connect(name);
    for (const text of numbers(10)) await push.send(text);
    push.disconnect(name);
    push.sendTimeout = 0;
    await rejection(push.send("nobody"), "EAGAIN");
    assertEquals(await takeMany(pull, 10), numbers(10));
    assertEquals(pull.stats().peers.length, 0);
  });

  it("by close, its peer keeps what it was sent, whatever linger is", async () => {
    const name = fresh();
    const pull = await bound(name);
    for (const linger of [0, 10, -1]) {
      const push = openPush({ linger });
      push.connect(name);
      for (const text of numbers(10)) await push.send(text);
      await within(push.close(), 1_000, "close");
      assertEquals(await takeMany(pull, 10), numbers(10));
    }
  });

  it("and is a receiver, what it did not read goes to another", async () => {
    const name = fresh();
    const push = openPush();
    await push.bind(name);
    const first = openPull();
    first.connect(name);
    for (const text of numbers(10)) await push.send(text);
    assertEquals(await takeMany(first, 4), numbers(4));
    await first.close();
    const second = openPull();
    second.connect(name);
    assertEquals(await takeMany(second, 6), numbers(10).slice(4));
  });

  it("may come again under the same name", async () => {
    const name = fresh();
    const pull = await bound(name);
    const push = openPush();
    for (let i = 0; i < 5; i++) {
      push.connect(name);
      await push.send(String(i));
      assertFrames(await pull.receive(), [String(i)]);
      push.disconnect(name);
      assert(!push.writable);
    }
  });

  it("before anybody was bound, its messages wait for another peer of its", async () => {
    const [nobody, name] = [fresh(), fresh()];
    const push = openPush();
    push.connect(nobody);
    for (const text of numbers(5)) await push.send(text);
    push.disconnect(nobody);
    push.connect(name);
    assertEquals(await takeMany(await bound(name), 5), numbers(5));
  });

  it("of unknown name is ENOENT", async () => {
    const name = fresh();
    const pull = await bound(name);
    assertSays(await rejection(pull.unbind(fresh()), "ENOENT"), name);
    const push = openPush();
    push.connect(name);
    assertSays(failure(() => push.disconnect(fresh()), "ENOENT"), name);
  });
});

describe("over inproc, linger", () => {
  afterEach(() => cleanup.run());

  it("-1 waits until a name is bound, and delivers", async () => {
    const name = fresh();
    const push = openPush();
    push.connect(name);
    for (const text of numbers(10)) await push.send(text);
    const closing = push.close();
    await staysPending(closing, SHORT_MS, "a close with messages left");
    const pull = await bound(name);
    await within(closing, 1_000, "close");
    assertEquals(await takeMany(pull, 10), numbers(10));
  });

  it("of some milliseconds waits so long", async () => {
    const name = fresh();
    const push = openPush({ linger: 60 });
    push.connect(name);
    await push.send("dropped");
    const start = performance.now();
    await within(push.close(), 1_000, "close");
    assert(performance.now() - start >= 55);
    const pull = await bound(name, { receiveTimeout: SHORT_MS });
    await rejection(pull.receive(), "EAGAIN");
  });

  it("0 drops what waits, at once", async () => {
    const name = fresh();
    const push = openPush({ linger: 0 });
    push.connect(name);
    await push.send("dropped");
    await within(push.close(), 100, "close");
    const pull = await bound(name, { receiveTimeout: SHORT_MS });
    await rejection(pull.receive(), "EAGAIN");
  });

  it("does not wait for what lies unread at a peer", async () => {
    const name = fresh();
    const pull = await bound(name);
    const push = openPush();
    push.connect(name);
    for (const text of numbers(100)) await push.send(text);
    await within(push.close(), 100, "close");
    await within(pull.close(), 100, "close with unread messages");
  });

  it("does not wait for what a peer that is closed has not read", async () => {
    for (const bound of ["sender", "receiver"]) {
      const name = fresh();
      const [push, pull] = [openPush(), openPull()];
      if (bound === "sender") await push.bind(name);
      else await pull.bind(name);
      if (bound === "sender") pull.connect(name);
      else push.connect(name);
      for (const text of numbers(100)) await push.send(text);
      await pull.close();
      await within(push.close(), 1_000, "close of the sender");
    }
  });

  it("of both ends ends, with unread messages both ways", async () => {
    const name = fresh();
    const [one, two] = [1, 2].map(() => cleanup.add(new Pair()));
    await one.bind(name);
    two.connect(name);
    for (const text of numbers(100)) await Promise.all([one.send(text), two.send(text)]);
    await within(Promise.all([one.close(), two.close()]), 1_000, "both closes");
    assertEquals([one.readable, two.readable], [false, false]);
  });
});
