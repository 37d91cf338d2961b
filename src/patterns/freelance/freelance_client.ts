// Freelance, model 3: the Freelance Protocol (RFC 10), ROUTER to ROUTER.

import { type Frame, Router } from "../../../mod.ts";
import { checkCount, checkTime } from "../base/checks.ts";
import { drain } from "../base/drain.ts";
import { type Heartbeats, heartbeatsOf } from "../base/liveness.ts";
import { type Body, octetsOf } from "../base/octets.ts";
import { Part, socketSettings } from "../base/part.ts";
import { Ticker } from "../base/ticker.ts";
import { now } from "../base/time.ts";
import type {
  FreelanceClientEvents,
  FreelanceClientOptions,
  FreelanceClientStats,
} from "./freelance_options.ts";
import { isOnly, numberIn, PING, PONG } from "./frames.ts";
import { type Entry, type FreelanceRequestOptions, late, noServers, Requests } from "./requests.ts";
import { checkEndpoint, checkRoom } from "./server_names.ts";
import { bestOf, type FreelanceServerInfo, infoOf, Server } from "./tracked_server.ts";

const LEAST_STEP_MS = 5;
const MOST_STEP_MS = 100;

/**
 * Knows which of its servers live, asks the best of them, and another one when that dies or takes too long. Many requests
 * may be under way. Servers are `FreelanceServer`s, or any that speak the Freelance Protocol (RFC 10). Guide, chapter 4,
 * Freelance model three.
 *
 * Best is the living server with the fewest requests of this client under way, and of those the one whose PONGs are back
 * soonest. A server that is slow rather than dead may do what another one then does again: requests should be safe to
 * repeat.
 *
 * @example Two servers, of which one ends
 * ```ts
 * import { FreelanceClient, FreelanceServer } from "@wasmq/wasmq/patterns";
 *
 * const servers = ["A", "B"].map((name) => new FreelanceServer({ handler: () => name }));
 * for (const server of servers) await server.bind("tcp://127.0.0.1:*");
 *
 * await using client = new FreelanceClient({ servers: servers.map((server) => server.endpoint!) });
 * const [first] = await client.request("who is there?");
 * await servers[`${first}` === "A" ? 0 : 1].close();
 * const [second] = await client.request("and now?");
 * console.log(`${first}` !== `${second}`); // true
 *
 * for (const server of servers) await server.close();
 * ```
 */
export class FreelanceClient extends Part<FreelanceClientEvents> {
  readonly #beats: Heartbeats;
  readonly #requestTimeout: number;
  readonly #timeout: number;
  readonly #maxServers: number;
  readonly #router: Router;
  readonly #servers: Map<string, Server> = new Map();
  readonly #pending: Requests<Server>;
  readonly #ticker: Ticker;
  readonly #reading: Promise<void>;
  #requests = 0;
  #sent = 0;
  #replies = 0;
  #late = 0;
  #timeouts = 0;
  #pings = 0;
  #pongs = 0;
  #malformed = 0;

