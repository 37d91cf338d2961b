// XSUB (RFC 29): receives from all publishers, tells each of them its topics, and sends them whatever else the user wants.

import type { CoreMemory } from "../core/memory.ts";
import { Topics } from "../core/topics.ts";
import { ZmqError } from "../errors.ts";
import { type Frame, framesOf, type Outgoing, type Part, toBytes } from "../message.ts";
import type { Span } from "../span.ts";
import type { OptionValues } from "../options.ts";
import {
  CANCEL,
  checkTopic,
  encodeCommandForm,
  encodeMessageForm,
  isRequest,
  SUBSCRIBE,
} from "../wire/subscription.ts";
import { FairQueue } from "./fair_queue.ts";
import type { Pattern } from "./pattern.ts";
import type { Pipe } from "./pipe.ts";

/**
 * A publisher that reads no requests is left with so many; then its connection ends, and the next one begins with the topics
 * as they are. Requests are never dropped, but what a proxy passes on must have a bound.
 */
const REQUEST_LIMIT = 100_000;

export class XSubPattern implements Pattern {
  protected readonly options: OptionValues;
  readonly topics: Topics;
  protected readonly messages: FairQueue = new FairQueue();
  readonly #pipes: Set<Pipe> = new Set();

  constructor(options: OptionValues, memory: CoreMemory) {
    this.options = options;
    this.topics = new Topics(memory);
  }

  /** The publishers. */
  get pipes(): Iterable<Pipe> {
    return this.#pipes;
  }

  attach(pipe: Pipe): undefined {
    this.#pipes.add(pipe);
  }

  identify(): undefined {}

  detach(pipe: Pipe): void {
    this.#pipes.delete(pipe);
  }

  /** All topics go out before anything else, whatever the high-water mark. */
  linked(pipe: Pipe): void {
    const waiting = userMessages(pipe);
    for (const topic of this.topics.list()) request(pipe, SUBSCRIBE, topic);
    for (const message of waiting) pipe.outbox.append(message);
    if (!pipe.outbox.empty) pipe.appended();
  }

  /** What was to tell the lost peer is not for the next one. */
  unlinked(pipe: Pipe): void {
    for (const message of userMessages(pipe)) pipe.outbox.append(message);
    pipe.settle();
  }

  readable(pipe: Pipe): void {
    this.messages.activate(pipe);
  }

  writable(): void {}

  refuse(_use: "send" | "receive"): ZmqError | undefined {
    return undefined;
  }

  /** Counts a topic up, and tells the publishers if it is new. */
  subscribe(topic: Uint8Array): void {
    const count = this.topics.add(topic);
    if (count === 1 || this.options.verbosity !== null) this.#tell(SUBSCRIBE, topic);
  }

  /** Counts a topic down, and tells the publishers if that was the last; true then. */
  unsubscribe(topic: Uint8Array): boolean {
    const left = this.topics.remove(topic);
    if (left === 0 || this.options.verbosity === "allSubsUnsubs") this.#tell(CANCEL, topic);
    return left === 0;
  }

  #tell(kind: number, topic: Uint8Array): void {
    for (const pipe of this.#pipes) {
      if (pipe.link === undefined) continue;
      if (pipe.outbox.waiting >= REQUEST_LIMIT + this.topics.count) {
        pipe.link.refuse(
          new ZmqError("ENOBUFS", "The publisher does not read the subscriptions it is sent", {
            address: pipe.address,
          }),
        );
        continue;
      }
      request(pipe, kind, topic);
      pipe.appended();
    }
  }

  /** Takes the requests out of a message; the rest goes to all publishers that have room. */
  send(message: Outgoing): boolean {
    const frames = framesOf(message);
    if (this.options.onlyFirstSubscribe && !isRequest(frames[0])) {
      this.#distribute(message);
      return true;
    }
    const rest: Part[] = [];
    for (const frame of frames) {
      if (!isRequest(frame)) {
        rest.push(frame);
        continue;
      }
      const octets = toBytes(frame);
      const topic = octets.subarray(1);
      checkTopic(topic);
      if (octets[0] === SUBSCRIBE) this.subscribe(topic);
      else this.unsubscribe(topic);
    }
    if (rest.length > 0) this.#distribute(rest.length === frames.length ? message : rest);
    return true;
  }

  #distribute(message: Outgoing): void {
    for (const pipe of this.#pipes) {
      if (!pipe.full && pipe.send(message)) continue;
      pipe.drop();
    }
  }

  receive(): Frame[] | undefined {
    return this.messages.receive();
  }

  take(span: Span): Outgoing | undefined {
    return this.messages.take(span);
  }

  get source(): Pipe | undefined {
    return this.messages.last;
  }

  /** What a publisher has no room for is dropped. */
  get canSend(): boolean {
    return true;
  }

  get canReceive(): boolean {
    return this.messages.readable;
  }

  free(): void {
    this.topics.free();
  }
}

/** Appends a request in the form that the peer understands; publishers of ZMTP 1.0 send everything, unasked (RFC 13). */
function request(pipe: Pipe, kind: number, topic: Uint8Array): void {
  if (pipe.protocol === "1.0") return;
  const done = pipe.protocol === "3.1"
    ? pipe.outbox.appendCommand(encodeCommandForm(kind, topic))
    : pipe.outbox.append(encodeMessageForm(kind, topic));
  if (!done) throw new ZmqError("ENOBUFS", "Cannot subscribe: the core's memory is exhausted");
}

/** Takes out what waits, and answers what is not a request. */
function userMessages(pipe: Pipe): Uint8Array[][] {
  return pipe.outbox.drain().filter(([first]) => !isRequest(first));
}
