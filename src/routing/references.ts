// Messages by reference: the queues of pipes that need no wire octets, between two sockets of a context or beside a raw
// connection. What one side appends is at once what the other can read.

import { BOX_APART, BOX_BYTES, BOX_DROPPED, BOX_WAITING } from "../../wasm/layout.ts";
import type { Core } from "../core/instance.ts";
import type { Frame, Outgoing } from "../message.ts";
import type { OptionValues } from "../options.ts";
import type { Span } from "../span.ts";
import type { FrameMaker } from "./frame_maker.ts";
import type { Pipe, Receiving, Sending } from "./pipe.ts";

/** From so many messages on that were shifted out, and half of all, the list is cut. */
const CUT = 1024;
/** What a full outbox shows to the core. */
const FULL = 0xffffffff;

/** A pipe of which both queues hold references. */
export type ReferencePipe = Pipe<ReferenceOutbox, References>;

/** The pipe at the other end, and the options of its socket. */
export interface Reader {
  readonly pipe: ReferencePipe;
  readonly options: OptionValues;
}

/** A queue of messages as their frames. */
export class References implements Receiving {
  #list: Frame[][] = [];
  #head = 0;
  received = 0;
  octets = 0;
  /** When so few messages are left, who waits for room is told; negative when nobody does. */
  #low = -1;
  #relieved: () => void = () => {};

  get messages(): number {
    return this.#list.length - this.#head;
  }

  push(frames: Frame[], octets: number): void {
    this.#list.push(frames);
    this.received++;
    this.octets += octets;
  }

