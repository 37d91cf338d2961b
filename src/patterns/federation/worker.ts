// A worker of a cluster.

import { Dealer, type Frame } from "../../../mod.ts";
import { checkCount, checkFunction, checkTime } from "../base/checks.ts";
import { drain } from "../base/drain.ts";
import { Fifo } from "../base/fifo.ts";
import { type HeartbeatOptions, type Heartbeats, heartbeatsOf } from "../base/liveness.ts";
import { type Body, framesOf } from "../base/octets.ts";
import { Part, type PartOptions, socketSettings } from "../base/part.ts";
import { type Cancel, every, now } from "../base/time.ts";
import { EMPTY, GOODBYE, HEARTBEAT, READY } from "./protocol.ts";

/** What was answered is still sent for so long after the end, unless the user says otherwise. */
const LINGER = 1_000;

/** What a worker's handler is told beside the request. */
export interface FederatedRequestInfo {
  /** Aborted when the worker is closed: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Answers a request. What it throws is told by the event `error`, and the request is given to another worker. */
export type FederatedHandler = (
  request: Frame[],
  info: FederatedRequestInfo,
) => Body | Promise<Body>;

/** Options of a `FederatedWorker`. */
export interface FederatedWorkerOptions extends PartOptions, HeartbeatOptions {
  /** Answers the requests. */
  readonly handler: FederatedHandler;
  /**
   * It has so many requests at once, with the broker's leave: they do not wait for each other's way over the network. When it
   * dies, so many have to be done again.
   * @default {1}
   */
  readonly concurrency?: number | undefined;
  /**
   * When the broker is silent, a new connection is tried after the heartbeats' patience, then twice as long each time; but no
   * longer than so many milliseconds.
   * @default {32000}
   */
  readonly maxBackOff?: number | undefined;
}

/** What a `FederatedWorker` tells. */
export interface FederatedWorkerEvents {
  /** The broker is silent: a new connection is made. */
  silent: { readonly address: string };
  /** Something that is not of the protocol was dropped. */
  malformed: { readonly frames: readonly Frame[] };
  /** What the handler threw. */
  error: { readonly error: unknown };
}

/** Figures of a worker. All but `running` only grow. */
export interface FederatedWorkerStats {
  /** Requests that came. */
  readonly requests: number;
  /** Requests that were answered. */
  readonly answered: number;
  /** Requests at which the handler failed. */
  readonly failed: number;
  /** Requests that the handler has now. */
  readonly running: number;
  /** Connections that were made anew as the broker was silent. */
  readonly reconnects: number;
  /** What was not of the protocol. */
  readonly malformed: number;
}

/**
 * A worker of a `FederatedBroker`. It tells the broker how many requests it can have at once, sends heartbeats, and makes a
 * new connection when the broker is silent. A handler that keeps the event loop busy for longer than the heartbeats' patience
 * is taken for dead, and its requests are given to others.
 *
 * @example A worker that has ten requests at once
 * ```ts
 * import { FederatedBroker, FederatedClient, FederatedWorker } from "@wasmq/wasmq/patterns";
 *
 * await using broker = new FederatedBroker({ name: "oslo" });
 * await broker.bind({ clients: "inproc://clients", workers: "inproc://workers" });
 * await using worker = new FederatedWorker({
 *   concurrency: 10,
 *   handler: async ([number]) => {
 *     await new Promise((resolve) => setTimeout(resolve, 10));
 *     return Number(String(number)) ** 2;
 *   },
 * });
 * worker.connect("inproc://workers");
 *
 * await using client = new FederatedClient();
 * client.connect("inproc://clients");
 * const replies = await Promise.all([1, 2, 3].map((number) => client.request(number)));
 * console.log(replies.map(([square]) => String(square))); // ["1", "4", "9"]
 * ```
 */
export class FederatedWorker extends Part<FederatedWorkerEvents> {
  readonly #options: FederatedWorkerOptions;
  readonly #handler: FederatedHandler;
  readonly #info: FederatedRequestInfo;
  readonly #concurrency: number;
  readonly #maxBackOff: number;
  readonly #beats: Heartbeats;
  readonly #waiting: Fifo<Frame[]> = new Fifo();
  #address: string | undefined;
  #socket: Dealer | undefined;
  #heardAt: number = now();
  #looked: number = now();
  /** The broker may be silent for so many milliseconds. */
  #backOff: number;
  #stopBeating: Cancel = () => {};
  #running = 0;
  #requests = 0;
  #answered = 0;
  #failed = 0;
  #reconnects = 0;
  #malformed = 0;

