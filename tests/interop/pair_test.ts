import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { Pair } from "../../mod.ts";
import { assertFrames } from "../_util/bytes.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { SENDS_AND_RECEIVES, testPairing } from "../_util/pairing.ts";
import { type Peer, startPeer } from "../_util/peer.ts";
import { Opened, receiveMany, sendMany } from "../_util/traffic.ts";

testPairing("PAIR with libzmq's PAIR", {
  ours: () => new Pair(SENDS_AND_RECEIVES),
  theirs: "Pair",
  traffic: (ours, theirs, spec) =>
    Promise.all([
      sendMany(ours, spec),
      theirs.receiveMany(spec),
      theirs.sendMany({ ...spec, seed: 9 }),
      receiveMany(ours, { ...spec, seed: 9 }),
    ]),
});

describe("PAIR", () => {
  const opened = new Opened();
  let peer: Peer;
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(() => opened.close());

  it("refuses a second libzmq PAIR as long as the first is there", async () => {
    const pair = opened.add(new Pair(SENDS_AND_RECEIVES));
    await pair.bind("tcp://127.0.0.1:*");
    const [first, second] = await Promise.all([peer.open("Pair"), peer.open("Pair")]);
    await first.connect(pair.lastEndpoint!);
    await first.send("first");
    assertFrames(await pair.receive(), ["first"]);
    await second.connect(pair.lastEndpoint!);
    await second.send("second");
    await pause(100);
    await first.send("first again");
    assertFrames(await pair.receive(), ["first again"]);
    for (const text of ["to", "the", "first"]) await pair.send(text);
    for (const text of ["to", "the", "first"]) assertFrames(await first.receive(), [text]);
    await first.close();
    // What the second sent was lost with its refused connections; it keeps trying, and gets in.
    pair.receiveTimeout = 200;
    await eventually(async () => {
      await second.send("second");
      return pair.receive().then(() => true, () => false);
    });
    await pair.send("to the second");
    assertFrames(await second.receive(), ["to the second"]);
  });
});
