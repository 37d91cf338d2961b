// The side with one peer.

import { type Dealer, type Frame, Observer, type OperationOptions } from "../../../mod.ts";
import { Liveness } from "../base/liveness.ts";
import { now } from "../base/time.ts";
import { PING, PingPong, type PingPongMessage, type PingPongOptions, PONG } from "./ping_pong.ts";

/** What happens to a `DealerHeartbeat`. */
export interface DealerHeartbeatEvents {
  /** The peer was heard for the first time, or again. */
  readonly found: Record<never, never>;
  /** The peer was silent for too long: `silence` is how long, in milliseconds. */
  readonly lost: { readonly silence: number };
}

/**
 * Heartbeats for a DEALER with one peer, a ROUTER with `RouterHeartbeat`: the guide's ping-pong. When nothing else was sent
 * for an interval it sends a ping, which the other side answers; whatever comes counts as a sign of life. Neither pings nor
 * pongs are seen by the application, which sends and receives here as it would on the socket.
 *
 * It reads the socket from the moment it is made, and closes it.
 *
 * @example Notice that the server is gone
 * ```ts
 * import { Dealer, Router } from "@wasmq/wasmq";
 * import { DealerHeartbeat, RouterHeartbeat } from "@wasmq/wasmq/patterns";
 *
 * const router = new Router();
 * await router.bind("tcp://127.0.0.1:*");
 * const dealer = new Dealer();
 * dealer.connect(router.lastEndpoint!);
 *
 * const beats = { heartbeatInterval: 50, heartbeatLiveness: 4 };
 * const server = new RouterHeartbeat(router, beats);
 * const client = new DealerHeartbeat(dealer, beats);
 * const lost = new Promise((resolve) => client.events.on("lost", resolve));
 *
 * await client.send("hello");
 * const [id, text] = await server.receive();
 * await server.send([id, `${text}, world`]);
 * console.log(String(await client.receive())); // "hello, world"
 *
 * await server.close();
 * await lost;
 * await client.close();
 * ```
 */
export class DealerHeartbeat extends PingPong<Dealer, DealerHeartbeatEvents> {
  readonly #liveness: Liveness;
  readonly #watch: Observer;
  #alive = false;
  /** A peer is connected that could not be sent a ping yet. */
  #asking = false;
  #heard = 0;
  #pinged: number | undefined;
  #roundTrip: number | undefined;

  /**
   * Takes over a socket.
   *
   * @throws {TypeError} `EINVAL` for an option that cannot be right.
   */
  constructor(socket: Dealer, options: PingPongOptions = {}) {
    super(socket, options);
    this.#liveness = new Liveness(this.beats, this.ticker.time);
    // A peer that comes back is asked at once. Before that, a ping for each interval would only pile up.
    this.#watch = new Observer(socket);
    this.#watch.on("handshake", () => {
      if (!this.closed && !this.#alive) this.#asking = !this.#ping();
    });
    if (!socket.closed) this.#ping();
  }

  /** True while the peer gives signs of life. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Milliseconds since the peer was last heard, or since the beginning. */
  get silence(): number {
    return this.ticker.time - this.#heard;
  }

  /** Milliseconds that the last ping and its pong took; undefined before. */
  get roundTrip(): number | undefined {
    return this.#roundTrip;
  }

  /**
   * Sends a message, as the socket's `send`.
   *
   * @throws {TypeError} Rejects with `EINVAL` for a message that is a ping or a pong.
   */
  send(message: PingPongMessage, options?: OperationOptions): Promise<void> {
    try {
      this.assertPlain(message, 0);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#liveness.sent(this.ticker.time);
    this.counts.messagesOut++;
    return this.socket.send(message, options);
  }

  /**
   * Sends a message if that is possible at once, as the socket's `trySend`.
   *
   * @throws {TypeError} `EINVAL` for a message that is a ping or a pong.
   */
  trySend(message: PingPongMessage): boolean {
    this.assertPlain(message, 0);
    if (!this.socket.trySend(message)) return false;
    this.#liveness.sent(this.ticker.time);
    this.counts.messagesOut++;
    return true;
  }

  /** @internal */
  protected take(message: Frame[]): boolean {
    const { time } = this.ticker;
    this.#heard = time;
    this.#liveness.heard(time);
    if (!this.#alive) {
      this.#alive = true;
      this.counts.found++;
      this.events.emit("found", {});
    }
    const sign = this.signOf(message, 0);
    if (sign === undefined) return true;
    if (sign === "ping") {
      this.counts.pingsIn++;
      if (!this.closed && this.socket.trySend(PONG)) this.#liveness.sent(time);
    } else {
      this.counts.pongsIn++;
      if (this.#pinged !== undefined) this.#roundTrip = now() - this.#pinged;
      this.#pinged = undefined;
    }
    return false;
  }

  /** @internal */
  protected excuse(time: number): void {
    this.#liveness.heard(time);
  }

  /** @internal */
  protected look(time: number): void {
    if (this.socket.closed) return;
    if (!this.#alive) {
      if (this.#asking) this.#asking = !this.#ping();
      return;
    }
    if (this.#liveness.lost(time)) {
      this.#alive = false;
      this.#pinged = undefined;
      this.counts.lost++;
      this.events.emit("lost", { silence: time - this.#heard });
      return;
    }
    if (this.#liveness.due(time)) this.#ping();
  }

  /** False when there was no room for it. */
  #ping(): boolean {
    if (this.socket.closed || !this.socket.trySend(PING)) return false;
    this.counts.pingsOut++;
    this.#pinged ??= now();
    this.#liveness.sent(this.ticker.time);
    return true;
  }
}
