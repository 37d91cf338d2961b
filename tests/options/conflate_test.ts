// conflate on PUSH, PULL and DEALER: only the newest message is kept. On PUB and SUB: see pubsub_bodies_test.ts.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Pull, Push, Router } from "../../mod.ts";
import { textsOf } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { concat } from "../_util/octets.ts";
import { ANY_PORT, freeEndpoint } from "../_util/ports.ts";
import type { RawConnection } from "../_util/raw_peer.ts";
import { connectAs, message, ping, takeFrame, takeMessage } from "../_util/raw_zmtp.ts";
import { rejection } from "../_util/rejection.ts";

const cleanup = new Cleanup();
const RECEIVES = { receiveTimeout: 5_000 } as const;
const QUICK = { reconnectInterval: 10 } as const;

/** Sends the texts and waits until the other side has read them all. */
async function deliver(peer: RawConnection, texts: readonly string[]): Promise<void> {
  peer.send(concat(...texts.map((text) => message(text))), ping("read"));
  while (!(await takeFrame(peer)).command);
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}

for (const type of [Push, Dealer]) {
  describe(`conflate at the sending side of a ${type.name}`, () => {
    afterEach(() => cleanup.run());

    it("keeps the newest message for a peer that is not there yet, and never waits", async () => {
      const endpoint = await freeEndpoint();
      const socket = cleanup.add(
        new type({ ...QUICK, conflate: true, sendTimeout: 0, sendHighWaterMark: 2 }),
      );
      socket.connect(endpoint);
      for (const text of numbered(1_000)) await socket.send(text);
      const other = cleanup.add(type === Push ? new Pull(RECEIVES) : new Dealer(RECEIVES));
      await other.bind(endpoint);
      assertEquals(textsOf(await other.receive()), ["999"]);
      await socket.send("next");
      assertEquals(textsOf(await other.receive()), ["next"]);
    });

    it("keeps one for each peer", async () => {
      const endpoints = await Promise.all([freeEndpoint(), freeEndpoint()]);
      const socket = cleanup.add(new type({ ...QUICK, conflate: true, sendTimeout: 0 }));
      for (const endpoint of endpoints) socket.connect(endpoint);
      for (const text of numbered(100)) await socket.send(text);
      const got: string[] = [];
      for (const endpoint of endpoints) {
        const other = cleanup.add(type === Push ? new Pull(RECEIVES) : new Dealer(RECEIVES));
        await other.bind(endpoint);
        got.push(...textsOf(await other.receive()));
      }
      assertEquals(got.sort(), ["98", "99"]);
    });

    it("skips what a slow peer is too late for, and keeps the order of the rest", async () => {
      const socket = cleanup.add(new type({ conflate: true, sendTimeout: 0 }));
      await socket.bind(ANY_PORT);
      const slow = cleanup.add(
        await connectAs(socket.lastEndpoint!, type === Push ? "PULL" : "DEALER"),
      );
      await eventually(() => socket.writable);
      slow.pause();
      const body = "x".repeat(20_000);
      for (const text of numbered(2_000)) await socket.send(`${text} ${body}`);
      slow.resume();
      const seen: number[] = [];
      while (seen.at(-1) !== 1_999) {
        seen.push(Number.parseInt(textsOf(await takeMessage(slow))[0]));
      }
      assertLess(seen.length, 1_500);
      assert(seen.every((number, i) => i === 0 || number > seen[i - 1]), seen.join());
    });

    it("is not there by default: everything is kept", async () => {
      const endpoint = await freeEndpoint();
      const socket = cleanup.add(new type(QUICK));
      socket.connect(endpoint);
      for (const text of numbered(50)) await socket.send(text);
      const other = cleanup.add(type === Push ? new Pull(RECEIVES) : new Dealer(RECEIVES));
      await other.bind(endpoint);
      for (const text of numbered(50)) assertEquals(textsOf(await other.receive()), [text]);
    });
  });
}

