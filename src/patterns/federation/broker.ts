// The broker of one cluster in a federation (chapter 3 of the guide, "inter-broker routing").

import { type Dealer, type Frame, Publisher, type Readable, Router } from "../../../mod.ts";
import { checkCount, checkTime } from "../base/checks.ts";
import { drain } from "../base/drain.ts";
import { type Heartbeats, heartbeatsOf } from "../base/liveness.ts";
import { Part, socketSettings } from "../base/part.ts";
import { after, type Cancel, every, now } from "../base/time.ts";
import { checkName } from "./check_name.ts";
import { Dispatcher } from "./dispatcher.ts";
import { MOST_AT_A_PEER, type Peer, Peers } from "./peers.ts";
import { Pool, type PooledWorker } from "./pool.ts";
import { countOf, delimiterOf, GOODBYE, HEARTBEAT, READY } from "./protocol.ts";
import type * as types from "./types.ts";

/** What was accepted is still sent for so long after the end, unless the user says otherwise. */
const LINGER = 1_000;

/**
 * A broker with workers of its own and other brokers beside it. A request of its clients goes to the least recently used free
 * worker; when none is free, to another cluster that has told of free workers; when there is none either, it waits. A request
 * that came from another cluster is done here or sent back, never passed on to a third one.
 *
 * Clients are REQ or DEALER sockets, best a `FederatedClient`; workers are a `FederatedWorker`, or REQ sockets as in the guide.
 * What a worker or a cluster has that dies is given to others: each request is done at least once, and answered once.
 *
 * @example Two clusters, and one of them has no workers
 * ```ts
 * import { FederatedBroker, FederatedClient, FederatedWorker } from "@wasmq/wasmq/patterns";
 *
 * const anywhere = "tcp://127.0.0.1:*";
 * const addresses = { clients: anywhere, workers: anywhere, cloud: anywhere, state: anywhere };
 * await using oslo = new FederatedBroker({ name: "oslo" });
 * await oslo.bind(addresses);
 * await using rome = new FederatedBroker({ name: "rome" });
 * await rome.bind(addresses);
 * oslo.addPeer({ name: "rome", cloud: rome.endpoints.cloud!, state: rome.endpoints.state! });
 *
 * await using worker = new FederatedWorker({ handler: ([name]) => `Hello, ${name}` });
 * worker.connect(rome.endpoints.workers!);
 *
 * await using client = new FederatedClient();
 * client.connect(oslo.endpoints.clients!);
 * const [reply] = await client.request("Ada");
 * console.log(String(reply)); // "Hello, Ada"
 * console.log(oslo.stats().cloudOut, rome.stats().cloudIn); // 1 1
 * ```
 */
export class FederatedBroker extends Part<types.FederatedBrokerEvents> {
  /** The name of its cluster. */
  readonly name: string;
  readonly #maxWaiting: number;
  readonly #maxConcurrency: number;
  readonly #stateInterval: number;
  readonly #beats: Heartbeats;
  readonly #clients: Router;
  readonly #workers: Router;
  readonly #cloud: Router;
  readonly #state: Publisher;
  readonly #pool: Pool;
  readonly #peers: Peers;
  readonly #dispatcher: Dispatcher;
  readonly #stopBeating: Cancel;
  #looked: number = now();
  #cancelTelling: Cancel | undefined;
  #told = 0;
  #toldAt = -Infinity;
  /** Resolves when there is room for another request of a client. */
  #room: (() => void) | undefined;

