// Paranoid Pirate's worker: the worker's side of PPP (RFC 6).

import { Dealer, type Frame, type MessageLike, ZmqError } from "../../../mod.ts";
import { checkCount, checkFunction, checkTime } from "../base/checks.ts";
import {
  type HeartbeatOptions,
  type Heartbeats,
  heartbeatsOf,
  Liveness,
} from "../base/liveness.ts";
import { sameOctets } from "../base/octets.ts";
import { Part, type PartOptions, socketSettings } from "../base/part.ts";
import { after, type Cancel, now } from "../base/time.ts";
import { contentOf, HEARTBEAT, READY } from "./commands.ts";
import { enveloped, type PirateHandler } from "./handler.ts";
import { pulse } from "./pulse.ts";

/** Options of a {@linkcode ParanoidPirateWorker}. */
export interface ParanoidPirateWorkerOptions extends PartOptions, HeartbeatOptions {
  /** Answers the requests. */
  readonly handler: PirateHandler;
  /**
   * The pause before it turns to a queue that it has lost, in milliseconds; doubled each time that it stays lost.
   * @default {1000}
   */
  readonly reconnectInterval?: number | undefined;
  /**
   * The longest such pause, in milliseconds.
   * @default {32000}
   */
  readonly reconnectMaxInterval?: number | undefined;
  /**
   * How many requests may wait here for the one that is being handled. A queue that keeps to PPP sends one at a time; the
   * guide's takes a heartbeat for a sign that a worker is free.
   * @default {1000}
   */
  readonly maxWaiting?: number | undefined;
}

/** What happens to a worker. */
export interface ParanoidPirateWorkerEvents {
  /** It said READY over a fresh socket. */
  ready: { readonly endpoint: string };
  /** The queue was silent for too long: it says READY again after so many milliseconds. */
  lost: { readonly endpoint: string; readonly pause: number };
  /** The queue broke the protocol; the message was dropped. */
  malformed: { readonly frames: readonly Frame[]; readonly reason: string };
  /** What the handler threw, or why the worker cannot go on. */
  error: { readonly error: unknown };
}

/** The figures of a worker. */
export interface ParanoidPirateWorkerStats {
  /** Requests that it got. */
  readonly requests: number;
  /** Those that it answered. */
  readonly replies: number;
  /** Those whose handler threw. */
  readonly failures: number;
  /** Those that nobody could be answered any more, because the queue was lost meanwhile. */
  readonly discarded: number;
  /** Messages that broke the protocol. */
  readonly malformed: number;
  /** Times that it said READY over a fresh socket. */
  readonly conversations: number;
  /** Requests that wait here. */
  readonly waiting: number;
}

/** How long `close` waits for a reply to leave. */
const LINGER = 1000;

/** From READY until one end has lost the other. */
interface Conversation {
  readonly socket: Dealer;
  readonly life: Liveness;
  readonly waiting: Frame[][];
  /** Aborted when it is over. */
  readonly ending: AbortController;
  busy: boolean;
}

/**
 * A DEALER worker for a {@linkcode ParanoidPirateQueue}, or the guide's: it says READY, answers one request after the other,
 * and exchanges heartbeats with the queue, also while it works. When the queue was silent for `heartbeatInterval` times
 * `heartbeatLiveness`, it gives up what it does for it, pauses, and begins anew over a fresh socket.
 *
 * A handler that keeps the event loop busy for as long keeps heartbeats from leaving, and is taken for dead. PPP, RFC 6;
 * guide, chapter 4; docs/patterns/paranoid_pirate.md.
 *
 * @example A worker that tells when it has lost its queue
 * ```ts
 * import { ParanoidPirateQueue, ParanoidPirateWorker } from "@wasmq/wasmq/patterns";
 *
 * const queue = new ParanoidPirateQueue();
 * await queue.bind("tcp://127.0.0.1:*", "tcp://127.0.0.1:*");
 * const worker = new ParanoidPirateWorker({ handler: (request) => request });
 * worker.events.on("lost", ({ pause }) => console.log(`no queue, again in ${pause} ms`));
 * worker.connect(queue.backendEndpoint!);
 *
 * await worker.close();
 * await queue.close();
 * ```
 */
