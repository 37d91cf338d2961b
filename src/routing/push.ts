// PUSH (RFC 30): messages go round robin to peers with room; when there is none they wait.

import type { ZmqError } from "../errors.ts";
import type { Frame, Outgoing } from "../message.ts";
import { LoadBalancer } from "./load_balancer.ts";
import { notSupported, type Pattern } from "./pattern.ts";
import type { Pipe } from "./pipe.ts";

export class PushPattern implements Pattern {
  readonly #peers: LoadBalancer = new LoadBalancer();

  attach(pipe: Pipe): undefined {
    this.#peers.add(pipe);
  }

  identify(): undefined {}

  detach(pipe: Pipe): void {
    this.#peers.remove(pipe);
  }

  /** Nothing is read from a PULL peer: what it sends is dropped. */
  readable(pipe: Pipe): void {
    pipe.inbox.clear();
  }

  writable(pipe: Pipe): void {
    this.#peers.activate(pipe);
  }

  refuse(use: "send" | "receive"): ZmqError | undefined {
    return use === "receive" ? notSupported("PUSH", use) : undefined;
  }

  send(message: Outgoing): boolean {
    return this.#peers.send(message) !== undefined;
  }

  resend(frames: Uint8Array[]): boolean {
    return this.send(frames);
  }

  receive(): Frame[] | undefined {
    return undefined;
  }

  get canSend(): boolean {
    return this.#peers.writable;
  }

  get canReceive(): boolean {
    return false;
  }
}
