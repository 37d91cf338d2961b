// The side of the worker.

import { Dealer, type Frame, type OperationOptions, StateError } from "../../../mod.ts";
import { checkCount, checkFunction, checkName, checkTime } from "../base/checks.ts";
import { type HeartbeatOptions, type Heartbeats, heartbeatsOf } from "../base/liveness.ts";
import { octetsOf } from "../base/octets.ts";
import { Part, type PartOptions, socketSettings } from "../base/part.ts";
import { Ticker } from "../base/ticker.ts";
import { after, now } from "../base/time.ts";
import { Inbox } from "../base/inbox.ts";
import { LONGEST_NAME } from "./protocol.ts";
import { type GatewayJob, Session, type SessionOwner } from "./session.ts";

/** Does an item; it counts as done when this returns, or its promise resolves. */
export type GatewayHandler = (
  body: Frame[],
  info: { readonly signal: AbortSignal; readonly job: GatewayJob },
) => void | Promise<void>;

/** Options of a `GatewayWorker`. */
export interface GatewayWorkerOptions extends PartOptions, HeartbeatOptions {
  /** Where the gateway is bound. */
  readonly endpoint: string;
  /**
   * How many items the worker has at a time, those that it does and those that wait here.
   * @default {10}
   */
  readonly credit?: number | undefined;
  /**
   * A name for the gateway's events and statistics, at most 255 octets.
   * @default {""}
   */
  readonly name?: string | undefined;
  /** Does the items. Without it, iterate over the worker. */
  readonly handler?: GatewayHandler | undefined;
  /**
   * How many items the handler does at a time.
   * @default {1}
   */
  readonly concurrency?: number | undefined;
  /**
   * How long `close` waits for items that are being done, in milliseconds; then they go to others.
   * @default {10000}
   */
  readonly closeTimeout?: number | undefined;
}

/** What happens to a `GatewayWorker`. */
export interface GatewayWorkerEvents {
  /** The gateway has taken the worker, for the first time or again. */
  readonly joined: Record<never, never>;
  /**
   * The gateway was silent for too long, does not know the worker any more, or this process was stopped for so long that it
   * cannot; the worker forgets what it has not begun, and begins anew.
   */
  readonly lost: { readonly reason: "silent" | "unknown" | "stalled" };
  /** The gateway has asked the worker to leave; it is closing. */
  readonly drain: Record<never, never>;
  /** The gateway sent what is not of the protocol; it was dropped. */
  readonly malformed: { readonly reason: string };
  /** The handler failed; the item is given back. */
  readonly error: { readonly error: unknown; readonly body: Frame[] };
}

/** What a `GatewayWorker` has counted. */
export interface GatewayWorkerStats {
  /** Items that came. */
  readonly received: number;
  /** Items that were done, and acknowledged. */
  readonly done: number;
  /** Items that were refused. */
  readonly refused: number;
  /** Items that nobody has begun. */
  readonly queued: number;
  /** Items that are being done. */
  readonly running: number;
  /** How often the gateway was lost. */
  readonly lost: number;
  /** Messages that are not of the protocol. */
  readonly malformed: number;
}

/**
 * Takes items from a `PushGateway`: by a handler, or by iterating over the worker. A handler must not keep its thread for
 * longer than heartbeats may stay away: the gateway would take the worker for dead.
 *
 * When it is closed it finishes what it has begun, gives back the rest, and leaves in order: nothing is done twice.
 *
 * @example Iterate, and say when an item is done
 * ```ts
 * import { GatewayWorker, PushGateway } from "@wasmq/wasmq/patterns";
 *
 * await using gateway = new PushGateway();
 * await gateway.bind("tcp://127.0.0.1:*");
 * const worker = new GatewayWorker({ endpoint: gateway.lastEndpoint!, credit: 2, name: "Ada" });
 *
 * await gateway.send("paint the fence");
 * await gateway.send("mow the lawn");
 * let count = 0;
 * for await (const job of worker) {
 *   console.log(`${job.body[0]}: done`);
 *   job.done();
 *   if (++count === 2) break;
 * }
 * await gateway.idle();
 * await worker.close();
 * ```
 */
export class GatewayWorker extends Part<GatewayWorkerEvents> implements AsyncIterable<GatewayJob> {
  readonly #options: GatewayWorkerOptions;
  readonly #beats: Heartbeats;
  readonly #credit: number;
  readonly #concurrency: number;
  readonly #closeTimeout: number;
  readonly #name: Uint8Array;
  readonly #handler: GatewayHandler | undefined;
  readonly #inbox: Inbox<GatewayJob>;
  readonly #ticker: Ticker;
  readonly #owner: SessionOwner;
  #session: Session;
  #looked: number = now();
  /** How many items the handler does now. */
  #busy = 0;
  #settled: PromiseWithResolvers<void> | undefined;
  readonly #counts = { received: 0, done: 0, refused: 0, lost: 0, malformed: 0 };

