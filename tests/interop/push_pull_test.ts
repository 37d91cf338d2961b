import { assertAlmostEquals, assertEquals } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { Pull, Push } from "../../mod.ts";
import { textOf } from "../_util/bytes.ts";
import { pause } from "../_util/deadline.ts";
import { RECEIVES, SENDS, testPairing } from "../_util/pairing.ts";
import { type Peer, startPeer } from "../_util/peer.ts";
import { Opened, receiveMany, sendMany, sendSequence } from "../_util/traffic.ts";

testPairing("PUSH to libzmq's PULL", {
  ours: () => new Push(SENDS),
  theirs: "Pull",
  traffic: (ours, theirs, spec) => Promise.all([sendMany(ours, spec), theirs.receiveMany(spec)]),
});

testPairing("PULL from libzmq's PUSH", {
  ours: () => new Pull(RECEIVES),
  theirs: "Push",
  traffic: (ours, theirs, spec) => Promise.all([receiveMany(ours, spec), theirs.sendMany(spec)]),
});

describe("several libzmq peers", () => {
  const opened = new Opened();
  let peer: Peer;
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(() => opened.close());

  it("get a PUSH socket's messages in turn", async () => {
    const push = opened.add(new Push(SENDS));
    const pulls = await Promise.all([0, 1, 2].map(() => peer.open("Pull")));
    for (const pull of pulls) push.connect(await pull.bind());
    await sendSequence(push, 0, 300);
    const received = await Promise.all(pulls.map((pull) => pull.receiveSequence(100)));
    const everyThird = (first: number): [number, number][] =>
      Array.from({ length: 100 }, (_, i) => [first + 3 * i, first + 3 * i]);
    const byFirst = received.toSorted(([[a]], [[b]]) => a - b);
    assertEquals(byFirst, [everyThird(0), everyThird(1), everyThird(2)]);
  });

  it("are read by a PULL socket in turn, however much one of them sends", async () => {
    const pull = opened.add(new Pull({ ...RECEIVES, receiveHighWaterMark: 10 }));
    await pull.bind("tcp://127.0.0.1:*");
    const [flood, trickle] = await Promise.all([peer.open("Push"), peer.open("Push")]);
    await flood.connect(pull.lastEndpoint!);
    await trickle.connect(pull.lastEndpoint!);
    const flooding = flood.sendSequence(0, 10_000, 1_000);
    const trickling = trickle.sendSequence(10_000, 10_100, 1_000);
    const next = async (): Promise<number> => Number(textOf((await pull.receive())[0]));
    await next();
    await pause(200); // now both have more on the way than we read ahead
    let fromTrickle = 0;
    for (let i = 0; i < 10; i++) if (await next() >= 10_000) fromTrickle++;
    assertAlmostEquals(fromTrickle, 5, 1);
    for (let i = 11; i < 10_100; i++) await next();
    await Promise.all([flooding, trickling]);
  });
});
