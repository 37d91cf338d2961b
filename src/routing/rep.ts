// REP (RFC 28): receives a request, sends its reply, in turn. The envelope (every frame up to the first empty one) is kept
// and put before the reply, so that it finds its way back over any number of hops.

import { StateError, type ZmqError } from "../errors.ts";
import { type Frame, framesOf, type Outgoing, type Part } from "../message.ts";
import { FairQueue } from "./fair_queue.ts";
import type { Pattern, Queued } from "./pattern.ts";
import type { Pipe } from "./pipe.ts";

export class RepPattern implements Pattern {
  readonly #requests: FairQueue = new FairQueue();
  readonly #peers: Set<Pipe> = new Set();
  #requester: Pipe | undefined;
  #envelope: Part[] = [];
  #replying = false;

  attach(pipe: Pipe): undefined {
    this.#peers.add(pipe);
  }

  identify(): undefined {}

  detach(pipe: Pipe): void {
    this.#peers.delete(pipe);
    this.#requests.left(pipe);
  }

  readable(pipe: Pipe): void {
    this.#requests.activate(pipe);
  }

  writable(): void {}

  refuse(use: "send" | "receive", queued: Queued): ZmqError | undefined {
    const open = (this.#replying ? 1 : 0) + queued.receives - queued.sends;
    if (use === "send" && open < 1) {
      return new StateError(
        "EFSM",
        "Operation cannot be accomplished in current state: receive a request before send",
      );
    }
    if (use === "receive" && open > 0) {
      return new StateError(
        "EFSM",
        "Operation cannot be accomplished in current state: reply to the last request before receive",
      );
    }
    return undefined;
  }

  /** The reply is dropped when its requester is gone or does not read: a REP never waits. */
  send(message: Outgoing): boolean {
    if (!this.#replying) return false;
    const pipe = this.#requester;
    if (pipe !== undefined && this.#peers.has(pipe)) {
      if (pipe.full) pipe.drop();
      else pipe.send([...this.#envelope, ...framesOf(message)]);
    }
    this.#replying = false;
    this.#requester = undefined;
    this.#envelope = [];
    return true;
  }

  receive(): Frame[] | undefined {
    while (!this.#replying) {
      const pipe = this.#requests.peek();
      const frames = this.#requests.receive();
      if (frames === undefined) return undefined;
      const delimiter = frames.findIndex((frame) => frame.length === 0);
      if (delimiter < 0 || delimiter === frames.length - 1) continue;
      this.#envelope = frames.slice(0, delimiter + 1);
      this.#requester = pipe;
      this.#replying = true;
      return frames.slice(delimiter + 1);
    }
    return undefined;
  }

  get source(): Pipe | undefined {
    return this.#requests.last;
  }

  get canSend(): boolean {
    return this.#replying;
  }

  get canReceive(): boolean {
    return !this.#replying && this.#requests.readable;
  }
}
