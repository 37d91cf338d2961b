// Any sequence of subscribing, unsubscribing, publishing, coming and going gives the deliveries of a plain model.

import { assertEquals } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Subscriber, XPublisher } from "../../mod.ts";
import { anywhere, type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { concat } from "../_util/octets.ts";
import { describeOver } from "../_util/transports.ts";

const RECEIVES = { receiveTimeout: 10_000 } as const;
const SUBSCRIBERS = 3;
const RUNS = 100;
const MOST_ACTIONS = 60;
/** Starts the topics that tell when all before them has arrived; no other topic or message has it. */
const BARRIER = 0x7e;
const cleanup = new Cleanup();

interface Change {
  readonly kind: "subscribe" | "unsubscribe";
  readonly who: number;
  readonly topics: Uint8Array[];
}
interface Publish {
  readonly kind: "publish";
  readonly message: Uint8Array[];
}
interface Move {
  readonly kind: "reconnect" | "replace";
  readonly who: number;
}
type Action = Change | Publish | Move;

/** Octets of few kinds, so that prefixes are common. */
const octets = (most: number): fc.Arbitrary<Uint8Array> =>
  fc.array(fc.constantFrom(0, 1, 0x61, 0xff), { maxLength: most }).map((x) => Uint8Array.from(x));
const who = fc.nat(SUBSCRIBERS - 1);
const topics = fc.array(octets(4), { minLength: 1, maxLength: 3 });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("subscribe" as const), who, topics }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("unsubscribe" as const), who, topics }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      message: fc.array(octets(6), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("reconnect" as const, "replace" as const), who }),
  },
);

/** A subscriber, and what it should have. */
class Pair {
  socket!: Subscriber;
  readonly #counts: Map<string, number> = new Map();
  readonly expected: string[] = [];

  open(endpoint: string): void {
    this.#counts.clear();
    this.socket = cleanup.add(new Subscriber(RECEIVES));
    this.socket.connect(endpoint);
  }

  change(topic: Uint8Array, by: number): void {
    const key = toHex(topic);
    const count = Math.max(0, (this.#counts.get(key) ?? 0) + by);
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }

  wants(message: readonly Uint8Array[]): boolean {
    const start = toHex(message[0]);
    return [...this.#counts.keys()].some((topic) => start.startsWith(topic));
  }

  get topics(): number {
    return this.#counts.size;
  }
}

class World {
  readonly publisher: XPublisher = cleanup.add(
    new XPublisher({ ...RECEIVES, verbosity: "allSubsUnsubs" }),
  );
  readonly pairs: Pair[] = Array.from({ length: SUBSCRIBERS }, () => new Pair());
  #barriers = 0;
  /** Something has been changed that the publisher may not know yet. */
  #stale = true;

  async open(transport: Transport): Promise<void> {
    await this.publisher.bind(anywhere(transport));
    for (const pair of this.pairs) pair.open(this.publisher.lastEndpoint!);
  }

  async do(next: Action): Promise<void> {
    if (next.kind === "publish") return await this.#publish(next.message);
    const pair = this.pairs[next.who];
    // What is unread may be lost with the topic or the connection: it has to be read first.
    if (next.kind !== "subscribe" && pair.expected.length > 0) await this.settle();
    this.#stale = true;
    if (!("topics" in next)) return await this.#move(next);
    const by = next.kind === "subscribe" ? 1 : -1;
    pair.socket[next.kind](...next.topics);
    for (const topic of next.topics) pair.change(topic, by);
  }

  async #move({ kind, who }: Move): Promise<void> {
    const pair = this.pairs[who];
    const endpoint = this.publisher.lastEndpoint!;
    if (kind === "replace") {
      await pair.socket.close();
      pair.open(endpoint);
    } else {
      pair.socket.disconnect(endpoint);
      pair.socket.connect(endpoint);
    }
  }

  async #publish(message: readonly Uint8Array[]): Promise<void> {
    if (this.#stale) await this.settle();
    await this.publisher.send([...message]);
    for (const pair of this.pairs) {
      if (pair.wants(message)) pair.expected.push(message.map(toHex).join());
    }
  }

  /** Everything that was subscribed has reached the publisher, and everything published has reached whom it should. */
  async settle(): Promise<void> {
    const marks = this.pairs.map((pair) => {
      const mark = concat(Uint8Array.of(BARRIER), utf8(`${++this.#barriers};`));
      pair.socket.subscribe(mark);
      return mark;
    });
    const missing = new Set(marks.map((mark) => `01${toHex(mark)}`));
    while (missing.size > 0) missing.delete(toHex((await this.publisher.receive())[0]));
    for (const mark of marks) await this.publisher.send(mark);
    for (const [i, pair] of this.pairs.entries()) {
      const received: string[] = [];
      // The last of all marks, for one who gets everything; else its own.
      const last = toHex(pair.wants([marks[i]]) ? marks.at(-1)! : marks[i]);
      for (;;) {
        const frames = await pair.socket.receive();
        const first = toHex(frames[0]);
        if (first === last) break;
        if (frames[0][0] !== BARRIER) received.push(frames.map(toHex).join());
      }
      assertEquals(received, pair.expected.splice(0), `subscriber ${i}`);
      pair.socket.unsubscribe(marks[i]);
      assertEquals(pair.socket.topicsCount, pair.topics, `topics of subscriber ${i}`);
    }
    this.#stale = false;
  }
}

describeOver(TRANSPORTS, "PUB and SUB", (transport) => {
  afterEach(() => cleanup.run());

  it("deliver what a plain model delivers, whatever the order of events", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { minLength: 10, maxLength: MOST_ACTIONS }),
        async (actions) => {
          const world = new World();
          try {
            await world.open(transport);
            for (const next of actions) await world.do(next);
            await world.settle();
          } finally {
            await cleanup.run();
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});
