// Proves the interop harness itself: libzmq against libzmq, every kind of command.

import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { assertFrames } from "./bytes.ts";
import { eventually } from "./deadline.ts";
import { type MessageSpec, type Peer, startPeer } from "./peer.ts";

const SPEC: MessageSpec = { seed: 1, count: 200, sizes: [0, 1, 255, 256, 70_000], parts: [1, 5] };

describe("libzmq peer", () => {
  let peer: Peer;
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());

  it("sends and receives generated messages", async () => {
    const push = await peer.open("Push");
    const pull = await peer.open("Pull");
    await pull.connect(await push.bind());
    await Promise.all([push.sendMany(SPEC), pull.receiveMany(SPEC)]);
    assertEquals((await pull.events()).handshake, 1);
    await pull.close();
    const last = async (): Promise<string | undefined> => (await pull.eventLog()).at(-1)?.type;
    await eventually(async () => await last() === "end");
  });

  it("finds a wrong byte", async () => {
    const push = await peer.open("Push");
    const pull = await peer.open("Pull");
    await pull.connect(await push.bind());
    const sent = push.sendMany({ ...SPEC, seed: 2, sizes: [9] });
    await assertRejects(
      () => pull.receiveMany({ ...SPEC, sizes: [9] }),
      Error,
      "message 0 differs in frame 0 (9 bytes) at byte 0",
    );
    await sent;
    await pull.close();
  });

  it("asks and answers through a device", async () => {
    const [request, reply, router, dealer] = await Promise.all([
      peer.open("Request"),
      peer.open("Reply"),
      peer.open("Router"),
      peer.open("Dealer"),
    ]);
    await request.connect(await router.bind());
    await dealer.connect(await reply.bind());
    const forwarding = router.forward(dealer);
    await Promise.all([reply.echo(SPEC.count), request.exchange(SPEC)]);
    await Promise.all([router.close(), dealer.close(), forwarding]);
  });

  it("sets binary routing ids", async () => {
    const router = await peer.open("Router", { mandatory: true });
    const dealer = await peer.open("Dealer", {}, Uint8Array.of(1, 0, 255));
    await dealer.connect(await router.bind());
    await dealer.send("hello");
    assertFrames(await router.receive(), [Uint8Array.of(1, 0, 255), "hello"]);
    await assertRejects(() => router.send("nobody", "x"), Error, "Host unreachable");
  });

  it("publishes and subscribes, and wakes sockets that nobody uses", async () => {
    const [pub, sub] = [await peer.open("XPublisher"), await peer.open("Subscriber")];
    await sub.subscribe("a", Uint8Array.of(0, 255));
    await sub.connect(await pub.bind());
    await eventually(async () => await pub.topicsCount() === 2);
    assertFrames(await pub.receive(), [Uint8Array.of(1, 0x61)]);
    await pub.sendEach([["a", "1"], ["b", "2"], [Uint8Array.of(0, 255, 1)], ["a", "end"]]);
    const received = await sub.receiveUntil("a", "end");
    assertEquals(received.map((frames) => frames.length), [2, 1]);
    await sub.unsubscribe("a");
    assertFrames(await pub.receive(), [Uint8Array.of(1, 0, 255)]);
    assertFrames(await pub.receive(), [Uint8Array.of(0, 0x61)]);
  });

  it("floods two topics in turn", async () => {
    const [pub, sub] = [await peer.open("Publisher"), await peer.open("XSubscriber")];
    await sub.connect(await pub.bind());
    await sub.subscribe("b");
    await eventually(async () => await pub.topicsCount() === 1);
    await pub.startFlood("a", "b");
    for (let i = 1; i < 100; i += 2) assertFrames(await sub.receive(), ["b", String(i)]);
    assertGreater(await pub.stopFlood(), 99);
  });

  it("runs libzmq's proxy until it is terminated", async () => {
    const [front, back] = [await peer.open("Pull"), await peer.open("Push")];
    const [push, pull] = [await peer.open("Push"), await peer.open("Pull")];
    await push.connect(await front.bind());
    await pull.connect(await back.bind());
    const running = front.proxy(back);
    await Promise.all([push.sendMany(SPEC), pull.receiveMany(SPEC)]);
    await front.steer("terminate");
    await running;
  });

  it("speaks to a STREAM in octets, which come in one run", async () => {
    const [server, client] = [await peer.open("Stream"), await peer.open("Stream")];
    await client.connect(await server.bind(), "server");
    assertFrames(await client.receive(), ["server", ""]);
    const [id, opened] = await server.receive();
    assertEquals([id.length, opened.length], [5, 0]);
    const spec = { ...SPEC, sizes: [1, 255, 256, 70_000], parts: [1, 1] } as const; // empty would end it
    await Promise.all([client.sendMany(spec, "server"), server.receiveOctets(spec)]);
    await client.close();
    assertFrames(await server.receive(), [id, ""]);
  });

  it("stands still while it is frozen", async () => {
    const other = startPeer();
    const push = await other.open("Push", { heartbeatInterval: 50, reconnectInterval: 50 });
    const pull = await peer.open("Pull");
    await push.connect(await pull.bind());
    const types = async (): Promise<string[]> => (await push.eventLog()).map(({ type }) => type);
    await eventually(async () => (await types()).includes("handshake"));
    peer.freeze();
    await eventually(async () => (await types()).includes("disconnect"));
    assertEquals((await types()).slice(0, 3), ["connect:delay", "connect", "handshake"]);
    await push.send("kept");
    peer.thaw();
    assertFrames(await pull.receive(), ["kept"]);
    other.freeze();
    await other.stop();
  });

  it("dies by a signal, and its successor takes the port", async () => {
    const first = startPeer();
    const endpoint = await (await first.open("Pull")).bind();
    const push = await peer.open("Push");
    await push.connect(endpoint);
    await eventually(async () => (await push.events()).handshake === 1);
    const lost = first.command("receive", { name: "Pull-1" });
    await Promise.all([assertRejects(() => lost, Error, "ended (SIGKILL)"), first.kill()]);
    await eventually(async () => (await push.events()).disconnect === 1);
    await push.sendSequence(0, 10, 100);
    const second = startPeer();
    const pull = await second.open("Pull");
    assertEquals(await pull.bind(endpoint), endpoint);
    assertEquals(await pull.receiveSequence(10), [[0, 9]]);
    await second.stop();
  });
});