  shift(): Frame[] {
    const list = this.#list;
    const frames = list[this.#head];
    // The list must not keep what was read.
    list[this.#head++] = NONE;
    if (this.#head === list.length) {
      list.length = 0;
      this.#head = 0;
    } else if (this.#head >= CUT && this.#head >= list.length >> 1) {
      this.#list = list.slice(this.#head);
      this.#head = 0;
    }
    if (this.#low >= 0 && this.messages <= this.#low) this.#relieve();
    return frames;
  }

  take(_span: Span): Frame[] {
    return this.shift();
  }

  /** Calls once, when no more than `low` messages are left. */
  watch(low: number, relieved: () => void): void {
    this.#low = low;
    this.#relieved = relieved;
  }

  #relieve(): void {
    this.#low = -1;
    this.#relieved();
  }

  keepLast(): void {
    while (this.messages > 1) this.shift();
  }

  filter(wants: (octets: Uint8Array) => boolean): void {
    this.replace(this.#list.slice(this.#head).filter(([first]) => wants(first)));
  }

  skip(wants: (octets: Uint8Array) => boolean): void {
    while (this.messages > 0 && !wants(this.#list[this.#head][0])) this.shift();
  }

  clear(): void {
    this.replace([]);
  }

  /** Takes everything out. */
  drain(): Frame[][] {
    const list = this.#list.slice(this.#head);
    this.replace([]);
    return list;
  }

  /** Holds these messages instead of what it had. */
  replace(messages: Frame[][]): void {
    this.#list = messages;
    this.#head = 0;
    if (this.#low >= 0 && messages.length <= this.#low) this.#relieve();
  }
}

const NONE: Frame[] = [];

/** Where messages wait to be read by a peer of the same context, once there is one. */
export class ReferenceOutbox implements Sending {
  readonly byReference = true;
  readonly inFlight = false;
  /** All that waits is a batch. */
  readonly bytes: number = Infinity;
  readonly #core: Core;
  readonly #maker: FrameMaker;
  readonly #own: References = new References();
  /** Where messages go: the peer's inbox, or what waits for a peer. */
  #to: References = this.#own;
  readonly #options: OptionValues;
  /** Who reads them; what it holds by its own high-water mark does not count here. */
  #reader: Reader | undefined;
  #relieved: () => void = () => {};
  /** So many of what waits a peer had already, but did not read. */
  #delivered = 0;
  #box = 0;
  #dropped = 0;
  brimming = false;
  messagesSent = 0;
  sent = 0;

  constructor(core: Core, maker: FrameMaker, options: OptionValues) {
    this.#core = core;
    this.#maker = maker;
    this.#options = options;
  }

  /** Made when a publisher first asks: the core has to know whom to match. */
  get box(): number {
    if (this.#box === 0) this.#box = this.#open();
    return this.#box;
  }

  #open(): number {
    const core = this.#core;
    const box = core.exports.outboxNew() >>> 0;
    if (core.bytes.length === 0) core.refresh();
    if (box === 0) throw new RangeError("Cannot open an outbox: the core's memory is full");
    core.words[(box >>> 2) + BOX_APART] = 1;
    core.floats[((box >>> 2) + BOX_BYTES) >>> 1] = Infinity;
    return box;
  }

  /** Messages beyond those that the peer holds by its own high-water mark. Who finds some is told of room. */
  get waiting(): number {
    const reader = this.#reader;
    let share = 0;
    if (reader !== undefined) {
      const mark = reader.options.receiveHighWaterMark;
      if (mark === 0) return 0;
      share = mark - reader.pipe.unread;
    }
    const count = this.#to.messages - share;
    if (count <= 0) return 0;
    this.#to.watch((this.#options.sendHighWaterMark + share) >> 1, this.#tellRoom);
    return count;
  }

  /** What a peer can read has left. */
  get empty(): boolean {
    return this.#to !== this.#own || this.#own.messages === 0;
  }

  framesFrom(message: Outgoing): Frame[] {
    return this.#maker.framesFrom(message);
  }

  /** Messages that the peer has read. */
  get taken(): number {
    return this.messagesSent - this.#to.messages;
  }

  /** What a peer can read has left, also beyond its mark. */
  get unsent(): number {
    return this.#to === this.#own ? this.#own.messages : 0;
  }

  get owed(): boolean {
    return !this.empty && this.#own.messages > this.#delivered;
  }

  append(message: Outgoing): boolean {
    const frames = this.#maker.framesFrom(message);
    let octets = 0;
    for (let i = 0; i < frames.length; i++) octets += frames[i].length;
    this.#to.push(frames, octets);
    if (this.#to !== this.#own) {
      this.messagesSent++;
      this.sent += octets;
    }
    if (this.#box !== 0) this.#mirror();
    return true;
  }

  /** Puts a message before all that wait. Only without a peer. */
  prepend(message: Outgoing): void {
    this.#own.replace([this.#maker.framesFrom(message), ...this.#own.drain()]);
  }

  /** The core looks whether there is room before it matches a peer. */
  #mirror(): void {
    const { sendHighWaterMark: mark } = this.#options;
    this.brimming = mark > 0 && this.waiting >= mark;
    this.#core.words[(this.#box >>> 2) + BOX_WAITING] = this.brimming ? FULL : 0;
  }

  /** There are no commands between sockets of a context. */
  appendCommand(): boolean {
    return true;
  }

  /** Those of a publisher are counted by the core. */
  get dropped(): number {
    if (this.#box === 0) return this.#dropped;
    return this.#dropped + this.#core.floats[((this.#box >>> 2) + BOX_DROPPED) >>> 1];
  }

  drop(): void {
    this.#dropped++;
  }

  clear(): void {
    this.#to.clear();
  }

  share(): void {}

  /** Takes out what no peer can read yet. */
  drain(): Uint8Array[][] {
    return this.#own.drain();
  }

  /** The first message that no peer can read yet; for a raw connection, which sends it. */
  shift(): Frame[] | undefined {
    return this.#own.messages > 0 ? this.#own.shift() : undefined;
  }

  /** What waits, and all that follows, goes to `reader`. `relieved` is called when there is room after there was none. */
  join(reader: Reader, relieved: () => void): void {
    this.#to = reader.pipe.inbox;
    this.#delivered = 0;
    this.#reader = reader;
    this.#relieved = relieved;
    for (const frames of this.#own.drain()) this.append(frames);
  }

  readonly #tellRoom = (): void => {
    if (this.#box !== 0) this.#mirror();
    this.#relieved();
  };

  /** The peer is gone; what it did not read waits again if `takeBack`. */
  leave(takeBack: boolean): void {
    const inbox = this.#to;
    const { waiting } = this;
    this.#to = this.#own;
    this.#reader = undefined;
    this.#relieved = () => {};
    inbox.watch(-1, this.#relieved);
    if (!takeBack) return;
    const messages = inbox.drain();
    this.messagesSent -= messages.length;
    this.#own.replace(messages);
    this.#delivered = messages.length - waiting;
  }

  free(): void {
    if (this.#box === 0) return;
    this.#dropped = this.dropped;
    this.#core.exports.outboxFree(this.#box);
    this.#box = 0;
  }
}
