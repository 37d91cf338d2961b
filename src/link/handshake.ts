// A connection before its traffic: the handshake is read into memory of its own, and goes on by itself where the session
// had to make up its mind.

import { concat } from "../octets.ts";
import type { Session } from "../session/session.ts";
import type { ByteStream } from "./stream.ts";

/** What it reports to. */
export interface Shaking {
  /** The session has something to say. */
  said(frames: Uint8Array[]): void;
  /** Both sides agree. Throws the reason to end the connection all the same. */
  agreed(): void;
  /** Octets of the traffic that follows. */
  traffic(octets: Uint8Array): void;
  /** It went on, or failed, when nothing was received. */
  wentOn(error: unknown): void;
}

const SIZE = 1024;
/** Most octets that are read while the session makes up its mind: a peer that is gone should be noticed. */
const HELD_LIMIT = 8 * 1024;
const NOTHING = new Uint8Array(0);

export class Handshake {
  readonly #session: Session;
  readonly #stream: ByteStream;
  readonly #to: Shaking;
  readonly #memory: Uint8Array = new Uint8Array(SIZE);
  /** What came while the session made up its mind. */
  #held: Uint8Array = NOTHING;
  #waits = false;
  #paused = false;
  /** The octets that come are traffic; some may still be put into the memory here, which the stream had already. */
  done = false;

  constructor(session: Session, stream: ByteStream, to: Shaking) {
    this.#session = session;
    this.#stream = stream;
    this.#to = to;
  }

  target(): Uint8Array {
    return this.#memory;
  }

  /** Throws the reason to end the connection. */
  filled(count: number): void {
    const octets = this.#memory.subarray(0, count);
    if (this.done) this.#to.traffic(octets);
    else if (this.#waits) this.#hold(concat([this.#held, octets.slice()]));
    else this.#take(octets);
  }

  #take(octets: Uint8Array): void {
    let taken: number;
    try {
      taken = this.#session.receive(octets);
    } finally {
      this.#to.said(this.#session.takeOutput());
    }
    const { waiting } = this.#session;
    if (waiting !== undefined) {
      this.#waits = true;
      this.#hold(octets.slice(taken));
      waiting.then(() => this.#goOn(), (error) => this.#to.wentOn(error));
    } else if (this.#session.state === "traffic") {
      this.#to.agreed();
      this.done = true;
      this.#to.traffic(octets.subarray(taken));
    }
  }

  #hold(octets: Uint8Array): void {
    this.#held = octets;
    if (this.#paused || octets.length <= HELD_LIMIT) return;
    this.#paused = true;
    this.#stream.pause();
  }

  #goOn(): void {
    const held = this.#held;
    const paused = this.#paused;
    this.#held = NOTHING;
    this.#waits = false;
    this.#paused = false;
    let error: unknown;
    try {
      this.#take(held);
      // Before the owner is told, which may pause it for a reason of its own.
      if (paused && !this.#paused) this.#stream.resume();
    } catch (cause) {
      error = cause;
    }
    this.#to.wentOn(error);
  }
}
