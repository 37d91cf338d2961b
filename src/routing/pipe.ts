// A pipe: the two queues between a socket and one peer. It outlives the connections of a `connect`; a link lends it one.

import { Inbox } from "../core/inbox.ts";
import type { Core } from "../core/instance.ts";
import { Outbox } from "../core/outbox.ts";
import { SendError } from "../errors.ts";
import { Monitor } from "../events.ts";
import type { Frame, Outgoing } from "../message.ts";
import type { OptionValues } from "../options.ts";
import type { PeerIdentity, Protocol } from "../peer.ts";
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
  /** Ends a raw connection for good, when all that waits is sent. */
  hangUp?(): void;
}

/** Keeps the process alive for something unsent: until the answer is called, or `linger` is over and it calls `expired`. */
export type Hold = (expired: () => void) => () => void;

/** The messages on their way to a peer: as wire octets in the core, or by reference. */
export interface Sending {
  /** An address in the core, which a publisher knows the peer by. */
  readonly box: number;
  /** The core does not append what is published: that is done by `append`. */
  readonly byReference: boolean;
  /** For messages by reference: it was full, and has not drained to half of that yet. */
  readonly brimming?: boolean;
  /** Whole messages that wait. */
  readonly waiting: number;
  /** Their octets. */
  readonly bytes: number;
  /** Nothing waits and nothing is being written. */
  readonly empty: boolean;
  /** Something waits that no peer could have read. */
  readonly owed: boolean;
  /** A part of what waits is being written. */
  readonly inFlight: boolean;
  /** Messages that were dropped because it was full. */
  readonly dropped: number;
  /** Messages that have not left, in part or at all. */
  readonly unsent: number;
  /** Messages and octets that have left. */
  readonly messagesSent: number;
  readonly sent: number;
  /** A number that changes when the peer, or its stream, takes something. */
  readonly taken: number;
  /** Appends a message, or a command of the connection: all of it, or nothing and `false` when there is no memory. */
  append(message: Outgoing): boolean;
  appendCommand(body: Uint8Array): boolean;
  /** A message as frames that several outboxes by reference may hold. */
  framesFrom?(message: Outgoing): Frame[];
  /** Counts a message that was dropped. */
  drop(): void;
  /** Drops what waits. */
  clear(): void;
  /** The core appended a message whose long bodies are these. */
  share(bodies: readonly Uint8Array[]): void;
  /** Takes every message out. */
  drain(): Uint8Array[][];
  /** Gives the memory back. */
  free(): void;
}

/** The messages that came from a peer and were not read yet. */
export interface Receiving {
  readonly messages: number;
  /** Messages and octets that have come so far. */
  received: number;
  octets: number;
  /** The next message. Only when there is one. */
  shift(): Frame[];
  /** The next message as it can be passed on for the least: in `span`, or as frames. Only when there is one. */
  take(span: Span): Outgoing;
  /** Drops all but the newest message. */
  keepLast(): void;
  /** Drops the messages whose first frame is not wanted. */
  filter(wants: (octets: Uint8Array) => boolean): void;
  /** Drops them up to the first one that is wanted; where nothing was filtered on arrival. */
  skip?(wants: (octets: Uint8Array) => boolean): void;
  clear(): void;
}

export class Pipe<O extends Sending = Sending, I extends Receiving = Receiving> {
  readonly outbox: O;
  readonly inbox: I;
  readonly #options: OptionValues;
  /** The connection, while there is one past its handshake. */
  link: PipeLink | undefined;
  /** The peer of the last connection, and the address of its host, if it has one. */
  peer: PeerIdentity | undefined;
  peerHost = "";
  /** The version of ZMTP that both ends of the connection speak; empty where there is no wire. */
  protocol: Protocol | "" = "";
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
  /** The endpoint that was bound or connected to, and where the peer's end of the connection is. */
  endpoint: string;
  peerAddress: string;
  /** Connections that followed the first one. */
  reconnects = 0;
  /** Octets of the connections' own that left. */
  overhead = 0;
  readonly #hold: Hold;
  readonly #monitor: Monitor;
  /** That it is full was told. */
  #toldFull = false;
  #letGo: (() => void) | undefined;
  #disposed = false;

  constructor(
    outbox: O,
    inbox: I,
    options: OptionValues,
    hold: Hold,
    address: string,
    assignedId?: Uint8Array,
    monitor: Monitor = new Monitor(),
  ) {
    this.outbox = outbox;
    this.inbox = inbox;
    this.#options = options;
    this.#hold = hold;
    this.address = address;
    this.endpoint = address;
    this.peerAddress = address;
    this.assignedId = assignedId;
    this.#monitor = monitor;
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

  /** A message has to wait, or is dropped, because it is full. */
  tellFull(): void {
    if (this.#toldFull) return;
    this.#toldFull = true;
    if (this.#monitor.watched) this.#monitor.emit({ type: "full:send", ...this.#where });
  }

  /** It is not read because its inbox is full. */
  tellPaused(): void {
    if (this.#monitor.watched) this.#monitor.emit({ type: "full:receive", ...this.#where });
  }

  get #where(): { address: string; peerAddress: string } {
    return { address: this.endpoint, peerAddress: this.peerAddress };
  }

  /** It is not full any more. */
  hasRoom(): void {
    this.#toldFull = false;
  }

  /** A message is dropped because it is full. */
  drop(): void {
    this.outbox.drop();
    this.tellFull();
    this.tellDrops(1);
  }

  /** Messages were dropped and counted. */
  tellDrops(count: number): void {
    if (this.#monitor.watched) this.#monitor.emit({ type: "drop", ...this.#where, count });
  }

  /** Its stream takes nothing: it counts as stalled until something is taken. */
  stall(): void {
    this.#stalledAt = this.outbox.taken;
  }

  get stalled(): boolean {
    return this.#stalledAt === this.outbox.taken;
  }

  /** True when who sends should wait a moment for the peer, if it can. */
  get crowded(): boolean {
    return this.outbox.brimming ?? this.batched;
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
    if (this.#letGo === undefined && !this.outbox.empty) this.#acquire();
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

  /** The next message as it can be passed on for the least. Only when there is one. */
  take(span: Span): Outgoing {
    const message = this.inbox.take(span);
    if (this.paused) this.#goOn();
    return message;
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

  /** The socket's high-water marks are others now. */
  marksChanged(): void {
    if (this.paused) this.#goOn();
    else this.link?.resume();
  }

  /** The link reads again when half of what it may hold is free. */
  #goOn(): void {
    if (this.inbox.messages + this.unread > this.#options.receiveHighWaterMark >> 1) return;
    this.paused = false;
    this.link?.resume();
  }

  /** The routing id of the peer: the one a ROUTER knows it by, else its own. */
  get routingId(): Uint8Array {
    return this.routingFrame ?? this.peer?.routingId ?? NO_ID;
  }

  /** True when the link should stop reading. */
  get saturated(): boolean {
    const { receiveHighWaterMark: mark, conflate } = this.#options;
    return mark > 0 && !conflate && this.inbox.messages + this.unread >= mark;
  }
}

const NO_ID = new Uint8Array(0);

/** A pipe to a peer beyond a stream: its queues hold wire octets. */
export class WirePipe extends Pipe<Outbox, Inbox> {
  constructor(
    core: Core,
    options: OptionValues,
    hold: Hold,
    address: string,
    assignedId?: Uint8Array,
    monitor?: Monitor,
  ) {
    super(new Outbox(core), new Inbox(), options, hold, address, assignedId, monitor);
  }
}
