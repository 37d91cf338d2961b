// One message from each pipe in turn, so that a flood from one peer does not starve another (RFC 28 and 30).

import type { Frame, Outgoing } from "../message.ts";
import type { Span } from "../span.ts";
import type { Pipe } from "./pipe.ts";

export class FairQueue {
  /** The pipes with messages to read. */
  #ready: Pipe[] = [];
  #next = 0;
  /** The pipe of the message that `receive` answered last. */
  last: Pipe | undefined;

  get readable(): boolean {
    return this.peek() !== undefined;
  }

  /** A pipe has messages. Its turn comes after that of all others that wait. */
  activate(pipe: Pipe): void {
    if (this.#ready.includes(pipe)) return;
    this.#ready.splice(this.#next, 0, pipe);
    if (this.#ready.length > 1) this.#next++;
  }

  /** A pipe is gone. What it holds is still read, if its sender did not take that back. */
  left(pipe: Pipe): void {
    if (pipe.inbox.messages === 0) this.remove(pipe);
  }

  /** Forgets a pipe and what it holds. */
  remove(pipe: Pipe): void {
    const index = this.#ready.indexOf(pipe);
    if (index >= 0) this.#drop(index);
  }

  /** Drops the messages whose first frame is not wanted, and those that have begun to arrive on `others` likewise. */
  filter(wants: (octets: Uint8Array) => boolean, others: Iterable<Pipe>): void {
    for (const pipe of new Set([...this.#ready, ...others])) {
      pipe.filter(wants);
      if (pipe.inbox.messages === 0) this.remove(pipe);
    }
  }

  /** The pipe whose turn it is; undefined when none has messages. */
  peek(): Pipe | undefined {
    for (;;) {
      const pipe = this.#ready[this.#next];
      if (pipe === undefined || pipe.inbox.messages > 0) return pipe;
      // Its sender took back what it had.
      this.#drop(this.#next);
    }
  }

  /** The message whose turn it is. */
  receive(): Frame[] | undefined {
    for (;;) {
      const pipe = this.#ready[this.#next];
      if (pipe === undefined) return undefined;
      this.last = pipe;
      const frames = pipe.receive();
      this.#passOn(pipe);
      // Undefined where its sender took back what it had.
      if (frames !== undefined) return frames;
    }
  }

  /** The message whose turn it is, as it can be passed on for the least; undefined when there is none. */
  take(span: Span): Outgoing | undefined {
    const pipe = this.peek();
    if (pipe === undefined) return undefined;
    const message = pipe.take(span);
    this.#passOn(pipe);
    return message;
  }

  #passOn(pipe: Pipe): void {
    if (pipe.inbox.messages === 0) this.#drop(this.#next);
    else if (++this.#next === this.#ready.length) this.#next = 0;
  }

  #drop(index: number): void {
    this.#ready.splice(index, 1);
    if (index < this.#next) this.#next--;
    if (this.#next >= this.#ready.length) this.#next = 0;
  }
}
