// Publishing beside its model: peers that come and go with overlapping topics, full ones and slow ones, with runs in flight
// and rings that go round, in one memory.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Core } from "../../src/core/instance.ts";
import { SendError } from "../../src/errors.ts";
import { PUBLISH_ALL_OR_NONE, PUBLISH_INVERTED, PUBLISH_NAME_ALL } from "../../wasm/layout.ts";
import { concat, pattern } from "../_util/octets.ts";
import { FanStand, type Publishing } from "./models/fan_stand.ts";
import { REFERENCE } from "./models/outbox_twins.ts";
import { keyOf, shortTopic, topic } from "./models/topic_model.ts";

const PEERS = 4;

/** One thing that happens to one of the peers, or to all of them. */
interface Step {
  readonly name: string;
  readonly run: (stand: FanStand) => void;
}

function step<T>(
  name: string,
  argument: fc.Arbitrary<T>,
  run: (stand: FanStand, peer: number, argument: T) => void,
): fc.Arbitrary<Step> {
  return fc.tuple(fc.nat(PEERS - 1), argument).map(([peer, value]) => {
    const description = `${peer} ${name} ${fc.stringify(value)}`;
    return { name, run: (stand) => run(stand, peer, value), toString: () => description };
  });
}

const tail = fc.tuple(
  fc.oneof(
    { weight: 12, arbitrary: fc.nat(80) },
    { weight: 2, arbitrary: fc.constantFrom(250, 255, 256, 700, 3_000) },
    { weight: 1, arbitrary: fc.constantFrom(REFERENCE, 40_000) },
  ),
  fc.nat(255),
).map(([size, seed]) => pattern(size, seed));

const message = fc.tuple(
  fc.oneof({ weight: 4, arbitrary: shortTopic }, topic),
  fc.array(tail, {
    maxLength: 3,
  }),
).map(([topic, [first, ...frames]]) => {
  // The key is often longer than any topic.
  const key = first === undefined ? topic : concat(topic, first);
  return frames.length === 0 ? key : [key, ...frames];
});

const how: fc.Arbitrary<Publishing> = fc.record({
  mark: fc.constantFrom(0, 0, 1, 3, 10),
  batch: fc.constantFrom(1, 100, 1_000),
  flags: fc.constantFrom(0, 0, 0, 0, PUBLISH_ALL_OR_NONE, PUBLISH_INVERTED, PUBLISH_NAME_ALL),
});

const none = fc.constant("");
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: step("subscribes", topic, (stand, peer, topic) => stand.subscribe(peer, topic)),
    },
    {
      weight: 2,
      arbitrary: step(
        "unsubscribes",
        topic,
        (stand, peer, topic) => stand.unsubscribe(peer, topic),
      ),
    },
    {
      weight: 10,
      arbitrary: step("is published to", fc.tuple(message, how), (stand, _, [message, how]) => {
        stand.publish(message, how);
      }),
    },
    {
      weight: 1,
      arbitrary: step("alone is published to", fc.tuple(message, how), (stand, only, [it, how]) => {
        if (how.flags === PUBLISH_INVERTED) return;
        stand.publish(it, { ...how, only });
      }),
    },
    {
      weight: 3,
      arbitrary: step("takes", fc.constantFrom(1, 300, 5_000, 256 * 1024), (stand, peer, limit) => {
        stand.peers[peer].take(limit);
      }),
    },
    {
      weight: 3,
      arbitrary: step(
        "writes",
        fc.oneof(fc.nat(20), fc.constant(Infinity)),
        (stand, peer, size) => {
          stand.peers[peer].write(size);
        },
      ),
    },
    { weight: 1, arbitrary: step("rewinds", none, (stand, peer) => stand.peers[peer].rewind()) },
    { weight: 1, arbitrary: step("trims", none, (stand, peer) => stand.peers[peer].trim()) },
    { weight: 1, arbitrary: step("clears", none, (stand, peer) => stand.peers[peer].clear()) },
    { weight: 1, arbitrary: step("leaves and comes", none, comeAgain) },
  ),
  { size: "+1", maxLength: 120 },
);

/** All topics of a peer are taken away, and it joins as a new one would. */
function comeAgain(stand: FanStand, peer: number): void {
  const { box } = stand.peers[peer];
  const keys = stand.model.keysOf(stand.peers[peer]);
  const popped: string[] = [];
  for (;;) {
    const each = stand.fan.pop(0, box);
    if (each === undefined) break;
    popped.push(keyOf(each.topic));
    assertEquals(each.last, stand.model.remove(stand.peers[peer], each.topic) === "topic");
  }
  assertEquals(popped.sort(), keys);
  stand.fan.leave(box);
  stand.fan.join(box);
}

function play(stand: FanStand, sequence: readonly Step[]): void {
  for (const { run } of sequence) run(stand);
  stand.end();
}

describe("FanOut.publish()", () => {
  it("does what its model does", () => {
    fc.assert(
      fc.property(steps, (sequence) => play(new FanStand(new Core(), PEERS), sequence)),
      { numRuns: 60 },
    );
  });

  it("keeps each outbox whole while memory is short", () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 20, maxLength: 120 }), (messages) => {
        const core = new Core();
        const stand = new FanStand(core, PEERS);
        for (let i = 0; i < PEERS; i++) stand.subscribe(i, new Uint8Array(0));
        core.exports.memoryLimit(core.bytes.length / 65_536 + 1);
        for (const [i, message] of messages.entries()) {
          // Who got it is for the core to say: nobody can know where memory ends.
          const frames = Array.isArray(message) ? message : [message];
          let first: number;
          try {
            first = stand.fan.publish(message, undefined, 0, 0, PUBLISH_NAME_ALL)!;
          } catch (error) {
            if (!(error instanceof SendError)) throw error;
            stand.check();
            continue;
          }
          const named = stand.named(first);
          for (const [number, peer] of stand.peers.entries()) {
            if (named.includes(number)) {
              peer.model.append(frames);
              peer.box.share(stand.fan.bodies);
            } else {
              stand.dropped.set(peer, (stand.dropped.get(peer) ?? 0) + 1);
            }
          }
          stand.check();
          if (i % 10 === 9) stand.peers[i % PEERS].finish();
        }
        stand.end();
      }),
      { numRuns: 15 },
    );
  });
});
