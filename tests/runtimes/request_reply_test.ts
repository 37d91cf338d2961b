// REQ and REP: taking turns, which reply belongs to which request, and envelopes.

import { assert, assertEquals, assertGreater, assertInstanceOf } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import { Dealer, Reply, Request, Router, StateError } from "../../mod.ts";
import { anywhere, type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, staysPending, within } from "../_util/deadline.ts";
import { rejection } from "../_util/rejection.ts";
import { join, listenAs, type ScriptedPeer } from "../_util/scripted_peer.ts";
import { describeOver, nowhere, reserve } from "../_util/transports.ts";

const SHORT_MS = 40;
const RECEIVES = { receiveTimeout: 5_000 } as const;
const cleanup = new Cleanup();

async function openReply(
  transport: Transport,
  endpoint: string = anywhere(transport),
): Promise<Reply> {
  const reply = cleanup.add(new Reply(RECEIVES));
  await reply.bind(endpoint);
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

/** A REQ, and what it is connected to: a ROUTER that answers what a test says. */
async function scriptedReplier(
  transport: Transport,
  options: ConstructorParameters<typeof Request>[0] = {},
): Promise<[Request, ScriptedPeer]> {
  const server = cleanup.add(await listenAs(transport, "ROUTER"));
  const request = openRequest(options, server.endpoint);
  return [request, await server.accept()];
}

/** Answers each request with "re " and its text. */
async function serve(reply: Reply): Promise<void> {
  for await (const [text] of reply) await reply.send(`re ${text}`);
}

describeOver(TRANSPORTS, "Request", (transport) => {
  afterEach(() => cleanup.run());

  it("says EFSM to receive before send, and to send before the reply is received", async () => {
    const reply = await openReply(transport);
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
    const reply = await openReply(transport);
    request.connect(reply.lastEndpoint!);
    await request.send("kept");
    assertFrames(await reply.receive(), ["kept"]);
  });

  it("may be received again when the first try timed out", async () => {
    const reply = await openReply(transport);
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
    const reply = await openReply(transport);
    void serve(reply);
    const request = openRequest({}, reply.lastEndpoint!);
    const operations: Promise<unknown>[] = [];
    for (let i = 0; i < 5; i++) operations.push(request.send(String(i)), request.receive());
    const results = await within(Promise.all(operations), 5_000, "all of them");
    const replies = results.filter((result) => result !== undefined).map(String);
    assertEquals(replies, ["re 0", "re 1", "re 2", "re 3", "re 4"]);
  });

  it("takes requests and replies of several frames, and empty ones", async () => {
    const reply = await openReply(transport);
    const request = openRequest({}, reply.lastEndpoint!);
    for (const frames of [["a", "b"], ["", "a", ""], [""], ["", ""]]) {
      await request.send(frames);
      assertFrames(await reply.receive(), frames);
      await reply.send([...frames, "re"]);
      assertFrames(await request.receive(), [...frames, "re"]);
    }
  });

  it("asks its peers in turn", async () => {
    const replies = await Promise.all([
      openReply(transport),
      openReply(transport),
      openReply(transport),
    ]);
    const request = openRequest({}, ...replies.map(({ lastEndpoint }) => lastEndpoint!));
    for (let i = 0; i < 9; i++) {
      await request.send(String(i));
      assertFrames(await replies[i % 3].receive(), [String(i)]);
      await replies[i % 3].send("re");
      await request.receive();
    }
  });

  it("puts an empty frame before the request, and takes it off the reply", async () => {
    const [request, peer] = await scriptedReplier(transport);
    await request.send(["a", "b"]);
    assertFrames(await peer.hear(), ["", "a", "b"]);
    peer.say("", "c", "d");
    assertFrames(await request.receive(), ["c", "d"]);
  });

  it("passes over what is no reply", async () => {
    const [request, peer] = await scriptedReplier(transport);
    await request.send("q");
    await peer.hear();
    peer.sayAll(["no delimiter"], [""], ["x", "", "envelope"]);
    const receiving = request.receive();
    await staysPending(receiving, SHORT_MS, "a receive without a reply");
    peer.say("", "reply");
    assertFrames(await receiving, ["reply"]);
  });

  it("passes over what came before the request", async () => {
    const [request, peer] = await scriptedReplier(transport);
    await request.send("1");
    await peer.hear();
    peer.sayAll(["", "re 1"], ["", "one too many"], ["", "and another"]);
    assertFrames(await request.receive(), ["re 1"]);
    await request.send("2");
    await peer.hear();
    peer.say("", "re 2");
    assertFrames(await request.receive(), ["re 2"]);
  });

  it("passes over replies of a peer that was not asked", async () => {
    const [request, asked] = await scriptedReplier(transport, { routingId: "asker" });
    const server = cleanup.add(await listenAs(transport, "ROUTER", "asker"));
    request.connect(server.endpoint);
    const other = await server.accept();
    await request.send("q");
    await asked.hear();
    other.say("", "from the other");
    const receiving = request.receive();
    await staysPending(receiving, SHORT_MS, "a receive without a reply");
    asked.say("", "from the one that was asked");
    assertFrames(await receiving, ["from the one that was asked"]);
  });

  it("goes to another peer when it was not sent yet and its own is disconnected", async () => {
    const reply = await openReply(transport);
    const request = openRequest({}, nowhere(transport));
    await request.send("q");
    request.connect(reply.lastEndpoint!);
    request.disconnect(nowhere(transport));
    assertFrames(await reply.receive(), ["q"]);
    await reply.send("a");
    assertFrames(await request.receive(), ["a"]);
  });
});

describeOver(TRANSPORTS, "Request with correlate", (transport) => {
  afterEach(() => cleanup.run());

  it("numbers its requests and takes only the reply with the same number", async () => {
    const [request, peer] = await scriptedReplier(transport, { correlate: true });
    await request.send("1");
    const [first, ...rest] = await peer.hear();
    assertEquals(first.length, 4);
    assertFrames(rest, ["", "1"]);
    const wrong = Uint8Array.from(first, (octet) => 255 - octet);
    peer.sayAll([wrong, "", "wrong"], ["", "none"], [first, "", "right"]);
    assertFrames(await request.receive(), ["right"]);
    await request.send("2");
    const [second] = await peer.hear();
    const number = (octets: Uint8Array) => new DataView(octets.slice().buffer).getUint32(0);
    assertEquals(number(second), (number(first) + 1) >>> 0);
    peer.sayAll([first, "", "late"], [second, "", "in time"]);
    assertFrames(await request.receive(), ["in time"]);
  });

  it("works with a Reply, which sends the number back", async () => {
    const reply = await openReply(transport);
    void serve(reply);
    const request = openRequest({ correlate: true }, reply.lastEndpoint!);
    for (let i = 0; i < 20; i++) {
      await request.send(String(i));
      assertFrames(await request.receive(), [`re ${i}`]);
    }
  });
});

describeOver(TRANSPORTS, "Request with relaxed", (transport) => {
  afterEach(() => cleanup.run());

  for (const correlate of [true, false]) {
    it(`gives the last request up, ${correlate ? "with" : "without"} correlate`, async () => {
      const router = cleanup.add(new Router(RECEIVES));
      await router.bind(anywhere(transport));
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
    const endpoint = await reserve(transport);
    const reply = await openReply(transport, endpoint);
    const request = openRequest({ relaxed: true, sendTimeout: 5_000 }, endpoint);
    await request.send("lost");
    await reply.receive();
    await reply.close();
    void serve(await openReply(transport, endpoint));
    // The Lazy Pirate of the guide: ask again until there is an answer.
    request.receiveTimeout = 200;
    await eventually(async () => {
      await request.send("again");
      return await request.receive().then(([text]) => String(text) === "re again", () => false);
    });
  });
});

describeOver(TRANSPORTS, "Reply", (transport) => {
  afterEach(() => cleanup.run());

  it("says EFSM to send before receive, and to receive before send", async () => {
    const reply = await openReply(transport);
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
    const reply = await openReply(transport);
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
    const reply = await openReply(transport);
    const peer = cleanup.add(await join(reply.lastEndpoint!, "DEALER"));
    peer.sayAll(["no delimiter"], [""], ["a", "b"], ["a", ""], ["", "request"]);
    assertFrames(await reply.receive(), ["request"]);
    await reply.send("reply");
    assertFrames(await peer.hear(), ["", "reply"]);
  });

  it("keeps the envelope, however long, up to the first empty frame", async () => {
    const reply = await openReply(transport);
    const peer = cleanup.add(await join(reply.lastEndpoint!, "DEALER"));
    const envelope = ["hop 3", Uint8Array.of(0, 1, 2), "hop 1", ""];
    peer.say(...envelope, "body", "", "more");
    assertFrames(await reply.receive(), ["body", "", "more"]);
    await reply.send(["re", ""]);
    assertFrames(await peer.hear(), [...envelope, "re", ""]);
  });

  it("answers each of many requesters with what is its own", async () => {
    const reply = await openReply(transport);
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

describeOver(TRANSPORTS, "a request over two hops of ROUTER and DEALER", (transport) => {
  afterEach(() => cleanup.run());

  /** Forwards both ways until closed; its front is bound, its back too. */
  async function openHop(): Promise<{ front: Router; back: Dealer }> {
    const front = cleanup.add(new Router());
    const back = cleanup.add(new Dealer());
    await front.bind(anywhere(transport));
    await back.bind(anywhere(transport));
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
