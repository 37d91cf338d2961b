// SUB (RFC 29): receives what it subscribed to, and nothing else, whatever its publishers send.

import type { Filter } from "../core/receiver.ts";
import type { ZmqError } from "../errors.ts";
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
    if (!changed) return;
    this.messages.filter((octets) => this.topics.match(octets) !== this.inverted, this.pipes);
  }

  override get canSend(): boolean {
    return false;
  }

  override refuse(use: "send" | "receive"): ZmqError | undefined {
    return use === "send" ? notSupported("SUB", use) : undefined;
  }
}
