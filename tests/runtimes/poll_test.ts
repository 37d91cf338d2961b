// poll: waiting for several sockets at once, and what it answers. Nothing is ever taken from a socket.

import { assert, assertEquals, assertGreaterOrEqual, assertLess, assertRejects } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Pair, poll, Publisher, Pull, Push, Reply, Request, Router } from "../../mod.ts";
import { type Socket, Subscriber, XPublisher } from "../../mod.ts";
import { anywhere, type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, staysPending, within } from "../_util/deadline.ts";
import { fill } from "../_util/filling.ts";
import { rejection } from "../_util/rejection.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
const WAITS = { sendTimeout: 5_000, receiveTimeout: 5_000 } as const;
const QUIET_MS = 30;
const LONG_MS = 5_000;
/** More than come to pass before an event loop that turns has done its part. */
const MANY = 300_000;
/** Timers of the runtimes may be early by as much. */
const SLACK_MS = 2;
const cleanup = new Cleanup();

async function joined<A extends Socket, B extends Socket>(
  transport: Transport,
  bound: A,
  connected: B,
): Promise<[A, B]> {
  await cleanup.add(bound).bind(anywhere(transport));
  cleanup.add(connected).connect(bound.lastEndpoint!);
  return [bound, connected];
}

/** What is answered for a socket that can be read. */
const readable = (socket: Socket) => ({ socket, readable: true, writable: false });
const writable = (socket: Socket) => ({ socket, readable: false, writable: true });

