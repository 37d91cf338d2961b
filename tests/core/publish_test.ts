// FanOut.publish: the octets that reach each outbox, who gets a message and who does without, and whom the list names.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SendError } from "../../src/errors.ts";
import { Core } from "../../src/core/instance.ts";
import { Span } from "../../src/span.ts";
import {
  LIST_ACTIVE,
  PUBLISH_ALL_OR_NONE,
  PUBLISH_INVERTED,
  PUBLISH_MATCH_ONLY,
  PUBLISH_NAME_ALL,
  TOPIC_LIMIT,
} from "../../wasm/layout.ts";
import { utf8 } from "../_util/bytes.ts";
import { assertMessages, assertOctets, concat, pattern } from "../_util/octets.ts";
import { FanStand } from "./models/fan_stand.ts";
import { encodeFrame, encodeMessage, LONG } from "./models/frame_model.ts";
import { DIRECT, flush, type Part, REFERENCE } from "./models/outbox_twins.ts";

const PAGE = 65_536;
const core = new Core();

/** Peers that are subscribed to everything. */
function everybody(peers: number): FanStand {
  const stand = new FanStand(core, peers);
  for (let i = 0; i < peers; i++) stand.subscribe(i, utf8(""));
  return stand;
}

/** Sends what waits for a peer, behind the back of its model. */
function sent(stand: FanStand, peer: number): Uint8Array {
  stand.peers[peer].model.clear();
  return flush(stand.peers[peer].box);
}

describe("a published message", () => {
  it("has the same octets for everybody, whatever its size (PUB-02)", () => {
    const stand = everybody(3);
    const sizes = [255, 256, 1_000, REFERENCE - 1, REFERENCE, 40_000, DIRECT, 200_000];
    for (const size of [...Array(71).keys(), ...sizes]) {
      const body = pattern(size, size);
      stand.publish(body);
      const expected = encodeMessage([body]);
      for (let i = 0; i < 3; i++) assertOctets(sent(stand, i), expected, `${size} octets`);
    }
    stand.end();
  });

  it("has the same octets behind others, wherever they end in the ring", () => {
    const stand = everybody(2);
    const bodies = Array.from({ length: 600 }, (_, i) => pattern(i % 75, i));
    for (const [i, body] of bodies.entries()) {
      stand.publish(body);
      if (i % 17 === 16) stand.peers[1].take(300);
      stand.peers[1].write(i % 90);
    }
    assertOctets(sent(stand, 0), concat(...bodies.map((body) => encodeMessage([body]))));
    stand.end();
  });

  it("may have several frames, short and long ones in any order (PUB-07)", () => {
    const stand = everybody(2);
    const messages: Part[][] = [
      ["a", "b"],
      ["", "", ""],
      [pattern(300), "", pattern(REFERENCE), "end"],
      [pattern(REFERENCE, 1), pattern(DIRECT, 2)],
      ["ä".repeat(40), "€".repeat(30_000)],
      Array.from({ length: 200 }, (_, i) => pattern(i, i)),
    ];
    for (const message of messages) {
      stand.publish(message);
      const expected = encodeMessage(
        message.map((part) => typeof part === "string" ? utf8(part) : part),
      );
      for (const i of [0, 1]) assertOctets(sent(stand, i), expected);
    }
    stand.end();
  });

  it("may be a span as another peer encoded it", () => {
    const stand = new FanStand(core, 2);
    stand.subscribe(0, utf8("to"));
    const slab = concat(
      encodeFrame(0, utf8("x")),
      encodeFrame(LONG | 1, utf8("topic")),
      encodeFrame(0, utf8("rest")),
    );
    const first = stand.fan.publish(new Span(slab, 3, slab.length), undefined, 0, 0, 0)!;
    assertEquals(stand.named(first), [0]);
    assertOctets(flush(stand.peers[0].box), slab.subarray(3));
    assert(stand.peers[1].box.empty);
    stand.end();
  });

  it("goes once to a peer of which several topics match (PUB-03)", () => {
    const stand = new FanStand(core, 2);
    for (const topic of ["", "w", "weather", "weather/oslo"]) stand.subscribe(0, utf8(topic));
    stand.subscribe(1, utf8("weather/"));
    assertEquals(stand.publish(["weather/oslo", "-3"]), [0, 1]);
    assertEquals(stand.publish("weather"), []);
    assertEquals(stand.peers.map(({ box }) => box.waiting), [2, 1]);
    stand.end();
  });

  it("is matched by the octets of its first frame alone (PUB-04)", () => {
    const stand = new FanStand(core, 4);
    stand.subscribe(0, utf8("b"));
    stand.subscribe(1, Uint8Array.of(0, 1, 255));
    stand.subscribe(2, pattern(300));
    stand.subscribe(3, pattern(301));
    stand.publish(["a", "b"]);
    stand.publish(Uint8Array.of(0, 1, 255, 0));
    stand.publish(Uint8Array.of(0, 1));
    stand.publish([pattern(300), "x"]);
    stand.publish(pattern(301));
    assertEquals(stand.peers.map(({ box }) => box.waiting), [0, 1, 1, 1]);
    stand.end();
  });

  it("is matched to topics of any length when its body is kept by reference", () => {
    const stand = new FanStand(core, 4);
    const body = pattern(100_000, 5);
    stand.subscribe(0, body.subarray(0, 10));
    stand.subscribe(1, body.subarray(0, 5_000));
    stand.subscribe(2, body.subarray(0, TOPIC_LIMIT));
    stand.subscribe(3, concat(body.subarray(0, 5_000), Uint8Array.of(body[5_000] ^ 1)));
    assertEquals(stand.publish(body), [0, 1, 2]);
    assertEquals(stand.publish([body.subarray(0, REFERENCE), "b"]), [0, 1]);
    assertEquals(stand.publish(["b", body]), []);
    for (const [i, waiting] of [2, 2, 1, 0].entries()) {
      assertEquals(stand.peers[i].box.waiting, waiting);
    }
    stand.end();
  });

  it("goes to nobody when nobody subscribed, or nobody is there", () => {
    const stand = new FanStand(core, 3);
    assertEquals(stand.publish("a"), []);
    assertEquals(stand.publish(pattern(REFERENCE)), []);
    const empty = new FanStand(core, 0);
    assertEquals(empty.publish("a"), []);
    stand.end();
    empty.end();
  });
});

