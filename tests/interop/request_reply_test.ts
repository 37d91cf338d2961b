import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { Reply, Request, Router, ZmqError } from "../../mod.ts";
import { assertFrames, utf8 } from "../_util/bytes.ts";
import { SENDS_AND_RECEIVES, testPairing } from "../_util/pairing.ts";
import { type Peer, startPeer } from "../_util/peer.ts";
import { echo, exchange, Opened } from "../_util/traffic.ts";

testPairing("REQ to libzmq's REP", {
  ours: () => new Request(SENDS_AND_RECEIVES),
  theirs: "Reply",
  traffic: (ours, theirs, spec) => Promise.all([exchange(ours, spec), theirs.echo(spec.count)]),
});

testPairing("REP to libzmq's REQ", {
  ours: () => new Reply(SENDS_AND_RECEIVES),
  theirs: "Request",
  traffic: (ours, theirs, spec) => Promise.all([echo(ours, spec.count), theirs.exchange(spec)]),
});

testPairing("REQ to libzmq's ROUTER", {
  ours: () => new Request(SENDS_AND_RECEIVES),
  theirs: "Router",
  traffic: (ours, theirs, spec) => Promise.all([exchange(ours, spec), theirs.echo(spec.count)]),
});

testPairing("ROUTER to libzmq's REQ", {
  ours: () => new Router(SENDS_AND_RECEIVES),
  theirs: "Request",
  traffic: (ours, theirs, spec) => Promise.all([echo(ours, spec.count), theirs.exchange(spec)]),
});

describe("REQ", () => {
  const opened = new Opened();
  let peer: Peer;
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(() => opened.close());

  it("asks several libzmq REPs in turn", async () => {
    const request = opened.add(new Request(SENDS_AND_RECEIVES));
    const replies = await Promise.all([0, 1, 2].map(() => peer.open("Reply")));
    for (const reply of replies) request.connect(await reply.bind());
    const echoing = Promise.all(replies.map((reply) => reply.echo(10)));
    for (let i = 0; i < 30; i++) {
      await request.send(String(i));
      assertFrames(await request.receive(), [String(i)]);
    }
    await echoing;
  });

  it("keeps the order of send and receive", async () => {
    const request = opened.add(new Request(SENDS_AND_RECEIVES));
    const reply = await peer.open("Reply");
    request.connect(await reply.bind());
    assertEquals(await codeOf(request.receive()), "EFSM");
    await request.send("one");
    assertEquals(await codeOf(request.send("two")), "EFSM");
    await reply.echo(1);
    assertFrames(await request.receive(), ["one"]);
    assertEquals(await codeOf(request.receive()), "EFSM");
  });

  it("with correlate takes only the reply that carries its number", async () => {
    const request = opened.add(new Request({ ...SENDS_AND_RECEIVES, correlate: true }));
    const router = await peer.open("Router");
    request.connect(await router.bind());
    await request.send(["hello", "world"]);
    const [id, number, delimiter, ...body] = await router.receive();
    assertEquals([number.length, delimiter.length], [4, 0]);
    assertFrames(body, ["hello", "world"]);
    await router.send(id, utf8("\0\0\0\0"), "", "wrong number");
    await router.send(id, "", "no number");
    await router.send(id, number, "", "right");
    assertFrames(await request.receive(), ["right"]);
    await request.send("again");
    const [, next] = await router.receive();
    assertNotEquals(next.join(), number.join());
  });

  it("with correlate works with a REP, both ways", async () => {
    const request = opened.add(new Request({ ...SENDS_AND_RECEIVES, correlate: true }));
    const reply = await peer.open("Reply");
    request.connect(await reply.bind());
    await Promise.all([reply.echo(100), exchange(request, { ...FEW, seed: 3 })]);

    const ourReply = opened.add(new Reply(SENDS_AND_RECEIVES));
    await ourReply.bind("tcp://127.0.0.1:*");
    const theirRequest = await peer.open("Request", { correlate: true, relaxed: true });
    await theirRequest.connect(ourReply.lastEndpoint!);
    await Promise.all([echo(ourReply, 100), theirRequest.exchange(FEW)]);
  });

  it("with relaxed gives up a request for the next", async () => {
    const request = opened.add(
      new Request({ ...SENDS_AND_RECEIVES, relaxed: true, correlate: true }),
    );
    const router = await peer.open("Router");
    request.connect(await router.bind());
    await request.send("first");
    const first = await router.receive();
    await request.send("second");
    // libzmq keeps the connection or makes a new one: either way the second request arrives.
    const second = await router.receive();
    assertFrames(second.slice(3), ["second"]);
    await router.send(...first.slice(0, 3), "late answer to the first");
    await router.send(...second.slice(0, 3), "answer to the second");
    assertFrames(await request.receive(), ["answer to the second"]);
  });
});

describe("REP", () => {
  const opened = new Opened();
  let peer: Peer;
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(() => opened.close());

  it("answers several libzmq REQs, each its own", async () => {
    const reply = opened.add(new Reply(SENDS_AND_RECEIVES));
    await reply.bind("tcp://127.0.0.1:*");
    const requests = await Promise.all([0, 1, 2, 3, 4].map(() => peer.open("Request")));
    for (const request of requests) await request.connect(reply.lastEndpoint!);
    await Promise.all([
      echo(reply, 5 * FEW.count),
      ...requests.map((request, i) => request.exchange({ ...FEW, seed: i })),
    ]);
  });

  it("drops a message without a delimiter and serves the next", async () => {
    const reply = opened.add(new Reply(SENDS_AND_RECEIVES));
    await reply.bind("tcp://127.0.0.1:*");
    const dealer = await peer.open("Dealer");
    await dealer.connect(reply.lastEndpoint!);
    await dealer.send("no delimiter");
    await dealer.send("a", "", "question");
    assertFrames(await reply.receive(), ["question"]);
    await reply.send("answer");
    assertFrames(await dealer.receive(), ["a", "", "answer"]);
  });

  it("keeps the order of receive and send", async () => {
    const reply = opened.add(new Reply(SENDS_AND_RECEIVES));
    await reply.bind("tcp://127.0.0.1:*");
    const request = await peer.open("Request");
    await request.connect(reply.lastEndpoint!);
    assertEquals(await codeOf(reply.send("too early")), "EFSM");
    await request.send("question");
    await reply.receive();
    assertEquals(await codeOf(reply.receive()), "EFSM");
    await reply.send("answer");
    assertFrames(await request.receive(), ["answer"]);
  });

  it("drops the answer for a requester that has gone", async () => {
    const reply = opened.add(new Reply(SENDS_AND_RECEIVES));
    await reply.bind("tcp://127.0.0.1:*");
    const leaving = startPeer();
    const gone = await leaving.open("Request");
    await gone.connect(reply.lastEndpoint!);
    await gone.send("question");
    assertFrames(await reply.receive(), ["question"]);
    await leaving.kill();
    await reply.send("answer to nobody");
    const request = await peer.open("Request");
    await request.connect(reply.lastEndpoint!);
    await Promise.all([echo(reply, FEW.count), request.exchange(FEW)]);
  });
});

const FEW = { seed: 4, count: 100, sizes: [0, 1, 255, 256, 9000], parts: [1, 5] } as const;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => promise, ZmqError);
  return error.code;
}
