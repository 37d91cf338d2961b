// REQ and REP: taking turns, which reply belongs to which request, and envelopes.

import { assert, assertEquals, assertGreater, assertInstanceOf } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Reply, Request, Router, StateError } from "../../mod.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, staysPending, within } from "../_util/deadline.ts";
import { type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { connectAs, message, shakeHands, takeMessage } from "../_util/raw_zmtp.ts";
import { rejection } from "../_util/rejection.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const NOBODY = "tcp://127.0.0.1:9";
const SHORT_MS = 40;
const RECEIVES = { receiveTimeout: 5_000 } as const;
const cleanup = new Cleanup();

async function openReply(): Promise<Reply> {
  const reply = cleanup.add(new Reply(RECEIVES));
  await reply.bind(ANY_PORT);
  return reply;
}

function openRequest(
  options: ConstructorParameters<typeof Request>[0] = {},
  ...endpoints: string[]
): Request {
  const request = cleanup.add(new Request({ ...RECEIVES, reconnectInterval: 10, ...options }));
  for (const endpoint of endpoints) request.connect(endpoint);
  return request;
}

/** A REQ, and what it is connected to: a raw ROUTER past its handshake. */
async function rawReplier(
  options: ConstructorParameters<typeof Request>[0] = {},
): Promise<[Request, RawConnection, RawServer]> {
  const server = cleanup.add(await RawServer.listen());
  const request = openRequest(options, server.endpoint);
  const connection = await server.accept();
  await shakeHands(connection, "ROUTER");
  return [request, connection, server];
}

/** Answers each request with "re " and its text. */
async function serve(reply: Reply): Promise<void> {
  for await (const [text] of reply) await reply.send(`re ${text}`);
}

describe("Request", () => {
  afterEach(() => cleanup.run());

  it("says EFSM to receive before send, and to send before the reply is received", async () => {
    const reply = await openReply();
    const request = openRequest({}, reply.lastEndpoint!);
    const early = await rejection(request.receive(), "EFSM");
    assertInstanceOf(early, StateError);
    await request.send("1");
    assertInstanceOf(await rejection(request.send("2"), "EFSM"), StateError);
    assertFrames(await reply.receive(), ["1"]);
    await reply.send("re 1");
    assertFrames(await request.receive(), ["re 1"]);
    await rejection(request.receive(), "EFSM");
    await request.send("3");
    assertFrames(await reply.receive(), ["3"]);
  });

  it("may be sent again when the last one was not taken", async () => {
    const request = openRequest({ sendTimeout: SHORT_MS });
    await rejection(request.send("lost"), "EAGAIN");
    await rejection(request.receive(), "EFSM");
    const reply = await openReply();
    request.connect(reply.lastEndpoint!);
    await request.send("kept");
    assertFrames(await reply.receive(), ["kept"]);
  });

  it("may be received again when the first try timed out", async () => {
    const reply = await openReply();
    const request = openRequest({ receiveTimeout: 0 }, reply.lastEndpoint!);
    await request.send("1");
    await rejection(request.receive(), "EAGAIN");
    await rejection(request.send("2"), "EFSM");
    await reply.receive();
    await reply.send("re 1");
    request.receiveTimeout = 5_000;
    assertFrames(await request.receive(), ["re 1"]);
  });

  it("serves calls that are pending together in turn", async () => {
    const reply = await openReply();
    void serve(reply);
    const request = openRequest({}, reply.lastEndpoint!);
    const operations: Promise<unknown>[] = [];
    for (let i = 0; i < 5; i++) operations.push(request.send(String(i)), request.receive());
    const results = await within(Promise.all(operations), 5_000, "all of them");
    const replies = results.filter((result) => result !== undefined).map(String);
    assertEquals(replies, ["re 0", "re 1", "re 2", "re 3", "re 4"]);
  });

  it("takes requests and replies of several frames, and empty ones", async () => {
    const reply = await openReply();
    const request = openRequest({}, reply.lastEndpoint!);
    for (const frames of [["a", "b"], ["", "a", ""], [""], ["", ""]]) {
      await request.send(frames);
      assertFrames(await reply.receive(), frames);
      await reply.send([...frames, "re"]);
      assertFrames(await request.receive(), [...frames, "re"]);
    }
  });

  it("asks its peers in turn", async () => {
    const replies = await Promise.all([openReply(), openReply(), openReply()]);
    const request = openRequest({}, ...replies.map(({ lastEndpoint }) => lastEndpoint!));
    for (let i = 0; i < 9; i++) {
      await request.send(String(i));
      assertFrames(await replies[i % 3].receive(), [String(i)]);
      await replies[i % 3].send("re");
      await request.receive();
    }
  });

  it("puts an empty frame before the request, and takes it off the reply", async () => {
    const [request, peer] = await rawReplier();
    await request.send(["a", "b"]);
    assertFrames(await takeMessage(peer), ["", "a", "b"]);
    peer.send(message("", "c", "d"));
    assertFrames(await request.receive(), ["c", "d"]);
  });

  it("passes over what is no reply", async () => {
    const [request, peer] = await rawReplier();
    await request.send("q");
    await takeMessage(peer);
    peer.send(message("no delimiter"), message(""), message("x", "", "envelope"));
    const receiving = request.receive();
    await staysPending(receiving, SHORT_MS, "a receive without a reply");
    peer.send(message("", "reply"));
    assertFrames(await receiving, ["reply"]);
  });

  it("passes over what came before the request", async () => {
    const [request, peer] = await rawReplier();
    await request.send("1");
    await takeMessage(peer);
    peer.send(message("", "re 1"), message("", "one too many"), message("", "and another"));
    assertFrames(await request.receive(), ["re 1"]);
    await request.send("2");
    await takeMessage(peer);
    peer.send(message("", "re 2"));
    assertFrames(await request.receive(), ["re 2"]);
  });

  it("passes over replies of a peer that was not asked", async () => {
    const [request, asked] = await rawReplier();
    const server = cleanup.add(await RawServer.listen());
    request.connect(server.endpoint);
    const other = await server.accept();
    await shakeHands(other, "ROUTER");
    await request.send("q");
    await takeMessage(asked);
    other.send(message("", "from the other"));
    const receiving = request.receive();
    await staysPending(receiving, SHORT_MS, "a receive without a reply");
    asked.send(message("", "from the one that was asked"));
    assertFrames(await receiving, ["from the one that was asked"]);
  });

  it("goes to another peer when it was not sent yet and its own is disconnected", async () => {
    const reply = await openReply();
    const request = openRequest({}, NOBODY);
    await request.send("q");
    request.connect(reply.lastEndpoint!);
    request.disconnect(NOBODY);
    assertFrames(await reply.receive(), ["q"]);
    await reply.send("a");
    assertFrames(await request.receive(), ["a"]);
  });
});

describe("Request with correlate", () => {
  afterEach(() => cleanup.run());

  it("numbers its requests and takes only the reply with the same number", async () => {
    const [request, peer] = await rawReplier({ correlate: true });
    await request.send("1");
    const [first, ...rest] = await takeMessage(peer);
    assertEquals(first.length, 4);
    assertFrames(rest, ["", "1"]);
    const wrong = Uint8Array.from(first, (octet) => 255 - octet);
    peer.send(message(wrong, "", "wrong"), message("", "none"), message(first, "", "right"));
    assertFrames(await request.receive(), ["right"]);
    await request.send("2");
    const [second] = await takeMessage(peer);
    const number = (octets: Uint8Array) => new DataView(octets.buffer).getUint32(0);
    assertEquals(number(second), (number(first) + 1) >>> 0);
    peer.send(message(first, "", "late"), message(second, "", "in time"));
    assertFrames(await request.receive(), ["in time"]);
  });

  it("works with a Reply, which sends the number back", async () => {
    const reply = await openReply();
    void serve(reply);
    const request = openRequest({ correlate: true }, reply.lastEndpoint!);
    for (let i = 0; i < 20; i++) {
      await request.send(String(i));
      assertFrames(await request.receive(), [`re ${i}`]);
    }
  });
});

describe("Request with relaxed", () => {
  afterEach(() => cleanup.run());

  for (const correlate of [true, false]) {
    it(`gives the last request up, ${correlate ? "with" : "without"} correlate`, async () => {
      const router = cleanup.add(new Router(RECEIVES));
      await router.bind(ANY_PORT);
      const options = { relaxed: true, correlate, sendTimeout: 5_000 };
      const request = openRequest(options, router.lastEndpoint!);
      await request.send("first");
      const first = await router.receive();
      await request.send("second");
      // Answered too late, and before the second request is.
      await router.send([...first.slice(0, -1), "re first"]);
      const second = await router.receive();
      assertFrames(second.slice(-1), ["second"]);
      await router.send([...second.slice(0, -1), "re second"]);
      assertFrames(await request.receive(), ["re second"]);
      await rejection(request.receive(), "EFSM");
    });
  }

  it("goes on when its peer has died without a reply", async () => {
    const reply = await openReply();
    const endpoint = reply.lastEndpoint!;
    const request = openRequest({ relaxed: true, sendTimeout: 5_000 }, endpoint);
    await request.send("lost");
    await reply.receive();
    await reply.close();
    const successor = cleanup.add(new Reply(RECEIVES));
    await successor.bind(endpoint);
    void serve(successor);
    // The Lazy Pirate of the guide: ask again until there is an answer.
    request.receiveTimeout = 200;
    await eventually(async () => {
      await request.send("again");
      return await request.receive().then(([text]) => String(text) === "re again", () => false);
    });
  });
});

describe("Reply", () => {
  afterEach(() => cleanup.run());

  it("says EFSM to send before receive, and to receive before send", async () => {
    const reply = await openReply();
    assertInstanceOf(await rejection(reply.send("early"), "EFSM"), StateError);
    const request = openRequest({}, reply.lastEndpoint!);
    await request.send("q");
    await reply.receive();
    assertInstanceOf(await rejection(reply.receive(), "EFSM"), StateError);
    await reply.send("a");
    await rejection(reply.send("another"), "EFSM");
    assertFrames(await request.receive(), ["a"]);
  });

  it("serves calls that are pending together in turn", async () => {
    const reply = await openReply();
    const operations: Promise<unknown>[] = [];
    for (let i = 0; i < 5; i++) operations.push(reply.receive(), reply.send(`a${i}`));
    const request = openRequest({}, reply.lastEndpoint!);
    for (let i = 0; i < 5; i++) {
      await request.send(`q${i}`);
      assertFrames(await request.receive(), [`a${i}`]);
    }
    const results = await within(Promise.all(operations), 5_000, "all of them");
    assertEquals(results.filter((_, i) => i % 2 === 0).map(String), ["q0", "q1", "q2", "q3", "q4"]);
  });

  it("passes over requests without an empty frame or without a body", async () => {
    const reply = await openReply();
    const peer = cleanup.add(await connectAs(reply.lastEndpoint!, "DEALER"));
    peer.send(message("no delimiter"), message(""), message("a", "b"), message("a", ""));
    peer.send(message("", "request"));
    assertFrames(await reply.receive(), ["request"]);
    await reply.send("reply");
    assertFrames(await takeMessage(peer), ["", "reply"]);
  });

  it("keeps the envelope, however long, up to the first empty frame", async () => {
    const reply = await openReply();
    const peer = cleanup.add(await connectAs(reply.lastEndpoint!, "DEALER"));
    const envelope = ["hop 3", Uint8Array.of(0, 1, 2), "hop 1", ""];
    peer.send(message(...envelope, "body", "", "more"));
    assertFrames(await reply.receive(), ["body", "", "more"]);
    await reply.send(["re", ""]);
    assertFrames(await takeMessage(peer), [...envelope, "re", ""]);
  });

  it("answers each of many requesters with what is its own", async () => {
    const reply = await openReply();
    void serve(reply);
    const requests = Array.from({ length: 10 }, () => openRequest({}, reply.lastEndpoint!));
    await Promise.all(requests.map(async (request, client) => {
      for (let i = 0; i < 20; i++) {
        await request.send(`${client}/${i}`);
        assertFrames(await request.receive(), [`re ${client}/${i}`]);
      }
    }));
  });
});

describe("a request over two hops of ROUTER and DEALER", () => {
  afterEach(() => cleanup.run());

  /** Forwards both ways until closed; its front is bound, its back too. */
  async function openHop(): Promise<{ front: Router; back: Dealer }> {
    const front = cleanup.add(new Router());
    const back = cleanup.add(new Dealer());
    await front.bind(ANY_PORT);
    await back.bind(ANY_PORT);
    void (async () => {
      for await (const frames of front) await back.send(frames);
    })();
    void (async () => {
      for await (const frames of back) await front.send(frames);
    })();
    return { front, back };
  }

  it("finds its way, and its reply back to the one who asked", async () => {
    const near = await openHop();
    const far = await openHop();
    // Joined by a third forwarder: the near DEALER's peer is the far ROUTER.
    far.front.connect(near.back.lastEndpoint!);
    const replies = Array.from({ length: 3 }, () => cleanup.add(new Reply(RECEIVES)));
    const served = [0, 0, 0];
    replies.forEach((reply, i) => {
      reply.connect(far.back.lastEndpoint!);
      void (async () => {
        for await (const [text, ...more] of reply) {
          served[i]++;
          await reply.send([`re ${text}`, ...more]);
        }
      })();
    });
    const requests = Array.from(
      { length: 5 },
      (_, i) => openRequest({ correlate: i % 2 === 0 }, near.front.lastEndpoint!),
    );
    await Promise.all(requests.map(async (request, client) => {
      for (let i = 0; i < 20; i++) {
        await request.send([`${client}/${i}`, "", "tail"]);
        assertFrames(await request.receive(), [`re ${client}/${i}`, "", "tail"]);
      }
    }));
    assertEquals(served.reduce((sum, count) => sum + count), 100);
    for (const count of served) assertGreater(count, 0);
    assert(requests.every((request) => !request.readable));
  });
});
