// REQ and REP with devices between them, some ours and some libzmq's: the envelope grows by a
// routing id at each ROUTER and shrinks again on the way back.

import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { Dealer, Reply, Request, Router } from "../../mod.ts";
import { assertFrames } from "../_util/bytes.ts";
import { SENDS_AND_RECEIVES } from "../_util/pairing.ts";
import { type MessageSpec, type Peer, startPeer } from "../_util/peer.ts";
import { echo, exchange, Opened, type Sender } from "../_util/traffic.ts";

const SPEC: MessageSpec = { seed: 5, count: 500, sizes: [0, 1, 255, 256, 9000], parts: [1, 5] };
const ANY_PORT = "tcp://127.0.0.1:*";

describe("through devices", () => {
  const opened = new Opened();
  let peer: Peer;
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(() => opened.close());

  /** Puts `count` libzmq devices before an endpoint; the endpoint of the outermost. */
  const theirDevices = async (count: number, endpoint: string): Promise<string> => {
    for (let i = 0; i < count; i++) {
      const [front, back] = await Promise.all([peer.open("Router"), peer.open("Dealer")]);
      await back.connect(endpoint);
      endpoint = await front.bind();
      front.forward(back).catch(() => {}); // until the peer stops
    }
    return endpoint;
  };

  /** Puts `count` of our devices before an endpoint; the endpoint of the outermost. */
  const ourDevices = async (count: number, endpoint: string): Promise<string> => {
    for (let i = 0; i < count; i++) {
      const front = opened.add(new Router());
      const back = opened.add(new Dealer());
      back.connect(endpoint);
      await front.bind(ANY_PORT);
      endpoint = front.lastEndpoint!;
      pump(front, back);
      pump(back, front);
    }
    return endpoint;
  };

  it("our REP answers libzmq's REQ behind three libzmq devices", async () => {
    const reply = opened.add(new Reply(SENDS_AND_RECEIVES));
    await reply.bind(ANY_PORT);
    const request = await peer.open("Request");
    await request.connect(await theirDevices(3, reply.lastEndpoint!));
    await Promise.all([request.exchange(SPEC), echo(reply, SPEC.count)]);
  });

  it("our REQ asks libzmq's REP behind three libzmq devices", async () => {
    const reply = await peer.open("Reply");
    const request = opened.add(new Request(SENDS_AND_RECEIVES));
    request.connect(await theirDevices(3, await reply.bind()));
    await Promise.all([exchange(request, SPEC), reply.echo(SPEC.count)]);
  });

  it("libzmq's REQ asks libzmq's REP behind three of our devices", async () => {
    const [request, reply] = await Promise.all([peer.open("Request"), peer.open("Reply")]);
    await request.connect(await ourDevices(3, await reply.bind()));
    await Promise.all([request.exchange(SPEC), reply.echo(SPEC.count)]);
  });

  it("our REQ with correlate asks our REP behind mixed devices", async () => {
    const reply = opened.add(new Reply(SENDS_AND_RECEIVES));
    await reply.bind(ANY_PORT);
    const request = opened.add(new Request({ ...SENDS_AND_RECEIVES, correlate: true }));
    const inner = await theirDevices(1, reply.lastEndpoint!);
    request.connect(await theirDevices(1, await ourDevices(1, inner)));
    await Promise.all([exchange(request, SPEC), echo(reply, SPEC.count)]);
  });

  it("several clients get their own answers from several workers", async () => {
    const workers = [0, 1].map(() => opened.add(new Reply(SENDS_AND_RECEIVES)));
    const back = await peer.open("Dealer");
    for (const worker of workers) {
      await worker.bind(ANY_PORT);
      await back.connect(worker.lastEndpoint!);
      echo(worker, Number.MAX_SAFE_INTEGER).catch(() => {}); // until it is closed
    }
    const front = await peer.open("Router");
    const endpoint = await front.bind();
    front.forward(back).catch(() => {});
    const theirs = await Promise.all([0, 1, 2].map(() => peer.open("Request")));
    const ours = [0, 1, 2].map(() => opened.add(new Request(SENDS_AND_RECEIVES)));
    for (const request of theirs) await request.connect(endpoint);
    for (const request of ours) request.connect(endpoint);
    const some = { ...SPEC, count: 100 };
    await Promise.all([
      ...theirs.map((request, i) => request.exchange({ ...some, seed: i })),
      ...ours.map((request, i) => exchange(request, { ...some, seed: 10 + i })),
    ]);
  });

  it("our ROUTER sees the whole envelope", async () => {
    const request = await peer.open("Request", { routingId: "client" });
    const router = await peer.open("Router");
    const outer = await peer.open("Dealer", { routingId: "hop" });
    await request.connect(await router.bind());
    router.forward(outer).catch(() => {});
    const front = opened.add(new Router(SENDS_AND_RECEIVES));
    await front.bind(ANY_PORT);
    await outer.connect(front.lastEndpoint!);
    await request.send("question", "in parts");
    const message = await front.receive();
    assertFrames(message, ["hop", "client", "", "question", "in parts"]);
    await front.send([...message.slice(0, 3), "answer"]);
    assertFrames(await request.receive(), ["answer"]);
  });
});

async function pump(source: AsyncIterable<Uint8Array[]>, target: Sender): Promise<void> {
  for await (const frames of source) await target.send(frames);
}