for (const type of [Pull, Dealer]) {
  const peerType = type === Pull ? "PUSH" : "DEALER";

  describe(`conflate at the receiving side of a ${type.name}`, () => {
    afterEach(() => cleanup.run());

    async function bound(options: object): Promise<Pull | Dealer> {
      const socket = cleanup.add(new type({ ...RECEIVES, ...options }));
      await socket.bind(ANY_PORT);
      return socket;
    }

    async function peer(socket: Pull | Dealer): Promise<RawConnection> {
      return cleanup.add(await connectAs(socket.lastEndpoint!, peerType));
    }

    it("keeps the newest of what is unread, and nothing else", async () => {
      const socket = await bound({ conflate: true });
      const other = await peer(socket);
      for (let round = 0; round < 3; round++) {
        await deliver(other, numbered(100));
        assertEquals(textsOf(await socket.receive()), ["99"]);
        assertEquals(socket.readable, false);
        socket.receiveTimeout = 0;
        await rejection(socket.receive(), "EAGAIN");
        socket.receiveTimeout = 5_000;
      }
    });

    it("reads on, whatever receiveHighWaterMark says", async () => {
      const socket = await bound({ conflate: true, receiveHighWaterMark: 1 });
      const other = await peer(socket);
      await deliver(other, numbered(5_000));
      assertEquals(textsOf(await socket.receive()), ["4999"]);
    });

    it("keeps one of each peer", async () => {
      const socket = await bound({ conflate: true });
      for (const name of ["a", "b", "c"]) {
        await deliver(await peer(socket), numbered(20).map((text) => name + text));
      }
      const got: string[] = [];
      for (let i = 0; i < 3; i++) got.push(...textsOf(await socket.receive()));
      assertEquals(got.sort(), ["a19", "b19", "c19"]);
      assertEquals(socket.readable, false);
    });

    it("gives everything to a receive that waits already", async () => {
      const socket = await bound({ conflate: true });
      const other = await peer(socket);
      for (const text of numbered(20)) {
        const receiving = socket.receive();
        await deliver(other, [text]);
        assertEquals(textsOf(await receiving), [text]);
      }
    });

    it("is not there by default: everything is kept", async () => {
      const socket = await bound({});
      await deliver(await peer(socket), numbered(50));
      for (const text of numbered(50)) assertEquals(textsOf(await socket.receive()), [text]);
    });
  });
}

describe("conflate over inproc", () => {
  afterEach(() => cleanup.run());

  for (const type of [Push, Dealer]) {
    for (const binds of ["sender", "receiver"] as const) {
      for (const end of ["sender", "receiver"] as const) {
        it(`of a ${type.name}'s ${end} keeps the newest, when the ${binds} binds`, async () => {
          const conflate = { conflate: true };
          const from = cleanup.add(new type({ sendTimeout: 0, ...end === "sender" && conflate }));
          const to = cleanup.add(
            new (type === Push ? Pull : Dealer)({ ...RECEIVES, ...end === "receiver" && conflate }),
          );
          const address = `inproc://conflate-${type.name}-${binds}-${end}`;
          const [bound, other] = binds === "sender" ? [from, to] : [to, from];
          await bound.bind(address);
          other.connect(address);
          await eventually(() => from.writable);
          for (const text of numbered(3_000)) await from.send(text);
          assertEquals(textsOf(await to.receive()), ["2999"]);
          await from.send("next");
          assertEquals(textsOf(await to.receive()), ["next"]);
        });
      }
    }
  }
});

describe("conflate of a Dealer", () => {
  afterEach(() => cleanup.run());

  it("works both ways at once, with a Router that answers each request", async () => {
    const router = cleanup.add(new Router(RECEIVES));
    await router.bind(ANY_PORT);
    const dealer = cleanup.add(new Dealer({ ...RECEIVES, conflate: true }));
    dealer.connect(router.lastEndpoint!);
    for (let i = 0; i < 20; i++) {
      await dealer.send(`question ${i}`);
      const [id, question] = await router.receive();
      await router.send([id, `${question} answered`]);
      assertEquals(textsOf(await dealer.receive()), [`question ${i} answered`]);
    }
    for (const text of numbered(200)) await dealer.send(text);
    let last = "";
    let count = 0;
    while (last !== "199") {
      last = String((await router.receive())[1]);
      count++;
    }
    assertGreater(count, 0);
  });
});
