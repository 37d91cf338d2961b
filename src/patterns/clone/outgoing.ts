// The updates that a client wants to have published. Each is sent again until the server publishes it; of one key only one
// is under way, so that an older one that is sent again never overwrites a newer one. Of all keys together so many are under
// way that a server that is busy is not sent everything twice.

import { type Publisher, ZmqError } from "../../../mod.ts";
import type { Heartbeats } from "../base/liveness.ts";
import { keyOf } from "../base/octets.ts";
import { after, type Cancel, now } from "../base/time.ts";
import { encodeKeyValue, type KeyValue } from "./message.ts";

interface Waiting {
  readonly message: KeyValue;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly abort: () => void;
  /** When it was sent last. */
  sent: number;
  tries: number;
}

const CONNECTING_MS = 20;
const WINDOW = 1000;

/** Publishes the updates of a client. */
export class Outgoing {
  readonly #publisher: Publisher;
  readonly #beats: Heartbeats;
  readonly #most: number;
  /** For each key its updates in order; the first may be sent. */
  readonly #queues: Map<string, Waiting[]> = new Map();
  /** First ones that were not sent yet, and those that were. */
  readonly #next: Set<Waiting> = new Set();
  readonly #sent: Set<Waiting> = new Set();
  /** When one was published last. */
  #progress = 0;
  readonly #byUuid: Map<string, Waiting> = new Map();
  #timer: Cancel | undefined;
  /** Updates that were sent, again and again each counted. */
  sent = 0;

  constructor(publisher: Publisher, beats: Heartbeats, most: number) {
    this.#publisher = publisher;
    this.#beats = beats;
    this.#most = most;
  }

  /** How many wait to be published. */
  get size(): number {
    return this.#byUuid.size;
  }

  /** Resolves when the update was published. */
  add(message: KeyValue, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#byUuid.size >= this.#most) {
      return Promise.reject(
        new ZmqError(
          "ENOBUFS",
          `${this.#most} updates wait to be published, which is maxPending: is a server there?`,
        ),
      );
    }
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#remove(waiting);
        reject(signal!.reason);
      };
      const waiting = { message, resolve, reject, signal, abort, sent: 0, tries: 0 };
      signal?.addEventListener("abort", abort);
      this.#byUuid.set(keyOf(message.uuid), waiting);
      const queue = this.#queues.get(message.key);
      if (queue !== undefined) return void queue.push(waiting);
      this.#queues.set(message.key, [waiting]);
      this.#next.add(waiting);
      this.#sendNext();
    });
  }

  /** The server has published an update: somebody's. */
  published(uuid: Uint8Array): void {
    if (this.#byUuid.size === 0) return;
    const waiting = this.#byUuid.get(keyOf(uuid));
    if (waiting === undefined) return;
    this.#progress = now();
    this.#remove(waiting);
    waiting.resolve();
  }

  /** Sends them again: the server is another one. */
  sendAll(): void {
    const time = now();
    for (const waiting of this.#sent) this.#send(waiting, time);
    this.#sendNext();
  }

  /** Sends those again that have waited for long enough, while the server published no other one or for very long. */
  sendDue(time: number): void {
    const { interval, patience } = this.#beats;
    const stands = time - this.#progress >= interval;
    for (const waiting of this.#sent) {
      const wait = stands && waiting.tries === 1 ? interval : patience;
      if (time - waiting.sent >= wait) this.#send(waiting, time);
    }
    this.#sendNext();
  }

  /** Ends all of them. */
  fail(reason: unknown): void {
    this.#timer?.();
    for (const waiting of this.#byUuid.values()) {
      waiting.signal?.removeEventListener("abort", waiting.abort);
      waiting.reject(reason);
    }
    this.#byUuid.clear();
    this.#queues.clear();
    this.#next.clear();
    this.#sent.clear();
  }

  #sendNext(): void {
    if (this.#next.size === 0) return;
    if (this.#publisher.topicsCount === 0) {
      // Nobody would get it.
      this.#timer ??= after(CONNECTING_MS, () => {
        this.#timer = undefined;
        this.#sendNext();
      });
      return;
    }
    const time = now();
    for (const waiting of this.#next) {
      if (this.#sent.size >= WINDOW) return;
      this.#next.delete(waiting);
      this.#sent.add(waiting);
      this.#send(waiting, time);
    }
  }

  #send(waiting: Waiting, time: number): void {
    waiting.sent = time;
    waiting.tries++;
    this.sent++;
    this.#publisher.trySend(encodeKeyValue(waiting.message));
  }

  #remove(waiting: Waiting): void {
    const { key, uuid } = waiting.message;
    waiting.signal?.removeEventListener("abort", waiting.abort);
    this.#byUuid.delete(keyOf(uuid));
    this.#next.delete(waiting);
    this.#sent.delete(waiting);
    const queue = this.#queues.get(key)!;
    const first = queue[0] === waiting;
    queue.splice(queue.indexOf(waiting), 1);
    if (queue.length === 0) this.#queues.delete(key);
    else if (first) this.#next.add(queue[0]);
    this.#sendNext();
  }
}