export class ParanoidPirateWorker extends Part<ParanoidPirateWorkerEvents> {
  readonly #options: ParanoidPirateWorkerOptions;
  readonly #beats: Heartbeats;
  readonly #least: number;
  readonly #most: number;
  readonly #maxWaiting: number;
  #endpoint: string | undefined;
  #talk: Conversation | undefined;
  /** The next pause before a new conversation. */
  #pause: number;
  #stopPulse: Cancel = () => {};
  #stopPause: Cancel = () => {};
  readonly #counts = {
    requests: 0,
    replies: 0,
    failures: 0,
    discarded: 0,
    malformed: 0,
    conversations: 0,
  };

  /**
   * Makes a worker; `connect` starts it.
   *
   * @throws {TypeError} `EINVAL` for options that cannot be right.
   */
  constructor(options: ParanoidPirateWorkerOptions) {
    const { reconnectInterval = 1000, reconnectMaxInterval = 32_000, maxWaiting = 1000 } = options;
    const beats = heartbeatsOf(options);
    checkFunction("handler", options.handler);
    checkTime("reconnectInterval", reconnectInterval);
    checkTime("reconnectMaxInterval", reconnectMaxInterval);
    checkCount("maxWaiting", maxWaiting, 1);
    super(options);
    this.#options = options;
    this.#beats = beats;
    this.#least = this.#pause = reconnectInterval;
    this.#most = Math.max(reconnectInterval, reconnectMaxInterval);
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Begins to work for the queue at an address, for as long as it is open.
   *
   * @throws {EndpointError} As `Socket.connect`.
   * @throws {ZmqError} `EBUSY` when it works for a queue already, `EBADF` when it is closed.
   */
  connect(endpoint: string): void {
    this.assertOpen();
    if (this.#endpoint !== undefined) {
      throw new ZmqError("EBUSY", "A worker has one queue: make another worker for another queue");
    }
    this.#converse(endpoint);
    this.#endpoint = endpoint;
    this.#stopPulse = pulse(this.#beats.interval, (time) => this.#beat(time));
  }

  /** The figures as they are now. */
  stats(): ParanoidPirateWorkerStats {
    return { ...this.#counts, waiting: this.#talk?.waiting.length ?? 0 };
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    this.#stopPulse();
    this.#stopPause();
    const talk = this.#talk;
    this.#talk = undefined;
    talk?.ending.abort(this.closing.reason);
    await talk?.socket.close();
  }

  #converse(endpoint: string): void {
    const { socketOptions } = this.#options;
    const linger = socketOptions?.linger ?? LINGER;
    const socket = new Dealer(socketSettings(this.#options, { linger, immediate: false }));
    try {
      socket.connect(endpoint);
      socket.trySend(READY);
    } catch (error) {
      void socket.close();
      throw error;
    }
    this.#counts.conversations++;
    const talk: Conversation = {
      socket,
      life: new Liveness(this.#beats, now()),
      waiting: [],
      ending: new AbortController(),
      busy: false,
    };
    this.#talk = talk;
    this.#listen(talk).catch((error) => this.#fail(error));
    this.events.emit("ready", { endpoint });
  }

  async #listen(talk: Conversation): Promise<void> {
    for await (const frames of talk.socket) {
      if (talk !== this.#talk) return;
      talk.life.heard(now());
      this.#pause = this.#least;
      this.#take(talk, frames);
    }
    // Closed by its context.
    if (talk === this.#talk) await this.close();
  }

  #take(talk: Conversation, frames: Frame[]): void {
    if (frames.length === 1) {
      if (!sameOctets(frames[0], HEARTBEAT)) this.#malformed(frames, "a single frame is HEARTBEAT");
    } else if (contentOf(frames, 0) === 0) {
      this.#malformed(frames, "a request has an empty frame and then its content");
      if (!talk.busy) this.#send(talk, [READY]); // it is not worked on
    } else if (talk.waiting.length >= this.#maxWaiting) {
      this.#malformed(frames, `more than ${this.#maxWaiting} requests at a time`);
    } else {
      talk.waiting.push(frames);
      if (!talk.busy) void this.#work(talk);
    }
  }

  #malformed(frames: Frame[], reason: string): void {
    this.#counts.malformed++;
    this.events.emit("malformed", { frames, reason });
  }

  async #work(talk: Conversation): Promise<void> {
    talk.busy = true;
    for (let next = talk.waiting.shift(); next !== undefined; next = talk.waiting.shift()) {
      await this.#answer(talk, next);
    }
    talk.busy = false;
  }

  async #answer(talk: Conversation, request: Frame[]): Promise<void> {
    this.#counts.requests++;
    const at = contentOf(request, 0);
    const { signal } = talk.ending;
    try {
      const { handler } = this.#options;
      const body = await handler(request.slice(at), { signal });
      if (signal.aborted) this.#counts.discarded++;
      else if (this.#send(talk, enveloped(request.slice(0, at), body))) this.#counts.replies++;
    } catch (error) {
      // Who was told to stop may say so.
      if (signal.aborted) return void this.#counts.discarded++;
      this.#counts.failures++;
      this.events.emit("error", { error });
      this.#send(talk, [READY]);
    }
  }

  #send(talk: Conversation, message: MessageLike[]): boolean {
    if (talk.socket.closed || !talk.socket.trySend(message)) return false;
    talk.life.sent(now());
    return true;
  }

  #beat(time: number): void {
    const talk = this.#talk;
    if (talk === undefined) return;
    if (talk.life.lost(time)) this.#lost(talk);
    else if (talk.life.due(time)) this.#send(talk, [HEARTBEAT]);
  }

  #lost(talk: Conversation): void {
    const endpoint = this.#endpoint!;
    const pause = this.#pause;
    this.#pause = Math.min(2 * pause, this.#most);
    this.#talk = undefined;
    this.#counts.discarded += talk.waiting.splice(0).length;
    talk.ending.abort(
      new ZmqError("ETIMEDOUT", `No sign of life from the queue at ${endpoint}`, {
        address: endpoint,
      }),
    );
    talk.socket.linger = 0;
    void talk.socket.close();
    this.#stopPause = after(pause, () => {
      try {
        this.#converse(endpoint);
      } catch (error) {
        this.#fail(error);
      }
    });
    this.events.emit("lost", { endpoint, pause });
  }

  #fail(error: unknown): void {
    if (this.closed) return;
    this.events.emit("error", { error });
    void this.close();
  }
}