describe("a high-water mark", () => {
  it("has the core drop and count what a peer has no room for, and only for that peer", () => {
    const stand = everybody(3);
    const limits = { mark: 5, batch: 100 };
    for (let i = 0; i < 8; i++) {
      stand.publish(pattern(30, i), limits);
      stand.peers[1].take(1);
      stand.peers[1].write(Infinity);
    }
    assertEquals(stand.peers.map(({ box }) => box.waiting), [5, 0, 5]);
    assertEquals(stand.peers.map(({ box }) => box.dropped), [3, 0, 3]);
    assertEquals(stand.fan.dropped, 6);
    stand.end();
    assertEquals(stand.fan.dropped, 6, "still known when the memory was given back");
  });

  it("counts from a whole batch on: below it a peer takes more", () => {
    const stand = everybody(1);
    const limits = { mark: 2, batch: 500 };
    for (let i = 0; i < 20; i++) stand.publish(pattern(98), limits);
    assertEquals([stand.peers[0].box.waiting, stand.peers[0].box.dropped], [5, 15]);
    stand.end();
  });

  it("of 0 is none", () => {
    const stand = everybody(1);
    for (let i = 0; i < 5_000; i++) stand.fan.publish("x", undefined, 0, 1, 0);
    assertEquals([stand.peers[0].box.waiting, stand.fan.dropped], [5_000, 0]);
    assertEquals(flush(stand.peers[0].box).length, 15_000);
    stand.end();
  });

  it("counts bodies that are kept by reference, in full", () => {
    const stand = everybody(1);
    const limits = { mark: 1, batch: 2 * REFERENCE };
    for (let i = 0; i < 4; i++) stand.publish(pattern(REFERENCE, i), limits);
    assertEquals([stand.peers[0].box.waiting, stand.peers[0].box.dropped], [2, 2]);
    assertEquals(stand.peers[0].box.bodies.length, 2);
    stand.end();
  });

  it("forgets a peer's own count with the peer, and keeps the sum", () => {
    const stand = everybody(2);
    for (let i = 0; i < 3; i++) stand.publish("x", { mark: 1, batch: 1 });
    const [peer] = stand.peers;
    assertEquals([peer.box.dropped, stand.fan.dropped], [2, 4]);
    while (stand.fan.pop(LIST_ACTIVE, peer.box) !== undefined);
    stand.fan.leave(peer.box);
    assertEquals(stand.fan.dropped, 4);
    stand.fan.join(peer.box);
    stand.end();
  });
});

describe("the list that publish() answers", () => {
  it("names those that were empty, those that reached a batch, and those that became full", () => {
    const stand = everybody(2);
    const limits = { mark: 6, batch: 40 };
    const named: unknown[] = [];
    for (let i = 0; i < 8; i++) named.push(stand.publish(pattern(8), limits));
    assertEquals(named, [[0, 1], [], [], [0, 1], [], [0, 1], [], []]);
    stand.peers[1].take(1_000);
    assertEquals(stand.publish(pattern(8), limits), [1]);
    stand.end();
  });

  it("names everybody who got the message with PUBLISH_NAME_ALL, and nobody else", () => {
    const stand = everybody(3);
    const flags = PUBLISH_NAME_ALL;
    assertEquals(stand.publish("a", { flags }), [0, 1, 2]);
    assertEquals(stand.publish("a", { flags }), [0, 1, 2]);
    stand.peers[1].finish();
    assertEquals(stand.publish("a", { flags, mark: 2, batch: 1 }), [1]);
    stand.end();
  });

  it("is all there is with PUBLISH_MATCH_ONLY: nothing is appended", () => {
    const stand = everybody(3);
    stand.unsubscribe(1, utf8(""));
    for (const body of ["a", pattern(REFERENCE)]) {
      const first = stand.fan.publish(body, undefined, 1, 1, PUBLISH_MATCH_ONLY)!;
      assertEquals(stand.named(first), [0, 2]);
      assert(stand.peers.every(({ box }) => box.empty && box.bodies.length === 0));
    }
    stand.check();
    stand.end();
  });
});

