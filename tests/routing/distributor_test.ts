// The distributor: who does without a message, who is written to, and what noDrop, conflate and invertMatching change.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { OptionValues } from "../../src/options.ts";
import { batchSize } from "../../src/routing/pipe.ts";
import { PubPattern } from "../../src/routing/pub.ts";
import { utf8 } from "../_util/bytes.ts";
import { assertOctets, pattern } from "../_util/octets.ts";
import { memory } from "../_util/pipe_end.ts";
import { encodeMessage } from "../core/models/frame_model.ts";
import { flush } from "../core/models/outbox_twins.ts";
import { FakeCrowd, optionsWith, TopicEnd } from "../_util/topic_end.ts";

class Stand {
  readonly pub: PubPattern;
  readonly ends: TopicEnd[];
  readonly crowd: FakeCrowd = new FakeCrowd();

  constructor(options: Partial<OptionValues> = {}, peers = 2) {
    const values = optionsWith(options);
    this.pub = new PubPattern(values, memory, this.crowd);
    this.ends = Array.from({ length: peers }, () => new TopicEnd(this.pub, values));
  }

  get dropped(): number[] {
    return this.ends.map(({ pipe }) => pipe.outbox.dropped);
  }

  get waiting(): number[] {
    return this.ends.map(({ pipe }) => pipe.outbox.waiting);
  }
}

/** A message that is a whole batch for a high-water mark. */
function batch(mark: number): string {
  return "x".repeat(batchSize(mark));
}

describe("Distributor", () => {
  it("drops for a peer at its high-water mark, counts that, and serves the others (PUB-05)", () => {
    const stand = new Stand({ sendHighWaterMark: 3 });
    const { pub, ends: [slow, fast] } = stand;
    for (const end of [slow, fast]) end.subscribe("");
    const heard: string[] = [];
    for (let i = 0; i < 10; i++) {
      assert(pub.send(`${i} ${batch(1)}`));
      heard.push(...fast.told().map((text) => text.split(" ")[0]));
    }
    assertEquals(heard, Array.from({ length: 10 }, (_, i) => String(i)));
    assertEquals(stand.dropped, [7, 0]);
    assertEquals(pub.distributor.fan.dropped, 7);
    assertEquals(slow.told().map((text) => text.split(" ")[0]), ["0", "1", "2"]);
  });

  it("tells a link about the first message that waits and a whole batch, not about each one", () => {
    const { pub, ends: [a, b] } = new Stand({ sendHighWaterMark: 0 });
    a.subscribe("");
    for (let i = 0; i < 100; i++) pub.send("x");
    assertEquals([a.appended, b.appended], [1, 0]);
    pub.send(batch(0));
    assertEquals(a.appended, 2);
    a.told();
    pub.send("x");
    assertEquals(a.appended, 3);
  });

  it("has a moment waited for peers with a batch or a full queue, and again when something is dropped", () => {
    const { pub, crowd, ends: [a, b, c] } = new Stand({ sendHighWaterMark: 2 }, 3);
    a.subscribe("x");
    b.subscribe("x", "more");
    c.subscribe("none");
    pub.send("x");
    assertEquals(crowd.added, []);
    pub.send(batch(2));
    assertEquals(new Set(crowd.added), new Set([a.pipe, b.pipe]));
    assertEquals(crowd.of, [3, 3]);
    pub.send("none");
    assertEquals(crowd.added.length, 2, "nothing was dropped");
    pub.send(batch(2));
    assertEquals(crowd.added.length, 4);
  });

  it("has nobody waited for while the crowd is closed, nor for peers whose streams take nothing", () => {
    const { pub, crowd, ends: [a, b] } = new Stand({ sendHighWaterMark: 1 });
    for (const end of [a, b]) end.subscribe("");
    a.pipe.outbox.take(1);
    crowd.open = false;
    for (let i = 0; i < 3; i++) pub.send(batch(1));
    assertEquals(crowd.added, []);
    crowd.open = true;
    a.pipe.stall();
    pub.send(batch(1));
    assertEquals([crowd.added, a.pipe.outbox.dropped], [[b.pipe], 3]);
  });

  it("keeps one body for all peers, and each lets it go when it was sent", () => {
    const { pub, ends } = new Stand({}, 3);
    for (const end of ends) end.subscribe("");
    const body = pattern(100_000);
    pub.send(["head", body]);
    pub.send("tail");
    for (const { pipe } of ends) {
      assertStrictEquals(pipe.outbox.bodies[0], body);
      const expected = encodeMessage([utf8("head"), body]);
      assertOctets(flush(pipe.outbox).subarray(0, expected.length), expected);
      assertEquals(pipe.outbox.bodies.length, 0);
    }
  });

  it("goes on with those that are left when a link ends while it is told", () => {
    const { pub, ends: [a, b, c] } = new Stand({}, 3);
    for (const end of [a, b, c]) end.subscribe("");
    for (const [one, other] of [[a, b], [b, a]]) {
      one.pipe.link = {
        ...one.pipe.link!,
        appended: () => {
          if (pub.distributor.has(other.pipe)) other.lose();
        },
      };
    }
    pub.send("x");
    assertEquals([...pub.distributor.pipes].length, 2);
    assertEquals(c.told(), ["x"]);
    assert(pub.send("y"));
  });

  it("lets a lost peer's count go with it, and keeps the sum", () => {
    const stand = new Stand({ sendHighWaterMark: 1 });
    for (const end of stand.ends) end.subscribe("");
    for (let i = 0; i < 3; i++) stand.pub.send(batch(1));
    stand.ends[0].leave();
    assertEquals([...stand.pub.distributor.pipes].length, 1);
    assertEquals(stand.pub.distributor.fan.dropped, 4);
    stand.ends[1].leave();
    stand.pub.free();
    assertEquals(stand.pub.distributor.fan.dropped, 4);
  });
});

