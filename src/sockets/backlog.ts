// Messages that lost peers did not get. They go to others, before everything else.

import type { Hold } from "../routing/pipe.ts";

export class Backlog {
  readonly #hold: Hold;
  #messages: Uint8Array[][] = [];
  #letGo: (() => void) | undefined;
  /** Some of them no peer could have read: closing the socket waits for them. */
  owed = false;

  /** `hold` keeps the process alive for what is owed. */
  constructor(hold: Hold) {
    this.#hold = hold;
  }

  get length(): number {
    return this.#messages.length;
  }

  /** Adds messages before those that wait already. */
  add(messages: readonly Uint8Array[][], owed: boolean): void {
    this.#messages.unshift(...messages);
    if (!owed) return;
    this.owed = true;
    this.#letGo ??= this.#hold(() => this.#letGo = undefined);
  }

  /** Gives them away in order, as long as `send` takes them. */
  serve(send: (frames: Uint8Array[]) => boolean): void {
    while (this.#messages.length > 0 && send(this.#messages[0])) this.#messages.shift();
    if (this.#messages.length === 0) this.drop();
  }

  drop(): void {
    this.#messages = [];
    this.owed = false;
    this.#letGo?.();
    this.#letGo = undefined;
  }
}
