// Peers that come late, go away and come back: what is kept, what is given to others, what is lost.

import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import { type Context, Dealer, Pair, Pull, Push, Reply, Request, Router } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS, TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause, staysPending, within } from "../_util/deadline.ts";
import { contextWith, realRuntime } from "../_util/fake_runtime.ts";
import { fill } from "../_util/filling.ts";
import { type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { connectAs, shakeHands, takeMessage } from "../_util/raw_zmtp.ts";
import { rejection } from "../_util/rejection.ts";
import { describeOver, nowhere, reserve } from "../_util/transports.ts";

const QUICK = { reconnectInterval: 5 } as const;
const RECEIVES = { receiveTimeout: 5_000 } as const;
const EARLY_MS = 30;
const cleanup = new Cleanup();

/** A context that tells how often a connection was tried. */
function countingContext(): { context: Context; attempts: () => number } {
  let count = 0;
  const real = realRuntime();
  const context = contextWith({
    connect(...args) {
      count++;
      return real.connect(...args);
    },
  });
  return { context, attempts: () => count };
}

async function bound(endpoint: string): Promise<Pull> {
  const pull = cleanup.add(new Pull(RECEIVES));
  await pull.bind(endpoint);
  return pull;
}

async function takeNumber(pull: { receive(): Promise<Uint8Array[]> }): Promise<number> {
  const [first] = await pull.receive();
  return Number(new TextDecoder().decode(first));
}

async function takeNumbers(
  pull: { receive(): Promise<Uint8Array[]> },
  count: number,
): Promise<number[]> {
  const numbers: number[] = [];
  while (numbers.length < count) numbers.push(await takeNumber(pull));
  return numbers;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

function isIncreasing(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number > numbers[i - 1]);
}

describeOver(TRANSPORTS, "a peer that comes later", (transport) => {
  afterEach(() => cleanup.run());

  it("gets what a PUSH was given meanwhile, in order", async () => {
    const endpoint = await reserve(transport);
    const push = cleanup.add(new Push(QUICK));
    push.connect(endpoint);
    for (let i = 0; i < 1_000; i++) await push.send([String(i), "x".repeat(i % 500)]);
    await pause(EARLY_MS);
    assertEquals(await takeNumbers(await bound(endpoint), 1_000), range(0, 1_000));
  });

  it("may be a DEALER's, a PAIR's, a REQ's or a named one of a ROUTER", async () => {
    const dealer = cleanup.add(new Dealer({ ...QUICK, routingId: "d" }));
    const pair = cleanup.add(new Pair(QUICK));
    const request = cleanup.add(new Request(QUICK));
    const router = cleanup.add(new Router({ ...QUICK, routingId: "r" }));
    const endpoints = await Promise.all([
      reserve(transport),
      reserve(transport),
      reserve(transport),
      reserve(transport),
    ]);
    dealer.connect(endpoints[0]);
    pair.connect(endpoints[1]);
    request.connect(endpoints[2]);
    router.connect(endpoints[3], { routingId: "later" });
    await dealer.send("from a dealer");
    await pair.send("from a pair");
    await request.send("from a request");
    await router.send(["later", "from a router"]);
    await pause(EARLY_MS);
    const others = [new Router(RECEIVES), new Pair(RECEIVES), new Reply(RECEIVES)];
    others.push(new Router(RECEIVES));
    for (const [i, other] of others.entries()) {
      cleanup.add(other);
      await other.bind(endpoints[i]);
    }
    assertFrames(await others[0].receive(), ["d", "from a dealer"]);
    assertFrames(await others[1].receive(), ["from a pair"]);
    assertFrames(await others[2].receive(), ["from a request"]);
    assertFrames(await others[3].receive(), ["r", "from a router"]);
  });
});

describeOver(SYSTEM_TRANSPORTS, "a peer that comes later, or never,", (transport) => {
  afterEach(() => cleanup.run());

  it("is not waited for with reconnectInterval -1", async () => {
    const { context, attempts } = countingContext();
    const endpoint = await reserve(transport);
    const push = cleanup.add(new Push({ reconnectInterval: -1, context, sendTimeout: EARLY_MS }));
    push.connect(endpoint);
    await push.send("dropped");
    await eventually(() => attempts() === 1);
    const pull = await bound(endpoint);
    pull.receiveTimeout = 200;
    await rejection(pull.receive(), "EAGAIN");
    assertEquals(attempts(), 1);
  });

  it("is tried for again and again", async () => {
    const { context, attempts } = countingContext();
    const push = cleanup.add(new Push({ ...QUICK, context }));
    push.connect(await reserve(transport));
    await eventually(() => attempts() >= 10);
    const before = attempts();
    await push.close();
    await pause(EARLY_MS);
    assertEquals(attempts(), before, "a closed socket tries no more");
  });
});

describeOver(TRANSPORTS, "a listener that goes and comes back", (transport) => {
  afterEach(() => cleanup.run());

  it("gets every message once that was sent while it was away, twenty times over", async () => {
    const { context, attempts } = countingContext();
    // Names of inproc belong to one context.
    const options = transport === "inproc" ? QUICK : { ...QUICK, context };
    const push = cleanup.add(new Push(options));
    const endpoint = await reserve(transport);
    const pull = await bound(endpoint);
    push.connect(endpoint);
    let next = 0;
    const exchange = async (count: number): Promise<void> => {
      assertEquals(await takeNumbers(pull, count), range(next, next += count));
    };
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 20; i++) await push.send(String(next + i));
      await exchange(20);
      const before = attempts();
      await pull.unbind(endpoint);
      // A new attempt means: the PUSH has noticed that its peer is gone. Over inproc it knows at once.
      if (transport !== "inproc") await eventually(() => attempts() > before);
      for (let i = 0; i < 50; i++) await push.send([String(next + i), "x".repeat(500)]);
      await pull.bind(endpoint);
      await exchange(50);
    }
  });

  it("in the middle of a flood loses what was under way at most, and repeats nothing", async () => {
    const push = cleanup.add(new Push(QUICK));
    const endpoint = await reserve(transport);
    const pull = await bound(endpoint);
    push.connect(endpoint);
    const body = "x".repeat(1_000);
    let sent = 0;
    let flooding = true;
    const flood = (async () => {
      while (flooding) await push.send([String(sent++), body]);
    })();
    const numbers: number[] = [];
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 200; i++) {
        const [number, rest] = await pull.receive();
        numbers.push(Number(String(number)));
        assertEquals(rest.length, body.length);
      }
      await pull.unbind(endpoint);
      await pull.bind(endpoint);
    }
    // What was sent after the last bind can have come by the new connection only.
    const last = sent;
    while (numbers.at(-1)! <= last) numbers.push(await takeNumber(pull));
    flooding = false;
    while (numbers.at(-1)! < sent - 1) numbers.push(await takeNumber(pull));
    await flood;
    if (transport === "inproc") {
      // Nothing is under way, so nothing is lost; what was unread at an unbind and what is new come in turn.
      numbers.push(...await takeNumbers(pull, sent - numbers.length));
      assertEquals(numbers.sort((a, b) => a - b), range(0, sent));
    } else {
      assert(isIncreasing(numbers), "no message comes twice, none out of turn");
    }
  });

  it("serves the same peers as before, when they are the ones who connect", async () => {
    const pulls = [1, 2].map(() => cleanup.add(new Pull({ ...RECEIVES, ...QUICK })));
    const endpoint = await reserve(transport);
    for (let round = 0; round < 5; round++) {
      const push = cleanup.add(new Push());
      await push.bind(endpoint);
      if (round === 0) { for (const pull of pulls) pull.connect(endpoint); }
      const receiving = pulls.map((pull) => pull.receive());
      let missing = pulls.length;
      for (const received of receiving) void received.then(() => missing--);
      await eventually(async () => {
        await push.send(String(round));
        return missing === 0;
      });
      await push.close();
      for (const pull of pulls) while (pull.readable) await pull.receive();
    }
  });
});

