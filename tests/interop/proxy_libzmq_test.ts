// libzmq's proxy between our sockets. It is not paused here: when it resumes it can hang for ever.

import { assertEquals } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { Pull, Push, Reply, Request } from "../../mod.ts";
import { assertFrames, textsOf } from "../_util/bytes.ts";
import { eventually, staysPending } from "../_util/deadline.ts";
import { expectForwarding } from "../_util/forwarding.ts";
import { RECEIVES, SENDS, SENDS_AND_RECEIVES } from "../_util/pairing.ts";
import { type Peer, type PeerOptions, type PeerSocket, startPeer } from "../_util/peer.ts";
import type { PeerSocketType } from "../_util/peer.ts";
import { Channel, openOurs, OurEnd, requestOf } from "../_util/pubsub_ends.ts";
import { echo, exchange, GRID, Opened } from "../_util/traffic.ts";
import { receiveMany, receiveSequence, sendMany, sendSequence } from "../_util/traffic.ts";

describe("libzmq's proxy between our sockets", () => {
  const opened = new Opened();
  let peer: Peer;
  let running: { front: PeerSocket; end: Promise<void> } | undefined;
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(async () => {
    await opened.close();
    await running?.front.steer("terminate");
    await running?.end;
    running = undefined;
  });

  /** Runs a proxy in the peer; the endpoints of its two ends. */
  const run = async (
    front: PeerSocketType,
    back: PeerSocketType,
    frontOptions: PeerOptions = {},
    backOptions: PeerOptions = {},
  ): Promise<[string, string]> => {
    const sockets = [await peer.open(front, frontOptions), await peer.open(back, backOptions)];
    const endpoints = [await sockets[0].bind(), await sockets[1].bind()] as const;
    running = { front: sockets[0], end: sockets[0].proxy(sockets[1]) };
    return [...endpoints];
  };
  const open = (...args: Parameters<typeof openOurs>): OurEnd =>
    new OurEnd(opened.add(openOurs(...args)));

  for (const pubType of ["Publisher", "XPublisher"] as const) {
    for (const subType of ["Subscriber", "XSubscriber"] as const) {
      it(`XSUB-XPUB forwards topics from ${subType} and messages from ${pubType}`, async () => {
        const [front, back] = await run("XSubscriber", "XPublisher");
        const [pub, sub] = [open(pubType), open(subType)];
        await pub.connect(front);
        await sub.connect(back);
        await expectForwarding(new Channel(pub, sub));
      });
    }
  }

  it("XSUB-XPUB passes on what both ends ask and send", async () => {
    const [front, back] = await run("XSubscriber", "XPublisher");
    const pub = open("XPublisher");
    const [a, b] = [open("Subscriber"), open("XSubscriber")];
    await pub.connect(front);
    for (const sub of [a, b]) {
      await sub.connect(back);
      await sub.subscribe("x");
      if (sub === a) assertFrames(await pub.receive(), [requestOf(1, "x")]);
    }
    await b.send("up", "stream");
    assertFrames(await pub.receive(), ["up", "stream"]);
    await b.subscribe("y");
    assertFrames(await pub.receive(), [requestOf(1, "y")]);
    await pub.send("x", "to both");
    for (const sub of [a, b]) assertFrames(await sub.receive(), ["x", "to both"]);
    await a.unsubscribe("x");
    await b.close();
    const gone = [await pub.receive(), await pub.receive()].flatMap(textsOf);
    assertEquals(gone.toSorted(), ["\0x", "\0y"]);
    await eventually(async () => await pub.topicsCount() === 0);
  });

  it("ROUTER-DEALER carries requests and replies of many", async () => {
    const [front, back] = await run("Router", "Dealer");
    const clients = [0, 1, 2].map(() => opened.add(new Request(SENDS_AND_RECEIVES)));
    const workers = [0, 1].map(() => opened.add(new Reply(SENDS_AND_RECEIVES)));
    for (const client of clients) client.connect(front);
    for (const worker of workers) worker.connect(back);
    for (const worker of workers) echo(worker, Number.MAX_SAFE_INTEGER).catch(() => {});
    const spec = { ...GRID, count: 200, sizes: [0, 1, 255, 256, 9_000] };
    await Promise.all(clients.map((client, seed) => exchange(client, { ...spec, seed })));
  });

  it("PULL-PUSH moves everything in order", async () => {
    const [front, back] = await run("Pull", "Push");
    const [push, pull] = [opened.add(new Push(SENDS)), opened.add(new Pull(RECEIVES))];
    push.connect(front);
    pull.connect(back);
    const sending = sendSequence(push, 0, 10_000, 100);
    assertEquals(await receiveSequence(pull, 10_000), [[0, 9_999]]);
    await sending;
    await Promise.all([sendMany(push, GRID), receiveMany(pull, GRID)]);
  });

  it("PULL-PUSH slows us down to the consumer, and loses nothing", async () => {
    const marks = [{ receiveHighWaterMark: 10 }, { sendHighWaterMark: 10 }] as const;
    const [front, back] = await run("Pull", "Push", ...marks);
    const push = opened.add(new Push({ ...SENDS, sendHighWaterMark: 10 }));
    const pull = opened.add(new Pull({ ...RECEIVES, receiveHighWaterMark: 1 }));
    push.connect(front);
    pull.connect(back);
    const sending = sendSequence(push, 0, 5_000, 10_000);
    assertEquals(await receiveSequence(pull, 1), [[0, 0]]);
    await staysPending(sending, 300, "sending 50 MB to a PULL that does not read");
    assertEquals(await receiveSequence(pull, 4_999), [[1, 4_999]]);
    await sending;
  });
});