  /**
   * Makes it; `connect` gives it work.
   *
   * @throws {TypeError} `EINVAL` for an option that makes no sense.
   */
  constructor(options: FederatedWorkerOptions) {
    super(options);
    this.#options = options;
    this.#handler = checkFunction("handler", options.handler);
    this.#info = { signal: this.closing };
    this.#concurrency = checkCount("concurrency", options.concurrency ?? 1, 1);
    this.#maxBackOff = checkTime("maxBackOff", options.maxBackOff ?? 32_000);
    this.#beats = heartbeatsOf(options);
    this.#backOff = this.#beats.patience;
  }

  /**
   * Takes work from the broker that listens there for workers, now or as soon as it is there. Only one: calling it again ends
   * the connection to the one before.
   *
   * @throws {EndpointError} As `Socket.connect`.
   * @throws {StateError} `EBADF` when it is closed.
   */
  connect(address: string): void {
    this.assertOpen();
    const known = this.#socket;
    this.#open(address);
    this.#address = address;
    if (known !== undefined) void this.#leave(known);
    this.#stopBeating();
    this.#stopBeating = every(this.#beats.interval, () => this.#beat());
  }

  /** Its figures, as they are now. */
  stats(): FederatedWorkerStats {
    return {
      requests: this.#requests,
      answered: this.#answered,
      failed: this.#failed,
      running: this.#running,
      reconnects: this.#reconnects,
      malformed: this.#malformed,
    };
  }

  /** @internal */
  protected async shut(): Promise<void> {
    this.#stopBeating();
    this.#waiting.clear();
    if (this.#socket !== undefined) await this.#leave(this.#socket);
  }

  /** The broker need not find out by itself. */
  #leave(socket: Dealer): Promise<void> {
    socket.trySend(GOODBYE);
    return socket.close();
  }

  #open(address: string): void {
    const linger = this.#options.socketOptions?.linger ?? LINGER;
    const socket = new Dealer(socketSettings(this.#options, { linger, sendHighWaterMark: 0 }));
    try {
      socket.connect(address);
    } catch (error) {
      void socket.close();
      throw error;
    }
    this.#socket = socket;
    this.#heardAt = now();
    socket.trySend([READY, this.#concurrency]);
    void this.#serve(socket);
  }

  async #serve(socket: Dealer): Promise<void> {
    try {
      await drain(socket, (frames) => {
        this.#heardAt = now();
        this.#backOff = this.#beats.patience;
        this.#take(frames);
      });
    } catch (error) {
      if (!this.closed) this.events.emit("error", { error });
    }
  }

  #take(frames: Frame[]): void {
    if (frames.length > 2 && frames[0].length > 1 && frames[1].length === 0) {
      this.#requests++;
      // A broker that took this worker for dead and thinks anew that it is idle.
      if (this.#running >= this.#concurrency) this.#waiting.push(frames);
      else this.#run(frames);
    } else if (frames.length !== 1 || frames[0].length !== 1 || frames[0][0] !== HEARTBEAT[0]) {
      this.#malformed++;
      this.events.emit("malformed", { frames });
    }
  }

  #run(frames: Frame[]): void {
    const [token] = frames;
    this.#running++;
    try {
      const reply = this.#handler(frames.slice(2), this.#info);
      // Nothing is waited for that is there.
      if (reply instanceof Promise) this.#await(token, reply);
      else this.#answer(token, reply);
    } catch (error) {
      this.#fail(token, error);
    }
  }

  async #await(token: Frame, reply: Promise<Body>): Promise<void> {
    try {
      this.#answer(token, await reply);
    } catch (error) {
      this.#fail(token, error);
    }
  }

  #answer(token: Frame, reply: Body): void {
    if (!this.closed) this.#socket!.trySend([token, EMPTY, ...framesOf(reply)]);
    this.#answered++;
    this.#done();
  }

  #fail(token: Frame, error: unknown): void {
    // The broker gives it to another one.
    if (!this.closed) this.#socket!.trySend(token);
    this.#failed++;
    this.#done();
    this.events.emit("error", { error });
  }

  #done(): void {
    this.#running--;
    const next = this.closed ? undefined : this.#waiting.shift();
    if (next !== undefined) this.#run(next);
  }

  #beat(): void {
    const time = now();
    // Who stood still itself has heard nobody, whoever spoke.
    if (time - this.#looked > this.#beats.patience) this.#heardAt = time;
    this.#looked = time;
    if (time - this.#heardAt >= this.#backOff) this.#reconnect();
    else this.#socket!.trySend([HEARTBEAT, this.#concurrency]);
  }

  /** What the old socket has not sent yet is for a broker that is not there. */
  #reconnect(): void {
    const socket = this.#socket!;
    socket.linger = 0;
    void socket.close();
    this.#reconnects++;
    this.#backOff = Math.min(this.#backOff * 2, Math.max(this.#maxBackOff, this.#beats.patience));
    this.#open(this.#address!);
    this.events.emit("silent", { address: this.#address! });
  }
}