describeOver(
  SYSTEM_TRANSPORTS,
  "a connection that breaks in the middle of a flood",
  (transport) => {
    afterEach(() => cleanup.run());

    /** Takes numbered messages until one does not come whole. */
    async function takeUntilBroken(connection: RawConnection, most: number): Promise<number[]> {
      const numbers: number[] = [];
      while (numbers.length < most) {
        const [number, body, end] = await takeMessage(connection);
        assertEquals([body.length, new TextDecoder().decode(end)], [1_000, "end"]);
        numbers.push(Number(new TextDecoder().decode(number)));
      }
      return numbers;
    }

    for (const type of [Push, Dealer]) {
      it(`goes on from a first frame at the next one, and repeats nothing (${type.name})`, async () => {
        const server = cleanup.add(await RawServer.listen(await reserve(transport)));
        const socket = cleanup.add(new type({ ...QUICK, sendHighWaterMark: 50 }));
        socket.connect(server.endpoint);
        const body = new Uint8Array(1_000);
        let sent = 0;
        let flooding = true;
        const flood = (async () => {
          while (flooding) await socket.send([String(sent++), body, "end"]);
        })();
        const numbers: number[] = [];
        for (let round = 0; round < 10; round++) {
          const connection = await server.accept();
          await shakeHands(connection, type === Push ? "PULL" : "DEALER");
          numbers.push(...await takeUntilBroken(connection, 150));
          // Long enough for buffers to fill, so that a write is cut in two.
          connection.pause();
          await fillUp(() => sent);
          connection.resume();
          numbers.push(...await takeUntilBroken(connection, 150));
          connection.destroy();
        }
        const connection = await server.accept();
        await shakeHands(connection, type === Push ? "PULL" : "DEALER");
        numbers.push(...await takeUntilBroken(connection, 1));
        flooding = false;
        while (numbers.at(-1)! < sent - 1) numbers.push(...await takeUntilBroken(connection, 1));
        await flood;
        assert(isIncreasing(numbers), "no message comes twice, none out of turn");
      });
    }

    /** Waits until the count stands still. */
    async function fillUp(count: () => number): Promise<void> {
      for (let before = -1; before !== count();) {
        before = count();
        await pause(20);
      }
    }
  },
);

