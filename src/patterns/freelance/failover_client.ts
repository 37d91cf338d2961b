// Freelance, model 1: a list of servers that are asked one after the other.

import { type Frame, Request, ZmqError } from "../../../mod.ts";
import { checkCount, checkTime } from "../base/checks.ts";
import { type Body, framesOf } from "../base/octets.ts";
import { Part, type PartOptions, socketSettings } from "../base/part.ts";
import { type FreelanceRequestOptions, noServers } from "./requests.ts";
import { checkEndpoint, ServerNames } from "./server_names.ts";

/** Options of a `FailoverClient`. */
export interface FailoverClientOptions extends PartOptions {
  /** The endpoints of the servers, the preferred one first. */
  readonly servers?: readonly string[] | undefined;
  /**
   * How long each server has for its reply, in milliseconds.
   * @default {1000}
   */
  readonly timeout?: number | undefined;
  /**
   * How often the list is gone through before a request fails.
   * @default {1} 3 when there is one server only.
   */
  readonly rounds?: number | undefined;
  /**
   * How many requests may be under way; each has a socket of its own.
   * @default {1000}
   */
  readonly maxPending?: number | undefined;
  /**
   * How many servers it may be given.
   * @default {1000}
   */
  readonly maxServers?: number | undefined;
}

/** What a `FailoverClient` tells. */
export interface FailoverClientEvents {
  /** A server did not answer in time; the next one is asked. */
  silent: { readonly endpoint: string };
}

/** What a `FailoverClient` has counted. */
export interface FailoverClientStats {
  /** Calls of `request`. */
  readonly requests: number;
  /** Replies to them. */
  readonly replies: number;
  /** Servers that were asked in vain. */
  readonly silent: number;
  /** Requests that failed with `ETIMEDOUT`. */
  readonly timeouts: number;
  /** Requests under way. */
  readonly pending: number;
}

/**
 * Asks the first server of a list, and the next one when no reply comes in time: each time with a fresh REQ socket, so
 * nothing of a failed attempt is left. The server that answered last is asked first the next time. Servers are plain Reply
 * sockets. Guide, chapter 4, Freelance model one.
 *
 * A request fails with `ETIMEDOUT` after `timeout` × servers × `rounds` milliseconds. A server that is slow rather than
 * dead may do what another one then does again: requests should be safe to repeat.
 *
 * @example The first server is not there
 * ```ts
 * import { Reply } from "@wasmq/wasmq";
 * import { FailoverClient } from "@wasmq/wasmq/patterns";
 *
 * const backup = new Reply();
 * await backup.bind("tcp://127.0.0.1:*");
 * const serving = (async () => {
 *   for await (const [name] of backup) await backup.send(`hello, ${name}`);
 * })();
 *
 * await using client = new FailoverClient({
 *   servers: ["inproc://nobody", backup.lastEndpoint!],
 *   timeout: 100,
 * });
 * const [reply] = await client.request("Ada");
 * console.log(`${reply}`); // "hello, Ada"
 *
 * await backup.close();
 * await serving;
 * ```
 */
export class FailoverClient extends Part<FailoverClientEvents> {
  readonly #options: FailoverClientOptions;
  readonly #timeout: number;
  readonly #rounds: number | undefined;
  readonly #maxPending: number;
  readonly #servers: ServerNames;
  readonly #sockets: Set<Request> = new Set();
  /** One that has just answered, for the next request. */
  #idle: { readonly endpoint: string; readonly socket: Request } | undefined;
  #requests = 0;
  #replies = 0;
  #silent = 0;
  #timeouts = 0;
  #pending = 0;

  /** Makes a client; it connects when it has something to ask. */
  constructor(options: FailoverClientOptions = {}) {
    super(options);
    this.#options = options;
    this.#timeout = checkTime("timeout", options.timeout ?? 1000);
    this.#rounds = options.rounds === undefined
      ? undefined
      : checkCount("rounds", options.rounds, 1);
    this.#maxPending = checkCount("maxPending", options.maxPending ?? 1000, 1);
    this.#servers = new ServerNames(checkCount("maxServers", options.maxServers ?? 1000, 1));
    for (const endpoint of options.servers ?? []) this.addServer(endpoint);
  }

  /** The servers, in the order in which the next request asks them. */
  get servers(): readonly string[] {
    return this.#servers.list;
  }

