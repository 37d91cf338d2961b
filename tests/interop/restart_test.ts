// A libzmq peer is killed and a successor takes its place. What ZeroMQ promises then: messages
// that were not handed to the old connection yet go to the new one, in order, none twice; those
// the dead process had taken are lost with it.

import { assertEquals, assertGreater, assertLessOrEqual, assertRejects } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import { Dealer, Pair, Pull, Push, Reply, Request, Router, ZmqError } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { SENDS_AND_RECEIVES } from "../_util/pairing.ts";
import { type Peer, type PeerSocket, startPeer } from "../_util/peer.ts";
import type { PeerOptions, PeerSocketType } from "../_util/peer.ts";
import { echo, exchange, Opened, receiveSequence, sendSequence } from "../_util/traffic.ts";
import { describeOver, reserve } from "../_util/transports.ts";

const QUICK = { reconnectInterval: 20 } as const;
const SENDS = { ...QUICK, sendTimeout: 30_000 } as const;
const RECEIVES = { ...QUICK, receiveTimeout: 30_000 } as const;
const BOTH = { ...QUICK, ...SENDS_AND_RECEIVES } as const;
/** Time for the system to tell us that a killed process's connection is gone. */
const NOTICE_MS = 150;

describeOver(SYSTEM_TRANSPORTS, "a libzmq peer is killed and restarted", (transport) => {
  const opened = new Opened();
  const peers: Peer[] = [];
  const openPeer = async (
    type: PeerSocketType,
    options: PeerOptions = {},
  ): Promise<[Peer, PeerSocket]> => {
    const peer = startPeer();
    peers.push(peer);
    return [peer, await peer.open(type, options)];
  };
  afterEach(async () => {
    await opened.close();
    await Promise.all(peers.splice(0).map((peer) => peer.stop()));
  });

  it("PUSH keeps for the successor what it is sent meanwhile", async () => {
    const push = opened.add(new Push(SENDS));
    const [first, pull] = await openPeer("Pull");
    const endpoint = await pull.bind(await reserve(transport));
    push.connect(endpoint);
    await sendSequence(push, 0, 100, 100);
    assertEquals(await pull.receiveSequence(100), [[0, 99]]);
    await first.kill();
    await pause(NOTICE_MS);
    await sendSequence(push, 100, 600, 100);
    const [, successor] = await openPeer("Pull");
    await successor.bind(endpoint);
    assertEquals(await successor.receiveSequence(500), [[100, 599]]);
    await sendSequence(push, 600, 1_600, 100);
    assertEquals(await successor.receiveSequence(1_000), [[600, 1_599]]);
  });

  it("PUSH goes on without gaps when it is cut off in a flood", async () => {
    const push = opened.add(new Push(SENDS));
    const [first, pull] = await openPeer("Pull");
    const endpoint = await pull.bind(await reserve(transport));
    push.connect(endpoint);
    let sent = 0;
    let flooding = true;
    const flood = (async () => {
      while (flooding) await sendSequence(push, sent, ++sent, 500);
    })();
    assertEquals(await pull.receiveSequence(5_000), [[0, 4_999]]);
    await first.kill();
    const [, successor] = await openPeer("Pull");
    await successor.bind(endpoint);
    const runs = await successor.receiveSequence(20_000);
    assertEquals(runs.length, 1, `gaps or repetitions: ${runs}`);
    assertGreater(runs[0][0], 4_999);
    flooding = false;
    await Promise.all([flood, successor.receiveSequence(sent - 1 - runs[0][1])]);
  });

  for (const role of ["bind", "connect"] as const) {
    it(`PUSH gives to the successor what a killed peer did not take, we ${role}`, async () => {
      const mark = 1_000;
      const push = opened.add(new Push({ ...QUICK, sendTimeout: 0, sendHighWaterMark: mark }));
      const [first, pull] = await openPeer("Pull", { receiveHighWaterMark: 1 });
      if (role === "bind") await push.bind(anywhere(transport));
      const endpoint = role === "bind"
        ? push.lastEndpoint!
        : await pull.bind(await reserve(transport));
      if (role === "bind") await pull.connect(endpoint);
      else push.connect(endpoint);
      const accepted = await fill(push);
      await first.kill();
      await pause(NOTICE_MS);
      const [, successor] = await openPeer("Pull");
      if (role === "bind") await successor.connect(endpoint);
      else await successor.bind(endpoint);
      // At least what waited in the full queue is there still, and nothing after it is missing.
      const [[from, to]] = await successor.receiveSequence(mark);
      assertEquals(to - from + 1, mark);
      assertLessOrEqual(from, accepted - mark);
      if (to + 1 < accepted) {
        assertEquals(await successor.receiveSequence(accepted - to - 1), [[to + 1, accepted - 1]]);
      }
    });
  }

  it("PUSH gives to another peer what it is sent after one was killed", async () => {
    const push = opened.add(new Push(SENDS));
    await push.bind(anywhere(transport));
    const [first, one] = await openPeer("Pull");
    const [, two] = await openPeer("Pull");
    await one.connect(push.lastEndpoint!);
    await sendSequence(push, 0, 1);
    await one.receive();
    await two.connect(push.lastEndpoint!);
    await first.kill();
    await pause(NOTICE_MS);
    await sendSequence(push, 1, 501);
    assertEquals(await two.receiveSequence(500), [[1, 500]]);
  });

  it("PULL gets whole messages only, and then its successor's", async () => {
    const pull = opened.add(new Pull(RECEIVES));
    await pull.bind(anywhere(transport));
    const [first, push] = await openPeer("Push");
    await push.connect(pull.lastEndpoint!);
    const flooding = push.sendSequence(0, 1_000_000, 5_000).catch(() => {});
    const [[start, before]] = await receiveSequence(pull, 1_000);
    assertEquals([start, before], [0, 999]);
    await first.kill();
    await flooding;
    const [, successor] = await openPeer("Push");
    await successor.connect(pull.lastEndpoint!);
    await successor.sendSequence(2_000_000, 2_000_100, 5_000);
    // What the first had put on the wire arrives without a gap, and so does the successor's.
    let fromFirst = before;
    let fromSuccessor = 1_999_999;
    while (fromSuccessor < 2_000_099) {
      const [number, filler] = await pull.receive();
      const next = Number(String(number)) < 2_000_000 ? ++fromFirst : ++fromSuccessor;
      assertEquals([Number(String(number)), filler.length], [next, 5_000]);
    }
  });

  it("PULL reconnects to the successor", async () => {
    const pull = opened.add(new Pull(RECEIVES));
    const [first, push] = await openPeer("Push");
    const endpoint = await push.bind(await reserve(transport));
    pull.connect(endpoint);
    await push.sendSequence(0, 100);
    assertEquals(await receiveSequence(pull, 100), [[0, 99]]);
    await first.kill();
    const [, successor] = await openPeer("Push");
    await successor.bind(endpoint);
    const [runs] = await Promise.all([
      receiveSequence(pull, 1_000),
      successor.sendSequence(100, 1_100),
    ]);
    assertEquals(runs, [[100, 1_099]]);
  });

  it("PAIR reconnects to the successor and keeps what it is sent meanwhile", async () => {
    const pair = opened.add(new Pair(BOTH));
    const [first, theirs] = await openPeer("Pair");
    const endpoint = await theirs.bind(await reserve(transport));
    pair.connect(endpoint);
    await Promise.all([theirs.echo(10), sendSequence(pair, 0, 10)]);
    assertEquals(await receiveSequence(pair, 10), [[0, 9]]);
    await first.kill();
    await pause(NOTICE_MS);
    await sendSequence(pair, 10, 110);
    const [, successor] = await openPeer("Pair");
    await successor.bind(endpoint);
    await successor.echo(100);
    assertEquals(await receiveSequence(pair, 100), [[10, 109]]);
  });

  it("a bound PAIR takes the successor", async () => {
    const pair = opened.add(new Pair(BOTH));
    await pair.bind(anywhere(transport));
    for (let i = 0; i < 3; i++) {
      const [peer, theirs] = await openPeer("Pair");
      await theirs.connect(pair.lastEndpoint!);
      await theirs.sendSequence(0, 10);
      assertEquals(await receiveSequence(pair, 10), [[0, 9]]);
      await sendSequence(pair, 0, 10);
      assertEquals(await theirs.receiveSequence(10), [[0, 9]]);
      await peer.kill();
      await pause(NOTICE_MS);
    }
  });

  it("REQ asks the successor what it could not ask before", async () => {
    const request = opened.add(new Request(BOTH));
    const [first, reply] = await openPeer("Reply");
    const endpoint = await reply.bind(await reserve(transport));
    request.connect(endpoint);
    await Promise.all([reply.echo(1), request.send("one")]);
    assertFrames(await request.receive(), ["one"]);
    await first.kill();
    await pause(NOTICE_MS);
    await request.send("two");
    const [, successor] = await openPeer("Reply");
    await successor.bind(endpoint);
    await successor.echo(1);
    assertFrames(await request.receive(), ["two"]);
  });

  it("REQ with relaxed asks again when its request died with the peer", async () => {
    const request = opened.add(
      new Request({ ...BOTH, receiveTimeout: 300, relaxed: true, correlate: true }),
    );
    const [first, reply] = await openPeer("Reply");
    const endpoint = await reply.bind(await reserve(transport));
    request.connect(endpoint);
    await request.send("lost");
    assertFrames(await reply.receive(), ["lost"]);
    await first.kill();
    const error = await assertRejects(() => request.receive(), ZmqError);
    assertEquals(error.code, "EAGAIN");
    const [, successor] = await openPeer("Reply");
    await successor.bind(endpoint);
    request.receiveTimeout = 30_000;
    await request.send("asked again");
    await successor.echo(1);
    assertFrames(await request.receive(), ["asked again"]);
    const spec = { seed: 6, count: 100, sizes: [100], parts: [1, 2] } as const;
    await Promise.all([successor.echo(spec.count), exchange(request, spec)]);
  });

  it("REP serves the successor of a REQ that died unanswered", async () => {
    const reply = opened.add(new Reply(BOTH));
    await reply.bind(anywhere(transport));
    const spec = { seed: 7, count: 100, sizes: [100], parts: [1, 2] } as const;
    const [first, request] = await openPeer("Request");
    await request.connect(reply.lastEndpoint!);
    await Promise.all([request.exchange(spec), echo(reply, spec.count)]);
    await request.send("unanswered");
    await reply.receive();
    await first.kill();
    await pause(NOTICE_MS);
    await reply.send("to nobody");
    const [, successor] = await openPeer("Request");
    await successor.connect(reply.lastEndpoint!);
    await Promise.all([successor.exchange(spec), echo(reply, spec.count)]);
  });

  it("DEALER keeps its routing id and its messages for a ROUTER's successor", async () => {
    const dealer = opened.add(new Dealer({ ...BOTH, routingId: "us" }));
    const [first, router] = await openPeer("Router");
    const endpoint = await router.bind(await reserve(transport));
    dealer.connect(endpoint);
    await dealer.send("hello");
    assertFrames(await router.receive(), ["us", "hello"]);
    await first.kill();
    await pause(NOTICE_MS);
    for (let i = 0; i < 100; i++) await dealer.send(["kept", String(i)]);
    const [, successor] = await openPeer("Router", { mandatory: true });
    await successor.bind(endpoint);
    for (let i = 0; i < 100; i++) {
      assertFrames(await successor.receive(), ["us", "kept", String(i)]);
    }
    await successor.send("us", "welcome back");
    assertFrames(await dealer.receive(), ["welcome back"]);
  });

  it("ROUTER cannot reach a DEALER that was killed, and can its successor", async () => {
    const router = opened.add(new Router({ ...BOTH, mandatory: true }));
    await router.bind(anywhere(transport));
    const [first, dealer] = await openPeer("Dealer", { routingId: "worker" });
    await dealer.connect(router.lastEndpoint!);
    await dealer.send("ready");
    assertFrames(await router.receive(), ["worker", "ready"]);
    await first.kill();
    await eventually(async () => {
      try {
        await router.send(["worker", "job"]);
        return false;
      } catch (error) {
        return error instanceof ZmqError && error.code === "EHOSTUNREACH";
      }
    });
    const [, successor] = await openPeer("Dealer", { routingId: "worker" });
    await successor.connect(router.lastEndpoint!);
    await successor.send("ready again");
    assertFrames(await router.receive(), ["worker", "ready again"]);
    await router.send(["worker", "job"]);
    assertFrames(await successor.receive(), ["job"]);
  });
});

/** Sends numbered messages until the socket stays full; how many it accepted. */
async function fill(push: Push): Promise<number> {
  let accepted = 0;
  for (let refusals = 0; refusals < 10;) {
    try {
      await sendSequence(push, accepted, accepted + 1, 10_000);
      accepted++;
      refusals = 0;
    } catch (error) {
      if (!(error instanceof ZmqError) || error.code !== "EAGAIN") throw error;
      refusals++;
      await pause(20);
    }
  }
  return accepted;
}
