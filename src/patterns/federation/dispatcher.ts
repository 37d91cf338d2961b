// Who gets which request: what a broker does between its sockets.

import type { Frame } from "../../../mod.ts";
import { now } from "../base/time.ts";
import { type Holder, type Job, Jobs } from "./jobs.ts";
import type { Peer, Peers } from "./peers.ts";
import { type Pool, PooledWorker } from "./pool.ts";
import { EMPTY } from "./protocol.ts";
import { type Counters, newCounters } from "./types.ts";

/** How the dispatcher reaches others. What answers false could not be sent: its receiver is gone, or takes nothing. */
export interface Outlets {
  toWorker(id: Frame, frames: readonly Uint8Array[]): boolean;
  toClient(message: readonly Uint8Array[]): boolean;
  toCluster(message: readonly Uint8Array[]): boolean;
  /** A worker was given up, and so many of its requests go to others. */
  lost(worker: PooledWorker, requests: number): void;
  dropped(job: Job): void;
  /** The number of free workers may be another one, and there may be room for more requests. */
  changed(): void;
}

/** How much a broker takes on. */
export interface Limits {
  readonly maxGuests: number;
  readonly maxTries: number;
  readonly maxWorkers: number;
}

export class Dispatcher {
  readonly #limits: Limits;
  readonly #out: Outlets;
  readonly #peers: Peers;
  readonly #pool: Pool;
  readonly jobs: Jobs = new Jobs();
  readonly counters: Counters = newCounters();
  #spreading = false;

  constructor(limits: Limits, pool: Pool, peers: Peers, out: Outlets) {
    this.#limits = limits;
    this.#pool = pool;
    this.#peers = peers;
    this.#out = out;
  }

  /** How many requests of other clusters would be served at once. */
  get spare(): number {
    return Math.max(0, this.#pool.room - this.jobs.waiting);
  }

  /** A request has come. `end` is where its empty frame is. */
  accept(frames: readonly Frame[], end: number, guest: boolean): void {
    const { jobs } = this;
    const job = jobs.add(frames, end, guest);
    if (job === undefined) this.counters.repeated++;
    // Where there is somebody to take it, nobody waits: none is passed by.
    else if (this.#place(job)) return;
    else if (guest && (this.#pool.size === 0 || jobs.guests.length >= this.#limits.maxGuests)) {
      this.#decline(job);
    } else {
      jobs.queueOf(job).push(job);
      this.#out.changed();
    }
  }

  /**
   * A worker or cluster has answered, or given a request back: then nothing follows its address, which is at `at`.
   */
  reply(from: Holder | undefined, frames: readonly Frame[], at: number): void {
    const job = this.jobs.find(frames[at]);
    if (job === undefined) {
      this.counters.stale++;
      return;
    }
    const mine = from !== undefined && job.holder === from;
    if (frames.length === at + 1) {
      // Only who has a request can give it back.
      if (mine) this.#giveBack(job);
      return;
    }
    // Also from one that was given up: who answers first saves the others the work.
    if (job.holder !== undefined) this.#free(job.holder, job);
    this.jobs.end(job);
    const message = [...job.head, ...frames.slice(at + 2)];
    const delivered = job.guest ? this.#out.toCluster(message) : this.#out.toClient(message);
    this.counters[delivered ? "answered" : "undeliverable"]++;
  }

  /** A worker comes; undefined when there are too many. */
  join(id: Frame, plain: boolean, concurrency: number): PooledWorker | undefined {
    if (this.#pool.size >= this.#limits.maxWorkers) return undefined;
    return this.#pool.add(id, plain, concurrency, now());
  }

  /** A worker has left, or is given up. */
  lose(worker: PooledWorker): void {
    if (!this.#pool.remove(worker)) return;
    const requests = this.release(worker);
    // Nobody here would ever do what waits.
    while (this.#pool.size === 0 && this.jobs.nextGuest !== undefined) {
      this.#decline(this.jobs.guests.shift()!);
    }
    this.#out.lost(worker, requests);
    this.spread();
  }

  /** Takes all that one has, for others; how many requests those were. */
  release(holder: Holder): number {
    const jobs = [...holder.held];
    holder.held.clear();
    for (const job of jobs.reverse()) this.#again(job);
    return jobs.length;
  }

  /** Gives what waits to who can take it, for as long as there is somebody. */
  spread(): void {
    // Somebody turned out to be gone: the loop that is under way goes on.
    if (this.#spreading) return;
    this.#spreading = true;
    const { jobs } = this;
    while (jobs.waiting > 0 && this.#pool.room > 0) {
      const job = jobs.next();
      if (job === undefined || this.#place(job)) continue;
      if (job.guest && this.#pool.size === 0) this.#decline(job);
      else jobs.queueOf(job).unshift(job);
    }
    for (let job = jobs.nextOwn; job !== undefined; job = jobs.nextOwn) {
      if (!this.#toCloud(job)) break;
      jobs.own.shift();
    }
    this.#spreading = false;
    this.#out.changed();
  }

  /** Sends back all that other clusters wait for. */
  declineGuests(): void {
    for (const job of [...this.jobs]) if (job.guest) this.#decline(job);
  }

  /** Gives a request to a worker here, else to another cluster; false when nobody can take it. */
  #place(job: Job): boolean {
    for (let worker = this.#pool.next; worker !== undefined; worker = this.#pool.next) {
      const head = worker.plain ? [EMPTY, job.token, EMPTY] : [job.token, EMPTY];
      if (!this.#out.toWorker(worker.id, [...head, ...job.body])) {
        this.lose(worker);
        continue;
      }
      this.#pool.took(worker, job);
      this.counters[job.guest ? "cloudIn" : "local"]++;
      given(job, worker);
      this.#out.changed();
      return true;
    }
    return !job.guest && this.#toCloud(job);
  }

  #toCloud(job: Job): boolean {
    for (let peer = this.#peers.choose(); peer !== undefined; peer = this.#peers.choose()) {
      if (!peer.give(job)) continue;
      this.counters.cloudOut++;
      given(job, peer);
      return true;
    }
    return false;
  }

  /** A worker has failed at a request, or a cluster has declined it. */
  #giveBack(job: Job): void {
    const holder = job.holder!;
    this.#free(holder, job);
    if (!(holder instanceof PooledWorker)) {
      // It was not done, so that was no try. The cluster gets more when it tells anew of free workers.
      (holder as Peer).free = 0;
      job.tries--;
    }
    this.#again(job);
  }

  #free(holder: Holder, job: Job): void {
    if (holder instanceof PooledWorker) this.#pool.gave(holder, job);
    else holder.held.delete(job);
  }

  /** Somebody else has to do a request, before those that came later. */
  #again(job: Job): void {
    job.holder = undefined;
    if (job.tries >= this.#limits.maxTries) {
      this.jobs.end(job);
      this.counters.dropped++;
      this.#out.dropped(job);
    } else {
      this.counters.retried++;
      this.jobs.queueOf(job).unshift(job);
    }
  }

  #decline(job: Job): void {
    if (job.holder !== undefined) this.#free(job.holder, job);
    this.jobs.end(job);
    this.counters.declined++;
    // The envelope without the empty frame.
    this.#out.toCluster(job.head.slice(0, -1));
  }
}

function given(job: Job, holder: Holder): void {
  job.holder = holder;
  job.tries++;
}
