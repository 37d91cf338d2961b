// The other clusters: who is heard, who has free workers, and the sockets to them.

import { Dealer, type Frame, Subscriber } from "../../../mod.ts";
import { type Heartbeats, Liveness } from "../base/liveness.ts";
import { type PartOptions, socketSettings } from "../base/part.ts";
import { now } from "../base/time.ts";
import type { Holder, Job } from "./jobs.ts";
import { countOf, EMPTY } from "./protocol.ts";
import type { PeerCluster, PeerFigures } from "./types.ts";

/** No cluster is thought to have more free workers, and is given more at once. */
export const MOST_AT_A_PEER = 10_000;

/** Another cluster. */
export class Peer implements Holder {
  readonly cluster: PeerCluster;
  readonly life: Liveness;
  readonly held: Set<Job> = new Set();
  alive = false;
  /** What it told last, less what it was sent since. */
  free = 0;
  sent = 0;
  answered = 0;
  socket: Dealer | undefined;

  constructor(cluster: PeerCluster, beats: Heartbeats) {
    this.cluster = cluster;
    this.life = new Liveness(beats, now());
  }

  /** How many requests it can be given now. */
  get room(): number {
    return this.alive ? Math.min(this.free, MOST_AT_A_PEER - this.held.size) : 0;
  }

  /** Sends it a request; false when that is not possible now. */
  give(job: Job): boolean {
    if (!this.socket!.trySend([job.token, EMPTY, ...job.body])) {
      this.free = 0;
      return false;
    }
    this.free--;
    this.sent++;
    this.held.add(job);
    return true;
  }

  figures(): PeerFigures {
    const { alive, sent, answered } = this;
    const room = Math.max(0, this.room);
    return { alive, free: room, outstanding: this.held.size, sent, answered };
  }
}

/** All other clusters that a broker knows. */
export class Peers {
  readonly #own: string;
  readonly #options: PartOptions;
  readonly #beats: Heartbeats;
  readonly #peers: Map<string, Peer> = new Map();
  readonly #closing: Set<Promise<void>> = new Set();
  /** Called with each socket that is opened. */
  readonly #opened: (peer: Peer, socket: Dealer) => void;
  /** Hears all of them. */
  readonly states: Subscriber;

  constructor(
    own: string,
    options: PartOptions,
    beats: Heartbeats,
    opened: (peer: Peer, socket: Dealer) => void,
  ) {
    this.#own = own;
    this.#options = options;
    this.#beats = beats;
    this.#opened = opened;
    this.states = new Subscriber(socketSettings(options, { linger: 0 }));
    this.states.subscribe();
  }

  [Symbol.iterator](): Iterator<Peer> {
    return this.#peers.values();
  }

  has(name: string): boolean {
    return this.#peers.has(name);
  }

  /** @throws {ZmqError} What the addresses are refused with. */
  add(cluster: PeerCluster): void {
    const peer = new Peer(cluster, this.#beats);
    this.#open(peer);
    try {
      this.states.connect(cluster.state);
    } catch (error) {
      this.#close(peer.socket!);
      throw error;
    }
    this.#peers.set(cluster.name, peer);
  }

  /** Forgets one; what it held is for the caller to give to others. */
  remove(name: string): Peer | undefined {
    const peer = this.#peers.get(name);
    if (peer === undefined) return undefined;
    this.#peers.delete(name);
    this.states.disconnect(peer.cluster.state);
    this.#close(peer.socket!);
    peer.alive = false;
    return peer;
  }

  /** What one told: its name, and how many workers are free. False when that is not what it told. */
  heard([name, count]: readonly Frame[], time: number, met: (peer: Peer) => void): boolean {
    const free = countOf(count, MOST_AT_A_PEER);
    if (free === undefined) return false;
    const peer = this.#peers.get(name.toString());
    // One that was just removed.
    if (peer === undefined) return true;
    peer.life.heard(time);
    peer.free = free;
    if (!peer.alive) {
      peer.alive = true;
      met(peer);
    }
    return true;
  }

  /** One is not heard any more. What waits for it in the socket must not reach it when it is there again: others have it. */
  lost(peer: Peer): void {
    peer.alive = false;
    peer.free = 0;
    this.#close(peer.socket!);
    this.#open(peer);
  }

  /** One with free workers, by chance: twice as many, twice the chance. */
  choose(): Peer | undefined {
    let total = 0;
    for (const peer of this.#peers.values()) if (peer.room > 0) total += peer.room;
    if (total === 0) return undefined;
    let at = Math.random() * total;
    for (const peer of this.#peers.values()) {
      if (peer.room <= 0) continue;
      at -= peer.room;
      if (at < 0) return peer;
    }
    return undefined;
  }

  figures(): Record<string, PeerFigures> {
    return Object.fromEntries([...this.#peers].map(([name, peer]) => [name, peer.figures()]));
  }

  async close(): Promise<void> {
    for (const { socket } of this.#peers.values()) this.#close(socket!);
    await Promise.all([this.states.close(), ...this.#closing]);
  }

  #open(peer: Peer): void {
    // What it may be given is counted already. It knows this cluster by its name.
    const settings = { linger: 0, sendHighWaterMark: 0, routingId: this.#own };
    const socket = new Dealer(socketSettings(this.#options, settings));
    try {
      socket.connect(peer.cluster.cloud);
    } catch (error) {
      this.#close(socket);
      throw error;
    }
    peer.socket = socket;
    this.#opened(peer, socket);
  }

  #close(socket: Dealer): void {
    const closed: Promise<void> = socket.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }
}
