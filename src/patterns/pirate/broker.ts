// What brokers between clients and workers have in common: two ROUTERs, workers in the order in which they became free, and
// requests that are read only when somebody is free to take them.

import { type Frame, type MessageLike, Router, ZmqError } from "../../../mod.ts";
import { checkCount } from "../base/checks.ts";
import { drain } from "../base/drain.ts";
import type { Liveness } from "../base/liveness.ts";
import { keyOf, sameOctets } from "../base/octets.ts";
import { Part, type PartOptions, socketSettings } from "../base/part.ts";
import { now } from "../base/time.ts";
import { contentOf } from "./commands.ts";
import { IdleWorkers, WorkerEntry } from "./workers.ts";

/** Options of a broker between clients and workers. */
export interface WorkerBrokerOptions extends PartOptions {
  /**
   * How many workers it may know at a time; those that come then are not registered.
   * @default {10000}
   */
  readonly maxWorkers?: number | undefined;
}

/** What happens at a broker. Ids are the routing ids of its two sockets. */
export interface WorkerBrokerEvents {
  /** A worker is here for the first time, and ready. */
  worker: { readonly worker: Uint8Array };
  /** A worker is gone, or was silent for too long; `client` is the one whose request it had. */
  lost: { readonly worker: Uint8Array; readonly client: Uint8Array | undefined };
  /** A request was given to a worker. */
  request: { readonly client: Uint8Array; readonly worker: Uint8Array };
  /** A reply was passed to its client. */
  reply: { readonly client: Uint8Array; readonly worker: Uint8Array };
  /** Somebody broke the protocol; the message was dropped. */
  malformed: {
    readonly from: "client" | "worker";
    readonly id: Uint8Array;
    readonly reason: string;
  };
  /** A request or a reply was dropped. */
  drop: { readonly client: Uint8Array; readonly reason: string };
  /** The broker cannot go on, and closes. */
  error: { readonly error: unknown };
}

/** The figures of a broker. */
export interface WorkerBrokerStats {
  /** Requests that were given to workers. */
  readonly requests: number;
  /** Replies that were passed to clients. */
  readonly replies: number;
  /** Messages that were dropped because their client was gone or full, or that were too large to pass on. */
  readonly dropped: number;
  /** Replies of workers that had no such request: a second one, or one from before a restart. */
  readonly unexpected: number;
  /** Messages that broke the protocol. */
  readonly malformed: number;
  /** Workers that were given up. */
  readonly lost: number;
  /** Requests that a worker gave up, by saying READY anew. */
  readonly abandoned: number;
  /** Workers that were not registered because there were `maxWorkers`. */
  readonly refused: number;
  /** Workers that are known. */
  readonly workers: number;
  /** Those that are free. */
  readonly idle: number;
}

type Counts = {
  -readonly [K in Exclude<keyof WorkerBrokerStats, "workers" | "idle">]: number;
};

/** Workers that are gone are looked for when there are so many, and twice as many as were left the last time; */
const SWEEP_SIZE = 1000;
/** and not again for so many milliseconds. */
const SWEEP_MS = 1000;

