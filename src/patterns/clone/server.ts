// A server of Clone: it has the values, puts the updates of all clients in one order, and publishes them.

import {
  type Frame,
  type MessageLike,
  Router,
  Subscriber,
  type Verbosity,
  XPublisher,
  ZmqError,
} from "../../../mod.ts";
import { type Heartbeats, heartbeatsOf } from "../base/liveness.ts";
import { Part, socketSettings } from "../base/part.ts";
import { after, type Cancel, every, now } from "../base/time.ts";
import type { BinaryStar } from "../binary_star/mod.ts";
import { type CloneAddress, type CloneEndpoints, endpointsOf } from "./address.ts";
import { Follower } from "./follower.ts";
import { type CloneFlow, expiryOf } from "./link.ts";
import { Memory } from "./memory.ts";
import {
  decodeKeyValue,
  decodeRequest,
  encodeKeyValue,
  HUGZ,
  isReserved,
  type KeyValue,
  Malformed,
  newUuid,
  NONE,
} from "./message.ts";
import {
  checkKey,
  checkSet,
  checkValue,
  type CloneSetOptions,
  type Limits,
  limitsOf,
} from "./options.ts";
import type {
  CloneServerCounters,
  CloneServerEvents,
  CloneServerOptions,
  CloneServerStats,
} from "./server_options.ts";
import { SnapshotSender } from "./snapshots.ts";
import { Store } from "./store.ts";

const HUGZ_DELAY_MS = 5;
const LONGEST_SWEEP_MS = 500;
/** Updates are held by a passive server for so many times the patience. */
const HOLD = 10;
const ENVELOPE = 65_536;

/**
 * A server of the Clone pattern (guide, chapter 5; CHP, RFC 12): a map that clients share. It answers requests for
 * snapshots, collects the clients' updates, and publishes all updates in one order. With a `binaryStar` it is one of a pair:
 * the passive server follows the active one and takes over when that dies.
 *
 * @example A server with values of its own
 * ```ts
 * import { CloneClient, CloneServer } from "@wasmq/wasmq/patterns";
 *
 * await using server = new CloneServer();
 * await server.bind("tcp://127.0.0.1:*");
 * server.set("/fruit/apple", "red");
 * server.set("/tree/birch", "white");
 *
 * await using client = new CloneClient({ servers: [server.endpoints!], subtree: "/fruit/" });
 * await client.ready;
 * console.log(client.size, String(client.get("/fruit/apple"))); // 1 red
 * ```
 */
