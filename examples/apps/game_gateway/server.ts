/**
 * The game server's side: a game, and as many sessions of it as the gateway gives this server.
 *
 * @module
 */

import { Dealer, type Frame, type MessageLike } from "../../../mod.ts";
import {
  type Body,
  type HeartbeatOptions,
  Part,
  type PartOptions,
} from "../../../src/patterns/mod.ts";
import {
  a,
  AGAIN,
  b,
  BEAT,
  c,
  CLOSE,
  DONE,
  FAILED,
  GIVE,
  GOODBYE,
  header,
  isHeader,
  LEAVE,
  OPEN,
  PLAY,
  PUSHED,
  READY,
  SAVED,
  STATE,
} from "./protocol.ts";

/** A player of a game. */
export interface GamePlayer {
  /** As the player joined. */
  readonly name: string;
  /** Sends what the player did not ask for, and may miss. */
  push(body: Body): void;
}

/**
 * A game, with a state for each player. It has to be a function of state and input: an input that is played again after a crash
 * must come to the same result.
 */
export interface Game<S> {
  /** The state of a player who begins. */
  begin(player: GamePlayer): S;
  /** Plays one input: changes the state, and says what came of it. */
  play(state: S, input: Frame[], player: GamePlayer): Body;
  /** The state as octets or text, to be kept or moved. */
  save(state: S): string | Uint8Array;
  /** The state from what `save` made. */
  load(saved: Uint8Array): S;
}

/** Options of a `GameServer`. */
export interface GameServerOptions<S> extends PartOptions, HeartbeatOptions {
  /** Where the gateway listens for servers. */
  readonly gateway: string;
  /** Its name, for people. */
  readonly name: string;
  /** How many players it takes. */
  readonly capacity: number;
  readonly game: Game<S>;
  /**
   * After how many inputs of a player the state is saved at the gateway.
   * @default {8}
   */
  readonly saveEvery?: number | undefined;
  /** How busy it is, 0 to 1; from 1 on others get new players as long as they can. */
  readonly load?: (() => number) | undefined;
}

/** What a `GameServer` tells. */
export interface GameServerEvents {
  /** The gateway is silent; the sessions are dropped, it begins again. */
  gatewayLost: { readonly sessions: number };
  /** The game threw; the player is cut off. */
  error: { readonly error: unknown; readonly player: string };
}

/** What a `GameServer` has counted. */
export interface GameServerStats {
  readonly sessions: number;
  readonly inputs: number;
  readonly malformed: number;
}

interface Seat<S> {
  readonly id: number;
  readonly epoch: number;
  readonly player: GamePlayer;
  readonly state: S;
  done: number;
  unsaved: number;
}

/** A game server. */
export class GameServer<S> extends Part<GameServerEvents> {
  readonly #options: GameServerOptions<S>;
  readonly #interval: number;
  readonly #liveness: number;
  readonly #saveEvery: number;
  readonly #seats: Map<number, Seat<S>> = new Map();
  readonly #ticking: ReturnType<typeof setInterval>;
  readonly #left: PromiseWithResolvers<void> = Promise.withResolvers();
  #socket: Dealer;
  /** Intervals in which the gateway was not heard. */
  #silence = 0;
  #leaving = false;
  #inputs = 0;
  #malformed = 0;

  /** Makes a server, which registers at the gateway. */
  constructor(options: GameServerOptions<S>) {
    super(options);
    this.#options = options;
    this.#interval = options.heartbeatInterval ?? 1000;
    this.#liveness = options.heartbeatLiveness ?? 3;
    this.#saveEvery = options.saveEvery ?? 8;
    this.#socket = this.#connect();
    this.#ticking = setInterval(() => this.#tick(), this.#interval);
  }

