// The workers of a broker: who they are, and who is free, least recently used first.

import type { Liveness } from "../base/liveness.ts";

/** One worker, as a broker knows it. */
export class WorkerEntry {
  /** Its routing id. */
  readonly id: Uint8Array;
  /** The id as a key. */
  readonly key: string;
  /** The client whose request it has. */
  client: Uint8Array | undefined;
  /** When it was heard and spoken to; of brokers with heartbeats. */
  readonly life: Liveness | undefined;
  /** It was silent for too long while it had a request. */
  lost = false;
  /** Its neighbours in the list of those that are free. */
  before: WorkerEntry | undefined;
  after: WorkerEntry | undefined;
  /** True while it is in that list. */
  idle = false;

  constructor(id: Uint8Array, key: string, life: Liveness | undefined) {
    this.id = id;
    this.key = key;
    this.life = life;
  }
}

/** Those that are free, in the order in which they became so. A list, because any of them may be lost at any time. */
export class IdleWorkers {
  /** Who is free for longest. */
  first: WorkerEntry | undefined;
  #last: WorkerEntry | undefined;
  /** How many there are. */
  size = 0;

  /** Adds one that is not in the list. */
  add(worker: WorkerEntry): void {
    worker.idle = true;
    worker.before = this.#last;
    if (this.#last === undefined) this.first = worker;
    else this.#last.after = worker;
    this.#last = worker;
    this.size++;
  }

  /** Takes one out, if it is there. */
  remove(worker: WorkerEntry): void {
    if (!worker.idle) return;
    const { before, after } = worker;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    worker.before = worker.after = undefined;
    worker.idle = false;
    this.size--;
  }
}
