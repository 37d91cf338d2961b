// The workers of a cluster, and who of them is next.

import type { Frame } from "../../../mod.ts";
import { type Heartbeats, Liveness } from "../base/liveness.ts";
import { keyOf } from "../base/octets.ts";
import type { Holder, Job } from "./jobs.ts";

/** One worker. */
export class PooledWorker implements Holder {
  readonly id: Frame;
  readonly key: string;
  /** A REQ socket: an empty frame first, and no heartbeats. */
  readonly plain: boolean;
  readonly concurrency: number;
  readonly life: Liveness;
  readonly held: Set<Job> = new Set();

  constructor(id: Frame, plain: boolean, concurrency: number, life: Liveness) {
    this.id = id;
    this.key = keyOf(id);
    this.plain = plain;
    this.concurrency = concurrency;
    this.life = life;
  }

  /** How many requests more it can take. */
  get room(): number {
    return Math.max(0, this.concurrency - this.held.size);
  }
}

/** All workers of a broker. */
export class Pool {
  readonly #beats: Heartbeats;
  readonly #workers: Map<string, PooledWorker> = new Map();
  /** Those with room, the least recently used one first. */
  readonly #free: Set<PooledWorker> = new Set();
  #room = 0;

  constructor(beats: Heartbeats) {
    this.#beats = beats;
  }

  get size(): number {
    return this.#workers.size;
  }

  /** How many requests all of them can take. */
  get room(): number {
    return this.#room;
  }

  [Symbol.iterator](): Iterator<PooledWorker> {
    return this.#workers.values();
  }

  find(id: Frame): PooledWorker | undefined {
    return this.#workers.get(keyOf(id));
  }

  add(id: Frame, plain: boolean, concurrency: number, time: number): PooledWorker {
    const worker = new PooledWorker(id, plain, concurrency, new Liveness(this.#beats, time));
    this.#workers.set(worker.key, worker);
    this.#free.add(worker);
    this.#room += concurrency;
    return worker;
  }

  /** Forgets one; what it held is for the caller to give to others. False when that has happened. */
  remove(worker: PooledWorker): boolean {
    if (!this.#has(worker)) return false;
    this.#workers.delete(worker.key);
    this.#free.delete(worker);
    this.#room -= worker.room;
    return true;
  }

  /** The least recently used one with room. */
  get next(): PooledWorker | undefined {
    for (const worker of this.#free) return worker;
    return undefined;
  }

  /** One is given a request. */
  took(worker: PooledWorker, job: Job): void {
    worker.held.add(job);
    this.#room--;
    this.#free.delete(worker);
    if (worker.room > 0) this.#free.add(worker);
  }

  /** One is done with a request. */
  gave(worker: PooledWorker, job: Job): void {
    // One that was forgotten has no room to count.
    if (!worker.held.delete(job) || !this.#has(worker)) return;
    this.#room++;
    this.#free.add(worker);
  }

  #has(worker: PooledWorker): boolean {
    return this.#workers.get(worker.key) === worker;
  }
}