  #connect(): Dealer {
    const { context, socketOptions, gateway, capacity, name } = this.#options;
    // No mark: what may be under way is limited by the windows of the players.
    const settings = { ...socketOptions, ...(context && { context }), linger: 0 };
    const socket = new Dealer({ ...settings, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
    socket.connect(gateway);
    socket.trySend([header(READY, capacity), name]);
    this.#silence = 0;
    void this.#read(socket);
    return socket;
  }

  async #read(socket: Dealer): Promise<void> {
    for await (const frames of socket) if (socket === this.#socket) this.#take(frames);
  }

  #take(frames: Frame[]): void {
    const [head] = frames;
    if (!isHeader(head)) return void this.#malformed++;
    this.#silence = 0;
    switch (head[0]) {
      case PLAY:
        return this.#play(head, frames);
      case OPEN:
        return this.#open(head, frames);
      case GIVE:
        return this.#give(head);
      case CLOSE:
        if (this.#seats.get(a(head))?.epoch === b(head)) this.#seats.delete(a(head));
        return;
      case AGAIN:
        return this.#again();
      case GOODBYE:
        return this.#left.resolve();
      case BEAT:
        return;
      default:
        this.#malformed++;
    }
  }

  #open(head: Uint8Array, [, name, saved]: Frame[]): void {
    const [id, epoch, done] = [a(head), b(head), c(head)];
    const { game } = this.#options;
    const player: GamePlayer = {
      name: String(name),
      push: (body) => this.#send(header(PUSHED, id, epoch), body),
    };
    try {
      const state = saved === undefined ? game.begin(player) : game.load(saved);
      this.#seats.set(id, { id, epoch, player, state, done, unsaved: 0 });
    } catch (error) {
      this.#fail(id, epoch, player.name, error);
    }
  }

  #play(head: Uint8Array, frames: Frame[]): void {
    const seat = this.#seats.get(a(head));
    if (seat === undefined || seat.epoch !== b(head) || c(head) !== seat.done + 1) {
      this.#malformed++;
      return;
    }
    const { id, epoch, player } = seat;
    const { game } = this.#options;
    try {
      const body = game.play(seat.state, frames.slice(1), player);
      seat.done++;
      this.#inputs++;
      if (++seat.unsaved < this.#saveEvery) this.#send(header(DONE, id, epoch, seat.done), body);
      else {
        seat.unsaved = 0;
        this.#send(header(SAVED, id, epoch, seat.done), game.save(seat.state), body);
      }
    } catch (error) {
      this.#fail(id, epoch, player.name, error);
    }
  }

  #give(head: Uint8Array): void {
    const seat = this.#seats.get(a(head));
    if (seat === undefined || seat.epoch !== b(head)) return void this.#malformed++;
    this.#seats.delete(seat.id);
    try {
      const state = this.#options.game.save(seat.state);
      this.#send(header(STATE, seat.id, seat.epoch, seat.done), state);
    } catch (error) {
      this.#fail(seat.id, seat.epoch, seat.player.name, error);
    }
  }

  #fail(id: number, epoch: number, player: string, error: unknown): void {
    this.#seats.delete(id);
    this.#send(header(FAILED, id, epoch), "");
    this.events.emit("error", { error, player });
  }

  #send(head: Uint8Array, ...bodies: Body[]): void {
    if (!this.closed) this.#socket.trySend([head, ...bodies.flat() as MessageLike[]]);
  }

  #tick(): void {
    if (++this.#silence <= this.#liveness) {
      const load = this.#options.load?.() ?? this.#seats.size / this.#options.capacity;
      this.#send(header(BEAT, Math.max(0, Math.round(load * 1000))), []);
      return;
    }
    const sessions = this.#seats.size;
    void this.#socket.close();
    if (this.#leaving) return this.#left.resolve(); // nobody to leave any more
    this.#seats.clear();
    this.#socket = this.#connect();
    this.events.emit("gatewayLost", { sessions });
  }

  /** The gateway does not know this server (any more): its sessions are elsewhere. */
  #again(): void {
    this.#seats.clear();
    const { capacity, name } = this.#options;
    if (this.#leaving) this.#left.resolve();
    else this.#send(header(READY, capacity), name);
  }

  /** Hands all sessions over to other servers, and closes; resolves when that is done. */
  async leave(): Promise<void> {
    this.assertOpen();
    if (!this.#leaving) this.#send(header(LEAVE), []);
    this.#leaving = true;
    await Promise.race([
      this.#left.promise,
      new Promise<void>((resolve) => this.closing.addEventListener("abort", () => resolve())),
    ]);
    await this.close();
  }

  /** What it has counted so far. */
  stats(): GameServerStats {
    return {
      sessions: this.#seats.size,
      inputs: this.#inputs,
      malformed: this.#malformed,
    };
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    clearInterval(this.#ticking);
    await this.#socket?.close();
  }
}
