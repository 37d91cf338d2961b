// DEALER (RFC 28): sends round robin, receives in turn, and leaves every frame as it is.

import type { ZmqError } from "../errors.ts";
import type { Frame, Outgoing } from "../message.ts";
import type { Span } from "../span.ts";
import { FairQueue } from "./fair_queue.ts";
import { LoadBalancer } from "./load_balancer.ts";
import type { Pattern } from "./pattern.ts";
import type { Pipe } from "./pipe.ts";

export class DealerPattern implements Pattern {
  protected readonly peers: LoadBalancer = new LoadBalancer();
  protected readonly messages: FairQueue = new FairQueue();

  attach(pipe: Pipe): ZmqError | undefined {
    this.peers.add(pipe);
    return undefined;
  }

  identify(): undefined {}

  detach(pipe: Pipe): void {
    this.peers.remove(pipe);
    this.messages.left(pipe);
  }

  readable(pipe: Pipe): void {
    this.messages.activate(pipe);
  }

  writable(pipe: Pipe): void {
    this.peers.activate(pipe);
  }

  refuse(): undefined {}

  send(message: Outgoing): boolean {
    return this.peers.send(message) !== undefined;
  }

  resend(frames: Uint8Array[]): boolean {
    return this.send(frames);
  }

  receive(): Frame[] | undefined {
    return this.messages.receive();
  }

  take(span: Span): Outgoing | undefined {
    return this.messages.take(span);
  }

  get source(): Pipe | undefined {
    return this.messages.last;
  }

  get canSend(): boolean {
    return this.peers.writable;
  }

  get canReceive(): boolean {
    return this.messages.readable;
  }
}
