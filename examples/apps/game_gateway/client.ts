/**
 * The player's side: a line to the gateway, and the players on it. Games have one player on a line; simulations many.
 *
 * @module
 */

import { Dealer, type Frame, ZmqError } from "../../../mod.ts";
import { type HeartbeatOptions, Part, type PartOptions } from "../../../src/patterns/mod.ts";
import {
  a,
  b,
  c,
  CUT,
  header,
  isHeader,
  JOIN,
  PING,
  PONG,
  PUSH,
  RESULT,
  RESUME,
  WELCOME,
} from "./protocol.ts";
import { GameSeat, type Wire } from "./seat.ts";

export { GameSeat } from "./seat.ts";

/** Options of a `GameLine`. */
export interface GameLineOptions extends PartOptions, HeartbeatOptions {
  /** Where the gateway listens for players. */
  readonly gateway: string;
  /**
   * How many inputs of a player may be without a result; no more than the gateway's `window`.
   * @default {32}
   */
  readonly window?: number | undefined;
}

/** What a `GameLine` tells. */
export interface GameLineEvents {
  /** The gateway was silent; there is a new connection, and the players come back by their tokens. */
  reconnected: { readonly players: number };
}

/** What a `GameLine` has counted. */
export interface GameLineStats {
  readonly players: number;
  /** Results that came again after a player came back. */
  readonly repeated: number;
  /** Times that a player came back. */
  readonly resumed: number;
  readonly malformed: number;
}

const TICK_MS = 100;

/** A connection to the gateway. When it breaks there is a new one, and nobody on it notices. */
export class GameLine extends Part<GameLineEvents> {
  readonly #options: GameLineOptions;
  readonly #interval: number;
  readonly #patience: number;
  readonly #wire: Wire;
  readonly #seats: Map<number, GameSeat> = new Map();
  /** By their number on this line, which stays the same. */
  readonly #refs: Map<number, GameSeat> = new Map();
  readonly #joining: Map<number, () => void> = new Map();
  readonly #ticking: ReturnType<typeof setInterval>;
  #socket: Dealer;
  #lastRef = 0;
  /** Ticks in which the gateway was not heard, and since the last PING. */
  #silence = 0;
  #sincePing = 0;
  #expected = 0;
  #repeated = 0;
  #resumed = 0;
  #malformed = 0;

  /** Makes a line; `join` brings a player on it. */
  constructor(options: GameLineOptions) {
    super(options);
    this.#options = options;
    this.#interval = options.heartbeatInterval ?? 1000;
    this.#patience = this.#interval * (options.heartbeatLiveness ?? 3);
    this.#wire = {
      window: options.window ?? 32,
      send: (message) => !this.closed && this.#socket.trySend(message),
      leave: (seat) => this.#forget(seat),
    };
    this.#socket = this.#connect();
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
  }

  #connect(): Dealer {
    const { context, socketOptions, gateway } = this.#options;
    const socket = new Dealer({ ...socketOptions, ...(context && { context }), linger: 0 });
    socket.connect(gateway);
    this.#silence = 0;
    void this.#read(socket);
    return socket;
  }

  async #read(socket: Dealer): Promise<void> {
    for await (const frames of socket) if (socket === this.#socket) this.#take(frames);
  }

  /** Begins a session; resolves when the gateway has it. What is played before that waits. */
  async join(name: string): Promise<GameSeat> {
    this.assertOpen();
    const seat = new GameSeat(name, this.#wire);
    const ref = ++this.#lastRef;
    this.#refs.set(ref, seat);
    const welcome = new Promise<void>((resolve) => this.#joining.set(ref, resolve));
    this.#sendJoin(ref, seat);
    const reason = await Promise.race([welcome, seat.cut]);
    if (reason !== undefined) throw new ZmqError("ECONNRESET", `Cannot join: ${reason}`);
    return seat;
  }

  #sendJoin(ref: number, seat: GameSeat): void {
    const head = header(JOIN, ref, seat.seen, seat.session > 0 ? 1 : 0);
    seat.resuming = true;
    this.#wire.send([head, seat.token, seat.name]);
  }

  #take(frames: Frame[]): void {
    const [head] = frames;
    if (!isHeader(head)) return void this.#malformed++;
    this.#silence = 0;
    const seat = this.#seats.get(a(head));
    switch (head[0]) {
      case RESULT:
        return seat?.result(b(head), frames.slice(1));
      case PUSH:
        return seat?.onPush?.(frames.slice(1));
      case WELCOME:
        return this.#welcome(a(head), b(head), c(head));
      case RESUME:
        return this.#resume(seat);
      case CUT:
        return this.#cutOff(seat ?? this.#refs.get(b(head)), String(frames[1]));
      case PONG:
        // Another connection than it was, where nobody is known.
        if (a(head) < Math.min(this.#expected, this.#refs.size)) this.#resumeAll();
        this.#expected = 0;
        return;
      default:
        this.#malformed++;
    }
  }

  #welcome(ref: number, session: number, received: number): void {
    const seat = this.#refs.get(ref);
    if (seat === undefined) return;
    this.#seats.set(session, seat);
    seat.welcome(session, received);
    this.#joining.get(ref)?.();
    this.#joining.delete(ref);
  }

  #cutOff(seat: GameSeat | undefined, reason: string): void {
    if (seat === undefined) return;
    this.#forget(seat);
    seat.end(new ZmqError("ECONNRESET", `The gateway has ended the session: ${reason}`));
  }

  #forget(seat: GameSeat): void {
    this.#repeated += seat.repeated;
    this.#seats.delete(seat.session);
    for (const [ref, each] of this.#refs) {
      if (each !== seat) continue;
      this.#refs.delete(ref);
      this.#joining.delete(ref);
    }
  }

  #resume(seat: GameSeat | undefined): void {
    // One answer brings everything back: what was under way meanwhile must not ask again and again.
    if (seat?.resuming) return;
    for (const [ref, each] of this.#refs) {
      if (each !== seat) continue;
      this.#resumed++;
      this.#sendJoin(ref, each);
    }
  }

  #resumeAll(): void {
    for (const [ref, seat] of this.#refs) {
      if (seat.session > 0) this.#resumed++;
      this.#sendJoin(ref, seat);
    }
  }

  /** Goes on over a new connection. */
  reconnect(): void {
    this.assertOpen();
    void this.#socket.close();
    this.#socket = this.#connect();
    this.#resumeAll();
    this.events.emit("reconnected", { players: this.#refs.size });
  }

  #tick(): void {
    if (++this.#silence * TICK_MS > this.#patience) return this.reconnect();
    if (++this.#sincePing * TICK_MS >= this.#interval) {
      this.#sincePing = 0;
      if (this.#wire.send([header(PING)])) this.#expected = this.#refs.size;
    }
    for (const seat of this.#seats.values()) {
      seat.pump();
      seat.acknowledge();
    }
  }

  /** What it has counted so far. */
  stats(): GameLineStats {
    let repeated = this.#repeated;
    for (const seat of this.#seats.values()) repeated += seat.repeated;
    return {
      players: this.#seats.size,
      repeated,
      resumed: this.#resumed,
      malformed: this.#malformed,
    };
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    clearInterval(this.#ticking);
    for (const seat of this.#refs.values()) {
      seat.end(new ZmqError("EBADF", "The line is closed"));
    }
    await this.#socket?.close();
  }
}
