// Whatever comes when, whoever polls, receives, streams and cancels: no message is lost, and none comes twice.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Context, poll, Pull, Push, type ZmqError } from "../../mod.ts";
import { anywhere, type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { rejection } from "../_util/rejection.ts";

const SOCKETS = 3;
const RUNS = 15;
const cleanup = new Cleanup();

type Step =
  | { readonly do: "send"; readonly to: number; readonly count: number }
  | { readonly do: "poll"; readonly which: number; readonly timeout: number }
  | { readonly do: "abort"; readonly which: number; readonly after: number }
  | { readonly do: "receive"; readonly from: number; readonly cancelled: boolean }
  | { readonly do: "stream"; readonly from: number; readonly count: number }
  | { readonly do: "turn" };

const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant("send" as const),
      to: fc.nat(SOCKETS - 1),
      count: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({
      do: fc.constant("poll" as const),
      which: fc.integer({ min: 1, max: 2 ** SOCKETS - 1 }),
      timeout: fc.constantFrom(0, 1, 3),
    }),
    fc.record({
      do: fc.constant("abort" as const),
      which: fc.integer({ min: 1, max: 2 ** SOCKETS - 1 }),
      after: fc.constantFrom(0, 1, 2),
    }),
    fc.record({
      do: fc.constant("receive" as const),
      from: fc.nat(SOCKETS - 1),
      cancelled: fc.boolean(),
    }),
    fc.record({
      do: fc.constant("stream" as const),
      from: fc.nat(SOCKETS - 1),
      count: fc.nat(4),
    }),
    fc.record({ do: fc.constant("turn" as const) }),
  ),
  { minLength: 5, maxLength: 40 },
);

/** One run: sockets, what was sent to each and what was received from it. */
class Story {
  readonly pulls: Pull[] = [];
  readonly #pushes: Push[] = [];
  readonly #sent: number[] = [];
  readonly #received: string[][] = [];
  readonly #running: Promise<unknown>[] = [];

  async open(transport: Transport): Promise<void> {
    for (let i = 0; i < SOCKETS; i++) {
      const pull = cleanup.add(new Pull());
      await pull.bind(anywhere(transport));
      const push = cleanup.add(new Push());
      push.connect(pull.lastEndpoint!);
      this.pulls.push(pull);
      this.#pushes.push(push);
      this.#sent.push(0);
      this.#received.push([]);
    }
  }

  async play(step: Step): Promise<void> {
    switch (step.do) {
      case "send":
        for (let i = 0; i < step.count; i++) {
          await this.#pushes[step.to].send(String(this.#sent[step.to]++));
        }
        break;
      case "poll":
        this.#running.push(this.#poll(step.which, { timeout: step.timeout }));
        break;
      case "abort": {
        const stop = new AbortController();
        setTimeout(() => stop.abort(), step.after);
        this.#running.push(this.#poll(step.which, { signal: stop.signal }));
        break;
      }
      case "receive":
        this.#running.push(this.#receive(step.from, step.cancelled));
        break;
      case "stream":
        this.#running.push(this.#read(step.from, step.count));
        break;
      case "turn":
        await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** Polls, and receives once from each socket that is told to be readable. */
  async #poll(which: number, options: object): Promise<void> {
    const asked = this.pulls.filter((_, i) => which & (1 << i));
    const ready = await poll(asked, options).catch((error) => {
      if ((error as Error).name !== "AbortError") throw error;
      return [];
    });
    for (const { socket } of ready) {
      // Somebody else may have been quicker.
      await this.#receive(this.pulls.indexOf(socket as Pull), true);
    }
  }

  /** Reads some messages by a stream, and cancels it after a while, whether they have come or not. */
  async #read(from: number, count: number): Promise<void> {
    const reader = this.pulls[from].readableStream().getReader();
    setTimeout(() => void reader.cancel(), count);
    for (let i = 0; i < count; i++) {
      const { done, value } = await reader.read();
      if (done) break;
      this.#received[from].push(String(value));
    }
    await reader.cancel();
  }

  async #receive(from: number, cancelled: boolean): Promise<void> {
    const signal = AbortSignal.timeout(cancelled ? 1 : 20);
    try {
      this.#received[from].push(String(await this.pulls[from].receive({ signal })));
    } catch (error) {
      if (!/^(Abort|Timeout)Error$/.test((error as Error).name)) throw error;
    }
  }

  /** Receives the rest, and checks that all has come. */
  async end(): Promise<void> {
    await Promise.all(this.#running);
    for (const [i, pull] of this.pulls.entries()) {
      while (this.#received[i].length < this.#sent[i]) {
        const [found] = await poll([pull], { timeout: 5_000 });
        assertEquals(found?.readable, true, `a message is missing: ${this.#received[i]}`);
        this.#received[i].push(String(await pull.receive()));
      }
      assertEquals(await poll([pull], { timeout: 0 }), []);
      const numbers = Array.from({ length: this.#sent[i] }, (_, n) => String(n));
      // Who hears first of two that wait in different ways is nobody's business.
      assertEquals(this.#received[i].toSorted((a, b) => Number(a) - Number(b)), numbers);
    }
  }
}

for (const transport of TRANSPORTS) {
  describe(`polls, receives, streams and cancels at random on ${transport}`, () => {
    afterEach(() => cleanup.run());

    it("lose nothing", async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (list) => {
          const story = new Story();
          await story.open(transport);
          for (const step of list) await story.play(step);
          await story.end();
          await cleanup.run();
        }),
        { numRuns: RUNS, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false },
      );
    });
  });
}

describe("the end of a context", () => {
  it("ends the polls of its sockets", async () => {
    const context = new Context();
    const [pull, other] = [new Pull({ context }), new Pull({ context })];
    await pull.bind("tcp://127.0.0.1:*");
    const outcome = poll([pull, other]).then(() => "ready", (error: unknown) => error);
    await context.terminate();
    const error = await outcome;
    assertEquals((error as ZmqError).code, "ETERM", String(error));
    await rejection(poll([pull, other]), "ETERM");
    await rejection(poll([other], { timeout: 0 }), "ETERM");
  });
});
