// A NULL handshake with libzmq in lockstep: each step of one side is held back until the other has
// done its own, so that what each says to what is known to the octet.

import { assertEquals } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { Dealer, Router } from "../../mod.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { assertOctets } from "../_util/octets.ts";
import { type Peer, startPeer } from "../_util/peer.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { dial, type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { vector } from "../_util/vectors.ts";

const OPTIONS = { sendTimeout: 5_000, receiveTimeout: 5_000 } as const;
const cleanup = new Cleanup();

/** Takes exactly these octets from both sides, then gives each what the other said. */
async function step(
  [ours, expected]: readonly [RawConnection, Uint8Array],
  [theirs, expectedOfThem]: readonly [RawConnection, Uint8Array],
): Promise<void> {
  const said = await ours.take(expected.length);
  const saidByThem = await theirs.take(expectedOfThem.length);
  assertOctets(said, expected, "what we say");
  assertOctets(saidByThem, expectedOfThem, "what libzmq says");
  assertEquals([ours.available, theirs.available], [0, 0], "nobody says more than that");
  theirs.send(said);
  ours.send(saidByThem);
}

/** The steps of GV-HS-02, as both sides take them, and the messages of GV-HS-01. */
async function shakeHands(
  ours: RawConnection,
  theirs: RawConnection,
  ready: readonly [ours: string, theirs: string],
): Promise<void> {
  const greeting = vector("GV-G-06");
  const [first, second, third] = [[0, 10], [10, 11], [11, 64]].map(([from, to]) =>
    greeting.subarray(from, to)
  );
  await step([ours, first], [theirs, first]);
  await step([ours, second], [theirs, second]);
  // We need not wait for the rest of the greeting to say READY; libzmq does.
  const [own, other] = ready.map(vector);
  const together = new Uint8Array([...third, ...own]);
  const said = await ours.take(together.length);
  assertOctets(said, together, "what we say");
  assertOctets(await theirs.take(third.length), third, "what libzmq says");
  assertEquals([ours.available, theirs.available], [0, 0]);
  theirs.send(said);
  assertOctets(await theirs.take(other.length), other, "what libzmq says");
  ours.send(third, other);
}

describe("a handshake with libzmq in lockstep", () => {
  let peer: Peer;
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(() => cleanup.run());

  it("GV-HS-02, GV-HS-01: our DEALER connects to a ROUTER", async () => {
    const router = await peer.open("Router");
    const server = cleanup.add(await RawServer.listen());
    const dealer = cleanup.add(new Dealer(OPTIONS));
    dealer.connect(server.endpoint);
    const ours = await server.accept();
    const theirs = cleanup.add(await dial(await router.bind()));
    await shakeHands(ours, theirs, ["GV-C-01", "GV-C-03"]);
    await dealer.send("hi");
    const hi = await ours.take(4);
    assertEquals([...hi], [0, 2, 0x68, 0x69]);
    theirs.send(hi);
    const [id, ...frames] = await router.receive();
    assertFrames(frames, ["hi"]);
    await router.send(id, "yo");
    const yo = await theirs.take(4);
    assertEquals([...yo], [0, 2, 0x79, 0x6f]);
    ours.send(yo);
    assertFrames(await dealer.receive(), ["yo"]);
    await router.close();
  });

  it("GV-HS-02, GV-HS-01: a DEALER connects to our ROUTER", async () => {
    const dealer = await peer.open("Dealer");
    const server = cleanup.add(await RawServer.listen());
    const router = cleanup.add(new Router(OPTIONS));
    await router.bind(ANY_PORT);
    await dealer.connect(server.endpoint);
    const theirs = await server.accept();
    const ours = cleanup.add(await dial(router.lastEndpoint!));
    await shakeHands(ours, theirs, ["GV-C-03", "GV-C-01"]);
    await dealer.send("hi");
    const hi = await theirs.take(4);
    assertEquals([...hi], [0, 2, 0x68, 0x69]);
    ours.send(hi);
    const [id, ...frames] = await router.receive();
    assertFrames(frames, ["hi"]);
    await router.send([id, "yo"]);
    const yo = await ours.take(4);
    assertEquals([...yo], [0, 2, 0x79, 0x6f]);
    theirs.send(yo);
    assertFrames(await dealer.receive(), ["yo"]);
    await dealer.close();
  });
});
