// Who does what: gives requests to workers and replies to clients. Knows the protocol, but no socket.

import type { Frame } from "../../../mod.ts";
import type { Emitter } from "../base/emitter.ts";
import { keyOf, octetsOf, sameOctets } from "../base/octets.ts";
import type {
  BrokerSettings,
  MajordomoBrokerEvents,
  MajordomoBrokerStats,
  MajordomoWorkerLostReason,
} from "./broker_options.ts";
import { Dismissals } from "./dismissals.ts";
import { isManagement, manage } from "./mmi.ts";
import { type Dialect, EMPTY, HEARTBEAT, octetOf, REQUEST } from "./protocol.ts";
import { type BrokerRequest, RemoteWorker, Service } from "./service.ts";

/** Sends a message to the peer of its first frame: false when that is gone, undefined when it has no room. */
export type Post = (message: Uint8Array[]) => boolean | undefined;

type Counts = { -readonly [K in keyof MajordomoBrokerStats]: number };

export class Dispatcher {
  readonly #settings: BrokerSettings;
  readonly #events: Emitter<MajordomoBrokerEvents>;
  readonly #post: Post;
  readonly #services: Map<string, Service> = new Map();
  readonly #workers: Map<string, RemoteWorker> = new Map();
  readonly #dismissals: Dismissals;
  #lastService: Service | undefined;
  #dispatching = false;
  /** For the addresses of requests: nobody else's, not even those before a restart. */
  readonly #prefix: number = crypto.getRandomValues(new Uint16Array(1))[0];
  #number = 0;
  readonly counts: Counts = {
    services: 0,
    workers: 0,
    queued: 0,
    inFlight: 0,
    requests: 0,
    replies: 0,
    partials: 0,
    partialsDropped: 0,
    undelivered: 0,
    redelivered: 0,
    expired: 0,
    refused: 0,
    lost: 0,
    disconnects: 0,
    malformed: 0,
  };
  /** The present, as the broker's ticker has it. */
  time = 0;

  constructor(settings: BrokerSettings, events: Emitter<MajordomoBrokerEvents>, post: Post) {
    this.#settings = settings;
    this.#events = events;
    this.#post = post;
    this.#dismissals = new Dismissals(settings.beats.patience, post);
  }

  stats(): MajordomoBrokerStats {
    return {
      ...this.counts,
      services: this.#services.size,
      workers: this.#workers.size,
      disconnects: this.#dismissals.count,
    };
  }

  worker(id: Uint8Array): RemoteWorker | undefined {
    return this.#workers.get(keyOf(id));
  }

  // Clients

  /** A client asks: `hops` frames lead back to it, the name of the service is in front of the body. */
  request(message: readonly Frame[], hops: number, bodyAt: number, dialect: Dialect): void {
    const name = message[bodyAt - 1];
    this.counts.requests++;
    if (isManagement(name)) {
      const isThere = (service: Uint8Array) => this.#services.get(keyOf(service))?.workers;
      const code = manage(name, message[bodyAt], isThere);
      this.#answer(message, hops, dialect.final, name, [octetsOf(code)], 0);
      return;
    }
    const service = this.#serviceOf(name);
    if (service === undefined) return;
    if (this.counts.queued >= this.#settings.maxQueued) return this.#refuse("maxQueuedRequests");
    const address = hops === 1 ? message[0] : this.#newAddress();
    service.requests.push(
      { message, hops, bodyAt, dialect, address, since: this.time, deliveries: 0 },
    );
    this.counts.queued++;
    if (service.free.size > 0) this.#dispatch(service);
  }

  #serviceOf(name: Uint8Array): Service | undefined {
    const last = this.#lastService;
    if (last !== undefined && sameOctets(last.name, name)) return last;
    const key = keyOf(name);
    let service = this.#services.get(key);
    if (service === undefined) {
      if (this.#services.size >= this.#settings.maxServices) return this.#refuse("maxServices");
      service = new Service(name.slice());
      this.#services.set(key, service);
    }
    return this.#lastService = service;
  }

  /** One that no routing id has: those that a ROUTER makes are shorter, those of users do not begin with 0. */
  #newAddress(): Uint8Array {
    const address = new Uint8Array(8);
    const number = ++this.#number;
    address[2] = this.#prefix >>> 8;
    address[3] = this.#prefix;
    address[4] = number >>> 24;
    address[5] = number >>> 16;
    address[6] = number >>> 8;
    address[7] = number;
    return address;
  }

