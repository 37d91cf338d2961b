// One conversation of a worker with a broker: a socket from READY to its end.

import { Dealer, type Frame, StateError, ZmqError } from "../../../mod.ts";
import type { Heartbeats } from "../base/liveness.ts";
import { type Body, framesOf, sameOctets } from "../base/octets.ts";
import { drain } from "../base/drain.ts";
import { Fifo } from "../base/fifo.ts";
import { isIterable, type ReplySink, RunningRequest } from "./running_request.ts";
import {
  commandOf,
  type Dialect,
  DISCONNECT,
  EMPTY,
  FINAL,
  HEARTBEAT,
  octetOf,
  PARTIAL,
  READY,
  REQUEST,
} from "./protocol.ts";
import { Ticker } from "../base/ticker.ts";
import type {
  MajordomoBrokerLostReason,
  MajordomoHandler,
  MajordomoWorkerStats,
} from "./worker_options.ts";

/** So many steps of time in an interval of heartbeats. */
const STEPS = 4;
/** How long DISCONNECT may take to be sent, in milliseconds. */
const LINGER = 1000;
/** No broker gives a worker that many requests at once: one that does is left. */
const MOST_WAITING = 100_000;

/** What all conversations of a worker have in common. */
export interface ConversationSettings {
  readonly endpoint: string;
  readonly service: Uint8Array;
  readonly handler: MajordomoHandler;
  readonly dialect: Dialect;
  readonly concurrency: number;
  readonly beats: Heartbeats;
  /** For its socket. */
  readonly socket: ConstructorParameters<typeof Dealer>[0];
  readonly counts: { -readonly [K in keyof MajordomoWorkerStats]: number };
  malformed(reason: string): void;
  failed(error: unknown): void;
  /** The conversation is over, not by `close`. */
  ended(reason: MajordomoBrokerLostReason): void;
}

export class Conversation implements ReplySink {
  readonly #settings: ConversationSettings;
  readonly #socket: Dealer;
  readonly #ticker: Ticker;
  readonly #aborting = new AbortController();
  readonly #waiting: Fifo<Frame[]> = new Fifo();
  #running = 0;
  #heard = 0;
  #sent = 0;
  #over = false;

  constructor(settings: ConversationSettings) {
    this.#settings = settings;
    this.#socket = new Dealer(settings.socket);
    this.#ticker = new Ticker(settings.beats.interval / STEPS, this.#tick);
    this.#socket.connect(settings.endpoint);
    this.#say(this.#command(READY, settings.service));
    this.#ticker.start();
    drain(this.#socket, (message) => this.#take(message)).catch((error) => this.#fail(error));
  }

  #take(message: Frame[]): void {
    const { dialect } = this.#settings;
    const { worker } = dialect;
    const at = worker.length;
    let command = at < message.length ? commandOf(dialect, message[at]) : 0;
    for (let i = 0; i < at && command !== 0; i++) {
      if (!sameOctets(worker[i], message[i])) command = 0;
    }
    const frames = message.length - at - 1;
    if (command === REQUEST && frames >= 3 && message[at + 2].length === 0) {
      this.#heard = this.#ticker.time;
      this.#request(message);
    } else if (command === HEARTBEAT && frames === 0) {
      this.#heard = this.#ticker.time;
    } else if (command === DISCONNECT && frames === 0) {
      this.#lose("disconnect");
    } else {
      this.#settings.counts.malformed++;
      this.#settings.malformed("not a command for a worker");
    }
  }

  readonly #tick = (time: number): void => {
    const { interval, patience } = this.#settings.beats;
    if (time - this.#heard >= patience) this.#lose("silent");
    else if (time - this.#sent >= interval) this.#say(this.#command(HEARTBEAT));
  };

  #command(command: number, ...frames: Uint8Array[]): Uint8Array[] {
    const { dialect } = this.#settings;
    return [...dialect.worker, octetOf(dialect, command), ...frames];
  }

