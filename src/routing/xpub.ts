// XPUB (RFC 29): publishes to those who subscribed, and tells the user who subscribes to what.

import {
  FAN_ONE,
  FAN_OTHERS,
  FAN_SAME,
  FAN_TOPIC,
  LIST_ACTIVE,
  LIST_REQUESTED,
} from "../../wasm/layout.ts";
import type { CoreMemory } from "../core/memory.ts";
import { ProtocolError, StateError, ZmqError } from "../errors.ts";
import { Monitor } from "../events.ts";
import { Frame, type Outgoing, toBytes } from "../message.ts";
import type { OptionValues } from "../options.ts";
import { CANCEL, encodeMessageForm, isRequest, SUBSCRIBE } from "../wire/subscription.ts";
import { type Crowd, Distributor } from "./distributor.ts";
import type { Pattern } from "./pattern.ts";
import type { Pipe } from "./pipe.ts";
import { Reports } from "./reports.ts";

const EVERYTHING = new Uint8Array(0);

export class XPubPattern implements Pattern {
  protected readonly options: OptionValues;
  readonly distributor: Distributor;
  readonly #reports: Reports = new Reports();
  /** The peer whose request the user received last; manual mode is about it. */
  #asking: Pipe | undefined;
  /** The peer that alone gets the next message. */
  #only: Pipe | undefined;
  source: Pipe | undefined;

  constructor(
    options: OptionValues,
    memory: CoreMemory,
    crowd: Crowd,
    monitor: Monitor = new Monitor(),
  ) {
    this.options = options;
    this.distributor = new Distributor(memory.outboxes, options, crowd, monitor);
  }

  /** True when a message whose first frame is no request has none. */
  protected get onlyFirst(): boolean {
    return this.options.onlyFirstSubscribe;
  }

