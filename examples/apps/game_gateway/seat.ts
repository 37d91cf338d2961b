// A player in the game: what was played and has no result yet, and how it goes on when something was lost.

import { type Frame, type MessageLike, ZmqError } from "../../../mod.ts";
import type { Body } from "../../../src/patterns/mod.ts";
import { ACK, header, INPUT, PART, TOKEN_SIZE } from "./protocol.ts";

interface Pending {
  readonly number: number;
  readonly frames: readonly MessageLike[];
  readonly resolve: (result: Frame[]) => void;
  readonly reject: (reason: unknown) => void;
}

/** What a player needs of his line. */
export interface Wire {
  readonly window: number;
  send(message: readonly MessageLike[]): boolean;
  leave(player: GameSeat): void;
}

/** A player's seat in the game. */
export class GameSeat {
  /** The player's name. */
  readonly name: string;
  /** @internal What the gateway knows the player by; only those two know it. */
  readonly token: Uint8Array = crypto.getRandomValues(new Uint8Array(TOKEN_SIZE));
  /** Called with what the server sends unasked. */
  onPush: ((body: Frame[]) => void) | undefined;
  /** Resolves with the reason when the gateway has ended the session. */
  readonly cut: Promise<string>;
  readonly #wire: Wire;
  readonly #cut: (reason: string) => void;
  #pending: Pending[] = [];
  #session = 0;
  #last = 0;
  #sent = 0;
  #seen = 0;
  #acknowledged = 0;
  #ended: ZmqError | undefined;
  #repeated = 0;

  /** @internal It has asked to come back, and has no answer yet. */
  resuming = false;

  /** @internal */
  constructor(name: string, wire: Wire) {
    this.name = name;
    this.#wire = wire;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.cut = promise;
    this.#cut = resolve;
  }

  /** The number of the session; 0 before the gateway has told. */
  get session(): number {
    return this.#session;
  }

  /** Inputs without a result. */
  get pending(): number {
    return this.#pending.length;
  }

  /** @internal Results that came again. */
  get repeated(): number {
    return this.#repeated;
  }

  /** @internal The last result that came. */
  get seen(): number {
    return this.#seen;
  }

  /**
   * Plays; resolves with the result. Inputs are played in order, each once.
   *
   * @throws {ZmqError} Rejects with `ENOBUFS` when `window` inputs have no result yet, `ECONNRESET` when the gateway has
   * ended the session, `EBADF` when the line is closed.
   */
  play(input: Body): Promise<Frame[]> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#pending.length >= this.#wire.window) {
      const text = `${this.#pending.length} inputs have no result yet; wait for one`;
      return Promise.reject(new ZmqError("ENOBUFS", text));
    }
    const frames = [input].flat() as MessageLike[];
    const { promise, resolve, reject } = Promise.withResolvers<Frame[]>();
    this.#pending.push({ number: ++this.#last, frames, resolve, reject });
    this.pump();
    return promise;
  }

  /** Leaves the game for good. */
  part(): void {
    if (this.#ended !== undefined) return;
    if (this.#session > 0) this.#wire.send([header(PART, this.#session)]);
    this.end(new ZmqError("ECONNRESET", "The player has left"));
    this.#wire.leave(this);
  }

  /** @internal Sends what was not sent, and acknowledges what has come. */
  pump(): void {
    if (this.#session === 0 || this.resuming) return;
    for (const { number, frames } of this.#pending) {
      if (number <= this.#sent) continue;
      if (!this.#wire.send([header(INPUT, this.#session, number, this.#seen), ...frames])) return;
      this.#sent = number;
      this.#acknowledged = this.#seen;
    }
  }

  /** @internal */
  acknowledge(): void {
    if (this.#acknowledged === this.#seen || this.#session === 0) return;
    if (this.#wire.send([header(ACK, this.#session, 0, this.#seen)])) {
      this.#acknowledged = this.#seen;
    }
  }

  /** @internal The gateway has so many inputs: those after it are sent again. */
  welcome(session: number, received: number): void {
    this.#session = session;
    this.#sent = received;
    this.resuming = false;
    this.pump();
  }

  /** @internal */
  result(number: number, body: Frame[]): void {
    if (number !== this.#seen + 1 || number > this.#sent) return void this.#repeated++;
    this.#seen = number;
    this.#pending.shift()!.resolve(body);
  }

  /** @internal */
  end(error: ZmqError): void {
    this.#ended = error;
    for (const { reject } of this.#pending.splice(0)) reject(error);
    this.#cut(error.message);
  }
}
