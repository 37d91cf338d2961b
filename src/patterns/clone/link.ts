// One try to follow one server: its updates, a snapshot, then both together. Fresh sockets each time, so that nothing of an
// earlier try, or of a server that died, gets between.

import { type CommonOptions, type Context, Dealer, type Frame, Subscriber } from "../../../mod.ts";
import type { Heartbeats } from "../base/liveness.ts";
import { socketSettings } from "../base/part.ts";
import { type Cancel, every, now } from "../base/time.ts";
import type { CloneEndpoints } from "./address.ts";
import {
  decodeKeyValue,
  HUGZ,
  ICANHAZ,
  isReserved,
  type KeyValue,
  KTHXBAI,
  Malformed,
  ttlOf,
  UUIDS,
  WHOLE,
} from "./message.ts";
import type { Limits } from "./options.ts";
import { Store } from "./store.ts";

/** Why a link has ended. */
export type CloneLoss =
  | "silent"
  | "disconnected"
  | "missed updates"
  | "too many updates"
  | "stood still"
  | "failed";

/** Where a malformed message came from. */
export type CloneFlow = "snapshots" | "updates" | "collector";

/** What a link is made for. */
export interface LinkSettings {
  readonly context: Context | undefined;
  readonly socketOptions: Readonly<Partial<CommonOptions>> | undefined;
  readonly beats: Heartbeats;
  readonly limits: Limits;
  readonly subtree: string;
  /** For the server of a pair: with UUIDs and properties. */
  readonly whole: boolean;
}

/** Whom a link tells. */
export interface LinkOwner {
  /** All values are there; a server tells which updates it has published as well. */
  synchronised(store: Store, sequence: number, uuids: readonly Uint8Array[]): void;
  /** An update was published; it is not `fresh` when the snapshot has it already. */
  published(update: KeyValue, fresh: boolean): void;
  malformed(from: CloneFlow, reason: string, frames: readonly Frame[]): void;
  /** It is over. */
  lost(reason: CloneLoss): void;
}

/** Follows a server until it is lost. */
export class Link {
  readonly #settings: LinkSettings;
  readonly #server: CloneEndpoints;
  readonly #owner: LinkOwner;
  readonly #subscriber: Subscriber;
  readonly #timer: Cancel;
  readonly #started: number = now();
  #dealer: Dealer | undefined;
  #closed: Promise<unknown> | undefined;
  /** Something was published to this subscriber: its subscriptions are in force, nothing is missed from here on. */
  #subscribed = false;
  #greeted = false;
  #asked = 0;
  #answered = false;
  #snapshot: Store;
  #uuids: Uint8Array[] = [];
  #early: KeyValue[] = [];
  #synchronised = 0;
  #sequence = 0;
  #heard: number = this.#started;
  #awake: number = this.#started;

