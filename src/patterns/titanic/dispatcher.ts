// Sends requests to their services, as soon as there are workers, and again until there is a reply.

import type { Frame } from "../../../mod.ts";
import { Fifo } from "../base/fifo.ts";
import { after, type Cancel } from "../base/time.ts";
import type { MajordomoClient } from "../majordomo/mod.ts";
import type { Entry } from "./entries.ts";

/** Options of a `Dispatcher`. */
export interface DispatcherOptions {
  /** Requests under way for each service. */
  readonly concurrency: number;
  /** How long one try may take. */
  readonly executionTimeout: number;
  /** The wait before the next try. */
  readonly retryInterval: number;
  readonly closing: AbortSignal;
  /** The body of a request; undefined when it is not there any more. */
  readonly load: (entry: Entry) => Promise<Frame[] | undefined>;
  /** Keeps a reply. */
  readonly keep: (entry: Entry, reply: Frame[]) => Promise<void>;
  /** Anything that fails here, and not over there. */
  readonly failed: (error: unknown) => void;
}

interface Queue {
  readonly service: string;
  readonly waiting: Fifo<Entry>;
  running: number;
  /** The broker knows a worker. */
  known: boolean;
  asking: boolean;
  pause: Cancel | undefined;
}

export class Dispatcher {
  readonly #client: MajordomoClient;
  readonly #options: DispatcherOptions;
  readonly #queues: Map<string, Queue> = new Map();
  readonly #under: Set<Promise<void>> = new Set();
  /** Tries that were begun. */
  tries = 0;

  constructor(client: MajordomoClient, options: DispatcherOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Has a request done. */
  add(entry: Entry): void {
    let queue = this.#queues.get(entry.service);
    if (queue === undefined) {
      queue = {
        service: entry.service,
        waiting: new Fifo(),
        running: 0,
        known: false,
        asking: false,
        pause: undefined,
      };
      this.#queues.set(entry.service, queue);
    }
    queue.waiting.push(entry);
    this.#serve(queue);
  }

  /** It need not be done any more. */
  drop(entry: Entry): void {
    const queue = this.#queues.get(entry.service);
    if (queue?.waiting.remove(entry)) this.#tidy(queue);
  }

  /** Waits for what is under way to end, which the closing of the client brings about. */
  async close(): Promise<void> {
    for (const queue of this.#queues.values()) queue.pause?.();
    await Promise.all(this.#under);
  }

  #serve(queue: Queue): void {
    const { closing, concurrency } = this.#options;
    if (closing.aborted || queue.asking || queue.pause !== undefined) return;
    if (queue.waiting.length === 0) return this.#tidy(queue);
    // A request for a service without workers would only wait in the broker, and be there twice in the end.
    if (!queue.known) return this.#track(this.#ask(queue));
    while (queue.running < concurrency && queue.waiting.length > 0) {
      queue.running++;
      this.#track(this.#execute(queue, queue.waiting.shift()!));
    }
  }

  #track(work: Promise<void>): void {
    this.#under.add(work);
    void work.then(() => this.#under.delete(work));
  }

  async #ask(queue: Queue): Promise<void> {
    queue.asking = true;
    try {
      const { closing, retryInterval } = this.#options;
      const timeout = Math.max(retryInterval, 500);
      queue.known = await this.#client.exists(queue.service, {
        signal: closing,
        timeout,
        retries: 0,
      });
    } catch {
      // No broker.
      queue.known = false;
    }
    queue.asking = false;
    if (queue.known) this.#serve(queue);
    else this.#rest(queue);
  }

  async #execute(queue: Queue, entry: Entry): Promise<void> {
    const { closing, executionTimeout, load, keep, failed } = this.#options;
    let done = false;
    let ours = true;
    try {
      const body = await load(entry);
      if (body !== undefined) {
        this.tries++;
        ours = false;
        const reply = await this.#client.request(queue.service, body, {
          signal: closing,
          timeout: executionTimeout,
          retries: 0,
        });
        ours = true;
        await keep(entry, reply);
      }
      done = true;
    } catch (error) {
      if (ours && !closing.aborted) failed(error);
    }
    queue.running--;
    if (done) return this.#serve(queue);
    queue.waiting.push(entry);
    queue.known = false;
    this.#rest(queue);
  }

  #rest(queue: Queue): void {
    const { closing, retryInterval } = this.#options;
    if (closing.aborted || queue.pause !== undefined) return;
    queue.pause = after(retryInterval, () => {
      queue.pause = undefined;
      this.#serve(queue);
    });
  }

  /** Services that nobody wants are forgotten. */
  #tidy(queue: Queue): void {
    if (queue.waiting.length > 0 || queue.running > 0 || queue.asking) return;
    queue.pause?.();
    this.#queues.delete(queue.service);
  }
}
