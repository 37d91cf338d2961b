// Peers that were sent away: they are told DISCONNECT once, and then nothing more.

import { type Dialect, DISCONNECT, octetOf } from "./protocol.ts";

/** So many are remembered at most. */
const MOST = 10_000;

export class Dismissals {
  readonly #patience: number;
  readonly #post: (message: Uint8Array[]) => unknown;
  /** Until when, by the keys of their routing ids. */
  readonly #until: Map<string, number> = new Map();
  /** DISCONNECTs sent. */
  count = 0;

  /** They are remembered for `patience` milliseconds. */
  constructor(patience: number, post: (message: Uint8Array[]) => unknown) {
    this.#patience = patience;
    this.#post = post;
  }

  has(key: string): boolean {
    return this.#until.has(key);
  }

  /** Tells a peer. */
  add(id: Uint8Array, key: string, dialect: Dialect, time: number): void {
    this.count++;
    this.#post([id, ...dialect.worker, octetOf(dialect, DISCONNECT)]);
    this.#until.delete(key);
    if (this.#until.size >= MOST) this.#until.delete(this.#until.keys().next().value!);
    this.#until.set(key, time + this.#patience);
  }

  /** It has begun anew. */
  forget(key: string): void {
    this.#until.delete(key);
  }

  /** Forgets those that were sent away long ago. */
  tick(time: number): void {
    for (const [key, until] of this.#until) {
      if (until > time) break;
      this.#until.delete(key);
    }
  }
}
