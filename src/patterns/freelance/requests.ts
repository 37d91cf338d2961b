// Requests under way: each has a number, a time by which it is over, and ends once.

import { type Frame, type MessageLike, ZmqError } from "../../../mod.ts";
import { refuse } from "../base/checks.ts";
import { type Body, framesOf } from "../base/octets.ts";
import { controlOf, numberAfter } from "./frames.ts";

/** How one request can be limited. */
export interface FreelanceRequestOptions {
  /** Gives the request up: it rejects with the signal's reason. Servers that have it may still do it. */
  readonly signal?: AbortSignal | undefined;
}

/** One request; `S` is what the client remembers of a server. */
export interface Entry<S> {
  readonly number: number;
  /** The number as a frame, and the body's frames. */
  readonly frames: readonly MessageLike[];
  /** When it is over, whatever happens. */
  readonly deadline: number;
  /** All servers that were sent it. */
  readonly asked: Set<S>;
  /** Sends so far. */
  tries: number;
  /** The one whose answer is waited for. */
  server: S | undefined;
  /** When another server is asked. */
  patienceEnds: number;
  readonly resolve: (reply: Frame[]) => void;
  readonly reject: (reason: unknown) => void;
  readonly forget: () => void;
}

/** A request and its outcome. */
export interface Added<S> {
  readonly entry: Entry<S>;
  readonly reply: Promise<Frame[]>;
}

/** The requests of one client, in the order of their deadlines. */
export class Requests<S> {
  readonly #timeout: number;
  readonly #limit: number;
  readonly #time: () => number;
  readonly #entries: Map<number, Entry<S>> = new Map();
  readonly #gone: (entry: Entry<S>) => void;
  #last = 0;

  /** `time` is that of a ticker; `gone` hears of each that is over. */
  constructor(
    timeout: number,
    limit: number,
    time: () => number,
    gone: (entry: Entry<S>) => void = () => {},
  ) {
    this.#timeout = timeout;
    this.#limit = limit;
    this.#time = time;
    this.#gone = gone;
  }

  get size(): number {
    return this.#entries.size;
  }

  values(): IterableIterator<Entry<S>> {
    return this.#entries.values();
  }

  /** @throws {ZmqError} `ENOBUFS` when there are too many, `EINVAL` for a body without frames, the signal's reason. */
  add(body: Body, signal: AbortSignal | undefined): Added<S> {
    signal?.throwIfAborted();
    const frames = framesOf(body);
    if (frames.length === 0) {
      refuse("A request", "[]", "one frame or several");
    }
    if (this.#entries.size >= this.#limit) {
      throw new ZmqError(
        "ENOBUFS",
        `Cannot send a request: ${this.#limit} are under way, which is maxPending; wait for a reply`,
      );
    }
    do this.#last = numberAfter(this.#last); while (this.#entries.has(this.#last));
    const number = this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<Frame[]>();
    const stop = (): void => {
      this.take(number)?.reject(signal!.reason);
    };
    signal?.addEventListener("abort", stop);
    const entry: Entry<S> = {
      number,
      frames: [controlOf(number), ...frames],
      deadline: this.#time() + this.#timeout,
      asked: new Set(),
      tries: 0,
      server: undefined,
      patienceEnds: Infinity,
      resolve,
      reject,
      forget: () => signal?.removeEventListener("abort", stop),
    };
    this.#entries.set(number, entry);
    return { entry, reply: promise };
  }

  get(number: number): Entry<S> | undefined {
    return this.#entries.get(number);
  }

  /** Removes a request, which the caller then ends. */
  take(number: number): Entry<S> | undefined {
    const entry = this.#entries.get(number);
    if (entry === undefined) return undefined;
    this.#entries.delete(number);
    entry.forget();
    this.#gone(entry);
    return entry;
  }

  /** Rejects those whose time is over; how many that were. */
  expire(time: number, why: (entry: Entry<S>) => unknown): number {
    let count = 0;
    for (const entry of this.#entries.values()) {
      if (entry.deadline > time) break;
      this.take(entry.number)!.reject(why(entry));
      count++;
    }
    return count;
  }

  /** Rejects all of them. */
  rejectAll(reason: unknown): void {
    for (const entry of [...this.#entries.values()]) this.take(entry.number)!.reject(reason);
  }
}

/** Nobody to ask. */
export function noServers(): ZmqError {
  return new ZmqError("EHOSTUNREACH", "No server is known: call addServer, or give option servers");
}

/** Nobody answered in time. */
export function late(entry: Entry<unknown>, ms: number, alive: number, known: number): ZmqError {
  return new ZmqError(
    "ETIMEDOUT",
    `No reply within ${ms} ms: sent ${entry.tries} times, ${alive} of ${known} servers are ` +
      `${alive === 0 ? "alive; start one or add another" : "alive; raise requestTimeout"}`,
  );
}