describeOver(SYSTEM_TRANSPORTS, "messages that wait for a peer that dies", (transport) => {
  afterEach(() => cleanup.run());

  const kinds = {
    Push: [() => new Push(), () => new Pull(RECEIVES), "PULL"],
    Dealer: [() => new Dealer(), () => new Dealer(RECEIVES), "DEALER"],
    Pair: [() => new Pair(), () => new Pair(RECEIVES), "PAIR"],
  } as const;
  for (const [name, [open, openPeer, peerType]] of Object.entries(kinds)) {
    it(`go to the next one that a bound ${name} gets, before newer ones`, async () => {
      const socket = cleanup.add(open());
      const mark = 200;
      socket.sendHighWaterMark = mark;
      await socket.bind(anywhere(transport));
      const deaf = cleanup.add(await connectAs(socket.lastEndpoint!, peerType));
      deaf.pause();
      await eventually(() => socket.writable);
      const body = new Uint8Array(10_000);
      let sent = 0;
      const numbered = {
        get sendTimeout(): number {
          return socket.sendTimeout;
        },
        set sendTimeout(ms: number) {
          socket.sendTimeout = ms;
        },
        send: async (): Promise<void> => {
          await socket.send([String(sent), body]);
          sent++;
        },
      };
      await fill(numbered, []);
      deaf.destroy();
      await eventually(() => !socket.writable);

      const newer = socket.send("-1");
      const next = cleanup.add(openPeer());
      next.connect(socket.lastEndpoint!);
      const numbers: number[] = [];
      for (let number = await takeNumber(next); number >= 0; number = await takeNumber(next)) {
        numbers.push(number);
      }
      await newer;
      assertGreaterOrEqual(numbers.length, mark);
      assertEquals(numbers, range(numbers[0], sent), "gapless up to the last");
    });
  }

  it("go to the other peers of a PUSH at once", async () => {
    const push = cleanup.add(new Push({ sendHighWaterMark: 100 }));
    await push.bind(anywhere(transport));
    const deaf = cleanup.add(await connectAs(push.lastEndpoint!, "PULL"));
    deaf.pause();
    await eventually(() => push.writable);
    const body = new Uint8Array(10_000);
    const queued = await fill(push, ["old", body]);
    const pull = cleanup.add(new Pull(RECEIVES));
    pull.connect(push.lastEndpoint!);
    await push.send("new");
    assertFrames(await pull.receive(), ["new"]);
    deaf.destroy();
    let count = 0;
    while ((await pull.receive())[0].length > 0) {
      if (++count === 100) break;
    }
    assertLess(count, queued);
  });

  it("are dropped by a ROUTER, whose peer has taken its id along", async () => {
    const router = cleanup.add(new Router({ sendHighWaterMark: 10 }));
    await router.bind(anywhere(transport));
    const deaf = cleanup.add(await connectAs(router.lastEndpoint!, "DEALER", "id"));
    deaf.pause();
    await eventually(() => (router.mandatory = true) && router.writable);
    await fill(router, ["id", new Uint8Array(10_000)]);
    deaf.destroy();
    await eventually(() => !router.writable);
    const next = cleanup.add(await connectAs(router.lastEndpoint!, "DEALER", "id"));
    await eventually(() => router.writable);
    await router.send(["id", "new"]);
    assertFrames(await takeMessage(next), ["new"]);
  });
});

