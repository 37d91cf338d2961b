// The servers of Freelance, models 2 and 3.

import { type Frame, StateError } from "../../../mod.ts";
import { isOnly, PING, PONG } from "./frames.ts";
import { checkEndpoint } from "./server_names.ts";
import { type FreelanceServerOptions, FreelanceServing } from "./serving.ts";

/** What `FreelanceServer.bind` takes beside the address. */
export interface FreelanceBindOptions {
  /**
   * The endpoint that clients connect to: the server's name on the network. Needed where it is bound to all interfaces, or
   * behind an address translation.
   * @default {address} With wildcards for the port or path resolved.
   */
  readonly publicEndpoint?: string | undefined;
}

/**
 * A server of the Freelance Protocol (RFC 10): a ROUTER whose name is its endpoint. It answers PINGs itself, and gives
 * requests to a handler; several may be in progress. Guide, chapter 4, Freelance model three.
 *
 * @example A server and its client
 * ```ts
 * import { FreelanceClient, FreelanceServer } from "@wasmq/wasmq/patterns";
 *
 * await using server = new FreelanceServer({ handler: ([name]) => `hello, ${name}` });
 * await server.bind("tcp://127.0.0.1:*");
 *
 * await using client = new FreelanceClient({ servers: [server.endpoint!] });
 * const [reply] = await client.request("Ada");
 * console.log(`${reply}`); // "hello, Ada"
 * ```
 */
export class FreelanceServer extends FreelanceServing {
  #endpoint: string | undefined;
  #bound = false;

  /** Makes a server; `bind` starts it. */
  constructor(options: FreelanceServerOptions) {
    super(options);
  }

  /** The endpoint for clients, which is the server's name as well; undefined before `bind`. */
  get endpoint(): string | undefined {
    return this.#endpoint;
  }

  /**
   * Listens for clients. A server has one name, so it binds once.
   *
   * @param address As `Socket.bind` takes it.
   * @throws {EndpointError} Rejects as `Socket.bind` does; `bind` can be called again then.
   * @throws {TypeError} `EINVAL` when it is bound to all interfaces and has no `publicEndpoint`.
   * @throws {StateError} `EINVAL` when it is bound already, `EBADF` after `close`.
   */
  async bind(address: string, options: FreelanceBindOptions = {}): Promise<void> {
    this.assertOpen();
    if (this.#bound) {
      throw new StateError("EINVAL", `A FreelanceServer binds once: it is ${this.#endpoint}`);
    }
    const { publicEndpoint } = options;
    if (publicEndpoint === undefined && /^tcp:\/\/(?:\*|0\.0\.0\.0|\[::\]):/.test(address)) {
      throw Object.assign(
        new TypeError(`Clients cannot connect to ${address}: give publicEndpoint`),
        { code: "EINVAL" },
      );
    }
    this.#bound = true;
    try {
      // Before it is bound: where it was a moment ago, clients wait already.
      const name = publicEndpoint ?? (/[*]|:0$/.test(address) ? undefined : address);
      if (name !== undefined) this.router.routingId = checkEndpoint(name);
      await this.router.bind(address);
    } catch (error) {
      this.#bound = false;
      throw error;
    }
    // Nobody has connected to a port that was unknown until now.
    this.#endpoint = publicEndpoint ?? this.router.lastEndpoint!;
    this.router.routingId = this.#endpoint;
    this.begin();
  }

  /** @internal */
  protected override take(frames: Frame[]): void {
    if (isOnly(PING, frames, 1)) this.pong([frames[0], PONG]);
    else if (frames.length < 3) this.refuse(frames);
    else this.answer(frames.slice(0, 2), frames.slice(2));
  }
}

/**
 * A server for `ShotgunClient`s: takes the number of a request off and puts it before the reply. The same as a REP socket
 * that does so, but for several requests at a time. Guide, chapter 4, Freelance model two.
 *
 * @example One server
 * ```ts
 * import { ShotgunClient, ShotgunServer } from "@wasmq/wasmq/patterns";
 *
 * await using server = new ShotgunServer({ handler: ([text]) => `${text}`.toUpperCase() });
 * await server.bind("tcp://127.0.0.1:*");
 *
 * await using client = new ShotgunClient({ servers: [server.endpoint!] });
 * const [reply] = await client.request("loud");
 * console.log(`${reply}`); // "LOUD"
 * ```
 */
export class ShotgunServer extends FreelanceServing {
  /** Makes a server; `bind` starts it. */
  constructor(options: FreelanceServerOptions) {
    super(options);
  }

  /** The endpoint of the last `bind`, with wildcards resolved; undefined before. */
  get endpoint(): string | undefined {
    return this.router.lastEndpoint ?? undefined;
  }

  /**
   * Listens for clients; may be called several times.
   *
   * @param address As `Socket.bind` takes it.
   * @throws {EndpointError} Rejects as `Socket.bind` does.
   * @throws {StateError} `EBADF` after `close`.
   */
  async bind(address: string): Promise<void> {
    this.assertOpen();
    await this.router.bind(address);
    this.begin();
  }

  /** @internal */
  protected override take(frames: Frame[]): void {
    // The client's id, the empty frame of a REQ, the number, the body.
    if (frames.length < 4 || frames[1].length > 0) this.refuse(frames);
    else this.answer(frames.slice(0, 3), frames.slice(3));
  }
}
