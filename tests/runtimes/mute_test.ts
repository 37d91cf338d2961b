// What the sockets do when nobody can take a message: some wait, some drop, some say so.

import { assert, assertEquals, assertGreater, assertInstanceOf, assertLess } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import { Dealer, Pair, Pull, Push, Reply, Request, Router, SendError } from "../../mod.ts";
import { anywhere, TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, staysPending, within } from "../_util/deadline.ts";
import { fill } from "../_util/filling.ts";
import { assertSays, rejection } from "../_util/rejection.ts";
import { join, type ScriptedPeer, type ScriptedType } from "../_util/scripted_peer.ts";
import { describeOver, DISTINCT_TRANSPORTS, nowhere, reserve } from "../_util/transports.ts";

const SHORT_MS = 40;
const KB10 = new Uint8Array(10_000).fill(0x2e);
/** More than the system's buffers on both sides of a loopback connection take. */
const BUFFERS = 16_000_000;
const cleanup = new Cleanup();

/** A peer that reads nothing. */
async function deafPeer(
  endpoint: string,
  type: ScriptedType,
  routingId?: string,
): Promise<ScriptedPeer> {
  const peer = cleanup.add(await join(endpoint, type, routingId));
  peer.pause();
  return peer;
}

const BLOCKING = {
  Push: { open: () => new Push(), peer: () => new Pull(), peerType: "PULL" },
  Dealer: { open: () => new Dealer(), peer: () => new Dealer(), peerType: "DEALER" },
  Pair: { open: () => new Pair(), peer: () => new Pair(), peerType: "PAIR" },
  Request: { open: () => new Request(), peer: () => new Reply(), peerType: "ROUTER" },
} as const;

