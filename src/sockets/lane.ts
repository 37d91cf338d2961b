// One direction of a proxy.

import { codeOf } from "../errors.ts";
import { framesOf, type Outgoing, toBytes } from "../message.ts";
import { frameSize, headerSize, Span } from "../span.ts";
import type { ContextParts } from "./context.ts";
import type { Engine } from "./engine.ts";

/** Messages and the octets of their frames. */
export interface LaneCounts {
  messages: number;
  octets: number;
}

const IDLE = { sends: 0, receives: 0 };

export class Lane {
  readonly from: Engine;
  readonly to: Engine;
  readonly #capture: Engine | undefined;
  /** Neither socket type forbids this direction. */
  readonly #open: boolean;
  readonly #span: Span = new Span(new Uint8Array(0), 0, 0);
  /** Taken, and refused at the other side. */
  #held: Outgoing | undefined;
  /** What was received, and what was sent. */
  readonly taken: LaneCounts = { messages: 0, octets: 0 };
  readonly given: LaneCounts = { messages: 0, octets: 0 };

  constructor(from: Engine, to: Engine, capture: Engine | undefined) {
    this.from = from;
    this.to = to;
    this.#capture = capture;
    this.#open = !forbids(from, "receive") && !forbids(to, "send");
  }

  get around(): ContextParts {
    return this.from.around;
  }

  /** Moves one message; false when there is none, or no room for it. */
  move(): boolean {
    if (this.#capture?.closed === false && !this.#capture.writable) return false;
    let message = this.#held;
    if (message === undefined) {
      if (!this.#open || !this.from.readable) return false;
      // A REP that is both ends has room once its request is taken.
      if (this.from !== this.to && !this.to.writable) return false;
      message = this.#take();
      if (message === undefined) return false;
    }
    const size = octetsOf(message);
    if (this.#held === undefined) count(this.taken, size);
    this.#held = undefined;
    const given = this.#give(message);
    if (given === undefined) {
      this.#held = message;
      return false;
    }
    if (given) count(this.given, size);
    if (this.#capture?.closed === false) this.#capture.forward(message);
    return true;
  }

  #take(): Outgoing | undefined {
    const { pattern } = this.from;
    if (pattern.take === undefined) return pattern.receive();
    return pattern.take(this.#span);
  }

  /** False when the message can never be sent: its peer is gone, or it is wrong; undefined when there is no room now. */
  #give(message: Outgoing): boolean | undefined {
    try {
      return this.to.forward(message) || undefined;
    } catch (error) {
      // What one peer sent must not end what the others have here.
      return codeOf(error) === "ENOBUFS" ? undefined : false;
    }
  }
}

function forbids(engine: Engine, use: "send" | "receive"): boolean {
  return engine.pattern.refuse(use, IDLE)?.code === "ENOTSUP";
}

function count(counts: LaneCounts, octets: number): void {
  counts.messages++;
  counts.octets += octets;
}

/** Octets of a message's frames, without their headers. */
function octetsOf(message: Outgoing): number {
  if (!(message instanceof Span)) {
    return framesOf(message).reduce((sum, frame) => sum + toBytes(frame).length, 0);
  }
  const { slab, start, end } = message;
  let octets = end - start;
  for (let at = start; at < end; at += frameSize(slab, at)) octets -= headerSize(slab[at]);
  return octets;
}