describe("Distributor with noDrop", () => {
  it("has a message wait until every peer that matches has room", () => {
    const stand = new Stand({ noDrop: true, sendHighWaterMark: 1 });
    const [a, b] = stand.ends;
    a.subscribe("x");
    b.subscribe("x", "y");
    assert(stand.pub.send(batch(1)));
    a.told();
    assertEquals(stand.pub.send("x"), false);
    assertEquals([a.told(), stand.dropped], [[], [0, 0]]);
    assert(stand.pub.send("z"), "matches nobody who is full");
    assertEquals(stand.pub.send("y"), false);
    b.told();
    assert(stand.pub.send("x"));
    assertEquals([a.told(), b.told()], [["x"], ["x"]]);
  });

  it("does not wait for a full peer that is lost", () => {
    const stand = new Stand({ noDrop: true, sendHighWaterMark: 1 });
    for (const end of stand.ends) end.subscribe("");
    stand.pub.send(batch(1));
    stand.ends[0].told();
    assertEquals(stand.pub.send("x"), false);
    stand.ends[1].lose();
    assert(stand.pub.send("x"));
    assertEquals(stand.ends[0].told(), ["x"]);
  });
});

describe("Distributor with conflate", () => {
  it("keeps the newest message for each peer, and drops nothing that counts", () => {
    const stand = new Stand({ conflate: true, sendHighWaterMark: 1 });
    const [a, b] = stand.ends;
    a.subscribe("a");
    b.subscribe("");
    for (const text of ["a1", "b1", "a2", "b2", `a3${batch(1)}`]) assert(stand.pub.send(text));
    assert(stand.pub.send("b3"));
    assertEquals(stand.waiting, [1, 1]);
    assertEquals([a.told(), b.told()], [[`a3${batch(1)}`], ["b3"]]);
    assertEquals([stand.dropped, stand.crowd.added.length], [[0, 0], 0]);
  });

  it("does not take back what is being written", () => {
    const stand = new Stand({ conflate: true }, 1);
    const [{ pipe }] = stand.ends;
    stand.ends[0].subscribe("");
    stand.pub.send("first");
    pipe.outbox.take(1_000);
    for (const text of ["second", "third"]) stand.pub.send(text);
    assertEquals(pipe.outbox.next().length, 7);
    pipe.outbox.advance(7);
    assertEquals(stand.ends[0].told(), ["third"]);
  });

  it("also keeps the newest of messages with several frames and with long bodies", () => {
    const stand = new Stand({ conflate: true });
    for (const end of stand.ends) end.subscribe("");
    for (let i = 0; i < 5; i++) stand.pub.send(["a", pattern(40_000, i), "b"]);
    for (const { pipe } of stand.ends) {
      assertEquals([pipe.outbox.waiting, pipe.outbox.bodies.length], [1, 1]);
      assertOctets(pipe.outbox.drain()[0][1], pattern(40_000, 4));
    }
  });

  it("never waits, not even with noDrop", () => {
    const stand = new Stand({ conflate: true, noDrop: true, sendHighWaterMark: 1 });
    for (const end of stand.ends) end.subscribe("");
    for (let i = 0; i < 5; i++) assert(stand.pub.send(`${i}${batch(1)}`));
    assertEquals(stand.waiting, [1, 1]);
  });
});

describe("Distributor with invertMatching", () => {
  it("sends to those of whom no topic matches", () => {
    const stand = new Stand({ invertMatching: true }, 3);
    const [a, b, c] = stand.ends;
    a.subscribe("a", "ab");
    b.subscribe("b");
    for (const text of ["abc", "b", "c"]) assert(stand.pub.send(text));
    assertEquals([a.told(), b.told(), c.told()], [["b", "c"], ["abc", "c"], ["abc", "b", "c"]]);
    b.lose();
    stand.pub.send("d");
    assertEquals([a.told(), b.told(), c.told()], [["d"], [], ["d"]]);
  });
});