export class CloneServer extends Part<CloneServerEvents> {
  readonly #star: BinaryStar | undefined;
  readonly #beats: Heartbeats;
  readonly #limits: Limits;
  readonly #router: Router;
  readonly #publisher: XPublisher;
  readonly #collector: Subscriber;
  readonly #snapshots: SnapshotSender;
  readonly #memory: Memory;
  readonly #store: Store;
  readonly #follower: Follower;
  readonly #counters: CloneServerCounters = {
    published: 0,
    repeated: 0,
    followed: 0,
    unanswered: 0,
    refused: 0,
    expired: 0,
    malformed: 0,
  };
  readonly #timers: Map<string, Cancel> = new Map();
  readonly #loops: Promise<void>[] = [];
  #endpoints: CloneEndpoints | undefined;
  #peer: CloneEndpoints | undefined;
  #sequence = 0;
  #hugged = 0;

  /** Makes a server, which has to `bind`. */
  constructor(options: CloneServerOptions = {}) {
    super(options);
    this.#star = options.binaryStar;
    this.#beats = heartbeatsOf(options);
    this.#limits = limitsOf(options);
    const { maxKeys, maxPending, maxValueSize, highWaterMark } = this.#limits;
    this.#store = new Store(maxKeys);
    this.#memory = new Memory(maxPending);
    const marks = { linger: 0, sendHighWaterMark: highWaterMark };
    this.#router = new Router(socketSettings(options, { ...marks, mandatory: true }));
    // An XPUB is told of each subscription: its HUGZ tells the subscriber that nothing is missed from there on.
    const verbosity: Verbosity = "allSubs";
    this.#publisher = new XPublisher(socketSettings(options, { ...marks, verbosity }));
    this.#collector = new Subscriber(socketSettings(options, {
      receiveHighWaterMark: highWaterMark,
      maxMultipartSize: 2 * maxValueSize + ENVELOPE,
    }));
    this.#collector.subscribe();
    this.#snapshots = new SnapshotSender(this.#router, 10 * this.#beats.patience, options);
    this.#follower = this.#newFollower(options);
    this.#star?.events.on("active", this.#activate).on("passive", this.#followPeer);
    this.#read(this.#router, "snapshots", (frames) => this.#takeRequest(frames));
    this.#read(this.#publisher, "updates", ([request]) => this.#greet(request));
    this.#read(this.#collector, "collector", (frames) => this.#collect(frames));
    const { interval } = this.#beats;
    const sweep = interval / Math.ceil(interval / LONGEST_SWEEP_MS);
    this.#timers.set("sweep", every(sweep, () => this.#sweep(now())));
  }

  /** Where it is bound, once it is: what clients are given. */
  get endpoints(): CloneEndpoints | undefined {
    return this.#endpoints;
  }

  /** True when it takes updates and requests: it is alone, or the active one of its pair. */
  get active(): boolean {
    return !this.closed && (this.#star?.active ?? true);
  }

  /** True when it has all values: it is active, or passive and has the active one's. */
  get synchronised(): boolean {
    return this.active || this.#follower.synchronised;
  }

  /** The number of the last update. */
  get sequence(): number {
    return this.#sequence;
  }

  /** How many values there are. */
  get size(): number {
    return this.#store.size;
  }

  /** The figures as they are now. */
  stats(): CloneServerStats {
    return {
      ...this.#counters,
      pending: this.#memory.size,
      dropped: this.#memory.dropped,
      snapshots: this.#snapshots.sent,
      abandoned: this.#snapshots.abandoned,
    };
  }

  /** The value of a key. Do not change its octets. */
  get(key: string): Frame | undefined {
    return this.#store.get(key)?.value;
  }

  /** True when there is a value. */
  has(key: string): boolean {
    return this.#store.get(key) !== undefined;
  }

  /** The keys and their values. */
  *[Symbol.iterator](): IterableIterator<[string, Frame]> {
    for (const { key, value } of this.#store.values()) yield [key, value];
  }

  /**
   * Listens for clients at three endpoints, or at `tcp://interface:P` for the ports P (snapshots), P+1 (updates) and
   * P+2 (collector); `tcp://interface:*` for any three.
   *
   * @throws {EndpointError} Rejects as `Socket.bind` does.
   */
  async bind(address: CloneAddress): Promise<void> {
    this.assertOpen();
    const { snapshots, updates, collector } = endpointsOf("address", address);
    // The snapshots last: who asks for one finds the rest in place.
    await this.#collector.bind(collector);
    await this.#publisher.bind(updates);
    await this.#router.bind(snapshots);
    this.#endpoints = {
      snapshots: this.#router.lastEndpoint!,
      updates: this.#publisher.lastEndpoint!,
      collector: this.#collector.lastEndpoint!,
    };
  }

  /** Names the other server of the pair, to be followed while this one is passive. */
  follow(peer: CloneAddress): void {
    this.assertOpen();
    this.#peer = endpointsOf("peer", peer);
    if (this.#star?.state === "passive") this.#followPeer();
  }

  /**
   * Sets a value and publishes it; an empty one deletes.
   *
   * @throws {TypeError} `EINVAL` for what cannot be sent.
   * @throws {ZmqError} `EMSGSIZE` for a value above `maxValueSize`, `ENOBUFS` above `maxKeys`, `EAGAIN` while the other
   * server of the pair is the active one, `EBADF` when it is closed.
   */
  set(key: string, value: MessageLike, options: CloneSetOptions = {}): void {
    this.assertOpen();
    checkKey(key, "", this.#limits);
    const properties = checkSet(options);
    const octets = checkValue(value, this.#limits);
    if (!this.active) {
      throw new ZmqError("EAGAIN", `Not the active server (${this.#star?.state}): set it there`);
    }
    const update = { key, sequence: 0, uuid: newUuid(), properties, value: octets };
    if (this.#publish(update)) return;
    throw new ZmqError("ENOBUFS", `There are ${this.size} keys, which is maxKeys: delete some`);
  }

  /** Deletes a value: as `set` with an empty value. */
  delete(key: string): void {
    this.set(key, null);
  }

  #read(
    socket: Router | XPublisher | Subscriber,
    from: CloneFlow,
    take: (frames: Frame[]) => void,
  ): void {
    const loop = async (): Promise<void> => {
      for await (const frames of socket) {
        try {
          take(frames);
        } catch (error) {
          if (!(error instanceof Malformed)) throw error;
          this.#malformed(from, error.message, frames);
        }
      }
    };
    this.#loops.push(loop().catch((error) => this.events.emit("error", { error })));
  }

  #malformed(from: CloneFlow, reason: string, frames: readonly Frame[]): void {
    this.#counters.malformed++;
    this.events.emit("malformed", { from, reason, frames });
  }

  /** ICANHAZ. That of a client is a vote, that of the other server is not. */
  #takeRequest([client, ...frames]: Frame[]): void {
    const { subtree, whole } = decodeRequest(frames, this.#limits.maxKeyLength);
    const accepted = whole || this.#star === undefined ? this.active : this.#star.accepts();
    if (!accepted || !this.#snapshots.canSend(client)) {
      this.#counters.unanswered++;
      return;
    }
    const entries = [];
    for (const entry of this.#store.values()) {
      if (entry.key.startsWith(subtree)) entries.push(entry);
    }
    const uuids = whole ? this.#memory.uuids(this.#limits.maxValueSize) : undefined;
    this.#snapshots.send(client, { entries, sequence: this.#sequence, subtree, uuids });
  }

  /** Somebody subscribed to HUGZ: it is sent soon, also for others who do so at this moment. */
  #greet(request: Frame): void {
    if (request[0] !== 1 || !HUGZ.startsWith(request.subarray(1).toString())) return;
    if (this.#timers.has("greet")) return;
    const greet = after(HUGZ_DELAY_MS, () => {
      this.#timers.delete("greet");
      this.#hug(now());
    });
    this.#timers.set("greet", greet);
  }

  /** A passive server sends none: its clients are to go to the active one. */
  #hug(time: number): void {
    if (!this.active) return;
    this.#hugged = time;
    const message = { key: HUGZ, sequence: 0, uuid: NONE, properties: {}, value: NONE };
    this.#publisher.trySend(encodeKeyValue(message));
  }

  #sweep(time: number): void {
    this.#memory.forgetBefore(time - HOLD * this.#beats.patience);
    if (!this.active) return;
    for (const { key } of this.#store.expired(time)) {
      this.#counters.expired++;
      this.#publish({ key, sequence: 0, uuid: NONE, properties: {}, value: NONE });
    }
    if (time - this.#hugged >= this.#beats.interval * 0.9) this.#hug(time);
  }

  /** KVSET. */
  #collect(frames: Frame[]): void {
    const update = decodeKeyValue(frames, this.#limits);
    if (isReserved(update.key)) throw new Malformed("a reserved key");
    expiryOf(update); // refuses a ttl that is none
    if (!this.active) this.#memory.hold(update, now());
    else this.#accept(update);
  }

  #accept(update: KeyValue): void {
    if (this.#memory.knows(update)) {
      // Its client does not know that it was published: tell it, and change nothing.
      this.#counters.repeated++;
      const entry = this.#store.get(update.key);
      const { value, properties } = entry ?? { value: NONE, properties: {} };
      this.#send({ ...update, value, properties });
    } else if (!this.#publish(update)) {
      this.#counters.refused++;
      this.events.emit("refused", { key: update.key });
    }
  }

  /** Applies and publishes an update; false when there is no room for it. */
  #publish(update: KeyValue): boolean {
    if (update.value.length > 0 && !this.#store.hasRoomFor(update.key)) return false;
    this.#memory.publish(update);
    this.#apply(update);
    this.#send(update);
    return true;
  }

  #send(update: KeyValue): void {
    this.#counters.published++;
    this.#publisher.trySend(encodeKeyValue({ ...update, sequence: ++this.#sequence }));
  }

  #apply(update: KeyValue): void {
    const { key, properties } = update;
    const applied = this.#store.apply(update, expiryOf(update));
    if (applied === "delete") this.events.emit("delete", { key });
    else if (applied === "update") {
      this.events.emit("update", { key, value: this.get(key)!, properties });
    } else if (applied === "full") {
      this.#malformed("updates", `more than ${this.#limits.maxKeys} keys`, []);
    }
  }

  /** What was held was not published by the other server: this one does, before anything else. */
  readonly #activate = (): void => {
    this.#follower.stop();
    for (const update of this.#memory.release()) this.#accept(update);
    this.#hug(now());
  };

  readonly #followPeer = (): void => {
    this.#snapshots.stop();
    if (this.#peer !== undefined && !this.closed) this.#follower.start(this.#peer);
  };

  #newFollower({ context, socketOptions, peerSocketOptions }: CloneServerOptions): Follower {
    const settings = {
      context,
      socketOptions: peerSocketOptions ?? socketOptions,
      beats: this.#beats,
      limits: this.#limits,
      subtree: "",
      whole: true,
    };
    return new Follower(settings, {
      synchronised: (store, sequence, uuids) => {
        this.#store.replace(store);
        this.#sequence = sequence;
        this.#memory.learn(uuids);
        this.events.emit("synchronised", { sequence, size: this.size });
      },
      published: (update, fresh) => {
        this.#memory.publish(update);
        if (!fresh) return;
        this.#counters.followed++;
        this.#sequence = update.sequence;
        this.#apply(update);
      },
      malformed: (from, reason, frames) => this.#malformed(from, reason, frames),
    });
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    this.#star?.events.off("active", this.#activate).off("passive", this.#followPeer);
    for (const cancel of this.#timers.values()) cancel();
    this.#snapshots.stop();
    const sockets = [this.#router, this.#publisher, this.#collector];
    await Promise.all([
      this.#star?.close(),
      this.#follower.stop(),
      ...sockets.map((socket) => socket.close()),
    ]);
    await Promise.all(this.#loops);
  }
}
