// The clients of a cluster. Each has a socket of its own; they ask at random times, whether they were answered or not.

import type { Frame } from "../../../mod.ts";
import { FederatedClient } from "../../../src/patterns/mod.ts";
import { Histogram } from "./histogram.ts";
import type { ClientFigures, CrowdSize } from "./messages.ts";
import { makeSamples, type Sample } from "./work.ts";

const SAMPLES = 500;
/** Often enough for latencies, and seldom enough for many requests at once. */
const TICK_MS = 5;
/** The longest that requests are waited for in the end. */
const DRAIN_MS = 30_000;

export class Crowd {
  readonly #clients: FederatedClient[];
  readonly #samples: readonly Sample[];
  /** Milliseconds between two requests, on average. */
  readonly #gap: number;
  readonly #latencies: Histogram = new Histogram();
  #timer: ReturnType<typeof setInterval> | undefined;
  #due = 0;
  #requests = 0;
  #answered = 0;
  #lost = 0;
  #wrong = 0;

  constructor(address: string, { clients, rate, bodies }: CrowdSize) {
    this.#clients = Array.from({ length: clients }, () => {
      const client = new FederatedClient({ timeout: 30_000 });
      client.connect(address);
      return client;
    });
    this.#samples = makeSamples(SAMPLES, bodies);
    this.#gap = 1_000 / (clients * rate);
  }

  begin(): void {
    this.#due = performance.now();
    this.#timer = setInterval(() => this.#ask(), TICK_MS);
  }

  /** Forgets latencies so far. */
  count(): void {
    this.#latencies.take();
  }

  /** Waits until all that was asked is answered. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    const start = performance.now();
    while (this.#answered + this.#lost < this.#requests && performance.now() - start < DRAIN_MS) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  figures(): ClientFigures {
    let retried = 0;
    let late = 0;
    for (const client of this.#clients) {
      const stats = client.stats();
      retried += stats.retried;
      late += stats.late;
    }
    return {
      requests: this.#requests,
      answered: this.#answered,
      lost: this.#lost,
      wrong: this.#wrong,
      retried,
      late,
      latencies: this.#latencies.take(),
    };
  }

  /** All requests that are due: many clients with a Poisson process each are one Poisson process of anybody. */
  #ask(): void {
    const now = performance.now();
    while (this.#due <= now) {
      this.#request(pick(this.#clients), pick(this.#samples), this.#due);
      this.#due -= Math.log(1 - Math.random()) * this.#gap;
    }
  }

  /** The time counts from when it was due, so that a standstill of the whole machine is seen as well. */
  #request(client: FederatedClient, { body, answer }: Sample, due: number): void {
    this.#requests++;
    client.request(body).then(
      ([reply]) => this.#reply(reply, answer, due),
      () => this.#lost++,
    );
  }

  #reply(reply: Frame, answer: string, due: number): void {
    this.#answered++;
    if (!isText(reply, answer)) this.#wrong++;
    this.#latencies.add((performance.now() - due) * 1_000);
  }
}

function pick<T>(all: readonly T[]): T {
  return all[Math.floor(Math.random() * all.length)];
}

function isText(frame: Frame, text: string): boolean {
  if (frame.length !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (frame[i] !== text.charCodeAt(i)) return false;
  return true;
}