describe("PUBLISH_ALL_OR_NONE", () => {
  it("keeps a message from everybody while one of the matching peers is full", () => {
    const stand = everybody(2);
    stand.subscribe(1, utf8("b"));
    stand.unsubscribe(1, utf8(""));
    const limits = { mark: 1, batch: 1, flags: PUBLISH_ALL_OR_NONE };
    assertEquals(stand.publish("a", limits), [0]);
    for (const message of ["a", "b", pattern(REFERENCE), ["b", pattern(DIRECT)]]) {
      assertEquals(stand.publish(message, limits), undefined);
    }
    assertEquals(stand.fan.dropped, 0);
    stand.peers[0].finish();
    assertEquals(stand.publish("b", limits), [0, 1]);
    assertMessages(stand.peers[1].box.drain(), [[utf8("b")]]);
    stand.peers[1].model.clear();
    stand.end();
  });

  it("does not mind peers that are full and do not match", () => {
    const stand = new FanStand(core, 2);
    stand.subscribe(0, utf8("a"));
    stand.subscribe(1, utf8("b"));
    const limits = { mark: 1, batch: 1, flags: PUBLISH_ALL_OR_NONE };
    stand.publish("a", limits);
    assertEquals(stand.publish("b", limits), [1]);
    assertEquals(stand.publish("c", limits), []);
    const inverted = { ...limits, flags: PUBLISH_ALL_OR_NONE | PUBLISH_INVERTED };
    stand.peers[1].finish();
    assertEquals(stand.publish("a", inverted), [1]);
    assertEquals(stand.publish("b", inverted), undefined);
    stand.end();
  });
});

describe("PUBLISH_INVERTED", () => {
  it("gives a message to those of whom no topic matches, once", () => {
    const stand = new FanStand(core, 3);
    for (const topic of ["a", "ab", "c"]) stand.subscribe(0, utf8(topic));
    stand.subscribe(1, utf8("b"));
    const flags = PUBLISH_INVERTED;
    assertEquals(stand.publish("abc", { flags }), [1, 2]);
    assertEquals(stand.publish("b", { flags }), [0]);
    assertEquals(stand.publish("", { flags }), []);
    assertEquals(stand.peers.map(({ box }) => box.waiting), [2, 2, 3]);
    stand.end();
  });
});

describe("publish() to one peer only", () => {
  it("gives the message to that one, if it matches", () => {
    const stand = everybody(2);
    stand.unsubscribe(1, utf8(""));
    stand.subscribe(1, utf8("b"));
    assertEquals(stand.publish("b", { only: 1 }), [1]);
    assertEquals(stand.publish("a", { only: 1 }), []);
    assertEquals(stand.peers.map(({ box }) => box.waiting), [0, 1]);
    stand.end();
  });
});

describe("publish() without memory", () => {
  it("fails with ENOBUFS when there is none for the message, and loses nothing", () => {
    const core = new Core();
    const stand = new FanStand(core, 2);
    stand.subscribe(0, utf8(""));
    core.exports.memoryLimit(core.bytes.length / PAGE);
    stand.publish("before");
    const frames = Array.from({ length: 40 }, (_, i) => pattern(30_000, i));
    const error = assertThrows(
      () => stand.fan.publish(frames, undefined, 0, 0, 0),
      SendError,
    );
    assertEquals(error.code, "ENOBUFS");
    stand.check();
    stand.publish("after");
    assertEquals(stand.peers[0].box.waiting, 2);
    stand.end();
  });

  it("drops and counts for those whose ring cannot grow, and serves the others", () => {
    const core = new Core();
    const stand = new FanStand(core, 2);
    stand.subscribe(0, utf8(""));
    stand.subscribe(1, utf8("b"));
    core.exports.memoryLimit(core.bytes.length / PAGE);
    const { fan, peers } = stand;
    while (fan.dropped === 0) fan.publish("a".repeat(50), undefined, 0, 0, 0);
    assertEquals([peers[0].box.dropped, peers[1].box.dropped], [1, 0]);
    fan.publish("b".repeat(50), undefined, 0, 0, 0);
    const waiting = peers[0].box.waiting;
    assertEquals(flush(peers[0].box).length, waiting * 52);
    fan.publish("b".repeat(50), undefined, 0, 0, 0);
    assertEquals(peers[0].box.waiting, 1);
    for (const { box } of peers) flush(box);
    stand.peers.forEach(({ model }) => model.clear());
    stand.end();
  });
});
