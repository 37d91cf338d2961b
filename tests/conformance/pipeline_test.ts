// RFC 30 with sockets as users have them and the test as their peers: messages go one way, whole, and to those who read.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull, Push } from "../../mod.ts";
import { toHex } from "../_util/bytes.ts";
import { PatternStage, receiveAll, sendAll, turn } from "../_util/pattern_stage.ts";
import { frame, message } from "../_util/raw_zmtp.ts";

const stage = new PatternStage();
const LONG = "x".repeat(1_000);

describe("a PUSH among its peers", () => {
  afterEach(() => stage.close());

  it("PUSH-01, PUSH-02: sends to any number of PULLs in turn, every frame as it is", async () => {
    const push = await stage.bound(Push);
    const peers = Array.from({ length: 5 }, () => stage.join(push, "PULL"));
    const sent = [["a"], [""], ["", "b", ""], ["\x01A"], ["x".repeat(300), LONG]];
    for (let round = 0; round < 2; round++) for (const frames of sent) push.trySend(frames);
    await turn();
    for (const [i, frames] of sent.entries()) {
      assertEquals(toHex(peers[i].octets), toHex(message(...frames)).repeat(2));
    }
  });

  it("PUSH-01: drops what PULLs send, without keeping any of it, and goes on sending to them", async () => {
    const push = await stage.bound(Push, { sendHighWaterMark: 2 });
    const [noisy, healthy] = [stage.join(push, "PULL"), stage.join(push, "PULL")];
    for (let i = 0; i < 200; i++) noisy.say("hello", LONG).say("").begin("in");
    assertEquals([noisy.ignored, noisy.refused], [false, false]);
    assertEquals(push.stats().peers.map(({ unread }) => unread), [0, 0]);
    assertEquals(push.tryReceive, undefined);
    for (const body of ["a", "b"]) push.trySend(body);
    await turn();
    assertEquals([noisy.texts(), healthy.texts()], [["a"], ["b"]]);
  });

  it("PUSH-02, PUSH-03: passes over who does not read; when nobody does it takes nothing and loses nothing", async () => {
    const push = await stage.bound(Push, { sendHighWaterMark: 2 });
    assert(!push.trySend("nobody is there"));
    const deaf = stage.join(push, "PULL", { deaf: true });
    const taken = sendAll(push, (i) => [`${i}`, LONG]);
    assertEquals(taken, 3);
    const healthy = stage.join(push, "PULL");
    for (let i = taken; i < 20; i++) {
      assert(push.trySend([`${i}`, LONG]));
      await turn();
    }
    const served = healthy.texts();
    assertEquals(served, Array.from({ length: 17 }, (_, i) => `${i + taken}|${LONG}`));
    healthy.leave();
    assert(!push.trySend("nobody reads"));
    assertEquals(deaf.listen().texts(), [0, 1, 2].map((i) => `${i}|${LONG}`));
    assert(push.trySend("now"));
    await turn();
    assertEquals(deaf.texts(), ["now"]);
  });

  it("PUSH-03: takes a message for a peer that is not there yet, up to its mark, and no more", async () => {
    const push = stage.open(Push, { sendHighWaterMark: 2 });
    push.connect("tcp://127.0.0.1:5555");
    assertEquals(sendAll(push, (i) => [`${i}`]), 2);
    const peer = await stage.answer("PULL");
    assertEquals(peer.texts(), ["0", "1"]);
    assert(push.trySend("2"));
  });

  it("PIPE-X-01: a peer that is lost within a message gets no more of it, and no other the rest alone", async () => {
    const whole = message("begin", LONG, "end");
    for (const cut of [1, 7, 8, 20, whole.length - 6, whole.length - 1]) {
      const push = await stage.bound(Push);
      const lost = stage.join(push, "PULL", { deaf: true });
      push.trySend(["begin", LONG, "end"]);
      push.trySend("next");
      lost.listen(cut);
      const healthy = stage.join(push, "PULL");
      assertEquals(toHex(lost.octets), toHex(whole.subarray(0, cut)));
      assert(lost.cut);
      lost.leave();
      await turn();
      assertEquals(healthy.texts(), [`begin|${LONG}|end`, "next"], `after ${cut} octets`);
    }
  });

  it("PIPE-X-01: frames of one message never go to two peers, whatever the room there is", async () => {
    const push = await stage.bound(Push, { sendHighWaterMark: 1 });
    const peers = [0, 1, 2].map(() => stage.join(push, "PULL", { deaf: true }));
    for (let i = 0; i < 60; i++) {
      const frames = [`${i}`, "x".repeat(i * 40), `${i}`];
      for (let tries = 0; !push.trySend(frames); tries++) {
        assert(tries < 1_000, "no room in spite of peers that read");
        peers[(i + tries) % 3].listen(100 + i);
      }
      await turn();
    }
    const all = peers.flatMap((peer) => peer.listen().heard());
    assertEquals(all.length, 60);
    for (const [first, body, last] of all) {
      assertEquals([last, body.length], [first, Number(first) * 40]);
    }
  });
});

describe("a PULL among its peers", () => {
  afterEach(() => stage.close());

  it("PULL-01: receives from any number of PUSHes, every frame as it is, and sends nothing", async () => {
    const pull = await stage.bound(Pull);
    const peers = Array.from({ length: 5 }, () => stage.join(pull, "PUSH"));
    for (const [i, peer] of peers.entries()) peer.say(`${i}`, "", LONG).say("").say("\x01A");
    const each = ["", "\x01A"];
    assertEquals(receiveAll(pull), [
      ...peers.map((_, i) => `${i}||${LONG}`),
      ...each.flatMap((text) => peers.map(() => text)),
    ]);
    assertEquals(pull.trySend, undefined);
    await turn();
    for (const peer of peers) assertEquals(peer.octets.length, 0);
  });

  it("PIPE-X-01: never hands over the beginning of a message whose peer is lost, nor its rest from another", async () => {
    const whole = message("begin", LONG, "end");
    for (const cut of [1, 7, 8, 20, whole.length - 6, whole.length - 1]) {
      const pull = await stage.bound(Pull);
      const [lost, healthy] = [stage.join(pull, "PUSH"), stage.join(pull, "PUSH")];
      healthy.begin("other");
      lost.say("before").send(whole.subarray(0, cut));
      lost.leave();
      healthy.send(frame("end"));
      stage.join(pull, "PUSH").send(whole.subarray(cut), message("behind"));
      const all = receiveAll(pull);
      assert(!all.some((text) => text.includes("begin")), `after ${cut} octets`);
      assertEquals(all.slice(0, 2), ["before", "other|end"]);
    }
  });
});