  constructor(settings: LinkSettings, server: CloneEndpoints, owner: LinkOwner) {
    this.#settings = settings;
    this.#server = server;
    this.#owner = owner;
    const { beats, limits, subtree } = settings;
    this.#snapshot = new Store(limits.maxKeys);
    this.#subscriber = new Subscriber(
      this.#options({ receiveHighWaterMark: limits.highWaterMark }),
    );
    this.#subscriber.events
      .on("handshake", () => this.#greeted = true)
      .on("disconnect", () => this.#lose("disconnected"));
    this.#subscriber.subscribe(subtree);
    if (subtree !== "") this.#subscriber.subscribe(HUGZ);
    this.#subscriber.connect(server.updates);
    this.#timer = every(Math.max(1, beats.interval / 2), () => this.#look(now()));
    this.#read(this.#subscriber, (frames) => this.#takeUpdate(frames));
  }

  /** Ends it without telling. */
  close(): Promise<unknown> {
    this.#timer();
    return this.#closed ??= Promise.all([this.#subscriber.close(), this.#dealer?.close()]);
  }

  #options<T extends object>(needed: T): ReturnType<typeof socketSettings<T>> {
    const reconnectInterval = Math.min(100, this.#settings.beats.interval);
    return socketSettings(this.#settings, { linger: 0, reconnectInterval, ...needed });
  }

  #lose(reason: CloneLoss): void {
    if (this.#closed !== undefined) return;
    this.close();
    this.#owner.lost(reason);
  }

  #look(time: number): void {
    const { interval, patience } = this.#settings.beats;
    const stood = time - this.#awake;
    this.#awake = time;
    // Whoever stood still cannot know what was dropped meanwhile.
    if (stood >= patience) return this.#lose("stood still");
    // A server that is there but does not answer may wait until it may take over.
    const waits = this.#greeted && this.#synchronised === 0;
    if (time - this.#heard >= (waits ? 2 : 1) * patience) return this.#lose("silent");
    if (this.#synchronised > 0 || this.#answered) return;
    if (this.#asked > 0 ? time - this.#asked >= interval : time - this.#started >= interval) {
      this.#ask(time);
    }
  }

  /** Asks for a snapshot; a passive server takes that as a vote. */
  #ask(time: number): void {
    const { subtree, whole } = this.#settings;
    this.#asked = time;
    const dealer = this.#dealer ??= this.#connect();
    dealer.trySend(whole ? [ICANHAZ, subtree, WHOLE] : [ICANHAZ, subtree]);
  }

  #connect(): Dealer {
    const { highWaterMark } = this.#settings.limits;
    const dealer = new Dealer(this.#options({ receiveHighWaterMark: highWaterMark }));
    dealer.connect(this.#server.snapshots);
    this.#read(dealer, (frames) => {
      if (dealer === this.#dealer) this.#takeAnswer(frames);
    });
    return dealer;
  }

  #hangUp(): void {
    this.#dealer?.close();
    this.#dealer = undefined;
  }

  async #read(socket: Subscriber | Dealer, take: (frames: Frame[]) => void): Promise<void> {
    try {
      for await (const frames of socket) {
        if (this.#closed !== undefined) return;
        this.#heard = now();
        try {
          take(frames);
        } catch (error) {
          if (!(error instanceof Malformed)) throw error;
          const from = socket === this.#subscriber ? "updates" : "snapshots";
          this.#owner.malformed(from, error.message, frames);
        }
      }
    } catch {
      this.#lose("failed");
    }
  }

  #takeUpdate(frames: Frame[]): void {
    const { limits, subtree } = this.#settings;
    const update = decodeKeyValue(frames, limits);
    if (!this.#subscribed) {
      this.#subscribed = true;
      // What was asked before may lack what was published before the subscription.
      this.#hangUp();
      this.#snapshot = new Store(limits.maxKeys);
      this.#uuids = [];
      this.#answered = false;
      this.#ask(now());
    }
    if (update.key === HUGZ) return;
    if (isReserved(update.key)) throw new Malformed("a reserved key");
    if (!update.key.startsWith(subtree)) return; // HUGZ… is subscribed as well
    if (this.#synchronised > 0) return this.#follow(update);
    if (this.#early.length >= limits.maxPending) return this.#lose("too many updates");
    this.#early.push(update);
  }

  #takeAnswer(frames: Frame[]): void {
    const { limits, subtree, whole } = this.#settings;
    this.#answered = true;
    const message = decodeKeyValue(frames, limits);
    const { key, sequence } = message;
    if (whole && key === UUIDS) {
      this.#uuids.push(message.value);
    } else if (key !== KTHXBAI) {
      if (!key.startsWith(subtree) || isReserved(key)) throw new Malformed("a key never asked for");
      if (message.value.length === 0) throw new Malformed("a snapshot with an empty value");
      if (this.#snapshot.apply(message, whole ? expiryOf(message) : 0) === "full") {
        throw new Malformed(`more than ${limits.maxKeys} keys`);
      }
    } else {
      this.#hangUp();
      if (this.#subscribed) this.#complete(sequence);
    }
  }

  #complete(sequence: number): void {
    this.#synchronised = now();
    this.#sequence = sequence;
    const early = this.#early;
    this.#early = [];
    this.#owner.synchronised(this.#snapshot, sequence, this.#uuids);
    for (const update of early) {
      if (this.#closed === undefined) this.#follow(update);
    }
  }

  #follow(update: KeyValue): void {
    const { subtree, beats } = this.#settings;
    const step = update.sequence - this.#sequence;
    // Only who follows everything can tell; a server that leaves numbers out is borne with.
    if (step > 1 && subtree === "" && now() - this.#synchronised >= beats.patience) {
      return this.#lose("missed updates");
    }
    if (step > 0) this.#sequence = update.sequence;
    this.#owner.published(update, step > 0);
  }
}

/** When a value that was published or told just now is to be deleted; 0 for never. */
export function expiryOf({ properties }: KeyValue): number {
  const ttl = ttlOf(properties);
  return ttl === 0 ? 0 : now() + ttl * 1000;
}
