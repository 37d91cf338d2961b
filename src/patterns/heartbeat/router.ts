// The side with many peers.

import type { Frame, MessageLike, OperationOptions, Router } from "../../../mod.ts";
import { checkCount } from "../base/checks.ts";
import { Liveness } from "../base/liveness.ts";
import { keyOf, octetsOf } from "../base/octets.ts";
import { now } from "../base/time.ts";
import { PING, PingPong, type PingPongOptions, type PingPongStats, PONG } from "./ping_pong.ts";

/** Options of `RouterHeartbeat`. */
export interface RouterHeartbeatOptions extends PingPongOptions {
  /**
   * So many peers are watched at a time. What others send is received all the same, and their pings are answered.
   * @default {10000}
   */
  readonly maxPeers?: number | undefined;
}

/** What happens to a `RouterHeartbeat`. */
export interface RouterHeartbeatEvents {
  /** A peer was heard for the first time, or again; `id` is its routing id. */
  readonly found: { readonly id: Frame };
  /** A peer was silent for too long: `silence` is how long, in milliseconds. It is forgotten until it is heard again. */
  readonly lost: { readonly id: Frame; readonly silence: number };
}

/** One peer that is alive. */
export interface PeerHeartbeat {
  /** Its routing id. */
  readonly id: Frame;
  /** Messages of the application that came from it. */
  readonly messagesIn: number;
  /** Messages of the application that were sent to it. */
  readonly messagesOut: number;
  /** Milliseconds since it was last heard. */
  readonly silence: number;
  /** Milliseconds that the last ping and its pong took; undefined before. */
  readonly roundTrip: number | undefined;
}

/** What a `RouterHeartbeat` has counted. */
export interface RouterHeartbeatStats extends PingPongStats {
  /** Peers that are alive. */
  readonly peers: number;
  /** Messages from peers that were not watched because there were `maxPeers` already. */
  readonly unwatched: number;
}

interface Peer {
  readonly id: Frame;
  readonly liveness: Liveness;
  messagesIn: number;
  messagesOut: number;
  heard: number;
  pinged: number | undefined;
  roundTrip: number | undefined;
}

/** A message to a peer: its routing id, then the frames. */
export type RoutedMessage = readonly MessageLike[];

/**
 * Heartbeats for a ROUTER: watches each of its peers, which are DEALERs with `DealerHeartbeat`. A peer is known from its
 * first message on; when nothing was sent to it for an interval it is sent a ping, which it answers; whatever comes from it
 * counts as a sign of life. Neither pings nor pongs are seen by the application.
 *
 * It reads the socket from the moment it is made, and closes it.
 *
 * @example Know who is there
 * ```ts
 * import { Dealer, Router } from "@wasmq/wasmq";
 * import { DealerHeartbeat, RouterHeartbeat } from "@wasmq/wasmq/patterns";
 *
 * await using server = new RouterHeartbeat(new Router(), { heartbeatInterval: 100 });
 * const found = new Promise((resolve) => server.events.once("found", resolve));
 * await server.socket.bind("tcp://127.0.0.1:*");
 *
 * const dealer = new Dealer({ routingId: "Ada" });
 * dealer.connect(server.socket.lastEndpoint!);
 * await using client = new DealerHeartbeat(dealer, { heartbeatInterval: 100 });
 *
 * await found;
 * console.log(server.peers().map(({ id }) => String(id))); // ["Ada"]
 * await server.send(["Ada", "welcome"]);
 * console.log(String(await client.receive())); // "welcome"
 * ```
 */
export class RouterHeartbeat extends PingPong<Router, RouterHeartbeatEvents> {
  readonly #most: number;
  readonly #peers: Map<string, Peer> = new Map();
  #unwatched = 0;

  /**
   * Takes over a socket.
   *
   * @throws {TypeError} `EINVAL` for an option that cannot be right.
   */
  constructor(socket: Router, options: RouterHeartbeatOptions = {}) {
    const most = checkCount("maxPeers", options.maxPeers ?? 10_000, 1);
    super(socket, options);
    this.#most = most;
  }

