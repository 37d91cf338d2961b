// The pipes of one socket, for its figures: those that are there, and what the others came to.

import type { Pipe } from "../routing/pipe.ts";

/** What went through pipes. */
export interface Totals {
  messagesIn: number;
  messagesOut: number;
  /** Octets. */
  bytesIn: number;
  bytesOut: number;
  dropped: number;
  reconnects: number;
}

export class Census {
  readonly pipes: Set<Pipe> = new Set();
  readonly #gone: Totals = {
    messagesIn: 0,
    messagesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    dropped: 0,
    reconnects: 0,
  };

  add(pipe: Pipe): void {
    this.pipes.add(pipe);
  }

  /** The pipe is gone; what went through it is kept. */
  remove(pipe: Pipe): void {
    if (this.pipes.delete(pipe)) add(this.#gone, totalsOf(pipe));
  }

  /** A message was dropped that was for no pipe. */
  drop(): void {
    this.#gone.dropped++;
  }

  /** Everything so far. */
  get totals(): Totals {
    const sum = { ...this.#gone };
    for (const pipe of this.pipes) add(sum, totalsOf(pipe));
    return sum;
  }
}

/** What went through one pipe. */
export function totalsOf({ inbox, outbox, overhead, reconnects }: Pipe): Totals {
  return {
    messagesIn: inbox.received,
    messagesOut: outbox.messagesSent,
    bytesIn: inbox.octets,
    bytesOut: outbox.sent + overhead,
    dropped: outbox.dropped,
    reconnects,
  };
}

function add(sum: Totals, part: Totals): void {
  sum.messagesIn += part.messagesIn;
  sum.messagesOut += part.messagesOut;
  sum.bytesIn += part.bytesIn;
  sum.bytesOut += part.bytesOut;
  sum.dropped += part.dropped;
  sum.reconnects += part.reconnects;
}
