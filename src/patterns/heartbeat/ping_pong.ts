// What both ends have in common: one loop that reads the socket, one timer that looks after the peers.

import {
  type Dealer,
  type Frame,
  type MessageLike,
  type OperationOptions,
  type Router,
  StateError,
} from "../../../mod.ts";
import { checkCount } from "../base/checks.ts";
import type { EventMap } from "../base/emitter.ts";
import { type HeartbeatOptions, type Heartbeats, heartbeatsOf } from "../base/liveness.ts";
import { octetsOf, sameOctets } from "../base/octets.ts";
import { Part } from "../base/part.ts";
import { Ticker } from "../base/ticker.ts";
import { Inbox } from "../base/inbox.ts";

/** A message of one frame that asks for a sign of life: `00 70 69 6e 67`. */
export const PING: Uint8Array = octetsOf("\0ping");
/** The answer: `00 70 6f 6e 67`. */
export const PONG: Uint8Array = octetsOf("\0pong");

/** Options of `DealerHeartbeat` and `RouterHeartbeat`. */
export interface PingPongOptions extends HeartbeatOptions {
  /** Closes it, and the socket, when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /**
   * So many messages are kept for who does not take them. Then the socket is not read any more, and no peer is given up
   * until it is: it is this side that is too slow.
   * @default {1000}
   */
  readonly maxQueue?: number | undefined;
}

/** What has been counted on either side. */
export interface PingPongStats {
  /** Messages of the application that came. */
  readonly messagesIn: number;
  /** Messages of the application that were sent. */
  readonly messagesOut: number;
  /** Messages that came and were not taken yet. */
  readonly queued: number;
  /** Pings that were sent. */
  readonly pingsOut: number;
  /** Pings that came; each was answered, unless the way back was full. */
  readonly pingsIn: number;
  /** Pongs that came. */
  readonly pongsIn: number;
  /** How often a peer was heard for the first time, or again. */
  readonly found: number;
  /** How often a peer was given up. */
  readonly lost: number;
}

type Counts = { -readonly [name in keyof PingPongStats]: number };

/** What is sent: one frame or several. */
export type PingPongMessage = MessageLike | readonly MessageLike[];

/** The base of both ends. */
export abstract class PingPong<S extends Dealer | Router, E extends EventMap> extends Part<E>
  implements AsyncIterable<Frame[]> {
  /** The socket. Send and receive through the heartbeats only. */
  readonly socket: S;
  /** @internal */
  protected readonly beats: Heartbeats;
  /** @internal */
  protected readonly counts: Counts = {
    messagesIn: 0,
    messagesOut: 0,
    queued: 0,
    pingsOut: 0,
    pingsIn: 0,
    pongsIn: 0,
    found: 0,
    lost: 0,
  };
  readonly #inbox: Inbox<Frame[]>;
  /** @internal The time of all that is watched. */
  protected readonly ticker: Ticker;
  #reading: Promise<void> | undefined;

  /** @internal */
  constructor(socket: S, options: PingPongOptions) {
    super({ signal: options.signal });
    this.socket = socket;
    this.beats = heartbeatsOf(options);
    const most = checkCount("maxQueue", options.maxQueue ?? 1000, 1);
    const name = this.constructor.name;
    this.#inbox = new Inbox(most, () => new StateError("EBADF", `${name} is closed`));
    this.ticker = new Ticker(this.beats.interval / 2, (time) => this.#look(time)).start();
    // Not at once: the subclass is not there yet.
    queueMicrotask(() => this.#reading = this.#read());
  }

  async #read(): Promise<void> {
    try {
      for await (const message of this.socket as AsyncIterable<Frame[]>) {
        if (this.closed) break;
        if (!this.take(message)) continue;
        this.counts.messagesIn++;
        this.#inbox.put(message);
        if (this.#inbox.full) await this.#inbox.room();
      }
    } finally {
      // The user may have closed the socket, too.
      this.#inbox.end();
      void this.close();
    }
  }

  /** @internal Looks at a message; true when it is the application's. */
  protected abstract take(message: Frame[]): boolean;

  #look(time: number): void {
    // Who is not read cannot be heard.
    if (this.#inbox.full) this.excuse(time);
    this.look(time);
  }

  /** @internal Sends what is due, gives up who is lost. */
  protected abstract look(time: number): void;

  /** @internal Nobody's silence until now counts. */
  protected abstract excuse(time: number): void;

  /** @internal True for a message that is a ping or a pong; `at` is where its frame would be. */
  protected signOf(message: Frame[], at: number): "ping" | "pong" | undefined {
    const frame = message[at];
    if (message.length !== at + 1 || frame.length !== PING.length || frame[0] !== 0) {
      return undefined;
    }
    return sameOctets(frame, PING) ? "ping" : sameOctets(frame, PONG) ? "pong" : undefined;
  }

  /** @internal Refuses what the other side would take for a heartbeat. */
  protected assertPlain(message: PingPongMessage, at: number): void {
    const frames = Array.isArray(message) ? message : [message];
    const frame = frames[at];
    if (frames.length !== at + 1) return;
    const octets = typeof frame === "string" ? octetsOf(frame) : frame;
    if (!(octets instanceof Uint8Array)) return;
    if (!sameOctets(octets, PING) && !sameOctets(octets, PONG)) return;
    throw Object.assign(
      new TypeError(`Cannot send "\\0ping" or "\\0pong" alone: they are heartbeats; add a frame`),
      { code: "EINVAL" },
    );
  }

  /**
   * The next message of the application. Rejects with `EBADF` when this is closed, and the signal's reason.
   */
  receive(options?: OperationOptions): Promise<Frame[]> {
    return this.#inbox.take(options);
  }

  /** The next message of the application, if there is one already. */
  tryReceive(): Frame[] | undefined {
    return this.#inbox.tryTake();
  }

  /** Iterates over the messages of the application until this is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Frame[]> {
    return this.#inbox[Symbol.asyncIterator]();
  }

  /** What has been counted. */
  stats(): PingPongStats {
    return { ...this.counts, queued: this.#inbox.length };
  }

  /** @internal */
  protected async shut(): Promise<void> {
    this.ticker.stop();
    this.#inbox.end();
    // What a peer does not take for so long it will never take; and a ping must not keep the socket open for ever.
    const { linger, closed } = this.socket;
    const { patience } = this.beats;
    if (!closed && (linger < 0 || linger > patience)) this.socket.linger = Math.ceil(patience);
    await this.socket.close();
    await this.#reading;
  }
}