describeOver(TRANSPORTS, "disconnect", (transport) => {
  afterEach(() => cleanup.run());

  it("gives what was not sent to the other peers", async () => {
    const pull = await bound(anywhere(transport));
    const push = cleanup.add(new Push(QUICK));
    push.connect(nowhere(transport));
    push.connect(pull.lastEndpoint!);
    for (let i = 0; i < 100; i++) await push.send(String(i));
    assertEquals(await takeNumbers(pull, 50), range(0, 50).map((i) => 2 * i + 1));
    push.disconnect(nowhere(transport));
    assertEquals(await takeNumbers(pull, 50), range(0, 50).map((i) => 2 * i));
  });

  it("sends what waits for a peer that is there", async () => {
    const pull = await bound(anywhere(transport));
    const push = cleanup.add(new Push(QUICK));
    push.connect(pull.lastEndpoint!);
    await push.send("first");
    assertFrames(await pull.receive(), ["first"]);
    const body = new Uint8Array(10_000);
    for (let i = 0; i < 500; i++) await push.send([String(i), body]);
    push.disconnect(pull.lastEndpoint!);
    assertEquals(await takeNumbers(pull, 500), range(0, 500));
  });
});

/** A linger of 150 ms is waited for when the socket is closed. */
async function expectLinger(push: Push): Promise<void> {
  const start = performance.now();
  await within(push.close(), 5_000, "close");
  const took = performance.now() - start;
  assert(took >= 140 && took < 1_000, `${took} ms`);
}

