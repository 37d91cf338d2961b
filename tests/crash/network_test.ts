// The network fails: a cable is pulled out and plugged in again, an address goes away and comes back. One of ours, on the
// runtime of this test, and a libzmq peer talk between two network namespaces, where there can be any.

import { assert, assertEquals } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { eventually, pause } from "../_util/deadline.ts";
import type { Peer, PeerOptions, PeerSocket, PeerSocketType } from "../_util/peer.ts";
import { runtimeName } from "../_util/process.ts";
import { Network, whyNotNamespaces } from "./namespaces.ts";
import { Peers, SIDES, tells } from "./peers.ts";

const why = whyNotNamespaces();
// deno-lint-ignore no-console
if (why !== undefined) console.log(`The tests of a network that fails are left out: ${why}`);

const WAIT_MS = 20_000;
const OURS = 0;
const THEIRS = 1;
const QUICK = { reconnectInterval: 20, connectTimeout: 300 } as const;
const BEATS = { ...QUICK, heartbeatInterval: 100, heartbeatTimeout: 300 } as const;

describe("a network that fails", { ignore: why !== undefined }, () => {
  const peers = new Peers();
  let network: Network;
  let ours: Peer;
  let theirs: Peer;
  const open: PeerSocket[] = [];
  const opened = async (
    peer: Peer,
    type: PeerSocketType,
    options: PeerOptions,
  ): Promise<PeerSocket> => {
    const socket = await peer.open(type, options);
    open.push(socket);
    return socket;
  };
  /** A socket of ours that connects to one of theirs, whose answer to a first message has come. */
  const joined = async (
    type: "Push" | "Dealer",
    options: PeerOptions,
  ): Promise<[PeerSocket, PeerSocket]> => {
    const here = await opened(ours, type, options);
    const there = await opened(theirs, type === "Push" ? "Pull" : "Dealer", {});
    await here.connect(await there.bind(`tcp://${network.host(THEIRS)}:*`));
    await here.sendSequence(0, 1);
    assertEquals(await there.receiveSequence(1), [[0, 0]]);
    return [here, there];
  };

  before(() => {
    network = new Network();
    ours = peers.start(runtimeName, network.on(OURS));
    theirs = peers.start(SIDES.includes("libzmq") ? "libzmq" : runtimeName, network.on(THEIRS));
  });
  after(async () => {
    await peers.kill();
    network.remove();
  });
  afterEach(async () => {
    for (const side of [OURS, THEIRS]) network.plugIn(side);
    await Promise.all(open.splice(0).map((socket) => socket.close()));
  });

  it("is noticed by heartbeats; what was sent meanwhile comes when it is back", async () => {
    const [push, pull] = await joined("Push", BEATS);
    network.pullOut(THEIRS);
    const lost = await tells(push, "disconnect");
    assertEquals(lost.code, "ETIMEDOUT");
    await push.sendSequence(1, 101, 100);
    await tells(push, "connect:retry", 2);
    network.plugIn(THEIRS);
    assertEquals(await pull.receiveSequence(100), [[1, 100]]);
    await push.sendSequence(101, 201, 100);
    assertEquals(await pull.receiveSequence(100), [[101, 200]]);
  });

  it("for a moment loses nothing without heartbeats, and ends no connection", async () => {
    const [dealer, other] = await joined("Dealer", QUICK);
    network.pullOut(OURS);
    await dealer.sendSequence(1, 501, 200);
    await other.sendSequence(0, 500, 200);
    await pause(100);
    network.plugIn(OURS);
    assertEquals(await other.receiveSequence(500), [[1, 500]]);
    assertEquals(await dealer.receiveSequence(500), [[0, 499]]);
    assertEquals((await dealer.eventLog()).filter(({ type }) => type === "disconnect"), []);
  });

  it("in a flood holds it up; nothing is lost or repeated", async () => {
    const [push, pull] = await joined("Push", QUICK);
    const flood = push.sendSequence(1, 8_001, 1_000);
    assertEquals(await pull.receiveSequence(500), [[1, 500]]);
    network.pullOut(THEIRS);
    await tells(push, "full:send");
    await pause(100);
    network.plugIn(THEIRS);
    assertEquals(await pull.receiveSequence(7_500), [[501, 8_000]]);
    await flood;
    assertEquals((await push.eventLog()).filter(({ type }) => type === "disconnect"), []);
  });

  it("on the side of a listener: those who connected are given up, and taken again", async () => {
    const pull = await opened(ours, "Pull", BEATS);
    const push = await opened(theirs, "Push", {
      heartbeatInterval: 100,
      heartbeatTimeout: 300,
      reconnectInterval: 20,
    });
    await push.connect(await pull.bind(`tcp://${network.host(OURS)}:*`));
    await push.sendSequence(0, 1);
    assertEquals(await pull.receiveSequence(1), [[0, 0]]);
    network.pullOut(OURS);
    assertEquals((await tells(pull, "disconnect")).code, "ETIMEDOUT");
    await tells(push, "disconnect");
    network.plugIn(OURS);
    await tells(pull, "handshake", 2);
    const last = push.sendSequence(1, 2);
    assertEquals(await pull.receiveSequence(1), [[1, 1]]);
    await last;
  });

  it("as the address goes: it is tried for, with the reason, until it is back", async () => {
    const [push, pull] = await joined("Push", BEATS);
    network.takeAddress(THEIRS);
    await tells(push, "disconnect");
    const retry = await tells(push, "connect:retry", 2);
    const reasons = ["ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ECONNREFUSED"];
    assert(retry.code !== undefined && reasons.includes(retry.code), String(retry.code));
    network.giveAddress(THEIRS);
    await push.sendSequence(1, 11);
    assertEquals(await pull.receiveSequence(10), [[1, 10]]);
  });

  it("as our own address goes: a listener is there again when it is back", async () => {
    const pull = await opened(ours, "Pull", BEATS);
    const endpoint = await pull.bind(`tcp://${network.host(OURS)}:*`);
    network.takeAddress(OURS);
    network.giveAddress(OURS);
    const push = await opened(theirs, "Push", { reconnectInterval: 20 });
    await push.connect(endpoint);
    await push.sendSequence(0, 10);
    assertEquals(await pull.receiveSequence(10), [[0, 9]]);
    await eventually(async () => (await pull.eventLog()).length > 0, WAIT_MS);
  });
});