for (const transport of TRANSPORTS) {
  describe(`poll on ${transport}`, () => {
    afterEach(() => cleanup.run());

    it("answers the sockets that can be read, and takes nothing", async () => {
      const [one, toOne] = await joined(transport, new Pull(RECEIVES), new Push());
      const [other] = await joined(transport, new Pull(RECEIVES), new Push());
      const polling = poll([one, other]);
      await staysPending(polling, QUIET_MS, "nothing has come");
      await toOne.send("first");
      assertEquals(await polling, [readable(one)]);
      assertEquals(await poll([other, one], { timeout: LONG_MS }), [readable(one)]);
      assertEquals(String(await one.receive()), "first");
      assertEquals(await poll([one, other], { timeout: 0 }), []);
    });

    it("answers all that are ready, in the order in which they were given", async () => {
      const pairs: [Pull, Push][] = [];
      for (let i = 0; i < 4; i++) {
        pairs.push(await joined(transport, new Pull(RECEIVES), new Push()));
      }
      for (const i of [3, 0, 2]) await pairs[i][1].send(`message ${i}`);
      await eventually(() => [0, 2, 3].every((i) => pairs[i][0].readable));
      const pulls = pairs.map(([pull]) => pull);
      const expected = [0, 2, 3].map((i) => readable(pulls[i]));
      assertEquals(await poll(pulls, { timeout: 0 }), expected);
      assertEquals(await poll(pulls), expected);
      for (const i of [0, 2, 3]) assertEquals(String(await pulls[i].receive()), `message ${i}`);
    });

    it("answers when there is room to send", async () => {
      const pull = cleanup.add(new Pull({ ...RECEIVES, receiveHighWaterMark: 5 }));
      const push = cleanup.add(new Push({ sendHighWaterMark: 5, linger: 0 }));
      await push.bind(anywhere(transport));
      const item = { socket: push, writable: true };
      const polling = poll([item]);
      await staysPending(polling, QUIET_MS, "there is nobody to send to");
      pull.connect(push.lastEndpoint!);
      assertEquals(await polling, [writable(push)]);
      const count = await fill(push, [new Uint8Array(10_000)]);
      const again = poll([item]);
      await staysPending(again, QUIET_MS, "there is no room");
      for (let i = 0; i < count; i++) await pull.receive();
      assertEquals(await again, [writable(push)]);
    });

    it("answers only what was asked", async () => {
      const [one, other] = await joined(transport, new Pair(RECEIVES), new Pair());
      await other.send("x");
      await eventually(() => one.readable && one.writable);
      const asked = async (readable: boolean, writable: boolean) =>
        await poll([{ socket: one, readable, writable }], { timeout: 0 });
      assertEquals(await asked(true, false), [readable(one)]);
      assertEquals(await asked(false, true), [writable(one)]);
      assertEquals(await asked(true, true), [{ socket: one, readable: true, writable: true }]);
      assertEquals(await asked(false, false), []);
    });

    it("keeps to the turns of a Request and a Reply", async () => {
      const [reply, request] = await joined(transport, new Reply(WAITS), new Request(WAITS));
      const state = async (socket: Socket): Promise<string> => {
        const item = { socket, readable: true, writable: true };
        const [found] = await poll([item], { timeout: 0 });
        return found === undefined
          ? ""
          : `${found.readable ? "in" : ""}${found.writable ? "out" : ""}`;
      };
      await eventually(async () => await state(request) === "out");
      assertEquals(await state(reply), "");
      await request.send("question");
      assertEquals(await poll([reply]), [readable(reply)]);
      assertEquals([await state(request), await state(reply)], ["", "in"]);
      await reply.receive();
      assertEquals([await state(request), await state(reply)], ["", "out"]);
      await reply.send("answer");
      assertEquals(await poll([request]), [readable(request)]);
      assertEquals([await state(request), await state(reply)], ["in", ""]);
      await request.receive();
      assertEquals([await state(request), await state(reply)], ["out", ""]);
    });

    it("hears of the turns of a Request and a Reply that others bring about", async () => {
      const [reply, request] = await joined(transport, new Reply(WAITS), new Request(WAITS));
      await request.send("question");
      const polling = poll([{ socket: reply, writable: true }]);
      await staysPending(polling, QUIET_MS, "the question was not received yet");
      await reply.receive();
      assertEquals(await polling, [writable(reply)]);
      const again = poll([{ socket: request, writable: true }]);
      await reply.send("answer");
      await staysPending(again, QUIET_MS, "the answer was not received yet");
      await request.receive();
      assertEquals(await again, [writable(request)]);
    });

    it("answers a Router, a Subscriber and a Dealer, each with its own traffic", async () => {
      const [router, dealer] = await joined(transport, new Router(WAITS), new Dealer(WAITS));
      const [publisher, subscriber] = await joined(
        transport,
        new Publisher(),
        new Subscriber(RECEIVES),
      );
      subscriber.subscribe("a");
      await eventually(() => publisher.topicsCount === 1);
      const sockets = [router, dealer, subscriber];
      await publisher.send("b");
      assertEquals(await poll(sockets, { timeout: QUIET_MS }), [], "nobody asked for b");
      await publisher.send("a");
      assertEquals(await poll(sockets), [readable(subscriber)]);
      await subscriber.receive();
      await dealer.send("x");
      assertEquals(await poll(sockets), [readable(router)]);
      const [id] = await router.receive();
      await router.send([id, "y"]);
      assertEquals(await poll(sockets), [readable(dealer)]);
    });

    it("rejects when one of the sockets gets closed", async () => {
      const [one] = await joined(transport, new Pull(), new Push());
      const [other, toOther] = await joined(transport, new Pull(RECEIVES), new Push());
      const polling = poll([one, other]);
      polling.catch(() => {}); // looked at below
      await staysPending(polling.catch(() => {}), QUIET_MS, "both are open");
      const closing = one.close();
      await rejection(polling, "EBADF");
      await closing;
      await toOther.send("the other one is well");
      assertEquals(await poll([other]), [readable(other)]);
      await rejection(poll([other, one]), "EBADF");
      await rejection(poll([one], { timeout: 0 }), "EBADF");
    });
  });
}