  /**
   * Adds a server at the end of the list; nothing happens when it is there already.
   *
   * @throws {TypeError} `EINVAL` for what is no endpoint.
   * @throws {ZmqError} `ENOBUFS` when there are `maxServers`, `EBADF` after `close`.
   */
  addServer(endpoint: string): void {
    this.assertOpen();
    checkEndpoint(endpoint);
    this.#servers.add(endpoint);
  }

  /** Takes a server off the list; a request that waits for it goes on waiting. False when it was not there. */
  removeServer(endpoint: string): boolean {
    if (this.#idle?.endpoint === endpoint) this.#drop(this.#takeIdle(endpoint)!);
    return this.#servers.remove(endpoint);
  }

  /**
   * Asks the servers one after the other.
   *
   * @throws {ZmqError} Rejects with `ETIMEDOUT` when none answered, `EHOSTUNREACH` when there is none, `ENOBUFS` when
   * `maxPending` requests are under way, `EBADF` when the client is closed, and the signal's reason when given up.
   */
  async request(body: Body, options: FreelanceRequestOptions = {}): Promise<Frame[]> {
    this.assertOpen();
    options.signal?.throwIfAborted();
    const servers = this.#servers.list;
    if (servers.length === 0) throw noServers();
    if (this.#pending >= this.#maxPending) {
      throw new ZmqError(
        "ENOBUFS",
        `Cannot send a request: ${this.#pending} are under way, which is maxPending`,
      );
    }
    const signal = options.signal ? AbortSignal.any([options.signal, this.closing]) : this.closing;
    const rounds = this.#rounds ?? (servers.length === 1 ? 3 : 1);
    this.#requests++;
    this.#pending++;
    try {
      for (let round = 0; round < rounds; round++) {
        for (const endpoint of servers) {
          const reply = await this.#ask(endpoint, body, signal);
          if (reply !== undefined) return reply;
        }
      }
    } finally {
      this.#pending--;
    }
    this.#timeouts++;
    throw new ZmqError(
      "ETIMEDOUT",
      `None of ${servers.length} servers answered within ${this.#timeout} ms, ` +
        `asked ${rounds} times each (${
          servers.slice(0, 5).join(", ")
        }); start one, or raise timeout`,
    );
  }

  /** One attempt; undefined when there is no reply in time. */
  async #ask(endpoint: string, body: Body, signal: AbortSignal): Promise<Frame[] | undefined> {
    const socket = this.#takeIdle(endpoint) ?? this.#open(endpoint);
    let reply: Frame[] | undefined;
    try {
      await socket.send(framesOf(body), { signal });
      reply = await socket.receive({ signal });
      this.#servers.prefer(endpoint);
      this.#replies++;
      return reply;
    } catch (error) {
      if (signal.aborted || (error as { code?: string }).code !== "EAGAIN") throw error;
      this.#silent++;
      this.events.emit("silent", { endpoint });
      return undefined;
    } finally {
      const keep = reply !== undefined && this.#idle === undefined && !this.closed &&
        this.#servers.has(endpoint);
      if (keep) this.#idle = { endpoint, socket };
      else this.#drop(socket);
    }
  }

  #open(endpoint: string): Request {
    const limits = { linger: 0, sendTimeout: this.#timeout, receiveTimeout: this.#timeout };
    const socket = new Request(socketSettings(this.#options, limits));
    this.#sockets.add(socket);
    try {
      socket.connect(endpoint);
    } catch (error) {
      this.#drop(socket);
      throw error;
    }
    return socket;
  }

  #takeIdle(endpoint: string): Request | undefined {
    const idle = this.#idle;
    if (idle === undefined) return undefined;
    this.#idle = undefined;
    if (idle.endpoint === endpoint) return idle.socket;
    this.#drop(idle.socket);
    return undefined;
  }

  #drop(socket: Request): void {
    this.#sockets.delete(socket);
    void socket.close();
  }

  /** What it has counted so far. */
  stats(): FailoverClientStats {
    return {
      requests: this.#requests,
      replies: this.#replies,
      silent: this.#silent,
      timeouts: this.#timeouts,
      pending: this.#pending,
    };
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    await Promise.all([...this.#sockets].map((socket) => socket.close()));
  }
}