  /** The peers that are alive. */
  peers(): PeerHeartbeat[] {
    const { time } = this.ticker;
    return [...this.#peers.values()].map((peer) => ({
      id: peer.id,
      messagesIn: peer.messagesIn,
      messagesOut: peer.messagesOut,
      silence: time - peer.heard,
      roundTrip: peer.roundTrip,
    }));
  }

  /** True while the peer of a routing id gives signs of life. */
  isAlive(id: MessageLike): boolean {
    return this.#peerOf(id) !== undefined;
  }

  /** What has been counted. */
  override stats(): RouterHeartbeatStats {
    return { ...super.stats(), peers: this.#peers.size, unwatched: this.#unwatched };
  }

  /**
   * Sends a message to the peer that its first frame names, as the socket's `send`: to one that was given up as well, as
   * long as it is connected.
   *
   * @throws {TypeError} Rejects with `EINVAL` for a message that is a ping or a pong.
   */
  send(message: RoutedMessage, options?: OperationOptions): Promise<void> {
    try {
      this.assertPlain(message, 1);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#sent(message[0]);
    return this.socket.send(message, options);
  }

  /**
   * Sends a message if that is possible at once, as the socket's `trySend`.
   *
   * @throws {TypeError} `EINVAL` for a message that is a ping or a pong.
   */
  trySend(message: RoutedMessage): boolean {
    this.assertPlain(message, 1);
    if (!this.socket.trySend(message)) return false;
    this.#sent(message[0]);
    return true;
  }

  #sent(id: MessageLike): void {
    this.counts.messagesOut++;
    const peer = this.#peerOf(id);
    if (peer === undefined) return;
    peer.messagesOut++;
    peer.liveness.sent(this.ticker.time);
  }

  #peerOf(id: MessageLike): Peer | undefined {
    const octets = typeof id === "string" ? octetsOf(id) : id;
    return octets instanceof Uint8Array ? this.#peers.get(keyOf(octets)) : undefined;
  }

  /** @internal */
  protected take(message: Frame[]): boolean {
    const { time } = this.ticker;
    const peer = this.#heard(message[0], time);
    if (peer === undefined) this.#unwatched++;
    const sign = this.signOf(message, 1);
    if (sign === undefined) {
      if (peer !== undefined) peer.messagesIn++;
      return true;
    }
    if (sign === "ping") {
      this.counts.pingsIn++;
      if (this.#trySend(message[0], PONG)) peer?.liveness.sent(time);
    } else {
      this.counts.pongsIn++;
      if (peer?.pinged !== undefined) peer.roundTrip = now() - peer.pinged;
      if (peer !== undefined) peer.pinged = undefined;
    }
    return false;
  }

  #heard(id: Frame, time: number): Peer | undefined {
    const key = keyOf(id);
    let peer = this.#peers.get(key);
    if (peer !== undefined) {
      peer.heard = time;
      peer.liveness.heard(time);
      return peer;
    }
    if (this.#peers.size >= this.#most) return undefined;
    peer = {
      id: id.slice(),
      liveness: new Liveness(this.beats, time),
      messagesIn: 0,
      messagesOut: 0,
      heard: time,
      pinged: undefined,
      roundTrip: undefined,
    };
    this.#peers.set(key, peer);
    this.counts.found++;
    this.events.emit("found", { id: peer.id });
    return peer;
  }

  /** @internal */
  protected excuse(time: number): void {
    for (const { liveness } of this.#peers.values()) liveness.heard(time);
  }

  /** @internal */
  protected look(time: number): void {
    for (const [key, peer] of this.#peers) {
      if (peer.liveness.lost(time)) {
        this.#peers.delete(key);
        this.counts.lost++;
        this.events.emit("lost", { id: peer.id, silence: time - peer.heard });
      } else if (peer.liveness.due(time)) {
        peer.liveness.sent(time);
        if (!this.#trySend(peer.id, PING)) continue;
        this.counts.pingsOut++;
        peer.pinged ??= now();
      }
    }
  }

  /** A peer that is not connected any more will be lost soon, where `mandatory` is set as well. */
  #trySend(id: Frame, sign: Uint8Array): boolean {
    try {
      return !this.socket.closed && this.socket.trySend([id, sign]);
    } catch {
      return false;
    }
  }
}