/** The base of the brokers between clients and workers: {@linkcode LoadBalancingBroker}, {@linkcode ParanoidPirateQueue}. */
export abstract class WorkerBroker extends Part<WorkerBrokerEvents> {
  readonly #frontend: Router;
  readonly #backend: Router;
  readonly #maxWorkers: number;
  readonly #workers: Map<string, WorkerEntry> = new Map();
  readonly #idle: IdleWorkers = new IdleWorkers();
  readonly #counts: Counts = {
    requests: 0,
    replies: 0,
    dropped: 0,
    unexpected: 0,
    malformed: 0,
    lost: 0,
    abandoned: 0,
    refused: 0,
  };
  /** A request that was read when the last free worker was already gone. */
  #held: Frame[] | undefined;
  /** Lets the loop of the front end go on, which waits for a free worker. */
  #resume: (() => void) | undefined;
  #sweepSize = SWEEP_SIZE;
  #swept = -SWEEP_MS;

  /** @internal */
  constructor(options: WorkerBrokerOptions) {
    super(options);
    this.#maxWorkers = checkCount("maxWorkers", options.maxWorkers ?? 10_000, 1);
    // Mandatory: who is gone or full is told at once. A worker that comes back under its own name is the same worker.
    this.#frontend = new Router(socketSettings(options, { mandatory: true }));
    this.#backend = new Router(socketSettings(options, { mandatory: true, handover: true }));
    this.#run(this.#serveClients());
    this.#run(this.#serveWorkers());
  }

  /**
   * Listens for clients and for workers. May be called again for further addresses.
   *
   * @throws {EndpointError} Rejects as `Socket.bind`.
   */
  async bind(frontend: string, backend: string): Promise<void> {
    this.assertOpen();
    await this.#frontend.bind(frontend);
    await this.#backend.bind(backend);
  }

  /** Where clients connect to: the address of the last `bind`, with wildcards resolved. */
  get frontendEndpoint(): string | null {
    return this.#frontend.lastEndpoint;
  }

  /** Where workers connect to: the address of the last `bind`, with wildcards resolved. */
  get backendEndpoint(): string | null {
    return this.#backend.lastEndpoint;
  }

  /** The figures as they are now. */
  stats(): WorkerBrokerStats {
    return { ...this.#counts, workers: this.#workers.size, idle: this.#idle.size };
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    await Promise.all([this.#frontend.close(), this.#backend.close()]);
  }

  #run(loop: Promise<void>): void {
    loop.catch((error) => {
      if (!this.closed) this.events.emit("error", { error });
    }).finally(() => void this.close());
  }

  // Clients

  async #serveClients(): Promise<void> {
    await this.#somebodyFree();
    await drain(this.#frontend, (message) => {
      this.#accept(message);
      return this.#idle.size === 0 ? this.#somebodyFree() : undefined;
    });
  }

  /** Until then the clients' requests stay in their connections, and fill them: that is the back-pressure. */
  #somebodyFree(): Promise<void> {
    return new Promise((resolve) => this.#resume = resolve);
  }

  #accept(message: Frame[]): void {
    if (message.length === 2 && message[1].length === 0) return; // ZMQ_PROBE_ROUTER
    if (contentOf(message, 1) === 0) {
      this.malformed("client", message[0], "a request has an empty frame and then its content");
    } else if (!this.#dispatch(message)) {
      this.#held = message;
    }
  }

  /** Gives a request to the worker that is free for longest; false when nobody is free. */
  #dispatch(message: Frame[]): boolean {
    for (let worker = this.#idle.first; worker !== undefined; worker = this.#idle.first) {
      this.#idle.remove(worker);
      const client = message[0];
      const refusal = this.usable(worker)
        ? trySend(this.#backend, this.wrap(worker.id, message))
        : "EHOSTUNREACH";
      if (refusal === undefined) {
        worker.client = client;
        this.#counts.requests++;
        if (this.events.heard("request")) {
          this.events.emit("request", { client, worker: worker.id });
        }
        return true;
      }
      if (refusal !== "EHOSTUNREACH" && refusal !== "EAGAIN") {
        this.#idle.add(worker);
        this.#drop(client, `the request cannot be sent: ${refusal}`);
        return true;
      }
      this.lose(worker);
    }
    return false;
  }

  /** Reads requests for those that are free, as long as there are both. */
  #pump(): void {
    if (this.#held !== undefined) {
      const message = this.#held;
      this.#held = undefined;
      this.#accept(message);
    }
    while (this.#idle.size > 0 && !this.#frontend.closed) {
      const message = this.#frontend.tryReceive();
      if (message !== undefined) {
        this.#accept(message);
        continue;
      }
      this.#resume!();
      this.#resume = undefined;
      return;
    }
  }

  #drop(client: Uint8Array, reason: string): void {
    this.#counts.dropped++;
    this.events.emit("drop", { client, reason });
  }

  // Workers

  #serveWorkers(): Promise<void> {
    return drain(this.#backend, (message) => this.take(message));
  }

  /** @internal Handles a message of a worker: its id, and what it says. */
  protected abstract take(message: Frame[]): void;

  /** @internal A request as it goes to a worker. */
  protected abstract wrap(worker: Uint8Array, request: Frame[]): MessageLike[];

  /** @internal How long a new worker is listened to. */
  protected abstract newLife(): Liveness | undefined;

  /** @internal False for a worker that must not be given anything. */
  protected abstract usable(worker: WorkerEntry): boolean;

  /** @internal All that are known. */
  protected get workers(): IterableIterator<WorkerEntry> {
    return this.#workers.values();
  }

  /** @internal The worker with this routing id. */
  protected find(id: Uint8Array): WorkerEntry | undefined {
    return this.#workers.get(keyOf(id));
  }

  /** @internal A worker says READY: it is free, and whatever request it had is given up. */
  protected ready(worker: WorkerEntry | undefined, id: Uint8Array): void {
    if (worker === undefined) {
      this.#register(id);
    } else if (!worker.idle) {
      this.#counts.abandoned++;
      this.#free(worker);
    }
  }

  /** @internal A worker answers: passes the frames to the client whose request it has. */
  protected reply(worker: WorkerEntry | undefined, id: Uint8Array, frames: Frame[]): void {
    const client = frames[0];
    if (contentOf(frames, 1) === 0) {
      this.malformed("worker", id, "a reply has an address, an empty frame and then its content");
    } else if (worker?.client === undefined || !sameOctets(worker.client, client)) {
      this.#counts.unexpected++;
      // From before a restart of the broker: who has answered is free.
      if (worker === undefined) this.#register(id);
    } else {
      const refusal = trySend(this.#frontend, frames);
      if (refusal === undefined) {
        this.#counts.replies++;
        if (this.events.heard("reply")) this.events.emit("reply", { client, worker: id });
      } else {
        this.#drop(client, `the reply cannot be sent: ${refusal}`);
      }
      this.#free(worker);
    }
  }

  /** @internal Sends a worker something that is no request; why it could not be sent, as a code. */
  protected tell(worker: WorkerEntry, frame: Uint8Array): string | undefined {
    return trySend(this.#backend, [worker.id, frame]);
  }

  /** @internal A worker is gone. */
  protected lose(worker: WorkerEntry): void {
    this.forget(worker);
    this.mourn(worker);
  }

  /** @internal Counts a worker as lost, and tells. */
  protected mourn(worker: WorkerEntry): void {
    this.#counts.lost++;
    this.events.emit("lost", { worker: worker.id, client: worker.client });
  }

  /** @internal Takes a worker off the list. */
  protected forget(worker: WorkerEntry): void {
    this.#idle.remove(worker);
    this.#workers.delete(worker.key);
  }

  /** @internal Counts a message that broke the protocol, and tells. */
  protected malformed(from: "client" | "worker", id: Uint8Array, reason: string): void {
    this.#counts.malformed++;
    this.events.emit("malformed", { from, id, reason });
  }

  #register(id: Uint8Array): void {
    if (this.#workers.size >= Math.min(this.#sweepSize, this.#maxWorkers)) this.#sweep();
    if (this.#workers.size >= this.#maxWorkers) {
      this.#counts.refused++;
      return;
    }
    const worker = new WorkerEntry(id, keyOf(id), this.newLife());
    this.#workers.set(worker.key, worker);
    this.events.emit("worker", { worker: id });
    this.#free(worker);
  }

  #free(worker: WorkerEntry): void {
    worker.client = undefined;
    this.#idle.add(worker);
    if (this.#resume !== undefined) this.#pump();
  }

  /** Takes those off the list whose connection is gone: nobody else notices that a busy one has died. */
  #sweep(): void {
    const time = now();
    if (time - this.#swept < SWEEP_MS) return;
    this.#swept = time;
    const connected = new Set<string>();
    for (const peer of this.#backend.stats().peers) {
      if (peer.connected) connected.add(keyOf(peer.routingId));
    }
    for (const worker of this.#workers.values()) {
      if (!connected.has(worker.key)) this.lose(worker);
    }
    this.#sweepSize = Math.max(SWEEP_SIZE, 2 * this.#workers.size);
  }
}

/** Why a message could not be sent, as a code: `EHOSTUNREACH` gone, `EAGAIN` full, `EBADF` closed. */
function trySend(router: Router, message: MessageLike[]): string | undefined {
  try {
    return router.trySend(message) ? undefined : "EAGAIN";
  } catch (error) {
    if (error instanceof ZmqError) return error.code;
    throw error;
  }
}