  /**
   * Makes it; `bind` opens it for others.
   *
   * @throws {TypeError} `EINVAL` for an option that makes no sense.
   */
  constructor(options: types.FederatedBrokerOptions) {
    super(options);
    this.name = checkName("name", options.name);
    this.#maxWaiting = checkCount("maxWaiting", options.maxWaiting ?? 10_000, 1);
    const limits = {
      maxGuests: checkCount("maxGuests", options.maxGuests ?? 1_000, 0),
      maxTries: checkCount("maxTries", options.maxTries ?? 5, 1),
      maxWorkers: checkCount("maxWorkers", options.maxWorkers ?? 10_000, 1),
    };
    this.#maxConcurrency = checkCount("maxConcurrency", options.maxConcurrency ?? 1_000, 1);
    this.#stateInterval = checkTime("stateInterval", options.stateInterval ?? 10);
    this.#beats = heartbeatsOf(options);
    this.#pool = new Pool(this.#beats);
    const router = {
      linger: options.socketOptions?.linger ?? LINGER,
      // Who is gone is known; and who comes back takes its old place, even if nobody saw it leave.
      mandatory: true,
      handover: true,
    };
    this.#clients = new Router(socketSettings(options, router));
    // No more is sent than a worker has room for.
    this.#workers = new Router(socketSettings(options, { ...router, sendHighWaterMark: 0 }));
    const cloud = { ...router, sendHighWaterMark: MOST_AT_A_PEER, routingId: this.name };
    this.#cloud = new Router(socketSettings(options, cloud));
    this.#state = new Publisher(socketSettings(options, { linger: 0 }));
    this.#peers = new Peers(this.name, options, this.#beats, (peer, socket) => {
      this.#serve(socket, (frames) => this.#fromPeer(peer, socket, frames));
    });
    this.#dispatcher = new Dispatcher(limits, this.#pool, this.#peers, {
      toWorker: (id, frames) => sent(this.#workers, [id, ...frames]),
      toClient: (message) => sent(this.#clients, message),
      toCluster: (message) => sent(this.#cloud, message),
      lost: ({ id }, requests) => this.events.emit("workerLost", { id, requests }),
      dropped: ({ body, tries }) => this.events.emit("dropped", { body, tries }),
      changed: this.#changed,
    });
    this.#serve(this.#clients, (frames) => this.#fromClient(frames));
    this.#serve(this.#workers, (frames) => this.#fromWorker(frames));
    this.#serve(this.#cloud, (frames) => this.#fromCloud(frames));
    this.#serve(this.#peers.states, (frames) => this.#fromState(frames));
    this.#stopBeating = every(this.#beats.interval, () => this.#beat());
  }

  /**
   * Listens at the addresses that are given; may be called again for others.
   *
   * @throws {EndpointError} Rejects as `Socket.bind` does.
   * @throws {StateError} Rejects with `EBADF` when it is closed.
   */
  async bind(addresses: types.BrokerAddresses): Promise<void> {
    this.assertOpen();
    const { clients, workers, cloud, state } = addresses;
    if (workers !== undefined) await this.#workers.bind(workers);
    if (cloud !== undefined) await this.#cloud.bind(cloud);
    if (state !== undefined) await this.#state.bind(state);
    if (clients !== undefined) await this.#clients.bind(clients);
  }

  /** Where it listens: what was given to `bind` last, with wildcards resolved. */
  get endpoints(): types.BrokerAddresses {
    return {
      clients: this.#clients.lastEndpoint ?? undefined,
      workers: this.#workers.lastEndpoint ?? undefined,
      cloud: this.#cloud.lastEndpoint ?? undefined,
      state: this.#state.lastEndpoint ?? undefined,
    };
  }

  /**
   * From now on, requests for which no worker is free here go to this cluster as well, as soon as it is heard. It need not
   * know this one for that.
   *
   * @throws {TypeError} `EINVAL` for a name that cannot be, is this cluster's own, or is known already.
   * @throws {EndpointError} As `Socket.connect`.
   * @throws {StateError} `EBADF` when it is closed.
   */
  addPeer(cluster: types.PeerCluster): void {
    this.assertOpen();
    const name = checkName("name", cluster.name);
    const known = this.#peers.has(name);
    if (known || name === this.name) {
      const why = known ? "is known already: remove it first" : "is this cluster's own name";
      throw Object.assign(new TypeError(`Cannot add ${JSON.stringify(name)}: it ${why}`), {
        code: "EINVAL",
      });
    }
    this.#peers.add({ ...cluster });
  }

  /** Nothing goes to this cluster any more; what it has is given to others. False when it was not known. */
  removePeer(name: string): boolean {
    const peer = this.#peers.remove(name);
    if (peer === undefined) return false;
    this.#release(peer);
    this.#dispatcher.spread();
    return true;
  }

  /** Its figures, as they are now. */
  stats(): types.FederatedBrokerStats {
    const { counters, jobs: { waiting, size } } = this.#dispatcher;
    return {
      ...counters,
      waiting,
      outstanding: size - waiting,
      workers: this.#pool.size,
      free: this.#pool.room,
      peers: this.#peers.figures(),
    };
  }

  /** @internal */
  protected async shut(): Promise<void> {
    this.#stopBeating();
    this.#cancelTelling?.();
    this.#room?.();
    // Their brokers need not wait until this one is missed.
    this.#dispatcher.declineGuests();
    await Promise.all([
      this.#clients.close(),
      this.#workers.close(),
      this.#cloud.close(),
      this.#state.close(),
      this.#peers.close(),
    ]);
  }

  async #serve(
    socket: Readable & { readonly closed: boolean },
    take: (frames: Frame[]) => void,
  ): Promise<void> {
    try {
      await drain(socket, (frames) => {
        take(frames);
        return socket === this.#clients && this.#isFull ? this.#hasRoom() : undefined;
      });
    } catch (error) {
      if (!this.closed) this.events.emit("error", { error });
    }
  }

  get #isFull(): boolean {
    return this.#dispatcher.jobs.own.length >= this.#maxWaiting && !this.closed;
  }

  #hasRoom(): Promise<void> {
    return new Promise((resolve) => this.#room = resolve);
  }

  // What comes

  #fromClient(frames: Frame[]): void {
    const end = delimiterOf(frames, 1);
    if (end > 0) this.#dispatcher.accept(frames, end, false);
    // A REQ socket sends nothing before the empty frame: its routing id is the only address.
    else if (frames.length > 2 && frames[1].length === 0) this.#dispatcher.accept(frames, 1, false);
    else this.#malformed("client", frames);
  }

  #fromCloud(frames: Frame[]): void {
    const end = delimiterOf(frames, 1);
    if (end > 0) this.#dispatcher.accept(frames, end, true);
    else this.#malformed("cloud", frames);
  }

  #fromWorker(frames: Frame[]): void {
    const [id] = frames;
    const plain = frames.length > 1 && frames[1].length === 0;
    const at = plain ? 2 : 1;
    const known = this.#pool.find(id);
    known?.life.heard(now());
    if (isReply(frames, at)) {
      this.#dispatcher.reply(known, frames, at);
      // A REQ worker asks for more by answering, also when it was given up meanwhile.
      if (plain && known === undefined) this.#join(id, true, 1);
      this.#dispatcher.spread();
    } else if (frames.length > at + 2 || !this.#command(id, known, plain, frames.slice(at))) {
      this.#malformed("worker", frames);
    }
  }

  /** Does as a worker says; false for what is no command. */
  #command(
    id: Frame,
    known: PooledWorker | undefined,
    plain: boolean,
    [command, credit]: readonly Frame[],
  ): boolean {
    if (command?.length !== 1) return false;
    const concurrency = credit === undefined ? 1 : countOf(credit, this.#maxConcurrency);
    if (!concurrency || plain && credit !== undefined) return false;
    switch (command[0]) {
      case READY[0]:
        // A new life under an old name.
        if (known !== undefined) this.#dispatcher.lose(known);
        this.#join(id, plain, concurrency);
        return true;
      case HEARTBEAT[0]:
        if (known === undefined && !plain) this.#join(id, false, concurrency);
        return !plain;
      case GOODBYE[0]:
        if (known !== undefined) this.#dispatcher.lose(known);
        return credit === undefined;
      default:
        return false;
    }
  }

  #join(id: Frame, plain: boolean, concurrency: number): void {
    if (this.#dispatcher.join(id, plain, concurrency) === undefined) return;
    this.events.emit("worker", { id, concurrency });
    this.#dispatcher.spread();
  }

  #fromPeer(peer: Peer, socket: Dealer, frames: Frame[]): void {
    // A connection to a cluster that was given up.
    if (socket !== peer.socket) return;
    if (!isReply(frames, 0)) return this.#malformed("peer", frames);
    if (frames.length > 1) peer.answered++;
    this.#dispatcher.reply(peer, frames, 0);
    this.#dispatcher.spread();
  }

  #fromState(frames: Frame[]): void {
    if (frames.length === 2 && this.#peers.heard(frames, now(), this.#met)) {
      this.#dispatcher.spread();
    } else this.#malformed("state", frames);
  }

  readonly #met = ({ cluster: { name } }: Peer): void => this.events.emit("peer", { name });

  #malformed(from: types.FederatedBrokerEvents["malformed"]["from"], frames: Frame[]): void {
    this.#dispatcher.counters.malformed++;
    this.events.emit("malformed", { from, frames });
  }

  // What time brings

  #beat(): void {
    const time = now();
    // Who stood still itself has heard nobody, whoever spoke.
    const asleep = time - this.#looked > this.#beats.patience;
    this.#looked = time;
    for (const worker of [...this.#pool]) {
      if (asleep) worker.life.heard(time);
      // Nothing can be said to a REQ worker without being asked: but without frames, it shows whether it is connected.
      const words = worker.plain ? [] : [HEARTBEAT];
      const lost = !worker.plain && worker.life.lost(time);
      if (lost || !sent(this.#workers, [worker.id, ...words])) this.#dispatcher.lose(worker);
    }
    for (const peer of this.#peers) {
      if (asleep) peer.life.heard(time);
      if (!peer.alive || !peer.life.lost(time)) continue;
      this.#peers.lost(peer);
      this.#release(peer);
    }
    this.#dispatcher.spread();
    this.#tell();
  }

  #release(peer: Peer): void {
    const { name } = peer.cluster;
    this.events.emit("peerLost", { name, requests: this.#dispatcher.release(peer) });
  }

  readonly #changed = (): void => {
    if (this.#room !== undefined && !this.#isFull) {
      this.#room();
      this.#room = undefined;
    }
    if (this.#cancelTelling !== undefined || this.closed) return;
    if (this.#dispatcher.spare === this.#told) return;
    const wait = this.#toldAt + this.#stateInterval - now();
    if (wait <= 0) this.#tell();
    else this.#cancelTelling = after(wait, () => this.#tell());
  };

  #tell(): void {
    this.#cancelTelling?.();
    this.#cancelTelling = undefined;
    this.#told = this.#dispatcher.spare;
    this.#toldAt = now();
    this.#state.trySend([this.name, this.#told]);
  }
}

/** The address of a request, and either an empty frame and the body, or nothing. */
function isReply(frames: readonly Frame[], at: number): boolean {
  if (frames.length <= at || frames[at].length < 2) return false;
  return frames.length === at + 1 || frames.length > at + 2 && frames[at + 1].length === 0;
}

/** False when the peer is gone, or takes nothing. */
function sent(router: Router, message: readonly Uint8Array[]): boolean {
  try {
    return router.trySend(message);
  } catch {
    return false;
  }
}
