// What happens on the connection itself: addresses, heartbeats, and libzmq peers that cannot be
// talked to, beside others that must not notice.

import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { Pull, Push, Router } from "../../mod.ts";
import { assertFrames, textOf } from "../_util/bytes.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { RECEIVES, SENDS, SENDS_AND_RECEIVES } from "../_util/pairing.ts";
import { type Peer, type PeerOptions, type PeerSocket, startPeer } from "../_util/peer.ts";
import { Opened, receiveSequence, sendSequence } from "../_util/traffic.ts";

const ANY_PORT = "tcp://127.0.0.1:*";

describe("link to libzmq", () => {
  const opened = new Opened();
  let peer: Peer;
  let theirs: PeerSocket[] = [];
  const openTheirs = async (...args: Parameters<Peer["open"]>): Promise<PeerSocket> => {
    const socket = await peer.open(...args);
    theirs.push(socket);
    return socket;
  };
  const boundPull = async (endpoint = ANY_PORT, options: object = {}): Promise<Pull> => {
    const pull = opened.add(new Pull({ ...RECEIVES, ...options }));
    await pull.bind(endpoint);
    return pull;
  };
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(async () => {
    await opened.close();
    await Promise.all(theirs.map((socket) => socket.close()));
    theirs = [];
  });

  describe("by address", () => {
    const bindings: [string, string, (bound: string) => string, PeerOptions][] = [
      ["127.0.0.1", "tcp://127.0.0.1:*", (bound) => bound, {}],
      ["127.0.0.1, port 0", "tcp://127.0.0.1:0", (bound) => bound, {}],
      ["every IPv4 address", "tcp://*:*", (bound) => onHost(bound, "127.0.0.1"), {}],
      ["0.0.0.0", "tcp://0.0.0.0:*", (bound) => onHost(bound, "127.0.0.1"), {}],
      ["an interface's name", "tcp://lo:*", (bound) => onHost(bound, "127.0.0.1"), {}],
      ["::1", "tcp://[::1]:*", (bound) => bound, { ipv6: true }],
      ["every IPv6 address", "tcp://[::]:*", (bound) => onHost(bound, "[::1]"), { ipv6: true }],
    ];
    for (const [name, endpoint, toConnect, options] of bindings) {
      it(`we bind to ${name}`, async () => {
        const pull = await boundPull(endpoint, options);
        const push = await openTheirs("Push", options);
        await push.connect(toConnect(pull.lastEndpoint!));
        await push.sendSequence(0, 10);
        assertEquals(await receiveSequence(pull, 10), [[0, 9]]);
      });

      it(`we connect to a libzmq socket bound to ${name}`, async () => {
        const pull = await openTheirs("Pull", options);
        const push = opened.add(new Push(SENDS));
        push.connect(toConnect(await pull.bind(endpoint)));
        await sendSequence(push, 0, 10);
        assertEquals(await pull.receiveSequence(10), [[0, 9]]);
      });
    }

    it("we connect by host name", async () => {
      const pull = await openTheirs("Pull");
      const push = opened.add(new Push(SENDS));
      push.connect(onHost(await pull.bind(), "localhost"));
      await sendSequence(push, 0, 10);
      assertEquals(await pull.receiveSequence(10), [[0, 9]]);
    });

    it("we connect from a source address", async () => {
      const pull = await openTheirs("Pull");
      const push = opened.add(new Push(SENDS));
      push.connect((await pull.bind()).replace("tcp://", "tcp://127.0.0.2:0;"));
      await sendSequence(push, 0, 10);
      assertEquals(await pull.receiveSequence(10), [[0, 9]]);
    });
  });

  it("stays up while libzmq's heartbeats are answered", async () => {
    const pull = await boundPull();
    const push = await openTheirs("Push", {
      heartbeatInterval: 30,
      heartbeatTimeout: 500,
      heartbeatTimeToLive: 1_000,
    });
    await push.connect(pull.lastEndpoint!);
    await push.sendSequence(0, 10);
    assertEquals(await receiveSequence(pull, 10), [[0, 9]]);
    await pause(1_200);
    assertEquals(await push.events(), { handshake: 1, disconnect: 0 });
    await push.sendSequence(10, 20);
    assertEquals(await receiveSequence(pull, 10), [[10, 19]]);
  });

  it("stays up when heartbeats come between the messages of a flood", async () => {
    const pull = await boundPull();
    const push = await openTheirs("Push", { heartbeatInterval: 1, heartbeatTimeout: 10_000 });
    await push.connect(pull.lastEndpoint!);
    const flooding = push.sendSequence(0, 20_000, 200);
    assertEquals(await receiveSequence(pull, 20_000), [[0, 19_999]]);
    await flooding;
    assertEquals((await push.events()).disconnect, 0);
  });

  it("ends for a message beyond maxMessageSize only", async () => {
    const pull = await boundPull(ANY_PORT, { maxMessageSize: 1_000 });
    const [good, bad] = await Promise.all([openTheirs("Push"), openTheirs("Push")]);
    await good.connect(pull.lastEndpoint!);
    await bad.connect(pull.lastEndpoint!);
    await bad.send("fits", new Uint8Array(1_000));
    assertFrames(await pull.receive(), ["fits", new Uint8Array(1_000)]);
    await bad.send("part of what does not fit", new Uint8Array(1_001));
    await eventually(async () => (await bad.events()).disconnect >= 1);
    await good.send("good");
    assertFrames(await pull.receive(), ["good"]);
    await bad.send("better"); // libzmq has reconnected, or will
    assertFrames(await pull.receive(), ["better"]);
  });

  it("is refused to the wrong type of socket, which gets no message", async () => {
    const push = opened.add(new Push(SENDS));
    await push.bind(ANY_PORT);
    const [wrong, right] = await Promise.all([openTheirs("Reply"), openTheirs("Pull")]);
    await wrong.connect(push.lastEndpoint!);
    await pause(50);
    await right.connect(push.lastEndpoint!);
    await sendSequence(push, 0, 100);
    assertEquals(await right.receiveSequence(100), [[0, 99]]);
    assertEquals((await wrong.events()).handshake, 0);
  });

  it("is refused to a peer with another mechanism", async () => {
    const pull = await boundPull();
    const [plain, curve, good] = await Promise.all([
      openTheirs("Push", { plainUsername: "user", plainPassword: "password" }),
      openTheirs("Push", {
        curveServerKey: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
        curvePublicKey: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
        curveSecretKey: "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
      }),
      openTheirs("Push"),
    ]);
    await plain.connect(pull.lastEndpoint!);
    await curve.connect(pull.lastEndpoint!);
    // libzmq gives a refused connection up, and then these wait for another one for ever.
    for (const refused of [plain, curve]) refused.send("secret").catch(() => {});
    await good.connect(pull.lastEndpoint!);
    await good.sendSequence(0, 10);
    assertEquals(await receiveSequence(pull, 10), [[0, 9]]);
    assertEquals((await plain.events()).handshake + (await curve.events()).handshake, 0);
  });

  it("ends with disconnect() and unbind(), and can be made again", async () => {
    const pull = await openTheirs("Pull");
    const endpoint = await pull.bind();
    const push = opened.add(new Push(SENDS));
    push.connect(endpoint);
    await sendSequence(push, 0, 10);
    assertEquals(await pull.receiveSequence(10), [[0, 9]]);
    push.disconnect(endpoint);
    await eventually(async () => (await pull.events()).disconnect === 1);
    push.connect(endpoint);
    await sendSequence(push, 10, 20);
    assertEquals(await pull.receiveSequence(10), [[10, 19]]);

    const ours = await boundPull();
    const theirPush = await openTheirs("Push");
    const ourEndpoint = ours.lastEndpoint!;
    await ours.unbind(ourEndpoint);
    await theirPush.connect(ourEndpoint);
    await pause(50);
    assertEquals((await theirPush.events()).handshake, 0);
    await ours.bind(ourEndpoint);
    await theirPush.sendSequence(0, 10);
    assertEquals(await receiveSequence(ours, 10), [[0, 9]]);
  });

  it("is one of many", async () => {
    const router = opened.add(new Router(SENDS_AND_RECEIVES));
    await router.bind(ANY_PORT);
    const dealers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => openTheirs("Dealer", { routingId: `dealer ${i}` })),
    );
    for (const dealer of dealers) {
      await dealer.connect(router.lastEndpoint!);
      await dealer.send("hello");
    }
    const ids = new Set<string>();
    for (let i = 0; i < dealers.length; i++) ids.add(textOf((await router.receive())[0]));
    assertEquals(ids.size, dealers.length);
    for (const id of ids) await router.send([id, `welcome, ${id}`]);
    for (const [i, dealer] of dealers.entries()) {
      assertFrames(await dealer.receive(), [`welcome, dealer ${i}`]);
    }
    assertGreaterOrEqual((await dealers[0].events()).handshake, 1);
  });
});

function onHost(endpoint: string, host: string): string {
  return `tcp://${host}:${endpoint.slice(endpoint.lastIndexOf(":") + 1)}`;
}
