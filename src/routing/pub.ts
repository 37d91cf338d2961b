// PUB (RFC 29): an XPUB that keeps what it hears to itself.

import type { ZmqError } from "../errors.ts";
import { notSupported } from "./pattern.ts";
import { XPubPattern } from "./xpub.ts";

export class PubPattern extends XPubPattern {
  /** There are no messages for the user in which something else could be meant. */
  protected override get onlyFirst(): boolean {
    return true;
  }

  /** Subscriptions are followed and not shown; other messages of subscribers are dropped. */
  protected override report(): void {}

  protected override reportRequest(): void {}

  protected override reportEnd(): void {}

  override refuse(use: "send" | "receive"): ZmqError | undefined {
    return use === "receive" ? notSupported("PUB", use) : undefined;
  }
}
