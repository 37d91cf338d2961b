// DEALER and PAIR: frames as they are, both ways, and what each does without a peer.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { DealerPattern } from "../../src/routing/dealer.ts";
import { PairPattern } from "../../src/routing/pair.ts";
import { PipeEnd, texts } from "../_util/pipe_end.ts";

describe("DEALER", () => {
  it("alters nothing in either direction (DEALER-02)", () => {
    const dealer = new DealerPattern();
    const end = new PipeEnd(dealer);
    for (const frames of [["a"], ["", "b"], ["id", "", "c", ""], [""]]) {
      assert(dealer.send(frames));
      assertEquals(end.heard(), [frames]);
      end.say(...frames);
      assertEquals(texts(dealer.receive()), frames);
    }
  });

  it("sends and receives in any order (DEALER-01)", () => {
    const dealer = new DealerPattern();
    const end = new PipeEnd(dealer);
    assertEquals(dealer.refuse(), undefined);
    for (let i = 0; i < 3; i++) dealer.send(String(i));
    end.say("a").say("b");
    assertEquals([texts(dealer.receive()), texts(dealer.receive())], [["a"], ["b"]]);
    assertEquals([dealer.receive(), dealer.canReceive], [undefined, false]);
  });

  it("sends to its peers in turn, as long as they have room (DEALER-03)", () => {
    const dealer = new DealerPattern();
    const ends = [new PipeEnd(dealer), new PipeEnd(dealer, { sendHighWaterMark: 1 })];
    for (let i = 0; i < 4; i++) assert(dealer.send(String(i)));
    assertEquals(ends.map((end) => end.heard()), [[["0"], ["2"], ["3"]], [["1"]]]);
  });

  it("takes nothing when no peer has room, and says so (DEALER-04)", () => {
    const dealer = new DealerPattern();
    assertEquals([dealer.send("m"), dealer.canSend], [false, false]);
    const end = new PipeEnd(dealer, { sendHighWaterMark: 1 });
    assertEquals([dealer.send("m"), dealer.send("n"), dealer.canSend], [true, false, false]);
    assertEquals(end.heard(), [["m"]]);
    assertEquals([dealer.canSend, dealer.send("n")], [true, true]);
  });

  it("receives from its peers in turn (DEALER-Q5)", () => {
    const dealer = new DealerPattern();
    const ends = [new PipeEnd(dealer), new PipeEnd(dealer)];
    ends[0].say("0a").say("0b").say("0c");
    ends[1].say("1a");
    const order = Array.from({ length: 4 }, () => texts(dealer.receive())![0]);
    assertEquals(order, ["0a", "1a", "0b", "0c"]);
  });

  it("sends nothing to a peer that is gone, and keeps what came from it (DEALER-Q3)", () => {
    const dealer = new DealerPattern();
    const [gone, there] = [new PipeEnd(dealer), new PipeEnd(dealer)];
    gone.say("last words");
    gone.leave();
    for (let i = 0; i < 3; i++) dealer.send(String(i));
    assertEquals([gone.pipe.outbox.waiting, there.heard().length], [0, 3]);
    assertEquals(texts(dealer.receive()), ["last words"]);
  });
});

describe("PAIR", () => {
  it("has one peer at a time; a second one is refused, the first stays (PAIR-01, PAIR-04)", () => {
    const pair = new PairPattern();
    const first = new PipeEnd(pair);
    const second = new PipeEnd();
    const refusal = pair.attach(second.pipe);
    assertEquals(refusal?.code, "EBUSY");
    pair.send("m");
    assertEquals(first.heard(), [["m"]]);
    first.say("in");
    assertEquals(texts(pair.receive()), ["in"]);
  });

  it("takes the next peer when the first is gone", () => {
    const pair = new PairPattern();
    new PipeEnd(pair).leave();
    assertEquals(pair.canSend, false);
    const next = new PipeEnd(pair);
    pair.send("m");
    assertEquals(next.heard(), [["m"]]);
  });

  it("takes nothing while its peer has no room (PAIR-02)", () => {
    const pair = new PairPattern();
    const end = new PipeEnd(pair, { sendHighWaterMark: 1 });
    assertEquals([pair.send("a"), pair.send("b"), pair.canSend], [true, false, false]);
    end.heard();
    assertEquals(pair.canSend, true);
  });
});
