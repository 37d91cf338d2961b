// PAIR (RFC 31): one peer at a time; another one is refused while the first is there.

import { ZmqError } from "../errors.ts";
import { DealerPattern } from "./dealer.ts";
import type { Pipe } from "./pipe.ts";

export class PairPattern extends DealerPattern {
  override attach(pipe: Pipe): ZmqError | undefined {
    if (this.peers.size > 0) {
      return new ZmqError("EBUSY", "A PAIR socket has one peer only, and has it already", {
        address: pipe.address,
      });
    }
    return super.attach(pipe);
  }
}