  /** Makes a client and connects it to its servers. */
  constructor(options: FreelanceClientOptions = {}) {
    super(options);
    this.#beats = heartbeatsOf(options);
    this.#requestTimeout = checkTime("requestTimeout", options.requestTimeout ?? 3000);
    this.#timeout = checkTime("timeout", options.timeout ?? 1000);
    this.#maxServers = checkCount("maxServers", options.maxServers ?? 1000, 1);
    const shortest = Math.min(this.#beats.interval, this.#timeout, this.#requestTimeout);
    const step = Math.max(LEAST_STEP_MS, Math.min(MOST_STEP_MS, shortest / 5));
    this.#ticker = new Ticker(step, (time) => this.#tick(time));
    this.#pending = new Requests(
      this.#requestTimeout,
      checkCount("maxPending", options.maxPending ?? 10_000, 1),
      () => this.#ticker.time + step, // it was so late a step ago
      (entry) => entry.server?.entries.delete(entry),
    );
    // Immediate: what a dead server has not got must not reach it when it is back.
    const settings = { immediate: true, mandatory: true, linger: 0 };
    this.#router = new Router(socketSettings(options, settings));
    this.#router.events.on("handshake", ({ address }) => this.#connected(address));
    this.#router.events.on("disconnect", ({ address }) => {
      const server = this.#servers.get(address);
      if (server !== undefined) this.#lost(server, "disconnected");
    });
    this.#reading = this.#read();
    this.#ticker.start();
    try {
      for (const endpoint of options.servers ?? []) this.addServer(endpoint);
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  /** The servers, with what is known of each. */
  get servers(): readonly FreelanceServerInfo[] {
    return [...this.#servers.values()].map(infoOf);
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
    // Its name is given to it here, so it can be sent to before it has announced itself.
    this.#router.connect(endpoint, { routingId: endpoint });
    this.#servers.set(endpoint, new Server(endpoint, octetsOf(endpoint)));
  }

  /** Takes a server away; what it was asked goes to another one. False when it was not there. */
  removeServer(endpoint: string): boolean {
    const server = this.#servers.get(endpoint);
    if (server === undefined) return false;
    this.#servers.delete(endpoint);
    server.alive = false;
    this.#router.disconnect(endpoint);
    this.#moveAll(server);
    return true;
  }

  /**
   * Asks the best living server, and others as long as there is no reply. Waits for one to come to life when none does.
   *
   * @throws {ZmqError} Rejects with `ETIMEDOUT` when there is no reply within `requestTimeout`, `EHOSTUNREACH` when no
   * server is known, `ENOBUFS` when `maxPending` requests are under way, `EBADF` when the client is closed, and the
   * signal's reason when given up.
   */
  // Async for what it throws at once.
  async request(body: Body, options: FreelanceRequestOptions = {}): Promise<Frame[]> {
    this.assertOpen();
    if (this.#servers.size === 0) throw noServers();
    const { entry, reply } = this.#pending.add(body, options.signal);
    this.#requests++;
    this.#attempt(entry);
    return await reply;
  }

  /** Sends a request to the best server that it is not with already; leaves it where it is when there is no other. */
  #attempt(entry: Entry<Server>): void {
    for (;;) {
      const best = bestOf(this.#servers.values(), entry);
      if (best === undefined || !this.#send(best, entry)) return;
      if (entry.server === best) return;
    }
  }

  /** False when the request is over. Otherwise it is with the server, or the server is not alive any more. */
  #send(server: Server, entry: Entry<Server>): boolean {
    try {
      if (!this.#router.trySend([server.id, ...entry.frames])) {
        server.full = true;
        return true;
      }
    } catch (error) {
      if ((error as { code?: string }).code === "EHOSTUNREACH") {
        this.#lost(server, "disconnected");
        return true;
      }
      this.#pending.take(entry.number)?.reject(error); // its body is nothing that can be sent
      return false;
    }
    entry.server?.entries.delete(entry);
    entry.server = server;
    server.entries.add(entry);
    entry.asked.add(server);
    entry.patienceEnds = this.#ticker.time + this.#timeout;
    this.#sent++;
    if (++entry.tries > 1 && this.events.heard("retry")) {
      this.events.emit("retry", { endpoint: server.endpoint, tries: entry.tries });
    }
    return true;
  }

  #connected(endpoint: string): void {
    const server = this.#servers.get(endpoint);
    if (server !== undefined) this.#ping(server);
  }

  #ping(server: Server): void {
    server.nextPing = this.#ticker.time + this.#beats.interval;
    try {
      if (!this.#router.trySend([server.id, PING])) return;
      server.pinged ??= now();
      this.#pings++;
    } catch (error) {
      // Not connected: its handshake will tell.
      if ((error as { code?: string }).code !== "EHOSTUNREACH") throw error;
    }
  }

  #lost(server: Server, reason: "silent" | "disconnected"): void {
    server.pinged = undefined;
    if (!server.alive || this.closed) return;
    server.alive = false;
    this.events.emit("lost", { endpoint: server.endpoint, reason });
    this.#moveAll(server);
  }

  #moveAll(server: Server): void {
    for (const entry of [...server.entries]) {
      server.entries.delete(entry);
      entry.server = undefined;
      this.#attempt(entry);
    }
  }

  #read(): Promise<void> {
    return drain(this.#router, (frames) => this.#take(frames));
  }

  #take(frames: Frame[]): void {
    const endpoint = frames[0].toString();
    const server = this.#servers.get(endpoint);
    if (server === undefined) return; // removed a moment ago
    server.heardAt = this.#ticker.time;
    if (isOnly(PONG, frames, 1)) {
      this.#pongs++;
      server.ponged(now());
    } else this.#reply(server, frames);
    if (!server.alive) this.#revive(server);
  }

  #reply(server: Server, frames: Frame[]): void {
    const number = frames.length >= 3 ? numberIn(frames[1]) : undefined;
    if (number === undefined) return this.#refuse(server, "it is neither a reply nor PONG", frames);
    const entry = this.#pending.get(number);
    if (entry !== undefined && !entry.asked.has(server)) {
      this.#refuse(server, "this server was not asked", frames);
    } else if (entry === undefined) {
      this.#late++;
    } else {
      this.#replies++;
      this.#pending.take(number)!.resolve(frames.slice(2));
    }
  }

  #refuse({ endpoint }: Server, reason: string, frames: readonly Frame[]): void {
    this.#malformed++;
    this.events.emit("malformed", { endpoint, reason, frames: frames.slice(1) });
  }

  #revive(server: Server): void {
    server.alive = true;
    this.events.emit("alive", { endpoint: server.endpoint });
    for (const entry of [...this.#pending.values()]) {
      if (entry.server === undefined) this.#attempt(entry);
    }
  }

  #tick(time: number): void {
    let alive = 0;
    for (const server of [...this.#servers.values()]) {
      server.full = false;
      if (server.alive && time - server.heardAt >= this.#beats.patience) {
        this.#lost(server, "silent");
      }
      if (time >= server.nextPing) this.#ping(server);
      if (server.alive) alive++;
    }
    this.#timeouts += this.#pending.expire(
      time,
      (entry) => late(entry, this.#requestTimeout, alive, this.#servers.size),
    );
    for (const entry of [...this.#pending.values()]) {
      if (entry.server === undefined || time >= entry.patienceEnds) this.#attempt(entry);
    }
  }

  /** What it has counted so far. */
  stats(): FreelanceClientStats {
    return {
      requests: this.#requests,
      sent: this.#sent,
      replies: this.#replies,
      late: this.#late,
      timeouts: this.#timeouts,
      pings: this.#pings,
      pongs: this.#pongs,
      malformed: this.#malformed,
      pending: this.#pending.size,
    };
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    // Undefined when the constructor has failed.
    this.#ticker?.stop();
    this.#pending?.rejectAll(this.closing.reason);
    await this.#router?.close();
    await this.#reading;
  }
}