for (const [name, { open, peer, peerType }] of Object.entries(BLOCKING)) {
  const delimited = name === "Request" ? [""] : [];

  describeOver(DISTINCT_TRANSPORTS, `${name} without room for a message`, (transport) => {
    afterEach(() => cleanup.run());

    it("waits for its first peer", async () => {
      const socket = cleanup.add(open());
      await socket.bind(anywhere(transport));
      const sending = socket.send("x");
      await staysPending(sending, SHORT_MS, "a send without a peer");
      const other = cleanup.add(peer());
      other.connect(socket.lastEndpoint!);
      await within(sending, 5_000, "the send");
      assertFrames(await other.receive(), ["x"]);
    });

    it("says EAGAIN at once with sendTimeout 0, and is usable afterwards", async () => {
      const socket = cleanup.add(open());
      await socket.bind(anywhere(transport));
      socket.sendTimeout = 0;
      await rejection(socket.send("lost"), "EAGAIN");
      const other = cleanup.add(peer());
      other.connect(socket.lastEndpoint!);
      await eventually(() => socket.writable);
      await socket.send("kept");
      assertFrames(await other.receive(), ["kept"]);
    });

    it("waits again when its last peer has gone", async () => {
      const socket = cleanup.add(open());
      await socket.bind(anywhere(transport));
      const first = cleanup.add(await join(socket.lastEndpoint!, peerType));
      await eventually(() => socket.writable);
      first.leave();
      await eventually(() => !socket.writable);
      const sending = socket.send("x");
      await staysPending(sending, SHORT_MS, "a send without a peer");
      const second = cleanup.add(await join(socket.lastEndpoint!, peerType));
      await within(sending, 5_000, "the send");
      assertFrames(await second.hear(), [...delimited, "x"]);
    });

    it("with immediate, waits for a connection that stands", async () => {
      const endpoint = await reserve(transport);
      const socket = cleanup.add(open());
      socket.immediate = true;
      socket.reconnectInterval = 10;
      socket.connect(endpoint);
      const sending = socket.send("x");
      await staysPending(sending, SHORT_MS, "a send without a connection");
      const other = cleanup.add(peer());
      await other.bind(endpoint);
      await within(sending, 5_000, "the send");
      assertFrames(await other.receive(), ["x"]);
    });

    if (name === "Request") return;

    it("waits when its peer does not read, and goes on when it does", async () => {
      const socket = cleanup.add(open());
      socket.sendHighWaterMark = 10;
      await socket.bind(anywhere(transport));
      const deaf = await deafPeer(socket.lastEndpoint!, peerType);
      await eventually(() => socket.writable);
      const taken = await fill(socket, [KB10]);
      assertGreater(taken, 10);
      assertLess(taken, BUFFERS / KB10.length);
      const sending = socket.send("last");
      await staysPending(sending, SHORT_MS, "a send to a deaf peer");
      deaf.resume();
      for (let i = 0; i < taken; i++) {
        assertEquals((await deaf.hear())[0].length, KB10.length, `message ${i}`);
      }
      await within(sending, 5_000, "the send");
      assertFrames(await deaf.hear(), ["last"]);
    });

    for (const mark of [1, 2, 10, 1_000]) {
      it(`takes ${mark} messages for a peer that is not there yet, then waits`, async () => {
        const socket = cleanup.add(open());
        socket.sendHighWaterMark = mark;
        socket.connect(nowhere(transport));
        socket.sendTimeout = 0;
        for (let i = 0; i < mark; i++) await socket.send([String(i), "second frame"]);
        await rejection(socket.send("one too many"), "EAGAIN");
        assertEquals(socket.writable, false);
      });
    }

    it("takes any number with sendHighWaterMark 0", async () => {
      const socket = cleanup.add(open());
      socket.sendHighWaterMark = 0;
      socket.connect(nowhere(transport));
      for (let i = 0; i < 20_000; i++) await socket.send("x");
      assert(socket.writable);
    });

    if (name === "Pair") return;

    it("counts the messages of each peer by itself", async () => {
      const socket = cleanup.add(open());
      socket.sendHighWaterMark = 5;
      socket.connect(nowhere(transport));
      socket.connect(nowhere(transport, 1));
      socket.connect(nowhere(transport, 2));
      socket.sendTimeout = 0;
      for (let i = 0; i < 15; i++) await socket.send("x");
      await rejection(socket.send("one too many"), "EAGAIN");
    });

    it("passes over a peer that is full", async () => {
      const socket = cleanup.add(open());
      socket.sendHighWaterMark = 5;
      await socket.bind(anywhere(transport));
      await deafPeer(socket.lastEndpoint!, peerType);
      await eventually(() => socket.writable);
      await fill(socket, [KB10]);
      const other = cleanup.add(peer());
      other.connect(socket.lastEndpoint!);
      for (let i = 0; i < 1_000; i++) {
        await within(socket.send(String(i)), 5_000, `send ${i}`);
        assertFrames(await other.receive(), [String(i)]);
      }
    });
  });
}

