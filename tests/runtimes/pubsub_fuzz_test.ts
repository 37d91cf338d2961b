// Raw subscribers whose requests come in any form, chopped anywhere, or broken: what is right counts, what is wrong ends
// their connection at most, and a healthy subscriber does not notice.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Publisher, Subscriber, XPublisher } from "../../mod.ts";
import { textOf, toHex } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { concat } from "../_util/octets.ts";
import { peers, subscribed, takeTexts } from "../_util/pubsub.ts";
import type { RawConnection } from "../_util/raw_peer.ts";
import {
  cancelCommand,
  cancelMessage,
  subscribeCommand,
  subscribeMessage,
} from "../_util/raw_subscriptions.ts";
import { command, connectAs, message, ping, takeMessage } from "../_util/raw_zmtp.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const RECEIVES = { receiveTimeout: 10_000 } as const;
const RUNS = 60;
const cleanup = new Cleanup();

/** Octets a raw peer sends, and what becomes of its topics. */
interface Piece {
  readonly octets: Uint8Array;
  readonly topic?: string;
  readonly subscribes?: boolean;
  /** A message for the user. */
  readonly text?: string;
}

const topic = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 3, unit: fc.constantFrom("a", "b", "\x01") }) },
  { weight: 1, arbitrary: fc.constantFrom("x".repeat(245), "x".repeat(246), "x".repeat(1_000)) },
);
const request: fc.Arbitrary<Piece> = fc.tuple(topic, fc.boolean(), fc.boolean()).map(
  ([name, subscribes, asCommand]) => {
    const encode = asCommand
      ? (subscribes ? subscribeCommand : cancelCommand)
      : (subscribes ? subscribeMessage : cancelMessage);
    return { octets: encode(name), topic: name, subscribes };
  },
);
const other: fc.Arbitrary<Piece> = fc.oneof(
  fc.constantFrom("user", "", "\x02a", "z".repeat(300)).map((text) => ({
    octets: message(text, "tail"),
    text,
  })),
  fc.constantFrom(ping("x"), command("NONSENSE"), command("SUBSCRIBED")).map((octets) => ({
    octets,
  })),
);
const pieces = fc.array(
  fc.oneof({ weight: 5, arbitrary: request }, { weight: 1, arbitrary: other }),
  { minLength: 1, maxLength: 60 },
);

/** Sends octets in chunks that end anywhere. */
async function sendChopped(
  peer: RawConnection,
  octets: Uint8Array,
  cuts: readonly number[],
): Promise<void> {
  const ends = [...cuts.map((cut) => cut % (octets.length + 1)), octets.length]
    .sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    if (end > from) await Promise.race([peer.flush(octets.subarray(from, end)), peer.closed]);
    from = end;
  }
}

const cuts = fc.array(fc.nat(), { maxLength: 8 });

describe("requests of a raw subscriber", () => {
  afterEach(() => cleanup.run());

  it("count whatever their form and wherever they are chopped", async () => {
    const publisher = cleanup.add(new XPublisher({ ...RECEIVES, verbosity: "allSubsUnsubs" }));
    await publisher.bind(ANY_PORT);
    await fc.assert(
      fc.asyncProperty(pieces, cuts, async (sent, where) => {
        const peer = await connectAs(publisher.lastEndpoint!, "SUB");
        const end = message("the end");
        await sendChopped(peer, concat(...sent.map(({ octets }) => octets), end), where);
        const expected: string[] = [];
        const topics = new Set<string>();
        for (const { topic, subscribes, text } of sent) {
          if (text !== undefined) expected.push(text);
          if (topic === undefined) continue;
          expected.push((subscribes ? "\x01" : "\0") + topic);
          if (subscribes) topics.add(topic);
          else topics.delete(topic);
        }
        const received: string[] = [];
        for (;;) {
          const [first] = await takeTexts(publisher);
          if (first === "the end") break;
          received.push(first);
        }
        assertEquals(received, expected);
        assertEquals(publisher.topicsCount, topics.size);
        assertEquals(publisher.stats().peers.map((each) => each.subscriptions), [topics.size]);
        for (const start of ["a", "b", "x"]) await publisher.send(`${start}${start}a`);
        for (const start of ["a", "b", "x"]) {
          const text = `${start}${start}a`;
          if (![...topics].some((name) => text.startsWith(name))) continue;
          assertEquals((await takeMessage(peer)).map(textOf), [text]);
        }
        peer.destroy();
        await peers(publisher, 0);
        for (let i = 0; i < topics.size; i++) assert((await publisher.receive())[0][0] === 0);
        assertEquals([publisher.topicsCount, publisher.readable], [0, false]);
      }),
      { numRuns: RUNS },
    );
  });

  it("that are broken anywhere end their connection at most", async () => {
    const publisher = cleanup.add(new Publisher());
    await publisher.bind(ANY_PORT);
    const healthy = cleanup.add(new Subscriber(RECEIVES));
    healthy.subscribe("healthy");
    healthy.connect(publisher.lastEndpoint!);
    await subscribed(publisher, 1);
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 });
    let count = 0;
    await fc.assert(
      fc.asyncProperty(pieces, cuts, damage, async (sent, where, changes) => {
        const octets = concat(...sent.map((piece) => piece.octets));
        for (const [at, value] of changes) octets[at % octets.length] = value;
        const peer = await connectAs(publisher.lastEndpoint!, "SUB");
        await sendChopped(peer, octets, where);
        const text = `healthy ${count++}`;
        await publisher.send(text);
        assertEquals(await takeTexts(healthy), [text], toHex(octets));
        peer.destroy();
        await eventually(() => publisher.topicsCount === 1, 5_000, toHex(octets));
        await peers(publisher, 1);
      }),
      { numRuns: RUNS },
    );
  });
});
