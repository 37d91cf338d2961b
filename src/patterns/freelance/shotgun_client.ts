// Freelance, model 2: every request goes to all servers, the first reply counts.

import { Dealer, type Frame } from "../../../mod.ts";
import { checkCount, checkTime } from "../base/checks.ts";
import { drain } from "../base/drain.ts";
import type { Body } from "../base/octets.ts";
import { Part, type PartOptions, socketSettings } from "../base/part.ts";
import { Ticker } from "../base/ticker.ts";
import { numberIn } from "./frames.ts";
import { type Entry, type FreelanceRequestOptions, late, noServers, Requests } from "./requests.ts";
import { checkEndpoint, checkRoom } from "./server_names.ts";

/** Options of a `ShotgunClient`. */
export interface ShotgunClientOptions extends PartOptions {
  /** The endpoints of the servers. */
  readonly servers?: readonly string[] | undefined;
  /**
   * How long a request waits for its first reply, in milliseconds.
   * @default {3000}
   */
  readonly requestTimeout?: number | undefined;
  /**
   * How many requests may be under way.
   * @default {10000}
   */
  readonly maxPending?: number | undefined;
  /**
   * How many servers it may be given.
   * @default {1000}
   */
  readonly maxServers?: number | undefined;
}

/** What a `ShotgunClient` tells. */
export interface ShotgunClientEvents {
  /** The connection to a server stands. */
  connected: { readonly endpoint: string };
  /** The connection to a server has ended; it is made again when that is possible. */
  lost: { readonly endpoint: string };
  /** A server sent what is no reply; it was dropped. */
  malformed: {
    readonly endpoint: string;
    readonly reason: string;
    readonly frames: readonly Frame[];
  };
}

/** What a `ShotgunClient` has counted. */
export interface ShotgunClientStats {
  /** Calls of `request`. */
  readonly requests: number;
  /** Copies of them that were sent. */
  readonly sent: number;
  /** First replies. */
  readonly replies: number;
  /** Replies that came after the first one or after the timeout, and were dropped. */
  readonly late: number;
  /** Requests that failed with `ETIMEDOUT`. */
  readonly timeouts: number;
  /** Messages that were no replies. */
  readonly malformed: number;
  /** Requests under way. */
  readonly pending: number;
}

interface Server {
  readonly endpoint: string;
  readonly socket: Dealer;
  connected: boolean;
}

const EMPTY = new Uint8Array(0);
const TICK_MS = 20;

/**
 * Sends each request to all servers and takes the first reply; the others are dropped and counted. The fastest way to an
 * answer when servers die, and the most wasteful one: every server does all the work. Servers are `ShotgunServer`s, or REP
 * sockets that send the first frame of a request back as the first frame of the reply. Guide, chapter 4, Freelance model two.
 *
 * A server that connects while a request is under way gets it, too.
 *
 * @example Three servers, one answer
 * ```ts
 * import { ShotgunClient, ShotgunServer } from "@wasmq/wasmq/patterns";
 *
 * const servers = [1, 2, 3].map(() => new ShotgunServer({ handler: ([x]) => Number(`${x}`) ** 2 }));
 * for (const server of servers) await server.bind("tcp://127.0.0.1:*");
 *
 * await using client = new ShotgunClient({ servers: servers.map((server) => server.endpoint!) });
 * const [reply] = await client.request(12);
 * console.log(`${reply}`); // "144"
 *
 * for (const server of servers) await server.close();
 * ```
 */
export class ShotgunClient extends Part<ShotgunClientEvents> {
  readonly #options: ShotgunClientOptions;
  readonly #timeout: number;
  readonly #maxServers: number;
  readonly #servers: Map<string, Server> = new Map();
  readonly #pending: Requests<Server>;
  readonly #ticker: Ticker = new Ticker(TICK_MS, (time) => this.#expire(time));
  #requests = 0;
  #sent = 0;
  #replies = 0;
  #late = 0;
  #timeouts = 0;
  #malformed = 0;