describe("poll", () => {
  afterEach(() => cleanup.run());

  it("takes sockets of several transports together", async () => {
    const pairs: [Pull, Push][] = [];
    for (const transport of TRANSPORTS) {
      pairs.push(await joined(transport, new Pull(RECEIVES), new Push()));
    }
    const pulls = pairs.map(([pull]) => pull);
    for (const [pull, push] of pairs) {
      const polling = poll(pulls);
      await push.send("x");
      assertEquals(await polling, [readable(pull)]);
      await pull.receive();
    }
  });

  it("hears subscriptions come to an XPublisher", async () => {
    const [publisher, subscriber] = await joined("tcp", new XPublisher(), new Subscriber());
    const polling = poll([publisher, { socket: publisher, writable: true }], { timeout: 0 });
    assertEquals(await polling, [writable(publisher)]);
    subscriber.subscribe("a");
    assertEquals(await poll([publisher]), [readable(publisher)]);
    assertEquals(String(await publisher.receive()), "\x01a");
  });

  it("takes the same socket more than once", async () => {
    const [one, other] = await joined("inproc", new Pair(RECEIVES), new Pair());
    await other.send("x");
    const found = await poll([one, { socket: one, writable: true, readable: false }], {
      timeout: 0,
    });
    assertEquals(found, [readable(one), writable(one)]);
  });

  it("answers nothing when its timeout is over, and not before", async () => {
    const pull = cleanup.add(new Pull());
    const start = performance.now();
    assertEquals(await poll([pull], { timeout: 60 }), []);
    const took = performance.now() - start;
    assertGreaterOrEqual(took, 60 - SLACK_MS);
    assertLess(took, 2_000);
  });

  it("looks once with the timeout 0", async () => {
    const pull = cleanup.add(new Pull());
    const start = performance.now();
    assertEquals(await poll([pull], { timeout: 0 }), []);
    assertLess(performance.now() - start, 500);
  });

  it("lets the event loop turn when it looks in a loop", async () => {
    const [pull, push] = await joined("tcp", new Pull(RECEIVES), new Push());
    await push.send("in the system's hands");
    let count = 0;
    while ((await poll([pull], { timeout: 0 })).length === 0) {
      assertLess(++count, MANY, "nothing can come while the loop does not turn");
    }
    assertEquals(String(await pull.receive()), "in the system's hands");
  });

  it("lets the event loop turn when it finds something in a loop", async () => {
    const [pull, push] = await joined("inproc", new Pull(RECEIVES), new Push());
    await push.send("stays");
    let fired = false;
    setTimeout(() => fired = true, 0);
    for (let count = 0; !fired; count++) {
      assertLess(count, MANY, "no timer fires while the loop does not turn");
      assertEquals((await poll([pull])).length, 1);
    }
  });

  it("of nothing waits for its timeout", async () => {
    const start = performance.now();
    assertEquals(await poll([], { timeout: 40 }), []);
    assertGreaterOrEqual(performance.now() - start, 40 - SLACK_MS);
  });

  it("is ended by its signal, with the signal's reason", async () => {
    const [pull, push] = await joined("inproc", new Pull(RECEIVES), new Push());
    const stop = new AbortController();
    const polling = poll([pull], { signal: stop.signal });
    const reason = new Error("enough");
    setTimeout(() => stop.abort(reason), 10);
    assertEquals(await assertRejects(() => polling), reason);
    assertEquals(await assertRejects(() => poll([pull], { signal: stop.signal })), reason);
    await push.send("kept");
    assertEquals(await poll([pull], { timeout: LONG_MS }), [readable(pull)]);
    assertEquals(String(await pull.receive()), "kept");
  });

  it("leaves no listener on the signal", async () => {
    const [pull, push] = await joined("inproc", new Pull(RECEIVES), new Push());
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners++;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners--;
      removeEventListener.apply(signal, args);
    };
    for (let i = 0; i < 10; i++) {
      assertEquals(await poll([pull], { signal, timeout: 1 }), []);
      const polling = poll([pull], { signal });
      await push.send("x");
      await polling;
      await pull.receive();
    }
    assertEquals(listeners, 0);
  });

  it("leaves a message to a receive that waits for it", async () => {
    const [pull, push] = await joined("inproc", new Pull(RECEIVES), new Push());
    const receiving = pull.receive();
    const polling = poll([pull]);
    await push.send("for the receive");
    assertEquals(String(await receiving), "for the receive");
    await staysPending(polling, QUIET_MS, "there is nothing left");
    await push.send("for the poll");
    assertEquals(await polling, [readable(pull)]);
    assertEquals(String(await pull.receive()), "for the poll");
  });

  it("answers each of several polls of one socket", async () => {
    const [pull, push] = await joined("inproc", new Pull(RECEIVES), new Push());
    const polls = [poll([pull]), poll([pull]), poll([pull], { timeout: LONG_MS })];
    await push.send("x");
    for (const polling of polls) assertEquals(await polling, [readable(pull)]);
  });

  it("stands many sockets", async () => {
    const pairs: [Pull, Push][] = [];
    for (let i = 0; i < 300; i++) {
      pairs.push(await joined("inproc", new Pull(RECEIVES), new Push()));
    }
    const pulls = pairs.map(([pull]) => pull);
    for (const i of [299, 0, 150]) {
      const polling = poll(pulls);
      await pairs[i][1].send("x");
      assertEquals(await polling, [readable(pulls[i])]);
      await pulls[i].receive();
    }
    for (const [, push] of pairs) await push.send("y");
    assertEquals((await poll(pulls)).length, 300);
  });

  it("can be raced, and what loses the race takes nothing", async () => {
    const [one, toOne] = await joined("tcp", new Pull(RECEIVES), new Push());
    const [other, toOther] = await joined("tcp", new Pull(RECEIVES), new Push());
    for (let i = 0; i < 20; i++) {
      const stop = new AbortController();
      const lost = poll([other], { signal: stop.signal });
      lost.catch(() => {}); // it is not awaited when it loses
      const race = Promise.race([poll([one]), lost]);
      await Promise.all([toOne.send(`a${i}`), i % 2 === 0 && toOther.send(`b${i}`)]);
      await race;
      stop.abort();
      assertEquals(String(await one.receive()), `a${i}`);
      if (i % 2 === 0) assertEquals(String(await other.receive()), `b${i}`);
    }
  });

  it("refuses what it cannot poll, by name", async () => {
    const pull = cleanup.add(new Pull());
    const push = cleanup.add(new Push());
    for (const items of [undefined, [undefined], [{}], ["pull"], [{ socket: "pull" }]]) {
      const error = await assertRejects(() => poll(items as never, { timeout: 0 }), TypeError);
      assertEquals((error as { code?: string }).code, "EINVAL");
    }
    for (const timeout of [-2, Number.NaN, 0.5, "1"]) {
      const error = await assertRejects(() => poll([pull], { timeout: timeout as number }));
      assert(error instanceof RangeError || error instanceof TypeError, String(error));
      assertEquals((error as { code?: string }).code, "EINVAL");
    }
    assertEquals(await poll([push], { timeout: QUIET_MS }), [], "a Push is never readable");
  });
});

