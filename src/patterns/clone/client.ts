// A client of Clone: a map that is the same everywhere.

import { type CommonOptions, type Frame, type MessageLike, Publisher } from "../../../mod.ts";
import { refuse } from "../base/checks.ts";
import { type Heartbeats, heartbeatsOf } from "../base/liveness.ts";
import { sameOctets } from "../base/octets.ts";
import { Part, socketSettings } from "../base/part.ts";
import { after, type Cancel, every, now } from "../base/time.ts";
import { type CloneAddress, type CloneEndpoints, endpointsOf } from "./address.ts";
import { type CloneFlow, type CloneLoss, Link } from "./link.ts";
import { type CloneProperties, type KeyValue, newUuid } from "./message.ts";
import {
  checkKey,
  checkSet,
  checkSubtree,
  checkValue,
  type CloneOptions,
  type CloneSetOptions,
  type Limits,
  limitsOf,
} from "./options.ts";
import { Outgoing } from "./outgoing.ts";
import { Store } from "./store.ts";

/** Options of a {@linkcode CloneClient}. */
export interface CloneClientOptions extends CloneOptions {
  /** The servers: one, or both of a pair, the primary first. */
  readonly servers: readonly CloneAddress[];
  /**
   * Follow only keys that begin so: `""` or `"/name/…/"`.
   * @default {""}
   */
  readonly subtree?: string | undefined;
}

/** What a {@linkcode CloneClient} tells. */
export interface CloneClientEvents {
  /** A value was set; also for what a new snapshot has that was not there before. */
  update: { readonly key: string; readonly value: Frame; readonly properties: CloneProperties };
  /** A value was deleted; also for what a new snapshot has no longer. */
  delete: { readonly key: string };
  /** All values of a server are here, updates follow. */
  connected: { readonly server: CloneEndpoints; readonly sequence: number };
  /** The server was lost; `to` will be tried, which may be the same one. */
  failover: {
    readonly from: CloneEndpoints;
    readonly to: CloneEndpoints;
    readonly reason: CloneLoss;
  };
  /** A server sent what is no CHP, or is above a limit; it was dropped. */
  malformed: {
    readonly from: CloneFlow;
    readonly reason: string;
    readonly frames: readonly Frame[];
  };
}

/** Figures of a {@linkcode CloneClient}. */
export interface CloneClientStats {
  /** Updates that were applied. */
  readonly updates: number;
  /** Updates that were older than the snapshot. */
  readonly stale: number;
  /** Snapshots that were taken over. */
  readonly snapshots: number;
  /** How often a server was lost. */
  readonly failovers: number;
  /** Servers that take updates of this client at the moment. */
  readonly collectors: number;
  /** Own updates that were sent, again and again each counted. */
  readonly sent: number;
  /** Own updates that wait to be published. */
  readonly pending: number;
  /** Messages that are no CHP, or above a limit. */
  readonly malformed: number;
}

/** How an update is made, and given up. */
export interface CloneClientSetOptions extends CloneSetOptions {
  /** The update is not sent again once this is aborted; it may have been published all the same. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A client of the Clone pattern (guide, chapter 5; CHP, RFC 12): it has all values of a server, or those of a
 * subtree, follows the updates, and makes updates for everybody. When the server is silent it goes on to the next one.
 * What is there is read at once; `set` and `delete` resolve when the server has published the update.
 *
 * @example Two clients that share a map
 * ```ts
 * import { CloneClient, CloneServer } from "@wasmq/wasmq/patterns";
 *
 * await using server = new CloneServer();
 * await server.bind("tcp://127.0.0.1:*");
 * await using ada = new CloneClient({ servers: [server.endpoints!] });
 * await using ben = new CloneClient({ servers: [server.endpoints!] });
 * await Promise.all([ada.ready, ben.ready]);
 *
 * const heard = new Promise<void>((resolve) => ben.events.once("update", () => resolve()));
 * await ada.set("/weather/paris", "fine");
 * await heard;
 * console.log(String(ben.get("/weather/paris"))); // fine
 * ```
 */
export class CloneClient extends Part<CloneClientEvents> {
  /** Resolves when all values are there for the first time; rejects with `EBADF` when it is closed before. */
  readonly ready: Promise<void>;
  /** What the keys begin with. */
  readonly subtree: string;
  readonly #options: CloneClientOptions;
  readonly #servers: readonly CloneEndpoints[];
  readonly #beats: Heartbeats;
  readonly #limits: Limits;
  readonly #publisher: Publisher;
  readonly #outgoing: Outgoing;
  readonly #store: Store;
  readonly #isReady: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #counters = { updates: 0, stale: 0, snapshots: 0, failovers: 0, malformed: 0 };
  readonly #timer: Cancel;
  #retry: Cancel | undefined;
  #link: Link;
  #connected = false;
  #at = 0;

