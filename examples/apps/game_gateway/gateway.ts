/**
 * A gateway between players and game servers that come and go.
 *
 * Players connect on one side, game servers on the other. A player's session stays at its server as long as that lives; when it
 * leaves, the session's state is handed over, when it dies, the session goes on from the last saved state, and the inputs since
 * are played again. What a player sees is each result once and in order.
 *
 * @module
 */

import { Part } from "../../../src/patterns/mod.ts";
import { Desk } from "./desk.ts";
import type {
  GameGatewayEvents,
  GameGatewayOptions,
  GameGatewayStats,
  GameServerInfo,
} from "./options.ts";
import { PlayerSide } from "./player_side.ts";
import { ServerSide } from "./server_side.ts";

export type * from "./options.ts";

const TICK_MS = 20;
const SERVER_QUEUE = 10_000;

/** The gateway. */
export class GameGateway extends Part<GameGatewayEvents> {
  readonly #desk: Desk;
  readonly #players: PlayerSide;
  readonly #servers: ServerSide;
  readonly #interval: number;
  readonly #ticking: ReturnType<typeof setInterval>;
  readonly #reading: Promise<unknown>;
  #sweptAt = 0;

  /** Makes a gateway; `bind` opens it. */
  constructor(options: GameGatewayOptions = {}) {
    super(options);
    const sessionTimeout = options.sessionTimeout ?? 30_000;
    this.#interval = options.heartbeatInterval ?? 1000;
    const patience = this.#interval * (options.heartbeatLiveness ?? 3);
    const { context, socketOptions } = options;
    const settings = {
      ...socketOptions,
      ...(context && { context }),
      mandatory: true,
      linger: 0,
    };
    this.#desk = new Desk(this.events);
    this.#players = new PlayerSide(
      this.#desk,
      {
        began: (session) => this.#servers.place(session),
        hasInput: (session) => this.#servers.pump(session),
        ended: (session) => this.#servers.end(session),
      },
      {
        window: options.window ?? 64,
        maxSessions: options.maxSessions ?? 100_000,
        sessionTimeout,
        stallTimeout: options.stallTimeout ?? 5_000,
      },
      { ...settings, sendHighWaterMark: options.playerQueue ?? 1000 },
    );
    this.#servers = new ServerSide(
      this.#desk,
      {
        hasResult: (session) => this.#players.deliver(session),
        pushed: (session, body) => this.#players.push(session, body),
        failed: (session) => this.#players.cut(session, "the game has failed"),
      },
      {
        interval: this.#interval,
        patience,
        maxUnsaved: options.maxUnsaved ?? 256,
        maxServers: options.maxServers ?? 1000,
        rebalance: options.rebalance ?? false,
      },
      { ...settings, sendHighWaterMark: SERVER_QUEUE, receiveHighWaterMark: SERVER_QUEUE },
    );
    this.#reading = Promise.all([this.#players.read(), this.#servers.read()]);
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Listens for players and for game servers, at an endpoint each. */
  async bind(players: string, servers: string): Promise<void> {
    this.assertOpen();
    await this.#servers.router.bind(servers);
    await this.#players.router.bind(players);
  }

  /** Where players connect to. */
  get playerEndpoint(): string {
    return this.#players.router.lastEndpoint!;
  }

  /** Where game servers connect to. */
  get serverEndpoint(): string {
    return this.#servers.router.lastEndpoint!;
  }

  /** The game servers, with their shares. */
  get servers(): readonly GameServerInfo[] {
    return Array.from(this.#servers.fleet.values(), (server) => ({
      name: server.name,
      capacity: server.capacity,
      sessions: server.sessions.size,
      load: server.load / 1000,
      leaving: server.leaving,
    }));
  }

  #tick(): void {
    const time = this.#desk.tick(TICK_MS);
    this.#players.retry(time);
    this.#servers.retry();
    this.#servers.beat(time);
    if (time - this.#sweptAt < this.#interval) return;
    this.#sweptAt = time;
    this.#players.sweep(time);
  }

  /** What it has counted so far. */
  stats(): GameGatewayStats {
    return {
      connections: this.#players.connections.size,
      sessions: this.#desk.sessions.size,
      waiting: this.#servers.waiting.size,
      servers: this.#servers.fleet.size,
      ...this.#desk.counters,
    };
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    clearInterval(this.#ticking);
    await Promise.all([this.#players.router.close(), this.#servers.router.close()]);
    await this.#reading;
  }
}