  /** True when the user decides what peers get. */
  get #manual(): boolean {
    return this.options.manual || this.options.manualLastValue;
  }

  attach(): undefined {}

  identify(): undefined {}

  linked(pipe: Pipe): void {
    this.distributor.join(pipe);
    // Peers of ZMTP 1.0 filter by themselves, and never say what they want (RFC 13).
    if (pipe.protocol === "1.0") this.#request(pipe, SUBSCRIBE, EVERYTHING);
    const { welcomeMessage } = this.options;
    if (welcomeMessage !== null && welcomeMessage.length > 0) pipe.send(toBytes(welcomeMessage));
  }

  /** Its topics are gone; what was queued for the endpoint stays (RFC 29: the queue of a `connect` survives). */
  unlinked(pipe: Pipe): void {
    this.detach(pipe);
  }

  detach(pipe: Pipe): void {
    if (this.#asking === pipe) this.#asking = undefined;
    if (this.#only === pipe) this.#only = undefined;
    const manual = this.#manual;
    const { verbosity } = this.options;
    this.distributor.leave(
      pipe,
      (topic, last) => {
        if (!manual && (last || verbosity === "allSubsUnsubs")) this.reportEnd(pipe, topic);
      },
      (topic) => this.reportEnd(pipe, topic),
    );
  }

  command(pipe: Pipe, name: string, topic: Uint8Array): ZmqError | undefined {
    const kind = name === "SUBSCRIBE" ? SUBSCRIBE : name === "CANCEL" ? CANCEL : undefined;
    if (kind === undefined) return undefined;
    // In the other form it would have been a message.
    pipe.inbox.received++;
    // What the peer sent before it comes before it.
    this.readable(pipe);
    return this.#request(pipe, kind, topic);
  }

  readable(pipe: Pipe): void {
    while (pipe.inbox.messages > 0) {
      const refusal = this.#take(pipe, pipe.inbox.shift());
      if (refusal === undefined) continue;
      pipe.link?.refuse(refusal);
      return pipe.inbox.clear();
    }
  }

  writable(): void {}

  /** Takes the requests out of a message; what is left is for the user. */
  #take(pipe: Pipe, frames: Frame[]): ZmqError | undefined {
    if (this.onlyFirst && !isRequest(frames[0])) {
      this.report(frames, pipe);
      return undefined;
    }
    for (const frame of frames) {
      if (!isRequest(frame)) continue;
      const refusal = this.#request(pipe, frame[0], frame.subarray(1));
      if (refusal !== undefined) return refusal;
    }
    const rest = frames.filter((frame) => !isRequest(frame));
    if (rest.length > 0) this.report(rest, pipe);
    return undefined;
  }

  #request(pipe: Pipe, kind: number, topic: Uint8Array): ZmqError | undefined {
    if (!this.distributor.has(pipe)) return undefined;
    const { maxTopicLength } = this.options;
    if (topic.length > maxTopicLength) return tooLong(pipe, topic.length, maxTopicLength);
    const manual = this.#manual;
    const list = manual ? LIST_REQUESTED : LIST_ACTIVE;
    const change = kind === SUBSCRIBE
      ? this.#add(pipe, list, topic)
      : this.distributor.fan.remove(list, pipe.outbox, topic);
    if (change instanceof ZmqError) return change;
    if (manual || this.#isNews(kind, change)) {
      // Topics have a limit of their own: who never reads the requests must not lose the later ones.
      this.reportRequest(pipe, kind, topic, kind === CANCEL || change === FAN_SAME);
    }
    return undefined;
  }

  /** What it changed, or why the peer cannot have the topic. */
  #add(pipe: Pipe, list: number, topic: Uint8Array): number | ZmqError {
    const { fan } = this.distributor;
    const { maxSubscriptions: most } = this.options;
    try {
      const change = fan.add(list, pipe.outbox, topic);
      if (change === FAN_SAME || most === 0 || fan.topicsOf(list, pipe.outbox) <= most) {
        return change;
      }
    } catch (error) {
      if (error instanceof ZmqError) return error;
      throw error;
    }
    fan.remove(list, pipe.outbox, topic);
    return tooMany(pipe, most);
  }

  /**
   * The first and the last subscription to a topic; as in libzmq also the end of one that nobody had, but not of one that
   * others have: whoever passes it on would take it for theirs.
   */
  #isNews(kind: number, change: number): boolean {
    const { verbosity } = this.options;
    if (kind === SUBSCRIBE) return change === FAN_TOPIC || verbosity !== null;
    if (change === FAN_ONE) return verbosity === "allSubsUnsubs";
    return change !== FAN_OTHERS;
  }

  /** Tells the user of a message, of a request, or of the end of a lost peer's subscription. */
  protected report(frames: Frame[], pipe: Pipe): void {
    this.#reports.add({ frames, pipe, counted: true, request: false, key: undefined });
  }

  protected reportRequest(pipe: Pipe, kind: number, topic: Uint8Array, counted: boolean): void {
    const key = this.#keyOf(pipe, topic);
    this.#reports.add({ frames: [asFrame(kind, topic)], pipe, counted, request: true, key });
  }

  protected reportEnd(pipe: Pipe, topic: Uint8Array): void {
    const key = this.#keyOf(pipe, topic);
    this.#reports.end({
      frames: [asFrame(CANCEL, topic)],
      pipe: undefined,
      counted: false,
      request: true,
      key,
    });
  }

  /** Subscriptions are reported once for all peers, or for each peer; or without an end for each, in no pairs. */
  #keyOf(pipe: Pipe, topic: Uint8Array): string | undefined {
    const { verbosity } = this.options;
    if (!this.#manual && verbosity === null) return octetString(topic);
    if (!this.#manual && verbosity === "allSubs") return undefined;
    return `${pipe.outbox.box}/${octetString(topic)}`;
  }

  /**
   * Manual mode: subscribes or unsubscribes the peer whose request was received last; without effect when it is gone.
   *
   * @throws {StateError} `EINVAL` without manual mode.
   */
  decide(kind: number, topic: Uint8Array): void {
    if (!this.#manual) {
      throw new StateError(
        "EINVAL",
        "Cannot choose a peer's subscriptions: set manual, then receive the peer's request first",
      );
    }
    const pipe = this.#asking;
    if (pipe === undefined) return;
    const { fan } = this.distributor;
    if (kind === CANCEL) {
      fan.remove(LIST_ACTIVE, pipe.outbox, topic);
    } else {
      fan.add(LIST_ACTIVE, pipe.outbox, topic);
      if (this.options.manualLastValue) this.#only = pipe;
    }
  }

  topicsOf(pipe: Pipe): number {
    return this.distributor.topicsOf(pipe);
  }

  refuse(_use: "send" | "receive"): ZmqError | undefined {
    return undefined;
  }

  send(message: Outgoing): boolean {
    const only = this.#only;
    if (!this.distributor.publish(message, only)) return false;
    if (only !== undefined) this.#only = undefined;
    return true;
  }

  receive(): Frame[] | undefined {
    const report = this.#reports.shift();
    if (report === undefined) return undefined;
    const { frames, pipe, request } = report;
    this.source = pipe;
    if (request) this.#asking = pipe !== undefined && this.distributor.has(pipe) ? pipe : undefined;
    return frames;
  }

  /** A publisher drops what it cannot route. */
  get canSend(): boolean {
    return true;
  }

  get canReceive(): boolean {
    return this.#reports.length > 0;
  }

  free(): void {
    this.distributor.free();
  }
}

/** Octets as a string of as many characters. */
function octetString(octets: Uint8Array): string {
  let text = "";
  for (let i = 0; i < octets.length; i++) text += String.fromCharCode(octets[i]);
  return text;
}

/** A request as the user receives it. */
function asFrame(kind: number, topic: Uint8Array): Frame {
  return new Frame(encodeMessageForm(kind, topic).buffer as ArrayBuffer);
}

function tooLong(pipe: Pipe, size: number, most: number): ProtocolError {
  return new ProtocolError(
    "EMSGSIZE",
    `The peer asked for a topic of ${size} octets, more than the ${most} allowed; maxTopicLength sets the limit`,
    { address: pipe.address },
  );
}

function tooMany(pipe: Pipe, most: number): ProtocolError {
  return new ProtocolError(
    "ENOBUFS",
    `The peer has ${most} subscriptions already and sent another; maxSubscriptions sets the limit`,
    { address: pipe.address },
  );
}
