// PULL (RFC 30): messages come from all peers in turn.

import type { ZmqError } from "../errors.ts";
import type { Frame, Outgoing } from "../message.ts";
import type { Span } from "../span.ts";
import { FairQueue } from "./fair_queue.ts";
import { notSupported, type Pattern } from "./pattern.ts";
import type { Pipe } from "./pipe.ts";

export class PullPattern implements Pattern {
  readonly #messages: FairQueue = new FairQueue();

  attach(): undefined {}

  identify(): undefined {}

  detach(): void {}

  readable(pipe: Pipe): void {
    this.#messages.activate(pipe);
  }

  writable(): void {}

  refuse(use: "send" | "receive"): ZmqError | undefined {
    return use === "send" ? notSupported("PULL", use) : undefined;
  }

  send(): boolean {
    return false;
  }

  receive(): Frame[] | undefined {
    return this.#messages.receive();
  }

  take(span: Span): Outgoing | undefined {
    return this.#messages.take(span);
  }

  get source(): Pipe | undefined {
    return this.#messages.last;
  }

  get canSend(): boolean {
    return false;
  }

  get canReceive(): boolean {
    return this.#messages.readable;
  }
}
