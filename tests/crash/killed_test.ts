// Peers on every runtime, and libzmq, are killed in the middle of things, and others take their place. What survives loses
// nothing that it still holds, repeats nothing, keeps the order, says what happened, and goes on. Messages that a killed
// process had taken, or that its system had taken for it, are lost with it.

import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  curveKeyPair,
  Dealer,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
  type ZmqError,
} from "../../mod.ts";
import { assertFrames, textsOf } from "../_util/bytes.ts";
import { eventually, pause, within } from "../_util/deadline.ts";
import { codeOf, EventLog } from "../_util/event_log.ts";
import { memory, memoryInUse } from "../_util/memory.ts";
import { freeEndpoint } from "../_util/ports.ts";
import { rejection } from "../_util/rejection.ts";
import { Opened, receiveSequence } from "../_util/traffic.ts";
import { parted, Peers, SIDES, twoSides } from "./peers.ts";

const WAIT_MS = 15_000;
const CLOSE_MS = 2_000;
const MB = 1_000_000;
const LONG = 40 * MB;
const QUICK = { reconnectInterval: 10 } as const;
const SENDS = { ...QUICK, sendTimeout: WAIT_MS } as const;
const RECEIVES = { ...QUICK, receiveTimeout: WAIT_MS } as const;
const BOTH = { ...SENDS, ...RECEIVES } as const;