  #say(message: Parameters<Dealer["trySend"]>[0]): Promise<void> | undefined {
    this.#sent = this.#ticker.time;
    if (this.#socket.trySend(message)) return undefined;
    const sending = this.#socket.send(message);
    // It fails when the socket is closed, and then it does not matter.
    sending.catch(() => {});
    return sending;
  }

  // Requests

  #request(message: Frame[]): void {
    const { counts, concurrency } = this.#settings;
    counts.requests++;
    if (this.#running < concurrency) return this.#handle(message);
    this.#waiting.push(message);
    counts.waiting++;
    if (this.#waiting.length > MOST_WAITING) {
      this.#fail(new ZmqError("ENOBUFS", `The broker gave more than ${MOST_WAITING} requests`));
    }
  }

  #handle(message: Frame[]): void {
    const { dialect, handler, counts } = this.#settings;
    const at = dialect.worker.length + 1;
    const request = new RunningRequest(this, message[at]);
    this.#running++;
    counts.running++;
    try {
      const result = handler(message.slice(at + 2), request);
      if (isIterable(result)) request.settle(request.stream(result));
      else if (result instanceof Promise) request.settle(result);
      else request.done(result);
    } catch (error) {
      request.fail(error);
    }
  }

  /** A handler is done with a request. */
  reply(address: Uint8Array, body: Body): void {
    const { counts } = this.#settings;
    if (this.#over) {
      counts.late++;
      return;
    }
    this.#say(this.#part(FINAL, address, body));
    counts.replies++;
    this.#running--;
    counts.running--;
    while (this.#waiting.length > 0 && this.#running < this.#settings.concurrency && !this.#over) {
      counts.waiting--;
      this.#handle(this.#waiting.shift()!);
    }
  }

  /** A handler has a part of its reply. */
  async partial(address: Uint8Array, body: Body): Promise<void> {
    if (this.#settings.dialect.partial === undefined) {
      throw new ZmqError("ENOTSUP", "MDP 0.1 has no partial replies: set version to 0.2");
    }
    if (this.#over) {
      throw new StateError("EBADF", "The broker does not wait for the reply any more");
    }
    const sending = this.#say(this.#part(PARTIAL, address, body));
    this.#settings.counts.partials++;
    await sending;
  }

  #part(command: number, address: Uint8Array, body: Body): Parameters<Dealer["trySend"]>[0] {
    const { dialect } = this.#settings;
    const frames = framesOf(body);
    const head = [...dialect.worker, octetOf(dialect, command), address, EMPTY];
    return frames.length === 0 ? [...head, EMPTY] : [...head, ...frames];
  }

  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  /** A handler failed: the broker would wait for its reply, so it is left. */
  failed(error: unknown): void {
    const { counts } = this.#settings;
    counts.failed++;
    if (this.#over) counts.late++;
    this.#settings.failed(error);
    if (!this.#over) this.#leave("failed");
  }

  // The end

  #lose(reason: MajordomoBrokerLostReason): void {
    this.#socket.linger = 0;
    this.#finish(reason);
  }

  #leave(reason: MajordomoBrokerLostReason): void {
    this.#say(this.#command(DISCONNECT));
    this.#socket.linger = LINGER;
    this.#finish(reason);
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#settings.failed(error);
    this.#leave("failed");
  }

  #finish(reason: MajordomoBrokerLostReason | undefined): Promise<void> {
    if (this.#over) return Promise.resolve();
    this.#over = true;
    this.#ticker.stop();
    const { counts, ended } = this.#settings;
    counts.running -= this.#running;
    counts.waiting -= this.#waiting.length;
    while (this.#waiting.length > 0) this.#waiting.shift();
    const closing = this.#socket.close();
    this.#aborting.abort(new StateError("EBADF", "Nobody waits for the reply any more"));
    if (reason !== undefined) ended(reason);
    return closing;
  }

  /** The worker is closed. */
  close(): Promise<void> {
    if (this.#over) return Promise.resolve();
    this.#say(this.#command(DISCONNECT));
    this.#socket.linger = LINGER;
    return this.#finish(undefined);
  }
}
