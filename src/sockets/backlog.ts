// Messages that lost peers did not get. They go to others, before everything else.

import type { Hold } from "../routing/pipe.ts";

const NONE: Uint8Array[] = [];

export class Backlog {
  readonly #hold: Hold;
  #messages: Uint8Array[][] = [];
  /** So many of them were given away. */
  #next = 0;
  #letGo: (() => void) | undefined;
  /** Some of them no peer could have read: closing the socket waits for them. */
  owed = false;

  /** `hold` keeps the process alive for what is owed. */
  constructor(hold: Hold) {
    this.#hold = hold;
  }

  get length(): number {
    return this.#messages.length - this.#next;
  }

  /** Adds messages before those that wait already. */
  add(messages: readonly Uint8Array[][], owed: boolean): void {
    // They may be too many for the arguments of a call.
    this.#messages = messages.concat(this.#messages.slice(this.#next));
    this.#next = 0;
    if (!owed) return;
    this.owed = true;
    this.#letGo ??= this.#hold(() => this.#letGo = undefined);
  }

  /** Gives them away in order, as long as `send` takes them. */
  serve(send: (frames: Uint8Array[]) => boolean): void {
    while (this.length > 0 && send(this.#messages[this.#next])) this.#messages[this.#next++] = NONE;
    if (this.length === 0) this.drop();
  }

  drop(): void {
    this.#messages = [];
    this.#next = 0;
    this.owed = false;
    this.#letGo?.();
    this.#letGo = undefined;
  }
}