describe("a peer is killed", () => {
  const opened = new Opened();
  const peers = new Peers();
  afterEach(async () => {
    await within(opened.close(), CLOSE_MS, "survivors close");
    await peers.kill();
  });

  it("in the middle of a long message that it sends: nothing of it is received, nor kept", async () => {
    const sides = twoSides(0);
    const pull = opened.add(new Pull(RECEIVES));
    const log = new EventLog(pull);
    await pull.bind("tcp://127.0.0.1:*");
    const before = [memoryInUse(), memory()];
    for (const side of sides) {
      const [peer, push] = await peers.open(side, "Push");
      await push.connect(pull.lastEndpoint!);
      await push.sendSequence(0, 1);
      assertEquals(await receiveSequence(pull, 1), [[0, 0]]);
      const start = pull.stats().bytesIn;
      push.sendSequence(1, 2, LONG).catch(() => {}); // it dies over it
      await eventually(() => pull.stats().bytesIn > start + MB);
      await peer.kill();
      assertLess(pull.stats().bytesIn, start + LONG, `${side} was killed in the middle`);
      const { error, address } = await log.next("disconnect", WAIT_MS);
      assertEquals(address, pull.lastEndpoint);
      assert(error === undefined || codeOf({ error }) === "ECONNRESET", String(error));
      assertEquals(pull.tryReceive(), undefined);
    }
    // Bun counts what is given back as used for a while, the others keep it from the system.
    const grown = (): number => Math.min(memoryInUse() - before[0], memory() - before[1]);
    await eventually(() => grown() < LONG / 2, WAIT_MS, "memory returns");
  });

  it("in the middle of a long message that it is sent: the next one gets it whole", async () => {
    const sides = twoSides(1);
    const push = opened.add(new Push(SENDS));
    const endpoint = await freeEndpoint();
    push.connect(endpoint);
    let next = 0;
    const send = (size: number): Promise<void> =>
      push.send([String(next++), new Uint8Array(size).fill(46)]);
    for (const side of sides) {
      const [peer, pull] = await peers.open(side, "Pull");
      await pull.bind(endpoint);
      await send(0);
      // What the one before did not get, and then what is new.
      const count = next === 1 ? 1 : 3;
      assertEquals(await pull.receiveSequence(count), [[next - count, next - 1]]);
      await peers.freeze(peer);
      await send(LONG);
      const { bytesOut } = push.stats();
      await send(100);
      await pause(20);
      assertGreater(next * LONG, bytesOut, "its system does not take all of it");
      await peer.kill();
    }
  });

  it("in its handshake, again and again: others are served meanwhile", async () => {
    const { publicKey, secretKey } = curveKeyPair();
    const reply = opened.add(new Reply({ curveServer: true, curveSecretKey: secretKey }));
    await reply.bind("tcp://127.0.0.1:*");
    void (async () => {
      for await (const frames of reply) await reply.send(frames);
    })();
    const keys = curveKeyPair();
    const client = {
      curveServerKey: publicKey,
      curvePublicKey: keys.publicKey,
      curveSecretKey: keys.secretKey,
    };
    const healthy = opened.add(new Request({ ...BOTH, ...client }));
    healthy.connect(reply.lastEndpoint!);
    for (const [i, side] of SIDES.entries()) {
      const [peer, request] = await peers.open(side, "Request", client);
      // It dies before, in or after its handshake.
      request.connect(reply.lastEndpoint!).catch(() => {});
      request.send("x").catch(() => {});
      await pause(i);
      await peer.kill();
      await healthy.send(side);
      assertFrames(await healthy.receive(), [side]);
    }
    await eventually(() => reply.stats().peers.length === 1, WAIT_MS, "only one is left");
  });

  it("while we shake hands with it: what was sent goes to the next one", async () => {
    const sides = twoSides(3);
    const push = opened.add(new Push(SENDS));
    const log = new EventLog(push);
    const [peer, pull] = await peers.open(sides[0], "Pull");
    const endpoint = await pull.bind();
    await peers.freeze(peer);
    // Its system takes the connection, and nobody greets.
    push.connect(endpoint);
    await log.next("connect", WAIT_MS);
    for (let i = 0; i < 10; i++) await push.send(String(i));
    await peer.kill();
    await log.next("connect:retry", WAIT_MS);
    assertEquals(log.of("handshake"), []);
    const [, successor] = await peers.open(sides[1], "Pull");
    await successor.bind(endpoint);
    assertEquals(await successor.receiveSequence(10), [[0, 9]]);
  });

  it("in a flood that it is sent: the next ones go on, in order, without repetition", async () => {
    const sides = twoSides(4);
    const dealer = opened.add(new Dealer(SENDS));
    const log = new EventLog(dealer);
    const endpoint = await freeEndpoint();
    dealer.connect(endpoint);
    let sent = 0;
    let flooding = true;
    const flood = (async () => {
      for (; flooding; sent++) await dealer.send([String(sent), new Uint8Array(500)]);
    })();
    let last = -1;
    for (const side of sides) {
      const [peer, pull] = await peers.open(side, "Dealer");
      await pull.bind(endpoint);
      const runs = await pull.receiveSequence(1_000);
      assertEquals(runs.length, 1, `${side}, without gaps: ${runs}`);
      assertGreater(runs[0][0], last, `${side} gets nothing twice`);
      last = runs[0][1];
      await peer.kill();
      await log.next("disconnect", WAIT_MS);
    }
    flooding = false;
    const [, final] = await peers.open(sides[0], "Dealer");
    await final.bind(endpoint);
    await flood;
    await dealer.send(String(sent));
    // All that is held still comes, to the last one.
    let runs = await final.receiveSequence(1);
    assertGreater(runs[0][0], last);
    if (runs[0][1] < sent) runs = await final.receiveSequence(sent - runs[0][1]);
    assertEquals(runs.map(([, to]) => to), [sent]);
  });

  it("in floods that it sends: whole messages, in order, of all of them", async () => {
    const sides = twoSides(5);
    const pull = opened.add(new Pull(RECEIVES));
    await pull.bind("tcp://127.0.0.1:*");
    const victims = await Promise.all(sides.map((side) => peers.open(side, "Push")));
    const GENERATION = 1_000_000;
    for (const [i, [, push]] of victims.entries()) {
      await push.connect(pull.lastEndpoint!);
      push.sendSequence(i * GENERATION, (i + 1) * GENERATION, 2_000).catch(() => {});
    }
    const next = sides.map((_, i) => i * GENERATION);
    const take = async (): Promise<void> => {
      const [number, body] = await pull.receive();
      const generation = Math.floor(Number(String(number)) / GENERATION);
      assertEquals([Number(String(number)), body.length], [next[generation]++, 2_000]);
    };
    for (const [i, [peer]] of victims.entries()) {
      while (next[i] < i * GENERATION + 500) await take();
      await peer.kill();
    }
    // What had arrived is there still; while it is not read, nobody sees that its sender is gone.
    const isOver = (): boolean => !pull.readable && pull.stats().peers.length === 0;
    while (!isOver()) {
      if (pull.readable) await take();
      else await eventually(() => pull.readable || isOver(), WAIT_MS, "the end of the killed");
    }
  });

  it("with a request of ours: REQ asks the next one", async () => {
    const sides = twoSides(6);
    const request = opened.add(new Request({ ...BOTH, relaxed: true, correlate: true }));
    const endpoint = await freeEndpoint();
    request.connect(endpoint);
    for (const side of sides) {
      const [peer, reply] = await peers.open(side, "Reply");
      await reply.bind(endpoint);
      await Promise.all([reply.echo(1), request.send(`to ${side}`)]);
      assertFrames(await request.receive(), [`to ${side}`]);
      await request.send("lost");
      await reply.receive();
      await peer.kill();
      request.receiveTimeout = 50;
      await rejection(request.receive(), "EAGAIN");
      request.receiveTimeout = WAIT_MS;
    }
  });

  it("that a ROUTER knows by name: it is told, and reaches the next one of that name", async () => {
    const sides = twoSides(7);
    const router = opened.add(new Router({ ...BOTH, mandatory: true }));
    await router.bind("tcp://127.0.0.1:*");
    for (const side of sides) {
      const [peer, dealer] = await peers.open(side, "Dealer", { routingId: "worker" });
      await dealer.connect(router.lastEndpoint!);
      await dealer.send(side);
      assertEquals(textsOf(await router.receive()), ["worker", side]);
      await router.send(["worker", "job"]);
      assertFrames(await dealer.receive(), ["job"]);
      await peer.kill();
      await eventually(async () => {
        const code = await router.send(["worker", "job"])
          .then(() => "", (error: ZmqError) => error.code);
        return code === "EHOSTUNREACH";
      }, WAIT_MS);
    }
  });

  it("that we subscribed to: the topics are at the next one, events tell all", async () => {
    const sides = twoSides(8);
    const sub = opened.add(new Subscriber(RECEIVES));
    const log = new EventLog(sub);
    sub.subscribe("a", "b");
    sub.unsubscribe("b");
    const endpoint = await freeEndpoint();
    sub.connect(endpoint);
    for (const [i, side] of sides.entries()) {
      const [peer, pub] = await peers.open(side, "XPublisher");
      await pub.bind(endpoint);
      assertFrames(await pub.receive(), ["\x01a"]);
      await pub.send("b", "not wanted");
      await pub.send("a", side);
      assertFrames(await sub.receive(), ["a", side]);
      await peer.kill();
      // Each life tells the same: it was reached, it was greeted, it is gone.
      await parted(log, i + 1);
      assertGreaterOrEqual(log.of("connect").length, i + 1);
    }
    await log.next("connect:retry");
  });

  it("that has subscribed: the publisher forgets it and serves the others", async () => {
    const sides = twoSides(9);
    const pub = opened.add(new Publisher({ ...QUICK, sendHighWaterMark: 0 }));
    await pub.bind("tcp://127.0.0.1:*");
    const stays = opened.add(new Subscriber({ ...RECEIVES, receiveHighWaterMark: 0 }));
    stays.subscribe("");
    stays.connect(pub.lastEndpoint!);
    const victims = await Promise.all(sides.map((side) => peers.open(side, "Subscriber")));
    for (const [, sub] of victims) {
      await sub.connect(pub.lastEndpoint!);
      await sub.subscribe("");
    }
    await eventually(() =>
      pub.stats().peers.filter((peer) => peer.subscriptions === 1).length === 3
    );
    let sent = 0;
    const publish = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await pub.send([String(sent++), new Uint8Array(100)]);
    };
    for (const [peer] of victims) {
      await publish(500);
      await peer.kill();
      await publish(500);
    }
    assertEquals(await receiveSequence(stays, sent), [[0, sent - 1]]);
    await eventually(() => pub.stats().peers.length === 1, WAIT_MS);
  });
});
