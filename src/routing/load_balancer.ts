// Round robin over the pipes that can take a message (RFC 28 and 30: only peers whose queue is not full).

import type { Outgoing } from "../message.ts";
import type { Pipe } from "./pipe.ts";

export class LoadBalancer {
  /** The first `#active` pipes may have room; the others are known to be full. */
  #pipes: Pipe[] = [];
  #active = 0;
  #next = 0;

  get size(): number {
    return this.#pipes.length;
  }

  has(pipe: Pipe): boolean {
    return this.#pipes.includes(pipe);
  }

  add(pipe: Pipe): void {
    this.#pipes.push(pipe);
    this.activate(pipe);
  }

  remove(pipe: Pipe): void {
    let index = this.#pipes.indexOf(pipe);
    if (index < 0) return;
    if (index < this.#active) {
      this.#deactivate(index);
      index = this.#active;
    }
    this.#pipes.splice(index, 1);
  }

  /** A pipe has room again. */
  activate(pipe: Pipe): void {
    const index = this.#pipes.indexOf(pipe, this.#active);
    if (index < 0) return;
    this.#swap(index, this.#active);
    this.#active++;
  }

  /** True when some pipe has room. */
  get writable(): boolean {
    while (this.#active > 0 && this.#pipes[this.#next].full) this.#rest(this.#next);
    return this.#active > 0;
  }

  /** Gives the message to the next pipe with room and answers it; undefined when there is none. */
  send(message: Outgoing): Pipe | undefined {
    while (this.#active > 0) {
      const pipe = this.#pipes[this.#next];
      if (!pipe.full && pipe.send(message)) {
        if (++this.#next >= this.#active) this.#next = 0;
        return pipe;
      }
      this.#rest(this.#next);
    }
    return undefined;
  }

  /** The pipe is full. */
  #rest(index: number): void {
    this.#pipes[index].tellFull();
    this.#deactivate(index);
  }

  #deactivate(index: number): void {
    this.#active--;
    this.#swap(index, this.#active);
    if (this.#next >= this.#active) this.#next = 0;
  }

  #swap(a: number, b: number): void {
    const pipe = this.#pipes[a];
    this.#pipes[a] = this.#pipes[b];
    this.#pipes[b] = pipe;
  }
}