describeOver(TRANSPORTS, "close with linger", (transport) => {
  afterEach(() => cleanup.run());

  it("0 drops what waits, at once", async () => {
    const endpoint = await reserve(transport);
    const push = cleanup.add(new Push({ ...QUICK, linger: 0 }));
    push.connect(endpoint);
    for (let i = 0; i < 10; i++) await push.send("dropped");
    await within(push.close(), 500, "close");
    const pull = await bound(endpoint);
    pull.receiveTimeout = 100;
    await rejection(pull.receive(), "EAGAIN");
  });

  it("-1 delivers all of it, to a peer that comes later too", async () => {
    const endpoint = await reserve(transport);
    const push = cleanup.add(new Push({ ...QUICK, sendHighWaterMark: 0 }));
    push.connect(endpoint);
    for (let i = 0; i < 10_000; i++) await push.send([String(i), "x".repeat(100)]);
    const closing = push.close();
    await staysPending(closing, EARLY_MS, "a close with messages left");
    const pull = await bound(endpoint);
    assertEquals(await takeNumbers(pull, 10_000), range(0, 10_000));
    await within(closing, 5_000, "close");
  });

  it("of some milliseconds gives a peer that is away up after that time", async () => {
    const push = cleanup.add(new Push({ ...QUICK, linger: 150 }));
    push.connect(await reserve(transport));
    await push.send("x");
    await expectLinger(push);
  });

  it("of any length ends as soon as nothing waits", async () => {
    const pull = await bound(anywhere(transport));
    const push = cleanup.add(new Push({ linger: 60_000 }));
    push.connect(pull.lastEndpoint!);
    await push.send("x");
    await within(push.close(), 2_000, "close");
    assertFrames(await pull.receive(), ["x"]);
  });
});

describeOver(TRANSPORTS, "immediate", (transport) => {
  afterEach(() => cleanup.run());

  it("keeps messages from peers that are away", async () => {
    const pull = await bound(anywhere(transport));
    const push = cleanup.add(new Push({ ...QUICK, immediate: true }));
    push.connect(nowhere(transport));
    push.connect(pull.lastEndpoint!);
    for (let i = 0; i < 100; i++) await push.send(String(i));
    assertEquals(await takeNumbers(pull, 100), range(0, 100));
  });
});

describeOver(SYSTEM_TRANSPORTS, "close with linger and a peer that is slow", (transport) => {
  afterEach(() => cleanup.run());

  it("-1 delivers all of it to a peer that reads slowly", async () => {
    const push = cleanup.add(new Push({ sendHighWaterMark: 0 }));
    await push.bind(anywhere(transport));
    const slow = cleanup.add(await connectAs(push.lastEndpoint!, "PULL"));
    slow.pause();
    await eventually(() => push.writable);
    const body = new Uint8Array(100_000);
    for (let i = 0; i < 200; i++) await push.send([String(i), body]);
    const closing = push.close();
    await staysPending(closing, EARLY_MS, "a close with messages left");
    slow.resume();
    const numbers = await takeNumbers({ receive: () => takeMessage(slow) }, 200);
    assertEquals(numbers, range(0, 200));
    slow.destroy();
    await within(closing, 5_000, "close");
  });

  it("of some milliseconds gives a peer that does not read up after that time", async () => {
    const push = cleanup.add(new Push({ linger: 150, sendHighWaterMark: 10 }));
    await push.bind(anywhere(transport));
    const deaf = cleanup.add(await connectAs(push.lastEndpoint!, "PULL"));
    deaf.pause();
    await eventually(() => push.writable);
    await fill(push, [new Uint8Array(100_000)]);
    await expectLinger(push);
  });
});

describeOver(SYSTEM_TRANSPORTS, "immediate and a peer that is lost", (transport) => {
  afterEach(() => cleanup.run());

  it("gives what waits to the others", async () => {
    const server = cleanup.add(await RawServer.listen(await reserve(transport)));
    const push = cleanup.add(new Push({ ...QUICK, immediate: true, sendHighWaterMark: 50 }));
    push.connect(server.endpoint);
    const deaf = await server.accept();
    await shakeHands(deaf, "PULL");
    deaf.pause();
    await eventually(() => push.writable);
    const queued = await fill(push, ["x", new Uint8Array(10_000)]);
    server.close();
    const pull = await bound(anywhere(transport));
    push.connect(pull.lastEndpoint!);
    for (let i = 0; i < 50; i++) await pull.receive();
    assertGreater(queued, 50);
    await eventually(() => push.writable);
  });
});
