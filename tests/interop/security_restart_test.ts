// A libzmq peer is killed and a successor takes its place, with PLAIN and with CURVE: what was not handed to the old
// connection goes to the new one, in order, none twice, sealed with the new connection's key.

import { assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { it } from "@std/testing/bdd";
import { textOf } from "../_util/bytes.ts";
import { pause } from "../_util/deadline.ts";
import { findDifference, makeMessage } from "../_util/messages.mjs";
import type { MessageSpec } from "../_util/peer.ts";
import { SocketFolder } from "../_util/socket_folder.ts";
import { describeSides } from "../_util/security_sides.ts";
import { tells } from "../_util/security_stage.ts";

const QUICK = { reconnectInterval: 20 } as const;
/** With PLAIN nothing is sealed: what is kept is as without security. */
const PAIRS = {
  CURVE: [["Push", "Pull"], ["Dealer", "Dealer"]],
  PLAIN: [["Dealer", "Dealer"]],
} as const;
/** Frames that go by different ways, longer than the system's buffers take at once. */
const LONG: MessageSpec = {
  seed: 61,
  count: 0,
  sizes: [300_000, 5, 40_000, 0, 1_000_000, 300, 70_000, 222],
  parts: [1, 8],
};
/** What is well in the old connection's buffers, and in ours, when it breaks. */
const FILLER = 2_000;

for (const mechanism of ["CURVE", "PLAIN"] as const) {
  describeSides(mechanism, "a killed peer", (sides) => {
    for (const [type, other] of PAIRS[mechanism]) {
      it(`${type} keeps for the successor what it is sent meanwhile, we connect`, async () => {
        const ours = await sides.openOurs(type, QUICK);
        const [first, theirs] = await sides.openMortal(other);
        const endpoint = await theirs.bind();
        await ours.connect(endpoint);
        await ours.sendSequence(0, 100, 100);
        assertEquals(await theirs.receiveSequence(100), [[0, 99]]);
        await first.peer.kill();
        await tells(ours, "disconnect");
        await ours.sendSequence(100, 600, 100);
        const [, successor] = await sides.openMortal(other);
        await successor.bind(endpoint);
        assertEquals(await successor.receiveSequence(500), [[100, 599]]);
        await ours.sendSequence(600, 1_600, 100);
        assertEquals(await successor.receiveSequence(1_000), [[600, 1_599]]);
      });

      it(`${type} keeps it when we bind, too`, async () => {
        const ours = await sides.openOurs(type);
        const endpoint = await ours.bind();
        const [first, theirs] = await sides.openMortal(other);
        await theirs.connect(endpoint);
        await ours.sendSequence(0, 100, 100);
        assertEquals(await theirs.receiveSequence(100), [[0, 99]]);
        await first.peer.kill();
        await tells(ours, "disconnect");
        const sending = ours.sendSequence(100, 600, 100);
        const [, successor] = await sides.openMortal(other);
        await successor.connect(endpoint);
        assertEquals(await successor.receiveSequence(500), [[100, 599]]);
        await sending;
      });

      it(`${type} goes on without gaps when it is cut off in a flood`, async () => {
        const ours = await sides.openOurs(type, QUICK);
        const [first, theirs] = await sides.openMortal(other);
        const endpoint = await theirs.bind();
        await ours.connect(endpoint);
        let sent = 0;
        let flooding = true;
        const flood = (async () => {
          while (flooding) await ours.sendSequence(sent, ++sent, 500);
        })();
        assertEquals(await theirs.receiveSequence(1_000), [[0, 999]]);
        await first.peer.kill();
        const [, successor] = await sides.openMortal(other);
        await successor.bind(endpoint);
        const runs = await successor.receiveSequence(3_000);
        assertEquals(runs.length, 1, `gaps or repetitions: ${runs}`);
        assertGreater(runs[0][0], 999);
        flooding = false;
        await Promise.all([flood, successor.receiveSequence(sent - 1 - runs[0][1])]);
      });

      it(`${type} gives the successor what a killed peer did not read`, async () => {
        const mark = 500;
        const ours = await sides.openOurs(type, {
          ...QUICK,
          sendHighWaterMark: mark,
          sendTimeout: 0,
        });
        const [first, theirs] = await sides.openMortal(other, { receiveHighWaterMark: 1 });
        const endpoint = await theirs.bind();
        await ours.connect(endpoint);
        await tells(ours, "handshake");
        // Full, and full still after a while: nothing is on the move any more.
        let accepted = 0;
        for (let before = -1; before !== accepted; await pause(100)) {
          before = accepted;
          try {
            for (;;) {
              await ours.sendSequence(accepted, accepted + 1, FILLER);
              accepted++;
            }
          } catch {
            // It is full.
          }
        }
        await first.peer.kill();
        await tells(ours, "disconnect");
        const [, successor] = await sides.openMortal(other);
        await successor.bind(endpoint);
        const [[from, to]] = await successor.receiveSequence(mark);
        assertEquals(to - from + 1, mark);
        assertLessOrEqual(from, accepted - mark);
        if (to + 1 < accepted) {
          const rest = await successor.receiveSequence(accepted - to - 1);
          assertEquals(rest, [[to + 1, accepted - 1]]);
        }
      });
    }

    it("what was cut off among long frames comes whole to the successor", async () => {
      const ours = await sides.openOurs("Push", { ...QUICK, sendHighWaterMark: 10 });
      let endpoint: string | undefined;
      let sent = 0;
      let flooding = true;
      const flood = (async () => {
        for (; flooding; sent++) await ours.send(String(sent), ...makeMessage(LONG, sent));
      })();
      let last = -1;
      for (let generation = 0; generation < 3; generation++) {
        const [mortal, theirs] = await sides.openMortal("Pull", { receiveHighWaterMark: 1 });
        if (endpoint) await theirs.bind(endpoint);
        else await ours.connect(endpoint = await theirs.bind());
        for (let i = 0; flooding ? i < 8 : last + 1 < sent; i++) {
          const [head, ...frames] = await theirs.receive();
          const number = Number(textOf(head));
          // Only a killed peer takes messages with it.
          if (i > 0) assertEquals(number, last + 1);
          else assertGreater(number, last);
          last = number;
          assertEquals(findDifference(frames, LONG, number), undefined);
          // All that is left then has to come, to the last frame.
          if (generation === 2 && i === 2) flooding = false;
        }
        if (generation < 2) await mortal.peer.kill();
      }
      await flood;
    });

    it("over ipc the successor gets what was sent meanwhile", async () => {
      const folder = new SocketFolder();
      try {
        const endpoint = folder.endpoint("restart");
        const ours = await sides.openOurs("Push", QUICK);
        const [first, theirs] = await sides.openMortal("Pull");
        await theirs.bind(endpoint);
        await ours.connect(endpoint);
        await ours.sendSequence(0, 100, 100);
        assertEquals(await theirs.receiveSequence(100), [[0, 99]]);
        await first.peer.kill();
        await tells(ours, "disconnect");
        await ours.sendSequence(100, 600, 100);
        const [, successor] = await sides.openMortal("Pull");
        await successor.bind(endpoint);
        assertEquals(await successor.receiveSequence(500), [[100, 599]]);
      } finally {
        folder.remove();
      }
    });

    it("PULL gets whole messages only, and then its successor's", async () => {
      const pull = await sides.openOurs("Pull", QUICK);
      const endpoint = await pull.bind();
      const [first, push] = await sides.openMortal("Push");
      await push.connect(endpoint);
      push.sendSequence(0, 1_000_000, 700).catch(() => {}); // it is killed in the middle of it
      const [[from, to]] = await pull.receiveSequence(2_000);
      assertEquals([from, to], [0, 1_999]);
      await first.peer.kill();
      const [, successor] = await sides.openMortal("Push");
      await successor.connect(endpoint);
      await successor.sendSequence(5_000_000, 5_000_100, 700);
      // What had arrived before the first one died is read in turn with what follows, each without gaps.
      let last = to;
      for (let next = 5_000_000; next < 5_000_100;) {
        const [[number]] = await pull.receiveSequence(1);
        if (number >= 5_000_000) assertEquals(number, next++);
        else assertEquals(number, ++last);
      }
    });
  });
}
