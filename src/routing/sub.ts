// SUB (RFC 29): receives what it subscribed to, and nothing else, whatever its publishers send.

import type { Filter } from "../core/receiver.ts";
import type { ZmqError } from "../errors.ts";
import { type Frame, type Outgoing, toBytes } from "../message.ts";
import type { Span } from "../span.ts";
import { notSupported } from "./pattern.ts";
import { XSubPattern } from "./xsub.ts";

export class SubPattern extends XSubPattern implements Filter {
  get filter(): Filter {
    return this;
  }

  get inverted(): boolean {
    return this.options.invertMatching;
  }

  /** Nothing of these topics is received any more: what has arrived is filtered again. */
  unsubscribeAll(topics: readonly Uint8Array[]): void {
    let changed = false;
    for (const topic of topics) if (this.unsubscribe(topic)) changed = true;
    if (changed) this.messages.filter((octets) => this.#wants(octets), this.pipes);
  }

  #wants(octets: Uint8Array): boolean {
    return this.topics.match(octets) !== this.inverted;
  }

  /** What arrives as wire octets is filtered then; what comes by reference, only here. */
  override receive(): Frame[] | undefined {
    for (;;) {
      const frames = super.receive();
      const pipe = this.source;
      if (frames === undefined || !pipe!.outbox.byReference || this.#wants(frames[0])) {
        return frames;
      }
    }
  }

  override take(span: Span): Outgoing | undefined {
    for (;;) {
      const message = super.take(span);
      if (!Array.isArray(message) || this.#wants(toBytes(message[0]))) return message;
    }
  }

  override get canReceive(): boolean {
    for (const pipe of this.pipes) {
      if (pipe.inbox.skip === undefined) continue;
      pipe.inbox.skip((octets) => this.#wants(octets));
      if (pipe.inbox.messages === 0) this.messages.remove(pipe);
    }
    return super.canReceive;
  }

  override get canSend(): boolean {
    return false;
  }

  override refuse(use: "send" | "receive"): ZmqError | undefined {
    return use === "send" ? notSupported("SUB", use) : undefined;
  }
}
