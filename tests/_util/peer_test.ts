// Proves the interop harness itself: libzmq against libzmq, every kind of command.

import { assertEquals, assertRejects } from "@std/assert";
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