  /** Makes a client, which connects to the first server at once. */
  constructor(options: CloneClientOptions) {
    super(options);
    const { servers, subtree = "" } = options;
    if (!Array.isArray(servers) || servers.length === 0) {
      refuse("servers", servers, "a list of at least one address");
    }
    this.#options = options;
    this.#servers = servers.map((server) => endpointsOf("servers", server));
    this.#beats = heartbeatsOf(options);
    this.#limits = limitsOf(options);
    this.subtree = checkSubtree(subtree, this.#limits);
    this.#store = new Store(this.#limits.maxKeys);
    this.#publisher = new Publisher(
      socketSettings(options, {
        linger: 0,
        sendHighWaterMark: this.#limits.highWaterMark,
        reconnectInterval: Math.min(100, this.#beats.interval),
      }),
    );
    for (const { collector } of this.#servers) this.#publisher.connect(collector);
    this.#outgoing = new Outgoing(this.#publisher, this.#beats, this.#limits.maxPending);
    this.ready = this.#isReady.promise;
    this.ready.catch(() => {}); // who does not wait for it need not know
    this.#timer = every(this.#beats.interval, () => {
      if (this.#connected) this.#outgoing.sendDue(now());
    });
    this.#link = this.#follow();
  }

  /** True while it follows a server. */
  get connected(): boolean {
    return this.#connected;
  }

  /** The server that it follows, or tries to. */
  get server(): CloneEndpoints {
    return this.#servers[this.#at];
  }

  /** How many values there are. */
  get size(): number {
    return this.#store.size;
  }

  /** The figures as they are now. */
  stats(): CloneClientStats {
    return {
      ...this.#counters,
      collectors:
        this.#publisher.stats().peers.filter(({ subscriptions }) => subscriptions > 0).length,
      sent: this.#outgoing.sent,
      pending: this.#outgoing.size,
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

  /** The properties of a value. Snapshots do not have them: only those of values that were set since `connected`. */
  properties(key: string): CloneProperties | undefined {
    return this.#store.get(key)?.properties;
  }

  /** The keys and their values. */
  *[Symbol.iterator](): IterableIterator<[string, Frame]> {
    for (const { key, value } of this.#store.values()) yield [key, value];
  }

  /**
   * Sets a value for everybody; an empty one deletes. Resolves when the server has published it, from when on
   * `get` has it here. It is sent again until then, to the next server if need be; a promise that nobody waits for
   * may fail in silence.
   *
   * @throws {TypeError} `EINVAL` for a key outside of the subtree, or what else cannot be sent.
   * @throws {ZmqError} `EMSGSIZE` for a value above `maxValueSize`. Rejects with `ENOBUFS` when `maxPending` updates wait
   * already, `EBADF` when the client is closed, and the signal's reason when cancelled.
   */
  set(key: string, value: MessageLike, options: CloneClientSetOptions = {}): Promise<void> {
    this.assertOpen();
    checkKey(key, this.subtree, this.#limits);
    const message: KeyValue = {
      key,
      sequence: 0,
      uuid: newUuid(),
      properties: checkSet(options),
      value: checkValue(value, this.#limits),
    };
    const published = this.#outgoing.add(message, options.signal);
    published.catch(() => {});
    return published;
  }

  /** Deletes a value for everybody: as `set` with an empty value. */
  delete(key: string, options: Pick<CloneClientSetOptions, "signal"> = {}): Promise<void> {
    return this.set(key, null, options);
  }

  #follow(): Link {
    const { context, socketOptions } = this.#options;
    const settings = {
      context,
      socketOptions: socketOptions as Readonly<Partial<CommonOptions>> | undefined,
      beats: this.#beats,
      limits: this.#limits,
      subtree: this.subtree,
      whole: false,
    };
    return new Link(settings, this.server, {
      synchronised: (store, sequence) => this.#synchronised(store, sequence),
      published: (update, fresh) => this.#published(update, fresh),
      malformed: (from, reason, frames) => {
        this.#counters.malformed++;
        this.events.emit("malformed", { from, reason, frames });
      },
      lost: (reason) => this.#lost(reason),
    });
  }

  #synchronised(store: Store, sequence: number): void {
    const before = this.#store.replace(store);
    this.#connected = true;
    this.#counters.snapshots++;
    this.#outgoing.sendAll();
    for (const key of before.keys()) if (!this.has(key)) this.events.emit("delete", { key });
    for (const { key, value, properties } of this.#store.values()) {
      const old = before.get(key)?.value;
      if (old === undefined || !sameOctets(old, value)) {
        this.events.emit("update", { key, value, properties });
      }
    }
    this.#isReady.resolve();
    this.events.emit("connected", { server: this.server, sequence });
  }

  #published(update: KeyValue, fresh: boolean): void {
    const { key, properties } = update;
    if (!fresh) {
      this.#counters.stale++;
    } else {
      this.#counters.updates++;
      const applied = this.#store.apply(update, 0);
      if (applied === "delete") this.events.emit("delete", { key });
      if (applied === "update") {
        this.events.emit("update", { key, value: this.get(key)!, properties });
      }
      if (applied === "full") {
        this.#counters.malformed++;
        const reason = `more than ${this.#limits.maxKeys} keys`;
        this.events.emit("malformed", { from: "updates", reason, frames: [] });
      }
    }
    this.#outgoing.published(update.uuid);
  }

  #lost(reason: CloneLoss): void {
    const from = this.server;
    this.#connected = false;
    this.#counters.failovers++;
    const stays = reason === "missed updates" || reason === "stood still";
    if (!stays) this.#at = (this.#at + 1) % this.#servers.length;
    this.events.emit("failover", { from, to: this.server, reason });
    if (this.closed) return;
    this.#retry = after(this.#beats.interval / 4, () => this.#link = this.#follow());
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    this.#timer();
    this.#retry?.();
    this.#connected = false;
    this.#outgoing.fail(this.closing.reason);
    this.#isReady.reject(this.closing.reason);
    await Promise.all([this.#link.close(), this.#publisher.close()]);
  }
}