describe("the guide's mspoller", () => {
  afterEach(() => cleanup.run());

  it("reads tasks and weather as they come", async () => {
    const [ventilator, tasks] = [cleanup.add(new Push()), cleanup.add(new Pull(RECEIVES))];
    const [server, weather] = [cleanup.add(new Publisher()), cleanup.add(new Subscriber(RECEIVES))];
    await ventilator.bind(anywhere("tcp"));
    await server.bind(anywhere("tcp"));
    tasks.connect(ventilator.lastEndpoint!);
    weather.connect(server.lastEndpoint!);
    weather.subscribe("10001");
    await eventually(() => server.topicsCount === 1);

    const [done, updates]: string[][] = [[], []];
    const reading = (async () => {
      while (done.length < 30 || updates.length < 10) {
        for (const { socket } of await poll([tasks, weather])) {
          if (socket === tasks) done.push(String(await tasks.receive()));
          else updates.push(String((await weather.receive())[0]));
        }
      }
    })();
    for (let i = 0; i < 30; i++) {
      await ventilator.send(`task ${i}`);
      await server.send(`${i % 3 === 0 ? "10001" : "20002"} ${i}`);
    }
    await within(reading, LONG_MS, "everything is read");
    assertEquals(done, Array.from({ length: 30 }, (_, i) => `task ${i}`));
    assertEquals(updates, Array.from({ length: 10 }, (_, i) => `10001 ${i * 3}`));
  });
});
