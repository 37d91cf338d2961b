// The topics of many peers beside their model: what each change was, what a lost peer leaves, and what all of it costs.

import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Core } from "../../src/core/instance.ts";
import { FanOut } from "../../src/core/fan_out.ts";
import { Outbox } from "../../src/core/outbox.ts";
import { ZmqError } from "../../src/errors.ts";
import { LIST_ACTIVE, LIST_REQUESTED, TOPIC_LIMIT } from "../../wasm/layout.ts";
import { utf8 } from "../_util/bytes.ts";
import { assertOctets, pattern } from "../_util/octets.ts";
import { CHANGES } from "./models/fan_stand.ts";
import { Rations, roomIn } from "./models/memory_use.ts";
import { keyOf, numbered, PeersModel, topic } from "./models/topic_model.ts";

const LISTS = [LIST_ACTIVE, LIST_REQUESTED];
const PEERS = 4;

/** A fan-out and its peers in a core of so many pages that already has its room for long topics. */
class Party {
  readonly core: Core = new Core();
  readonly fan: FanOut;
  readonly boxes: Outbox[];
  /** For each list. */
  readonly models: PeersModel<Outbox>[] = LISTS.map(() => new PeersModel());

  constructor(pages: number, peers: number = PEERS) {
    this.core.exports.memoryLimit(pages);
    this.core.room(TOPIC_LIMIT);
    this.fan = new FanOut(this.core);
    this.boxes = Array.from({ length: peers }, () => new Outbox(this.core));
    for (const box of this.boxes) this.fan.join(box);
  }

  /** Takes a peer's topics away, one by one. */
  empty(list: number, box: Outbox): void {
    const model = this.models[list];
    const expected = model.keysOf(box);
    const popped: string[] = [];
    for (let left = this.fan.topicsOf(list, box); left > 0; left--) {
      const { topic, last } = this.fan.pop(list, box)!;
      popped.push(keyOf(topic));
      assertEquals(last, model.remove(box, topic) === "topic");
      assertEquals(this.fan.topicsOf(list, box), left - 1);
    }
    assertEquals(this.fan.pop(list, box), undefined);
    assertEquals(popped.sort(), expected);
  }

  check(): void {
    for (const list of LISTS) {
      assertEquals(this.fan.topics(list), this.models[list].topics.size);
      for (const box of this.boxes) {
        assertEquals(this.fan.topicsOf(list, box), this.models[list].keysOf(box).length);
      }
    }
  }

  end(): void {
    for (const box of this.boxes) {
      for (const list of LISTS) this.empty(list, box);
      this.fan.leave(box);
      box.free();
    }
    this.check();
    this.fan.free();
  }
}

interface Step {
  readonly kind: "add" | "remove" | "empty";
  readonly list: number;
  readonly peer: number;
  readonly topic: Uint8Array;
  readonly pieces: number;
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("add", "add", "add", "add", "add", "remove", "remove", "empty"),
    list: fc.constantFrom(0, 0, 0, 1),
    peer: fc.nat(PEERS - 1),
    topic,
    pieces: fc.constantFrom(0, 0, 0, 1, 2, 40),
  }),
  { size: "+1", maxLength: 120 },
);