  #answer(
    client: readonly Uint8Array[],
    hops: number,
    opening: readonly Uint8Array[],
    name: Uint8Array,
    frames: readonly Uint8Array[],
    bodyAt: number,
  ): boolean {
    const reply: Uint8Array[] = [];
    for (let i = 0; i < hops; i++) reply.push(client[i]);
    for (let i = 0; i < opening.length; i++) reply.push(opening[i]);
    reply.push(name);
    for (let i = bodyAt; i < frames.length; i++) reply.push(frames[i]);
    if (this.#post(reply)) return true;
    this.counts.undelivered++;
    return false;
  }

  // Workers

  /** READY. */
  register(id: Frame, name: Uint8Array, dialect: Dialect): void {
    const key = keyOf(id);
    this.#dismissals.forget(key);
    if (isManagement(name)) return this.#stranger(id, key, dialect, "a worker for mmi.");
    let service: Service | undefined;
    if (this.#workers.size >= this.#settings.maxWorkers) this.#refuse("maxWorkers");
    else service = this.#serviceOf(name);
    if (service === undefined) return this.#dismiss(id, key, dialect);
    const worker = new RemoteWorker(id, key, service, dialect, this.time);
    service.workers++;
    this.#workers.set(key, worker);
    this.#events.emit("worker", { service: service.text, worker: id });
    this.freed(worker);
  }

  /** A part of a reply, or its end: false when the worker has no request of that client. */
  reply(worker: RemoteWorker, message: readonly Frame[], addressAt: number, end: boolean): boolean {
    const { inFlight } = worker;
    const address = message[addressAt];
    let at = 0;
    while (at < inFlight.length && !sameOctets(inFlight[at].address, address)) at++;
    if (at === inFlight.length) return false;
    const request = inFlight[at];
    const { dialect } = request;
    const opening = end ? dialect.final : dialect.partial;
    if (opening === undefined) {
      this.counts.partialsDropped++;
      return true;
    }
    const sent = this.#answer(
      request.message,
      request.hops,
      opening,
      worker.service.name,
      message,
      addressAt + 2,
    );
    if (!end) {
      if (sent) this.counts.partials++;
      return true;
    }
    if (sent) this.counts.replies++;
    if (at === 0) inFlight.shift();
    else inFlight.splice(at, 1);
    this.counts.inFlight--;
    this.freed(worker);
    return true;
  }

  /** It may have room for a request. */
  freed(worker: RemoteWorker): void {
    const { service } = worker;
    if (worker.inFlight.length >= this.#settings.window) return;
    if (service.requests.length > 0 && service.free.size === 0) {
      if (!this.#give(worker)) return;
      if (worker.inFlight.length >= this.#settings.window) return;
    }
    service.free.add(worker);
    if (service.requests.length > 0) this.#dispatch(service);
  }

  /** Gives requests to free workers, as far as there are both. */
  #dispatch(service: Service): void {
    // Giving may lose a worker, which leads here again.
    if (this.#dispatching) return;
    this.#dispatching = true;
    const { free, requests } = service;
    while (requests.length > 0 && free.size > 0) {
      const worker: RemoteWorker = free.values().next().value!;
      if (!this.#give(worker)) {
        free.delete(worker);
      } else if (worker.inFlight.length >= this.#settings.window) {
        free.delete(worker);
      } else if (free.size > 1) {
        free.delete(worker);
        free.add(worker);
      }
    }
    this.#dispatching = false;
  }

  /** Gives the first request to a worker; false when it cannot take it, or is gone. */
  #give(worker: RemoteWorker): boolean {
    const request = worker.service.requests.first!;
    const { message } = request;
    const frames: Uint8Array[] = [worker.id];
    for (const frame of worker.dialect.worker) frames.push(frame);
    frames.push(octetOf(worker.dialect, REQUEST), request.address, EMPTY);
    for (let i = request.bodyAt; i < message.length; i++) frames.push(message[i]);
    const sent = this.#post(frames);
    if (sent) {
      worker.service.requests.shift();
      request.deliveries++;
      worker.inFlight.push(request);
      worker.sent = this.time;
      this.counts.queued--;
      this.counts.inFlight++;
      return true;
    }
    if (sent === false) this.lose(worker, "unreachable");
    return false;
  }

  /** It is a worker no longer; what it had goes to others. */
  lose(worker: RemoteWorker, reason: MajordomoWorkerLostReason): void {
    const { service, inFlight } = worker;
    this.#workers.delete(worker.key);
    service.free.delete(worker);
    service.workers--;
    this.counts.lost++;
    this.counts.inFlight -= inFlight.length;
    for (const request of inFlight.splice(0).reverse()) {
      if (request.deliveries >= this.#settings.maxDeliveries) {
        this.#expire(service, request);
        continue;
      }
      service.requests.unshift(request);
      this.counts.queued++;
      this.counts.redelivered++;
    }
    this.#events.emit("lost", { service: service.text, worker: worker.id, reason });
    this.#dispatch(service);
    this.#tidy(service);
  }

  /** A command that is valid, but not now. */
  unexpected(
    id: Uint8Array,
    worker: RemoteWorker | undefined,
    dialect: Dialect,
    reason: string,
  ): void {
    if (worker === undefined) return this.#stranger(id, keyOf(id), dialect, reason);
    this.malformed(id, reason);
    this.#dismiss(id, worker.key, worker.dialect);
    this.lose(worker, "invalid");
  }

  #stranger(id: Uint8Array, key: string, dialect: Dialect, reason: string): void {
    this.malformed(id, reason);
    if (!this.#dismissals.has(key)) this.#dismiss(id, key, dialect);
  }

  malformed(peer: Uint8Array, reason: string): void {
    this.counts.malformed++;
    if (this.#events.heard("malformed")) this.#events.emit("malformed", { peer, reason });
  }

  #dismiss(id: Uint8Array, key: string, dialect: Dialect): void {
    this.#dismissals.add(id, key, dialect, this.time);
  }

  /** Tells all workers DISCONNECT. */
  dismissAll(): void {
    for (const { id, key, dialect } of this.#workers.values()) this.#dismiss(id, key, dialect);
  }

  // Time

  /** Says what is due, and gives up whom and what it is time for. */
  tick(time: number): void {
    this.time = time;
    const { interval, patience } = this.#settings.beats;
    for (const worker of this.#workers.values()) {
      if (time - worker.heard >= patience) {
        this.lose(worker, "silent");
      } else if (time - worker.sent >= interval) {
        worker.sent = time;
        const sent = this.#post(
          [worker.id, ...worker.dialect.worker, octetOf(worker.dialect, HEARTBEAT)],
        );
        if (sent === false) this.lose(worker, "unreachable");
      }
    }
    const oldest = time - this.#settings.requestTimeout;
    for (const service of this.#services.values()) {
      while (service.requests.length > 0 && service.requests.first!.since <= oldest) {
        this.counts.queued--;
        this.#expire(service, service.requests.shift()!);
      }
      this.#tidy(service);
    }
    this.#dismissals.tick(time);
  }

  #expire(service: Service, request: BrokerRequest): void {
    this.counts.expired++;
    this.#events.emit("expired", { service: service.text, client: request.message[0] });
  }

  #refuse(limit: MajordomoBrokerEvents["refused"]["limit"]): undefined {
    this.counts.refused++;
    this.#events.emit("refused", { limit });
  }

  #tidy(service: Service): void {
    if (!service.unused) return;
    this.#services.delete(service.key);
    if (this.#lastService === service) this.#lastService = undefined;
  }
}
