// Limits and full queues under CURVE: what counts is what the application sees, and nothing that was taken is lost.

import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertFrames } from "../_util/bytes.ts";
import { pause } from "../_util/deadline.ts";
import type { SequenceRuns } from "../_util/peer.ts";
import { describeSides } from "../_util/security_sides.ts";
import { tells } from "../_util/security_stage.ts";

const QUICK = { reconnectInterval: 20 } as const;

describeSides("CURVE", "limits", (sides) => {
  for (const limit of [100, 222, 255, 300, 40_000, 100_000]) {
    it(`maxMessageSize ${limit} is that of an open frame`, async () => {
      const pull = await sides.openOurs("Pull", { maxMessageSize: limit });
      const push = await sides.openTheirs("Push", QUICK);
      await push.connect(await pull.bind());
      await push.send("", new Uint8Array(limit), new Uint8Array(limit - 1));
      assertEquals((await pull.receive()).map((frame) => frame.length), [0, limit, limit - 1]);
      await push.send(new Uint8Array(limit + 1));
      await tells(pull, "disconnect EMSGSIZE");
      await tells(pull, "handshake", 2);
      await push.send("next");
      assertFrames(await pull.receive(), ["next"]);
    });
  }

  it("CURVE-MSG-09: libzmq's maxMessageSize is that of a sealed frame", async () => {
    const push = await sides.openOurs("Push", QUICK);
    const pull = await sides.openTheirs("Pull", { maxMessageSize: 1_000 });
    await push.connect(await pull.bind());
    await push.send(new Uint8Array(1_000 - 33));
    assertEquals((await pull.receive())[0].length, 1_000 - 33);
    await push.send(new Uint8Array(1_000 - 32));
    await tells(push, "disconnect");
  });

  for (const [who, filler] of [["short", 10], ["long", 100_000]] as const) {
    it(`a reader that waits gets all ${who} messages in the end`, async () => {
      const ours = await sides.openOurs("Dealer", { sendHighWaterMark: 5 });
      const theirs = await sides.openTheirs("Dealer", { sendHighWaterMark: 5 });
      await ours.connect(await theirs.bind());
      const count = filler > 1_000 ? 200 : 5_000;
      const sending = [ours.sendSequence(0, count, filler), theirs.sendSequence(0, count, filler)];
      await pause(200);
      const runs = [await theirs.receiveSequence(count), await ours.receiveSequence(count)];
      assertEquals(runs, [[[0, count - 1]], [[0, count - 1]]]);
      await Promise.all(sending);
    });
  }

  it("a socket that closes sends what it was given", async () => {
    const pull = await sides.openTheirs("Pull");
    const endpoint = await pull.bind();
    const push = await sides.openOurs("Push", { linger: 10_000, sendHighWaterMark: 0 });
    await push.connect(endpoint);
    // A libzmq server that is closed before its client's INITIATE has come never answers it.
    await tells(pull, "handshake");
    await push.sendSequence(0, 3_000, 500);
    const [runs] = await Promise.all([pull.receiveSequence(3_000), push.close()]);
    assertEquals(runs, [[0, 2_999]]);
  });

  it("libzmq sends what it was given when it closes, and we take all of it", async () => {
    const pull = await sides.openOurs("Pull");
    const endpoint = await pull.bind();
    const [, push] = await sides.openMortal("Push", { linger: 10_000, sendHighWaterMark: 0 });
    await push.connect(endpoint);
    // A libzmq server that is closed before its client's INITIATE has come never answers it.
    await tells(pull, "handshake");
    await push.sendSequence(0, 3_000, 500);
    const [runs] = await Promise.all([pull.receiveSequence(3_000), push.close()]);
    assertEquals(runs, [[0, 2_999]]);
  });

  it("a publisher gives each of many subscribers what it asked for", async () => {
    const publisher = await sides.openOurs("XPublisher", {
      sendHighWaterMark: 0,
      verbosity: "allSubs",
    });
    const endpoint = await publisher.bind();
    const subscribers = await Promise.all(
      Array.from({ length: 12 }, () => sides.openTheirs("Subscriber", { receiveHighWaterMark: 0 })),
    );
    for (const [i, subscriber] of subscribers.entries()) {
      await subscriber.subscribe(i % 2 === 0 ? "" : "1");
      await subscriber.connect(endpoint);
    }
    for (const _ of subscribers) await publisher.receive();
    await publisher.sendSequence(0, 2_000, 300);
    // All of them, and those whose number begins with 1.
    const counts = [2_000, 1 + 10 + 100 + 1_000];
    for (const [i, subscriber] of subscribers.entries()) {
      const runs = await subscriber.receiveSequence(counts[i % 2]);
      const wanted: SequenceRuns = [[1, 1], [10, 19], [100, 199], [1_000, 1_999]];
      assertEquals(runs, i % 2 === 0 ? [[0, 1_999]] : wanted);
    }
  });
});
