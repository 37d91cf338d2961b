// Peers on every runtime, and libzmq, stand still for a while: their system answers for them, they do not. Heartbeats notice
// in time; without them back-pressure holds, memory does not grow, and nothing is lost when they go on.

import { assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { Publisher, Pull, Push, type Reply, Request, Router, Subscriber } from "../../mod.ts";
import { assertFrames, textsOf } from "../_util/bytes.ts";
import { eventually, pause, staysPending, within } from "../_util/deadline.ts";
import { codeOf, EventLog } from "../_util/event_log.ts";
import { fill } from "../_util/filling.ts";
import { memoryInUse } from "../_util/memory.ts";
import type { Peer, PeerSocket } from "../_util/peer.ts";
import { rejection } from "../_util/rejection.ts";
import { Opened, receiveSequence } from "../_util/traffic.ts";
import { Peers, type Side, SIDES, tells } from "./peers.ts";

const WAIT_MS = 15_000;
const MB = 1_000_000;
const QUICK = { reconnectInterval: 20 } as const;
const SENDS = { ...QUICK, sendTimeout: WAIT_MS } as const;
const RECEIVES = { ...QUICK, receiveTimeout: WAIT_MS } as const;
const BEATS = { heartbeatInterval: 100, heartbeatTimeout: 300 } as const;
/** A silent peer is asked after the interval and given up after the timeout; the rest is for a busy machine. */
const NOTICE_MS = 100 + 300 + 1_000;

describe("a peer is frozen", () => {
  const opened = new Opened();
  const peers = new Peers();
  const frozen: [Side, Peer][] = [];
  const theirs: PeerSocket[] = [];
  const openOn = async (...args: Parameters<Peer["open"]>): Promise<PeerSocket[]> => {
    const sockets = await Promise.all(frozen.map(([, peer]) => peer.open(...args)));
    theirs.push(...sockets);
    return sockets;
  };
  const freeze = (): Promise<void> => peers.freeze(...frozen.map(([, peer]) => peer));
  const thaw = (): void => frozen.forEach(([, peer]) => peer.thaw());

  before(() => {
    for (const side of SIDES) frozen.push([side, peers.start(side)]);
  });
  after(() => peers.kill());
  afterEach(async () => {
    thaw();
    await opened.close();
    await Promise.all(theirs.splice(0).map((socket) => socket.close()));
  });

  it("while a PUSH sends to it: the PUSH waits, holds no more, and loses nothing", async () => {
    const pulls = await openOn("Pull");
    const pushes: [Push, PeerSocket][] = [];
    for (const pull of pulls) {
      const push = opened.add(new Push({ ...SENDS, sendHighWaterMark: 20 }));
      push.connect(await pull.bind());
      await push.send("0");
      assertEquals(await pull.receiveSequence(1), [[0, 0]]);
      pushes.push([push, pull]);
    }
    await freeze();
    const counts: number[] = [];
    for (const [push] of pushes) counts.push(await fillWithNumbers(push));
    const full = memoryInUse();
    const waiting = pushes.map(([push], i) => push.send(String(counts[i])));
    await staysPending(Promise.race(waiting), 300, "a send to a frozen peer");
    assertLess(memoryInUse(), full + 5 * MB, "no more is held than fits");
    for (const [push] of pushes) {
      assertEquals(push.writable, false);
      assertEquals(push.stats().peers.map(({ connected }) => connected), [true]);
    }
    thaw();
    for (const [i, [, pull]] of pushes.entries()) {
      assertEquals(await pull.receiveSequence(counts[i]), [[1, counts[i]]]);
    }
    await Promise.all(waiting);
  });

  it("while it sends: what it had sent comes, then the rest", async () => {
    const pull = opened.add(new Pull(RECEIVES));
    await pull.bind("tcp://127.0.0.1:*");
    const pushes = await openOn("Push");
    const sending: Promise<void>[] = [];
    for (const [i, push] of pushes.entries()) {
      await push.connect(pull.lastEndpoint!);
      sending.push(push.sendSequence(i * MB, i * MB + 3_000, 3_000));
    }
    const next = pushes.map((_, i) => i * MB);
    const take = async (): Promise<void> => {
      const [text, body] = await pull.receive();
      const number = Number(String(text));
      assertEquals([number, body.length], [next[Math.floor(number / MB)]++, 3_000]);
    };
    for (let i = 0; i < 1_000; i++) await take();
    await freeze();
    while (pull.readable) await take();
    thaw();
    for (let i = next.reduce((sum, n) => sum + n % MB, 0); i < pushes.length * 3_000; i++) {
      await take();
    }
    await Promise.all(sending);
  });

  it("with a subscription: it misses what is too much for it, the others nothing", async () => {
    const pub = opened.add(new Publisher({ sendHighWaterMark: 50 }));
    await pub.bind("tcp://127.0.0.1:*");
    const stays = opened.add(new Subscriber(RECEIVES));
    stays.subscribe("");
    stays.connect(pub.lastEndpoint!);
    const subs = await openOn("Subscriber", { receiveHighWaterMark: 50 });
    for (const sub of subs) {
      await sub.connect(pub.lastEndpoint!);
      await sub.subscribe("");
    }
    const count = subs.length + 1;
    const subscribed = (): number =>
      pub.stats().peers.filter(({ subscriptions }) => subscriptions === 1).length;
    await eventually(() => subscribed() === count, WAIT_MS);
    await freeze();
    let sent = 0;
    const dropsOf = (): number[] => pub.stats().peers.map(({ dropped }) => dropped);
    while (dropsOf().filter((dropped) => dropped > 0).length < subs.length) {
      for (let i = 0; i < 20; i++) await pub.send([String(sent++), new Uint8Array(20_000)]);
      assertEquals(await receiveSequence(stays, 20), [[sent - 20, sent - 1]]);
    }
    const dropped = dropsOf().toSorted((a, b) => a - b);
    assertEquals(dropped[0], 0, "who reads loses nothing");
    thaw();
    for (const sub of subs) {
      const [[first, last]] = await sub.receiveSequence(50);
      assertEquals([first, last], [0, 49]);
    }
  });

  it("with a request: REQ asks again, and takes the answer to its last question only", async () => {
    const requests: [Request, PeerSocket][] = [];
    for (const reply of await openOn("Reply")) {
      const request = opened.add(
        new Request({ ...QUICK, relaxed: true, correlate: true, receiveTimeout: 30 }),
      );
      request.connect(await reply.bind());
      await eventually(() => request.stats().peers[0].connected);
      requests.push([request, reply]);
    }
    await freeze();
    for (const [request] of requests) {
      for (let i = 0; i < 3; i++) {
        await request.send(`question ${i}`);
        await rejection(request.receive(), "EAGAIN");
      }
      request.receiveTimeout = WAIT_MS;
    }
    thaw();
    await Promise.all(requests.map(async ([request, reply]) => {
      await Promise.all([reply.echo(4), request.send("last question")]);
      assertFrames(await request.receive(), ["last question"]);
    }));
  });

  it("whom a mandatory ROUTER sends to: the ROUTER waits for it, and serves the others", async () => {
    const router = opened.add(
      new Router({ ...RECEIVES, sendTimeout: 0, mandatory: true, sendHighWaterMark: 10 }),
    );
    await router.bind("tcp://127.0.0.1:*");
    const dealers = await openOn("Dealer");
    for (const [i, dealer] of dealers.entries()) {
      await dealer.connect(router.lastEndpoint!);
      await dealer.send(String(i));
    }
    const ids: Uint8Array[] = [];
    for (let i = 0; i < dealers.length; i++) {
      const [id, number] = await router.receive();
      ids[Number(String(number))] = id;
    }
    const [stopped, ...others] = frozen.map(([, peer]) => peer);
    await peers.freeze(stopped);
    await fill(router, [ids[0], new Uint8Array(10_000)]);
    for (const i of others.keys()) {
      await router.send([ids[i + 1], "served"]);
      assertEquals(textsOf(await dealers[i + 1].receive()), ["served"]);
    }
    await rejection(router.send([ids[0], "full"]), "EAGAIN");
    stopped.thaw();
    router.sendTimeout = WAIT_MS;
    const receiving = dealers[0].receiveSequence(1);
    await router.send([ids[0], "1"]);
    await receiving;
  });

  for (const role of ["connect to", "are connected from"] as const) {
    it(`that we ${role}: heartbeats notice in time, and it is back when it goes on`, async () => {
      const links: [Push, EventLog, PeerSocket][] = [];
      for (const pull of await openOn("Pull", { reconnectInterval: 20 })) {
        const push = opened.add(new Push({ ...SENDS, ...BEATS }));
        links.push([push, new EventLog(push), pull]);
        if (role === "connect to") {
          push.connect(await pull.bind());
        } else {
          await push.bind("tcp://127.0.0.1:*");
          await pull.connect(push.lastEndpoint!);
        }
        await push.send("0");
        assertEquals(await pull.receiveSequence(1), [[0, 0]]);
      }
      const from = performance.now();
      await freeze();
      for (const [i, [push, log]] of links.entries()) {
        const [side] = frozen[i];
        const event = await log.next("disconnect", NOTICE_MS);
        assertLess(event.at - from, NOTICE_MS, side);
        assertGreater(event.at - from, BEATS.heartbeatTimeout - 50, side);
        assertEquals(codeOf(event), "ETIMEDOUT", side);
        if (role === "connect to") await push.send("1");
      }
      thaw();
      for (const [push, log, pull] of links) {
        if (role === "are connected from") {
          await log.nth("handshake", 2, WAIT_MS);
          await push.send("1");
        }
        assertEquals(await pull.receiveSequence(1), [[1, 1]]);
        assertLessOrEqual(log.of("disconnect").length, 2);
      }
    });
  }

  it("while we close: linger 0 does not wait, another one no longer than it says", async () => {
    const sockets: (Push | Reply)[] = [];
    for (const pull of await openOn("Pull")) {
      const push = opened.add(new Push({ ...QUICK, sendTimeout: 0, sendHighWaterMark: 10 }));
      push.connect(await pull.bind());
      await tells(pull, "handshake");
      sockets.push(push);
    }
    await freeze();
    for (const [i, socket] of sockets.entries()) {
      await fill(socket as Push, [new Uint8Array(100_000)]);
      socket.linger = i % 2 === 0 ? 0 : 150;
    }
    const took = await Promise.all(sockets.map(async (socket) => {
      const start = performance.now();
      await within(socket.close(), WAIT_MS, "close");
      return performance.now() - start;
    }));
    for (const [i, ms] of took.entries()) {
      if (i % 2 === 0) assertLess(ms, 140);
      else assertGreater(ms, 140);
      assertLess(ms, 1_000);
    }
  });
});

/** Sends numbers from 1 on until the peer takes no more; the next one. */
async function fillWithNumbers(push: Push): Promise<number> {
  let next = 1;
  const body = new Uint8Array(10_000);
  for (let accepted = true; accepted;) {
    accepted = false;
    for (; push.writable; accepted = true) await push.send([String(next++), body]);
    await pause(50);
  }
  return next;
}
