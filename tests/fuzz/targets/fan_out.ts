// Publishing to peers that come and go beside its model.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { CoreMemory } from "../../../src/core/memory.ts";
import { PUBLISH_ALL_OR_NONE, PUBLISH_INVERTED, PUBLISH_NAME_ALL } from "../../../wasm/layout.ts";
import { concat, pattern } from "../../_util/octets.ts";
import { FanStand, type Publishing } from "../../core/models/fan_stand.ts";
import { keyOf, shortTopic, topic } from "../../core/models/topic_model.ts";
import type { Target } from "../target.ts";

interface Step {
  readonly kind: "subscribe" | "unsubscribe" | "publish" | "take" | "write" | "rewind" | "leave";
  readonly peer: number;
  readonly topic: Uint8Array;
  /** Sizes of what follows the topic: the first in the same frame. */
  readonly tails: readonly number[];
  readonly how: Publishing;
  readonly size: number;
}

const PEERS = 4;
const { outboxes } = new CoreMemory();

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom<Step["kind"]>(
    "subscribe",
    "subscribe",
    "subscribe",
    "publish",
    "publish",
    "publish",
    "publish",
    "unsubscribe",
    "take",
    "write",
    "rewind",
    "leave",
  ),
  peer: fc.nat(PEERS - 1),
  topic: fc.oneof({ weight: 3, arbitrary: shortTopic }, topic),
  tails: fc.array(
    fc.oneof(
      { weight: 9, arbitrary: fc.nat(80) },
      { weight: 1, arbitrary: fc.constantFrom(250, 256, 3_000, 32_768, 40_000) },
    ),
    { maxLength: 3 },
  ),
  how: fc.record({
    mark: fc.constantFrom(0, 0, 1, 3, 10),
    batch: fc.constantFrom(1, 100, 1_000),
    flags: fc.constantFrom(0, 0, 0, 0, PUBLISH_ALL_OR_NONE, PUBLISH_INVERTED, PUBLISH_NAME_ALL),
  }),
  size: fc.constantFrom(1, 7, 300, 5_000, 262_144),
});

/** All topics of a peer are taken away, and it joins as a new one would. */
function comeAgain(stand: FanStand, peer: number): void {
  const { box } = stand.peers[peer];
  const keys = stand.model.keysOf(stand.peers[peer]);
  const popped: string[] = [];
  for (let each = stand.fan.pop(0, box); each !== undefined; each = stand.fan.pop(0, box)) {
    popped.push(keyOf(each.topic));
    assertEquals(each.last, stand.model.remove(stand.peers[peer], each.topic) === "topic");
  }
  assertEquals(popped.sort(), keys);
  stand.fan.leave(box);
  stand.fan.join(box);
}

function play(stand: FanStand, { kind, peer, topic, tails, how, size }: Step): void {
  switch (kind) {
    case "subscribe":
      return stand.subscribe(peer, topic);
    case "unsubscribe":
      return stand.unsubscribe(peer, topic);
    case "take":
      return stand.peers[peer].take(size);
    case "write":
      return stand.peers[peer].write(size);
    case "rewind":
      return stand.peers[peer].rewind();
    case "leave":
      return comeAgain(stand, peer);
  }
  const [first = 0, ...rest] = tails;
  const key = concat(topic, pattern(first));
  stand.publish(rest.length === 0 ? key : [key, ...rest.map((size) => pattern(size))], how);
}

export const fanOut: Target<readonly Step[]> = {
  name: "fan-out",
  arbitrary: fc.array(step, { maxLength: 100, size: "max" }),
  check(steps) {
    const stand = new FanStand(outboxes, PEERS);
    for (const each of steps) play(stand, each);
    stand.end();
    if (outboxes.bytes.length > 256 * 1024 * 1024) throw new Error("memory was lost");
  },
};
