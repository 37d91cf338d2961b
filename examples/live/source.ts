// The source of the tasks, in a thread of its own: a ROUTER that gives each task to the worker that has the fewest, and
// checks and times the answers.

import { Router } from "../../mod.ts";
import { type Sample, workOn } from "../apps/cluster/work.ts";
import { type Command, LEAST_SIZE, MOST_RATE, MOST_SIZE, wholeNumber } from "./commands.ts";
import { Latencies } from "./latencies.ts";
import { type HubEndpoints, Part } from "./part.ts";
import { type FlowFigures, TICK_MS } from "./topics.ts";

/** What the thread is told first; it answers with the endpoint for workers. */
export interface SourceStart {
  readonly hub: HubEndpoints;
  readonly rate: number;
  readonly size: number;
}

/** Tasks that a worker has at most. */
const WINDOW = 64;
/** Tasks that wait for a worker; more are dropped. */
const MOST_WAITING = 5_000;
const SAMPLES = 16;
/** Milliseconds between two looks at how many tasks are due. */
const PACE_MS = 2;

/** A task that a worker has. */
interface Given {
  readonly madeAt: number;
  readonly sample: Sample;
}

function samplesOf(size: number): Sample[] {
  return Array.from({ length: SAMPLES }, () => {
    const body = crypto.getRandomValues(new Uint8Array(size));
    return { body, answer: String(workOn(body)) };
  });
}

class Source {
  readonly #router = new Router();
  readonly #latencies = new Latencies();
  /** What each worker has, oldest first: it answers in order. */
  readonly #given: Map<string, Given[]> = new Map();
  /** When the tasks that wait were made. */
  #waiting: number[] = [];
  #rate: number;
  #samples: Sample[];
  #due = 0;
  #pacedAt = performance.now();
  #tickedAt = performance.now();
  #counts = { made: 0, answered: 0, dropped: 0, wrong: 0 };

  constructor({ rate, size }: SourceStart) {
    this.#rate = rate;
    this.#samples = samplesOf(size);
  }

  async listen(): Promise<string> {
    await this.#router.bind("tcp://127.0.0.1:*");
    return this.#router.lastEndpoint!;
  }

  async run(hub: HubEndpoints): Promise<void> {
    const part = new Part("source", hub, (command) => this.#command(command));
    setInterval(() => this.#make(), PACE_MS);
    setInterval(() => {
      part.publish("pipeline.flow", this.#flow());
      part.publish("pipeline.latency", this.#latencies.take());
    }, TICK_MS);
    for await (const [worker, answer] of this.#router) {
      this.#answered(String(worker), String(answer));
      this.#give();
    }
  }

  /** The tasks that are due. */
  #make(): void {
    const now = performance.now();
    this.#due += this.#rate * Math.min(now - this.#pacedAt, TICK_MS) / 1_000;
    this.#pacedAt = now;
    if (this.#given.size === 0) this.#due = 0; // nobody is there yet
    for (; this.#due >= 1; this.#due--) {
      this.#counts.made++;
      if (this.#waiting.length < MOST_WAITING) this.#waiting.push(now);
      else this.#counts.dropped++;
    }
    this.#give();
  }

  /** Gives workers what waits, as long as one has room. */
  #give(): void {
    let count = 0;
    for (const madeAt of this.#waiting) {
      const worker = this.#idlest();
      if (worker === undefined) break;
      const sample = this.#samples[Math.floor(Math.random() * SAMPLES)];
      const given = this.#given.get(worker)!;
      given.push({ madeAt, sample });
      this.#given.delete(worker); // the last one, next time, of those that have as few
      this.#given.set(worker, given);
      this.#router.send([worker, sample.body]);
      count++;
    }
    this.#waiting.splice(0, count);
  }

  #idlest(): string | undefined {
    let idlest: string | undefined;
    let fewest = WINDOW;
    for (const [worker, { length }] of this.#given) {
      if (length < fewest) [idlest, fewest] = [worker, length];
    }
    return idlest;
  }

  #answered(worker: string, answer: string): void {
    const given = this.#given.get(worker);
    if (given === undefined) {
      this.#given.set(worker, []); // its first message: it is ready
      return;
    }
    const task = given.shift();
    if (task === undefined || task.sample.answer !== answer) this.#counts.wrong++;
    if (task === undefined) return;
    this.#counts.answered++;
    this.#latencies.add(Math.round((performance.now() - task.madeAt) * 1_000));
  }

  #command(command: Command): unknown {
    if (command.do === "rate") this.#rate = wholeNumber(command.value, 0, MOST_RATE);
    else if (command.do === "size") {
      this.#samples = samplesOf(wholeNumber(command.value, LEAST_SIZE, MOST_SIZE));
    } else throw new Error(`The source cannot ${command.do}`);
    return { rate: this.#rate, size: this.#samples[0].body.length };
  }

  #flow(): Omit<FlowFigures, "at"> {
    const now = performance.now();
    const figures = {
      rate: this.#rate,
      size: this.#samples[0].body.length,
      ms: now - this.#tickedAt,
      ...this.#counts,
      waiting: this.#waiting.length,
      inFlight: Object.fromEntries(
        Array.from(this.#given, ([worker, { length }]) => [worker, length]),
      ),
    };
    this.#tickedAt = now;
    this.#counts = { made: 0, answered: 0, dropped: 0, wrong: 0 };
    return figures;
  }
}

const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<SourceStart>) => void;
  postMessage(message: string): void;
};
thread.onmessage = async ({ data }) => {
  const source = new Source(data);
  thread.postMessage(await source.listen());
  await source.run(data.hub);
};
