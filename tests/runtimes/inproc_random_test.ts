// Over inproc nothing is under way, so nothing is lost: whatever binds, connects, leaves and comes back, each message that
// was taken is received once.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Context, Pull, Push } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";

const RUNS = 150;
const MOST_ACTIONS = 80;
const NAMES = ["inproc://a", "inproc://b"] as const;
const SENDERS = 3;
const RECEIVERS = 3;
const cleanup = new Cleanup();

type Kind = "bind" | "unbind" | "replace" | "connect" | "disconnect" | "send" | "receive";

interface Action {
  readonly kind: Kind;
  readonly who: number;
  readonly name: number;
  readonly count: number;
}

const action: fc.Arbitrary<Action> = fc.record({
  kind: fc.constantFrom<Kind>(
    ...["bind", "bind", "unbind", "replace", "connect", "connect", "disconnect"] as const,
    ...["send", "send", "send", "send", "receive", "receive"] as const,
  ),
  who: fc.nat(Math.max(SENDERS, RECEIVERS) - 1),
  name: fc.nat(NAMES.length - 1),
  count: fc.integer({ min: 1, max: 20 }),
});

/** The same marks for all: small ones, that are often reached, or none. */
const marks = fc.record({ send: fc.integer({ min: 0, max: 5 }), receive: fc.nat(5) });

/** A socket and its endpoints. */
interface End<S> {
  socket: S;
  readonly at: Set<string>;
}

class World {
  readonly #context: Context = new Context();
  readonly #marks: { send: number; receive: number };
  readonly #senders: End<Push>[];
  readonly #receivers: End<Pull>[];
  #sent = 0;
  readonly #received: number[] = [];

  constructor(marks: { send: number; receive: number }) {
    this.#marks = marks;
    const context = this.#context;
    this.#senders = Array.from({ length: SENDERS }, () => ({
      socket: cleanup.add(new Push({ context, sendHighWaterMark: marks.send, sendTimeout: 0 })),
      at: new Set(),
    }));
    this.#receivers = Array.from({ length: RECEIVERS }, () => ({
      socket: this.#openReceiver(),
      at: new Set(),
    }));
  }

  #openReceiver(): Pull {
    const options = { receiveHighWaterMark: this.#marks.receive, receiveTimeout: 0 };
    return cleanup.add(new Pull({ context: this.#context, ...options }));
  }

  async do({ kind, who, name, count }: Action): Promise<void> {
    const [sender, receiver] = [this.#senders[who], this.#receivers[who]];
    const endpoint = NAMES[name];
    const isBound = this.#receivers.some(({ at }) => at.has(endpoint));
    if (kind === "bind" && !isBound) {
      receiver.at.add(endpoint);
      await receiver.socket.bind(endpoint);
    } else if (kind === "unbind" && receiver.at.delete(endpoint)) {
      await receiver.socket.unbind(endpoint);
      await this.#drain();
    } else if (kind === "replace") {
      await receiver.socket.close();
      receiver.at.clear();
      receiver.socket = this.#openReceiver();
    } else if (kind === "connect" && !sender.at.has(endpoint)) {
      sender.at.add(endpoint);
      sender.socket.connect(endpoint);
    } else if (kind === "disconnect" && sender.at.delete(endpoint)) {
      sender.socket.disconnect(endpoint);
      await this.#drain();
    } else if (kind === "send") {
      for (let i = 0; i < count; i++) await this.#send(sender.socket);
    } else if (kind === "receive") {
      for (let i = 0; i < count; i++) await this.#receive(receiver.socket);
    }
  }

  async #send(socket: Push): Promise<void> {
    const taken = await socket.send(String(this.#sent)).then(() => true, () => false);
    if (taken) this.#sent++;
  }

  async #receive(socket: Pull): Promise<boolean> {
    const frames = await socket.receive().catch(() => undefined);
    if (frames !== undefined) this.#received.push(Number(String(frames[0])));
    return frames !== undefined;
  }

  /** What a receiver has of a connection that is over goes when it is closed: it is read before that. */
  async #drain(): Promise<void> {
    for (const { socket } of this.#receivers) while (await this.#receive(socket));
  }

  /** Everybody meets everybody; all that was sent has to be there. */
  async settle(): Promise<void> {
    for (const [name, endpoint] of NAMES.entries()) {
      for (let who = 0; who < SENDERS; who++) {
        await this.do({ kind: "connect", who, name, count: 0 });
      }
      for (let who = 0; who < RECEIVERS; who++) {
        await this.do({ kind: "bind", who, name, count: 0 });
      }
      assertEquals(this.#receivers.filter(({ at }) => at.has(endpoint)).length, 1);
    }
    for (let found = true; found;) {
      found = false;
      for (const { socket } of this.#receivers) {
        while (await this.#receive(socket)) found = true;
      }
      // What waited for room is sent when the event loop has turned.
      if (!found) await new Promise((resolve) => setTimeout(resolve, 0));
      found ||= this.#receivers.some(({ socket }) => socket.readable);
    }
    const all = Array.from({ length: this.#sent }, (_, i) => i);
    assertEquals(this.#received.toSorted((a, b) => a - b), all);
  }
}

describe("PUSH and PULL over inproc", () => {
  afterEach(() => cleanup.run());

  it("lose nothing and repeat nothing, whatever the order of events", async () => {
    await fc.assert(
      fc.asyncProperty(
        marks,
        fc.array(action, { minLength: 10, maxLength: MOST_ACTIONS }),
        async (marks, actions) => {
          const world = new World(marks);
          try {
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