  /** Makes a client and connects it to its servers. */
  constructor(options: ShotgunClientOptions = {}) {
    super(options);
    this.#options = options;
    this.#timeout = checkTime("requestTimeout", options.requestTimeout ?? 3000);
    this.#maxServers = checkCount("maxServers", options.maxServers ?? 1000, 1);
    this.#pending = new Requests(
      this.#timeout,
      checkCount("maxPending", options.maxPending ?? 10_000, 1),
      () => this.#ticker.time + TICK_MS, // it was so late a step ago
    );
    this.#ticker.start();
    try {
      for (const endpoint of options.servers ?? []) this.addServer(endpoint);
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  /** The servers. */
  get servers(): readonly string[] {
    return [...this.#servers.keys()];
  }

  /**
   * Adds a server and connects to it; nothing happens when it is there already.
   *
   * @throws {TypeError} `EINVAL` for what is no endpoint.
   * @throws {ZmqError} `ENOBUFS` when there are `maxServers`, `EBADF` after `close`.
   */
  addServer(endpoint: string): void {
    this.assertOpen();
    if (this.#servers.has(checkEndpoint(endpoint))) return;
    checkRoom(this.#servers.size, this.#maxServers);
    // What waits for one that is dead must not reach it when it is back: it was answered by another long ago.
    const settings = { immediate: true, linger: 0 };
    const socket = new Dealer(socketSettings(this.#options, settings));
    const server: Server = { endpoint, socket, connected: false };
    socket.events.on("handshake", () => this.#connected(server));
    socket.events.on("disconnect", () => this.#lost(server));
    try {
      socket.connect(endpoint);
    } catch (error) {
      void socket.close();
      throw error;
    }
    this.#servers.set(endpoint, server);
    void this.#read(server);
  }

  /** Takes a server away; replies that it has not sent yet are lost. False when it was not there. */
  removeServer(endpoint: string): boolean {
    const server = this.#servers.get(endpoint);
    if (server === undefined) return false;
    this.#servers.delete(endpoint);
    void server.socket.close();
    return true;
  }

  /**
   * Asks all servers; the first reply.
   *
   * @throws {ZmqError} Rejects with `ETIMEDOUT` when none answered within `requestTimeout`, `EHOSTUNREACH` when no server
   * is known, `ENOBUFS` when `maxPending` requests are under way, `EBADF` when the client is closed, and the signal's
   * reason when given up.
   */
  // Async for what it throws at once.
  async request(body: Body, options: FreelanceRequestOptions = {}): Promise<Frame[]> {
    this.assertOpen();
    if (this.#servers.size === 0) throw noServers();
    const { entry, reply } = this.#pending.add(body, options.signal);
    this.#requests++;
    for (const server of this.#servers.values()) this.#send(entry, server);
    return await reply;
  }

  #send(entry: Entry<Server>, server: Server): void {
    try {
      if (!server.socket.trySend([EMPTY, ...entry.frames])) return;
    } catch (error) {
      this.#pending.take(entry.number)?.reject(error); // its body is nothing that can be sent
      return;
    }
    entry.asked.add(server);
    entry.tries++;
    this.#sent++;
  }

  #connected(server: Server): void {
    if (server.connected || this.#servers.get(server.endpoint) !== server) return;
    server.connected = true;
    this.events.emit("connected", { endpoint: server.endpoint });
    for (const entry of [...this.#pending.values()]) {
      if (!entry.asked.has(server)) this.#send(entry, server);
    }
  }

  #lost(server: Server): void {
    if (!server.connected || this.closed) return;
    server.connected = false;
    // What it had is gone with the connection: it gets it again when it is back.
    for (const entry of this.#pending.values()) entry.asked.delete(server);
    this.events.emit("lost", { endpoint: server.endpoint });
  }

  #read(server: Server): Promise<void> {
    return drain(server.socket, (frames) => this.#take(server, frames));
  }

  #take({ endpoint }: Server, frames: Frame[]): void {
    const number = frames.length >= 3 && frames[0].length === 0 ? numberIn(frames[1]) : undefined;
    if (number === undefined) {
      this.#malformed++;
      this.events.emit("malformed", { endpoint, reason: "it is no reply", frames });
      return;
    }
    const entry = this.#pending.take(number);
    if (entry === undefined) {
      this.#late++;
      return;
    }
    this.#replies++;
    entry.resolve(frames.slice(2));
  }

  #expire(time: number): void {
    const alive = [...this.#servers.values()].filter(({ connected }) => connected).length;
    this.#timeouts += this.#pending.expire(
      time,
      (entry) => late(entry, this.#timeout, alive, this.#servers.size),
    );
  }

  /** What it has counted so far. */
  stats(): ShotgunClientStats {
    return {
      requests: this.#requests,
      sent: this.#sent,
      replies: this.#replies,
      late: this.#late,
      timeouts: this.#timeouts,
      malformed: this.#malformed,
      pending: this.#pending.size,
    };
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    // Undefined when the constructor has failed.
    this.#ticker?.stop();
    this.#pending?.rejectAll(this.closing.reason);
    await Promise.all([...this.#servers.values()].map(({ socket }) => socket.close()));
  }
}