describeOver(DISTINCT_TRANSPORTS, "Router with a message that it cannot route", (transport) => {
  afterEach(() => cleanup.run());

  async function openRouter(options: ConstructorParameters<typeof Router>[0]): Promise<Router> {
    const router = cleanup.add(new Router(options));
    await router.bind(anywhere(transport));
    return router;
  }

  /** A raw DEALER by the name "deaf" that reads nothing. */
  async function openDeaf(router: Router): Promise<ScriptedPeer> {
    const deaf = await deafPeer(router.lastEndpoint!, "DEALER", "deaf");
    deaf.say("here");
    assertFrames(await within(router.receive(), 5_000, "its message"), ["deaf", "here"]);
    return deaf;
  }

  it("drops it", async () => {
    const router = await openRouter({});
    await router.send(["nobody", "x"]);
    await router.send("nobody");
    await router.send(["", "x"]);
    const dealer = cleanup.add(new Dealer({ routingId: "d" }));
    dealer.connect(router.lastEndpoint!);
    await dealer.send("here");
    await router.receive();
    await router.send(["d", "y"]);
    assertFrames(await dealer.receive(), ["y"]);
  });

  it("says EHOSTUNREACH with mandatory, and whom it does not know", async () => {
    const router = await openRouter({ mandatory: true });
    const error = await rejection(router.send(["nobody", "x"]), "EHOSTUNREACH");
    assertInstanceOf(error, SendError);
    assertEquals(error.errno, 113);
    assertSays(error, `"nobody"`);
    const binary = await rejection(router.send([Uint8Array.of(0, 255), "x"]), "EHOSTUNREACH");
    assertSays(binary, "0x00ff");
  });

  it("says EHOSTUNREACH with mandatory once the peer has gone", async () => {
    const router = await openRouter({ mandatory: true });
    const deaf = await openDeaf(router);
    await router.send(["deaf", "x"]);
    deaf.leave();
    await eventually(() => !router.writable);
    await rejection(router.send(["deaf", "x"]), "EHOSTUNREACH");
  });

  it("drops it for a peer that is full, and serves the others", async () => {
    const router = await openRouter({ sendHighWaterMark: 5 });
    const deaf = await openDeaf(router);
    const count = BUFFERS / KB10.length;
    for (let i = 0; i < count; i++) await within(router.send(["deaf", KB10]), 5_000, `send ${i}`);
    const dealer = cleanup.add(new Dealer({ routingId: "d" }));
    dealer.connect(router.lastEndpoint!);
    await dealer.send("here");
    await router.receive();
    await router.send(["d", "y"]);
    assertFrames(await dealer.receive(), ["y"]);
    deaf.resume();
    for (let length = 0; length !== 3;) {
      await router.send(["deaf", "end"]);
      [{ length }] = await deaf.hear();
      assert(length === KB10.length || length === 3, `${length} octets`);
    }
  });

  it("waits with mandatory for a peer that is full, until it reads", async () => {
    const router = await openRouter({ sendHighWaterMark: 5, mandatory: true });
    const deaf = await openDeaf(router);
    const taken = await fill(router, ["deaf", KB10]);
    router.sendTimeout = 0;
    await rejection(router.send(["deaf", "x"]), "EAGAIN");
    router.sendTimeout = -1;
    const sending = router.send(["deaf", "last"]);
    await staysPending(sending, SHORT_MS, "a send to a full peer");
    deaf.resume();
    for (let i = 0; i < taken; i++) assertEquals((await deaf.hear())[0].length, 10_000);
    await within(sending, 5_000, "the send");
    assertFrames(await deaf.hear(), ["last"]);
  });

  it("ends a send that waits with EHOSTUNREACH when the peer goes away", async () => {
    const router = await openRouter({ sendHighWaterMark: 5, mandatory: true });
    const deaf = await openDeaf(router);
    await fill(router, ["deaf", KB10]);
    const outcome = rejection(router.send(["deaf", "x"]), "EHOSTUNREACH");
    deaf.leave();
    await outcome;
  });
});

describeOver(TRANSPORTS, "Reply", (transport) => {
  afterEach(() => cleanup.run());

  it("drops the reply to a requester that has gone, and serves the next one", async () => {
    const reply = cleanup.add(new Reply());
    await reply.bind(anywhere(transport));
    const gone = cleanup.add(await join(reply.lastEndpoint!, "DEALER"));
    gone.say("", "question");
    assertFrames(await reply.receive(), ["question"]);
    gone.leave();
    const request = cleanup.add(new Request());
    request.connect(reply.lastEndpoint!);
    await request.send("next");
    await within(reply.send("into the void"), 5_000, "the reply");
    assertFrames(await reply.receive(), ["next"]);
    await reply.send("answer");
    assertFrames(await request.receive(), ["answer"]);
  });

  it("never waits for a requester that does not read", async () => {
    const reply = cleanup.add(new Reply({ sendHighWaterMark: 5 }));
    await reply.bind(anywhere(transport));
    const deaf = await deafPeer(reply.lastEndpoint!, "DEALER");
    const count = BUFFERS / KB10.length;
    for (let i = 0; i < count; i++) deaf.say("", String(i));
    for (let i = 0; i < count; i++) {
      assertFrames(await within(reply.receive(), 5_000, `request ${i}`), [String(i)]);
      await within(reply.send(KB10), 5_000, `reply ${i}`);
    }
  });
});
