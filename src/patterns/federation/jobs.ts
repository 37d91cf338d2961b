// The requests that a broker has, from the moment they come until they are answered.

import type { Frame } from "../../../mod.ts";
import { Fifo } from "../base/fifo.ts";
import { keyOf } from "../base/octets.ts";
import { Tokens } from "./protocol.ts";

/** Who has been given requests: a worker or another cluster. */
export interface Holder {
  readonly held: Set<Job>;
}

/** One request. */
export class Job {
  /** Its address on the way to workers and other clusters. */
  readonly token: Uint8Array;
  readonly number: number;
  /** Where the reply goes: the routing id of who asked, the rest of the envelope, the empty frame. */
  readonly head: readonly Frame[];
  readonly body: readonly Frame[];
  /** It came from another cluster, so it does not go on to a third one. */
  readonly guest: boolean;
  /** Who asked, and as what: the same request again has the same. */
  readonly key: string;
  /** To how many it was given. */
  tries = 0;
  holder: Holder | undefined;

  constructor(
    token: Uint8Array,
    number: number,
    head: readonly Frame[],
    body: readonly Frame[],
    guest: boolean,
    key: string,
  ) {
    this.token = token;
    this.number = number;
    this.head = head;
    this.body = body;
    this.guest = guest;
    this.key = key;
  }
}

/** All requests of a broker. */
export class Jobs {
  readonly #tokens: Tokens = new Tokens();
  readonly #pending: Map<number, Job> = new Map();
  readonly #known: Map<string, Job> = new Map();
  #number = 0;
  /** Those of clients here that nobody has. */
  readonly own: Fifo<Job> = new Fifo();
  /** Those of other clusters that nobody has. */
  readonly guests: Fifo<Job> = new Fifo();

  /** How many wait for a worker. */
  get waiting(): number {
    return this.own.length + this.guests.length;
  }

  /** How many are not answered yet. */
  get size(): number {
    return this.#pending.size;
  }

  [Symbol.iterator](): Iterator<Job> {
    return this.#pending.values();
  }

  /** A new one; undefined when it is here already, and its client only asked again. `end` is where its empty frame is. */
  add(frames: readonly Frame[], end: number, guest: boolean): Job | undefined {
    // Without an id of its own, a request cannot be told from the next one.
    let key = "";
    if (end > 1) {
      key = guest ? "g" : "o";
      for (let i = 0; i < end; i++) key += `${frames[i].length}:${keyOf(frames[i])}`;
      if (this.#known.has(key)) return undefined;
    }
    do {
      this.#number = (this.#number + 1) >>> 0;
    } while (this.#pending.has(this.#number));
    const head = frames.slice(0, end + 1);
    const token = this.#tokens.of(this.#number);
    const job = new Job(token, this.#number, head, frames.slice(end + 1), guest, key);
    this.#pending.set(job.number, job);
    if (key !== "") this.#known.set(key, job);
    return job;
  }

  /** The one that a reply is for; undefined when it was answered already, or is no request of this broker. */
  find(token: Frame): Job | undefined {
    const number = this.#tokens.numberOf(token);
    return number === undefined ? undefined : this.#pending.get(number);
  }

  /** It is answered, or given up. */
  end(job: Job): void {
    this.#pending.delete(job.number);
    if (job.key !== "") this.#known.delete(job.key);
  }

  /** True until it is answered or given up. */
  has(job: Job): boolean {
    return this.#pending.get(job.number) === job;
  }

  queueOf(job: Job): Fifo<Job> {
    return job.guest ? this.guests : this.own;
  }

  /** The one that waits for a worker for longest; what was answered meanwhile is passed over. */
  next(): Job | undefined {
    const own = this.#first(this.own);
    const guest = this.#first(this.guests);
    if (guest === undefined || own === undefined) return (own && this.own || this.guests).shift();
    return ((own.number - guest.number) | 0) < 0 ? this.own.shift() : this.guests.shift();
  }

  /** The first of this broker's own clients that waits, left where it is. */
  get nextOwn(): Job | undefined {
    return this.#first(this.own);
  }

  /** The same of those of other clusters. */
  get nextGuest(): Job | undefined {
    return this.#first(this.guests);
  }

  #first(queue: Fifo<Job>): Job | undefined {
    let job = queue.first;
    while (job !== undefined && !this.has(job)) {
      queue.shift();
      job = queue.first;
    }
    return job;
  }
}