describe("FanOut", () => {
  it("adds, removes and pops topics as its model does", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const party = new Party(100);
        for (const { kind, list, peer, topic } of sequence) {
          const box = party.boxes[peer];
          if (kind === "empty") {
            party.empty(list, box);
          } else {
            const change = party.fan[kind](list, box, topic);
            assertEquals(CHANGES[change], party.models[list][kind](box, topic));
          }
        }
        party.check();
        party.end();
      }),
      { numRuns: 75 },
    );
  });

  it("loses nothing when there is no memory, and says ENOBUFS", () => {
    const untouched = new Party(12);
    untouched.end();
    const room = roomIn(untouched.core);
    fc.assert(
      fc.property(steps, (sequence) => {
        const party = new Party(12);
        const rations = new Rations(party.core, 12);
        for (const { kind, list, peer, topic, pieces } of sequence) {
          const box = party.boxes[peer];
          if (kind === "empty") {
            party.empty(list, box);
            continue;
          }
          let change: number | undefined;
          try {
            change = rations.during(pieces, () => party.fan[kind](list, box, topic));
          } catch (error) {
            assert(error instanceof ZmqError && error.code === "ENOBUFS", String(error));
            assert(kind === "add" && (pieces < 40 || topic.length > 4_000), "there was memory");
            continue;
          }
          assertEquals(CHANGES[change], party.models[list][kind](box, topic));
        }
        party.check();
        rations.end();
        party.end();
        assertEquals(roomIn(party.core), room);
      }),
      { numRuns: 100 },
    );
  });

  it("leaves no topic behind that nobody has, at whichever allocation memory ends", () => {
    const answers = new Set<string>();
    for (let fillers = 150; fillers < 190; fillers++) {
      const { core, fan, boxes: [box] } = new Party(16, 1);
      for (let i = 0; i < fillers; i++) fan.add(LIST_ACTIVE, box, Uint8Array.of(i));
      const rations = new Rations(core, 16);
      let done = false;
      for (let pieces = 0; !done; pieces++) {
        const { held } = rations;
        try {
          rations.during(pieces, () => fan.add(LIST_ACTIVE, box, numbered(0)));
          done = true;
        } catch (error) {
          assertEquals((error as ZmqError).code, "ENOBUFS");
          assertEquals([rations.held, fan.topics(LIST_ACTIVE)], [held, fillers]);
        }
        answers.add(`${done} with ${pieces}`);
      }
      assertEquals(fan.topicsOf(LIST_ACTIVE, box), fillers + 1);
    }
    assert(answers.has("false with 1"), "memory never ended half way");
  });

  it("keeps the two lists apart", () => {
    const { fan, boxes: [box] } = new Party(100, 1);
    fan.add(LIST_REQUESTED, box, utf8("a"));
    assertEquals([fan.topics(LIST_ACTIVE), fan.topics(LIST_REQUESTED)], [0, 1]);
    assertEquals(fan.publish("abc", undefined, 0, 0, 0), 0);
    assertEquals(CHANGES[fan.remove(LIST_ACTIVE, box, utf8("a"))], "same");
    fan.add(LIST_ACTIVE, box, utf8("ab"));
    assertEquals(keyOf(fan.pop(LIST_REQUESTED, box)!.topic), "a");
    assertEquals(LISTS.map((list) => fan.topicsOf(list, box)), [1, 0]);
  });

  it("takes the longest topic there can be", () => {
    const { fan, boxes: [box] } = new Party(100, 1);
    const longest = pattern(TOPIC_LIMIT);
    fan.add(LIST_ACTIVE, box, longest);
    fan.add(LIST_ACTIVE, box, longest.subarray(0, -1));
    assertEquals(CHANGES[fan.remove(LIST_ACTIVE, box, longest.subarray(0, -1))], "topic");
    assertOctets(fan.pop(LIST_ACTIVE, box)!.topic, longest);
  });

  it("never reads or writes beyond its room for topics that are too long", () => {
    const { core, fan, boxes: [box] } = new Party(100, 1);
    const block = core.exports.alloc(65_536) >>> 0;
    core.refresh();
    core.bytes.fill(7, block, block + 65_536);
    const long = new Uint8Array(200_000);
    assertEquals(CHANGES[fan.remove(LIST_ACTIVE, box, long)], "same");
    assertThrows(() => fan.add(LIST_ACTIVE, box, long), Error);
    assert(core.bytes.subarray(block, block + 65_536).every((octet) => octet === 7));
  });

  it("goes on while the memory grows under it", () => {
    const core = new Core();
    const fan = new FanOut(core);
    const box = new Outbox(core);
    fan.join(box);
    for (let i = 0; i < 30_000; i++) {
      fan.add(LIST_ACTIVE, box, numbered(i));
      if (i % 1_000 === 0) fan.add(LIST_ACTIVE, box, pattern(5_000 + i));
    }
    let popped = 0;
    while (fan.pop(LIST_ACTIVE, box) !== undefined) popped++;
    assertEquals([popped, fan.topics(LIST_ACTIVE)], [30_030, 0]);
  });

  it("has no topics any more when its memory was given back", () => {
    const { fan, boxes } = new Party(100);
    for (const box of boxes) fan.leave(box);
    fan.free();
    assertEquals(LISTS.map((list) => fan.topics(list)), [0, 0]);
    assertEquals(fan.dropped, 0);
  });

  it("cannot be made without memory, and says so", () => {
    const core = new Core();
    const rations = new Rations(core, 8);
    assertThrows(() => new FanOut(core), Error, "memory");
    rations.end();
  });
});

describe("a fan-out's memory", () => {
  /** What is left when so many topics of each peer are in. */
  function fill(pages: number, peers: number, topics: number): { party: Party; room: number } {
    const party = new Party(pages, peers);
    for (const box of party.boxes) {
      for (let i = 0; i < topics; i++) party.fan.add(LIST_ACTIVE, box, numbered(i));
    }
    return { party, room: roomIn(party.core) };
  }

  it("is less than 100 octets for each subscription to a topic of 20 octets", () => {
    const room = roomIn(new Party(400, 1).core);
    assertLess((room - fill(400, 1, 200_000).room) * 64 / 200_000, 100);
  });

  it("is little for a subscription to a topic that others have", () => {
    const room = roomIn(new Party(400, 20).core);
    assertLess((room - fill(400, 20, 10_000).room) * 64 / 200_000, 32);
  });

  it("is all given back with the peers, however they come and go", () => {
    const room = roomIn(new Party(300, 2).core);
    const party = new Party(300, 2);
    const [first, second] = party.boxes;
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 50_000; i++) {
        party.fan.add(LIST_ACTIVE, first, numbered(i));
        party.fan.add(LIST_ACTIVE, second, numbered(i * 3));
      }
      let size = 0;
      while (party.fan.pop(LIST_ACTIVE, first) !== undefined) size++;
      assertEquals([size, party.fan.topics(LIST_ACTIVE)], [50_000, 50_000]);
      for (let i = 0; i < 50_000; i++) party.fan.remove(LIST_ACTIVE, second, numbered(i * 3));
      assertEquals(party.fan.topics(LIST_ACTIVE), 0);
    }
    assertEquals(roomIn(party.core), room);
  });
});