  /**
   * Makes a worker and connects it; the gateway can come later.
   *
   * @throws {TypeError} `EINVAL` for an option that cannot be right.
   * @throws {EndpointError} As the socket's `connect`.
   */
  constructor(options: GatewayWorkerOptions) {
    super(options);
    this.#options = options;
    this.#beats = heartbeatsOf(options);
    this.#concurrency = checkCount("concurrency", options.concurrency ?? 1, 1);
    this.#credit = checkCount("credit", options.credit ?? 10, 1);
    this.#closeTimeout = checkTime("closeTimeout", options.closeTimeout ?? 10_000);
    const { name = "" } = options;
    this.#name = octetsOf(name === "" ? name : checkName("name", name, LONGEST_NAME));
    const { handler } = options;
    this.#handler = handler === undefined ? undefined : checkFunction("handler", handler);
    // Never full: credit limits what comes.
    this.#inbox = new Inbox(Infinity, () => new StateError("EBADF", "GatewayWorker is closed"));
    this.#owner = this.#makeOwner();
    this.#ticker = new Ticker(this.#beats.interval / 2, (time) => this.#look(time));
    this.#session = this.#begin();
    this.#ticker.start();
  }

  #makeOwner(): SessionOwner {
    return {
      joined: () => this.events.emit("joined", {}),
      job: (job) => {
        this.#counts.received++;
        this.#inbox.put(job);
        this.#run();
      },
      drain: () => {
        this.events.emit("drain", {});
        void this.close();
      },
      unknown: () => this.#beginAnew("unknown"),
      malformed: (reason) => {
        this.#counts.malformed++;
        this.events.emit("malformed", { reason });
      },
      settled: (done) => {
        this.#counts[done ? "done" : "refused"]++;
        if (this.#session.size === 0) this.#settled?.resolve();
      },
    };
  }

  #begin(): Session {
    const socket = new Dealer(socketSettings(this.#options, { linger: 1000 }));
    try {
      socket.connect(this.#options.endpoint);
    } catch (error) {
      void socket.close();
      throw error;
    }
    const session = new Session(socket, this.#beats, this.#ticker, this.#owner);
    session.begin(this.#credit, this.#name);
    void session.read();
    return session;
  }

  #beginAnew(reason: "silent" | "unknown" | "stalled"): void {
    this.#counts.lost++;
    this.#session.abandon();
    this.#inbox.clear();
    this.#settled?.resolve();
    if (!this.closed) this.#session = this.#begin();
    this.events.emit("lost", { reason });
  }

  #look(time: number): void {
    const stalled = now() - this.#looked;
    this.#looked = now();
    if (this.#session.over.aborted) return;
    // This process was stopped for so long that the gateway has given it up.
    if (stalled > this.#beats.patience) return this.#beginAnew("stalled");
    if (this.#session.liveness.lost(time)) return this.#beginAnew("silent");
    this.#session.look(time);
  }

  /** Has the handler do what waits. */
  #run(): void {
    const handler = this.#handler;
    if (handler === undefined) return;
    while (this.#busy < this.#concurrency) {
      const job = this.#inbox.tryTake();
      if (job === undefined) return;
      try {
        const result = handler(job.body, { signal: job.signal, job });
        if (result === undefined) {
          job.done();
          continue;
        }
        this.#busy++;
        void this.#finish(job, result);
      } catch (error) {
        this.#failed(job, error);
      }
    }
  }

  async #finish(job: GatewayJob, result: Promise<void>): Promise<void> {
    try {
      await result;
      job.done();
    } catch (error) {
      this.#failed(job, error);
    }
    this.#busy--;
    this.#run();
  }

  #failed(job: GatewayJob, error: unknown): void {
    job.refuse();
    this.events.emit("error", { error, body: job.body });
  }

  /** The next item. Rejects with `EBADF` when the worker is closed, and the signal's reason. */
  receive(options?: OperationOptions): Promise<GatewayJob> {
    return this.#inbox.take(options);
  }

  /** Iterates over the items until the worker is closed: say of each one that it is `done`, or `refuse` it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<GatewayJob> {
    return this.#inbox[Symbol.asyncIterator]();
  }

  /** What has been counted. */
  stats(): GatewayWorkerStats {
    const queued = this.#inbox.length;
    return { ...this.#counts, queued, running: this.#session.size - queued };
  }

  /** @internal */
  protected async shut(): Promise<void> {
    const session = this.#session;
    const dropped = this.#inbox.clear();
    this.#inbox.end();
    session.leave(dropped);
    if (session.size > 0 && !session.over.aborted) {
      this.#settled = Promise.withResolvers();
      const cancel = after(this.#closeTimeout, () => this.#settled!.resolve());
      await this.#settled.promise;
      cancel();
    }
    this.#ticker.stop();
    await session.end();
  }
}
