// A pipe: the two queues between a socket and one peer. It outlives the connections of a `connect`; a link lends it one.

import { Inbox } from "../core/inbox.ts";
import type { Core } from "../core/instance.ts";
import { Outbox } from "../core/outbox.ts";
import { SendError } from "../errors.ts";
import type { Frame, Outgoing } from "../message.ts";
import type { OptionValues } from "../options.ts";
import type { Span } from "../span.ts";

/** From so many octets on, a batch is worth a system call while traffic is hot. */
export const BATCH_SIZE: number = 128 * 1024;
/** Octets of a batch for each message of the high-water mark: a small mark asks for little buffering. */
const BATCH_SHARE = 132;

/** Octets that make a batch, for a high-water mark, and at most `most`. */
export function batchSize(mark: number, most: number = BATCH_SIZE): number {
  return mark === 0 ? most : Math.min(most, mark * BATCH_SHARE);
}

/** What a pipe needs of the connection that serves it. */
export interface PipeLink {
  /** A message was appended to the outbox. */
  appended(): void;
  /** The inbox has room again. */
  resume(): void;
  /** Ends the connection: the peer is refused or replaced. */
  refuse(reason: Error): void;
}

/** Keeps the process alive for something unsent: until the answer is called, or `linger` is over and it calls `expired`. */
export type Hold = (expired: () => void) => () => void;

export class Pipe {
  readonly outbox: Outbox;
  readonly inbox: Inbox = new Inbox();
  readonly #options: OptionValues;
  /** The connection, while there is one past its handshake. */
  link: PipeLink | undefined;
  /** The minor version of ZMTP 3 that both ends of the connection speak. */
  minor = 0;
  /** True while the link does not read because the inbox is full. */
  paused = false;
  /** No batch needs to be larger. */
  batchMost: number = BATCH_SIZE;
  /** What was sent when it was last found to take nothing. */
  #stalledAt = -1;
  /** Messages that were taken out of the inbox and that the user has not read. */
  unread = 0;
  /** The name under which a ROUTER knows the peer, as the frame it prepends. */
  routingFrame: Frame | undefined;
  /** The routing id that `connect` gave to the peer, overriding the peer's own. */
  readonly assignedId: Uint8Array | undefined;
  /** The address of the peer or the endpoint, for messages of errors. */
  readonly address: string;
  readonly #hold: Hold;
  #letGo: (() => void) | undefined;
  #disposed = false;

  constructor(
    core: Core,
    options: OptionValues,
    hold: Hold,
    address: string,
    assignedId?: Uint8Array,
  ) {
    this.outbox = new Outbox(core);
    this.#options = options;
    this.#hold = hold;
    this.address = address;
    this.assignedId = assignedId;
  }

  /**
   * True when no message should be appended: the high-water mark is reached, and what waits is a whole batch already.
   * Without a connection there is no batch, and the mark counts alone.
   */
  get full(): boolean {
    const { sendHighWaterMark: mark, conflate } = this.#options;
    if (mark === 0 || conflate || this.outbox.waiting < mark) return false;
    return this.link === undefined || this.batched;
  }

  /** Its stream takes nothing: it counts as stalled until something is taken. */
  stall(): void {
    this.#stalledAt = this.outbox.sent;
  }

  get stalled(): boolean {
    return this.#stalledAt === this.outbox.sent;
  }

  /** True when what waits is worth a system call. */
  get batched(): boolean {
    return this.outbox.bytes >= batchSize(this.#options.sendHighWaterMark, this.batchMost);
  }

  /**
   * Appends a message; false when the core's memory is exhausted and the pipe has to drain first.
   *
   * @throws {SendError} `ENOBUFS` when not even an empty pipe can hold it.
   */
  send(message: Outgoing): boolean {
    if (this.#options.conflate) this.outbox.clear();
    if (!this.outbox.append(message)) {
      if (this.outbox.waiting > 0 || this.outbox.inFlight) return false;
      throw new SendError(
        "ENOBUFS",
        "Cannot send: the core's memory is exhausted; unsent messages to other peers hold it",
      );
    }
    this.appended();
    return true;
  }

  /** A message was appended to the outbox. */
  appended(): void {
    if (this.#letGo === undefined) this.#acquire();
    if (this.link !== undefined) this.link.appended();
  }

  /** Apart from `appended`, which must not make a closure for each message. */
  #acquire(): void {
    this.#letGo = this.#hold(() => this.#letGo = undefined);
  }

  /** Lets the process end if nothing is left to send. */
  settle(): void {
    if (this.#letGo === undefined || !this.outbox.empty) return;
    this.#letGo();
    this.#letGo = undefined;
  }

  /** Ends the connection and drops what was not sent, so that no answer to it can come any more. */
  abandon(reason: Error): void {
    this.link?.refuse(reason);
    if (this.#disposed) return;
    this.outbox.drain();
    this.settle();
  }

  /** Takes out what was not sent, and gives the memory back. What was received stays. */
  dispose(): Uint8Array[][] {
    this.#disposed = true;
    const messages = this.outbox.drain();
    this.settle();
    this.outbox.free();
    return messages;
  }

  /** The next message, or undefined. */
  receive(): Frame[] | undefined {
    const inbox = this.inbox;
    if (inbox.messages === 0) return undefined;
    const frames = inbox.shift();
    if (this.paused && inbox.messages <= this.#options.receiveHighWaterMark >> 1) this.#goOn();
    return frames;
  }

  /** The next message as it lies on the wire. Only when there is one. */
  take(span: Span): void {
    this.inbox.shiftSpan(span);
    if (this.paused) this.#goOn();
  }

  /** Drops unread messages whose first frame is not wanted. */
  filter(wants: (octets: Uint8Array) => boolean): void {
    this.inbox.filter(wants);
    if (this.paused) this.#goOn();
  }

  /** The user has read one of the messages that `unread` counts. */
  read(): void {
    this.unread--;
    if (this.paused) this.#goOn();
  }

  /** The link reads again when half of what it may hold is free. */
  #goOn(): void {
    if (this.inbox.messages + this.unread > this.#options.receiveHighWaterMark >> 1) return;
    this.paused = false;
    this.link?.resume();
  }

  /** True when the link should stop reading. */
  get saturated(): boolean {
    const { receiveHighWaterMark: mark, conflate } = this.#options;
    return mark > 0 && !conflate && this.inbox.messages + this.unread >= mark;
  }
}
