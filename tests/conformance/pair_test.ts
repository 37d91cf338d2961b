// RFC 31 with sockets as users have them and the test as their peers: two ends, and third ones that are turned away.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pair } from "../../mod.ts";
import { toHex } from "../_util/bytes.ts";
import { PatternStage, receiveAll, sendAll, turn } from "../_util/pattern_stage.ts";
import { message } from "../_util/raw_zmtp.ts";
import { failure } from "../_util/rejection.ts";

const stage = new PatternStage();
const ENDPOINT = "tcp://127.0.0.1:5555";
const LONG = "x".repeat(1_000);

describe("a PAIR and its peer", () => {
  afterEach(() => stage.close());

  it("PAIR-01, PAIR-03: sends and receives in any order, every frame as it is", async () => {
    const pair = await stage.bound(Pair);
    const peer = stage.join(pair, "PAIR");
    const messages = [["a"], [""], ["", "b", ""], ["\x01A"], ["x".repeat(300), LONG]];
    for (const frames of messages) {
      assert(pair.trySend(frames));
      peer.say(...frames).say("another");
    }
    await turn();
    assertEquals(toHex(peer.octets), messages.map((frames) => toHex(message(...frames))).join(""));
    const all = messages.flatMap((frames) => [frames.join("|"), "another"]);
    assertEquals(receiveAll(pair), all);
  });

  it("PAIR-04: turns a second peer away, again and again; the first does not notice", async () => {
    const pair = await stage.bound(Pair);
    const first = stage.join(pair, "PAIR");
    pair.trySend("one");
    for (let i = 0; i < 20; i++) {
      const second = stage.join(pair, "PAIR", { says: message("let me in") });
      assert(second.refused);
      assertEquals([second.heard(), receiveAll(pair)], [[], []]);
      second.leave();
    }
    first.say("two");
    await turn();
    pair.trySend("three");
    assertEquals([first.texts(), receiveAll(pair)], [["one", "three"], ["two"]]);
    assertEquals([first.refused, pair.stats().peers.length], [false, 1]);
    first.leave();
    const next = stage.join(pair, "PAIR");
    pair.trySend("welcome");
    assertEquals([next.refused, next.texts()], [false, ["welcome"]]);
  });

  it("PAIR-04: a connect counts as the peer, whether anybody answers it or not", async () => {
    const pair = await stage.bound(Pair);
    pair.connect(ENDPOINT);
    failure(() => pair.connect("tcp://127.0.0.1:5556"), "EBUSY");
    const intruder = stage.join(pair, "PAIR", { says: message("let me in") });
    assert(intruder.refused);
    const peer = await stage.answer("PAIR");
    peer.say("hello");
    pair.trySend("hello, you");
    assertEquals([receiveAll(pair), peer.texts()], [["hello"], ["hello, you"]]);
    assert(stage.join(pair, "PAIR").refused);
  });

  it("PAIR-02: takes nothing without a peer or while that does not read, and loses nothing", async () => {
    const pair = await stage.bound(Pair, { sendHighWaterMark: 2 });
    assert(!pair.trySend("nobody is there"));
    const peer = stage.join(pair, "PAIR", { deaf: true });
    const taken = sendAll(pair, (i) => [`${i}`, LONG]);
    assertEquals([taken, pair.trySend("another")], [3, false]);
    assertEquals(peer.listen().texts(), [0, 1, 2].map((i) => `${i}|${LONG}`));
    assert(pair.trySend("now"));
    await turn();
    assertEquals([peer.texts(), pair.stats().dropped], [["now"], 0]);
  });

  it("PAIR-03: receives what its peer sent before it was lost, and nothing of half a message", async () => {
    const pair = await stage.bound(Pair);
    const first = stage.join(pair, "PAIR");
    first.say("whole").begin("half");
    first.leave();
    stage.join(pair, "PAIR").say("the other half");
    assertEquals(receiveAll(pair), ["whole", "the other half"]);
  });
});
