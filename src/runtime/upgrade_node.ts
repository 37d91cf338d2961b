// Connections that a server of node:http hands over when a client asks for another protocol; Deno and Bun have that, too.

import type { StreamAddress } from "../endpoint.ts";
import type { ByteSink, ByteStream } from "../link/stream.ts";
import { concat, fill } from "../octets.ts";
import { Staging } from "./staging.ts";

/** What is used of the `IncomingMessage` of node:http. */
export interface NodeUpgradeRequest {
  /** `GET`, if it is as it must be. */
  readonly method?: string | undefined;
  /** The path, with its query. */
  readonly url?: string | undefined;
  /** `1.1`, if it is as it must be. */
  readonly httpVersion: string;
  /** Names and values of the headers by turns, as they came. */
  readonly rawHeaders: readonly string[];
}

/** What is used of the connection that comes with it; a TLS connection is as good. */
export interface NodeUpgradeConnection {
  /** Octets that `write` has taken, and the system has not. */
  readonly writableLength: number;
  /** It is over. */
  readonly destroyed: boolean;
  /** The peer's address; there is none on a local socket, as the next three. */
  readonly remoteAddress?: string | undefined;
  /** The peer's port. */
  readonly remotePort?: number | undefined;
  /** This side's address. */
  readonly localAddress?: string | undefined;
  /** This side's port. */
  readonly localPort?: number | undefined;
  /** Calls with each piece that arrives. */
  on(event: "data", call: (octets: Uint8Array) => void): unknown;
  /** Calls when the peer has ended its side, or both have. */
  on(event: "end" | "close", call: () => void): unknown;
  /** Calls with what broke the connection. */
  on(event: "error", call: (error: Error) => void): unknown;
  /** Sends octets. */
  write(octets: Uint8Array, done: (error?: Error | null) => void): boolean;
  /** Stops reading. */
  pause(): unknown;
  /** Reads on. */
  resume(): unknown;
  /** Ends this side. */
  end(): unknown;
  /** Ends both sides. */
  destroy(): unknown;
}

/** What tcp and TLS connections have in addition. */
interface Tunable {
  setNoDelay?(on: boolean): void;
  setTimeout?(time: number): void;
}

/** The octets of a request, as far as a server has read them. */
export function headOf({ method, url, httpVersion, rawHeaders }: NodeUpgradeRequest): Uint8Array {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  }
  // Headers are Latin-1; what is not must not turn into a line break.
  return Uint8Array.from(`${text}\r\n`, (character) => Math.min(character.codePointAt(0)!, 255));
}

/** Such a connection from its first octet on, as if nobody had read the request. */
export class UpgradedStream implements ByteStream {
  readonly local: StreamAddress;
  readonly remote: StreamAddress;
  readonly #connection: NodeUpgradeConnection;
  readonly #staging: Staging = new Staging();
  #sink: ByteSink | undefined;
  /** What was read before. */
  #early: Uint8Array | undefined;
  #paused = false;
  #closing = false;
  #gone = false;
  #error: unknown;

  /** `head` is what came behind the request and was read with it. */
  constructor(
    request: NodeUpgradeRequest,
    connection: NodeUpgradeConnection & Tunable,
    head: Uint8Array,
  ) {
    this.#connection = connection;
    this.#early = concat([headOf(request), head]);
    const { remoteAddress, remotePort, localAddress, localPort, destroyed } = connection;
    // One that has broken already has lost its addresses; a local one never had any.
    const known = remoteAddress !== undefined || destroyed;
    this.remote = known ? { host: remoteAddress ?? "", port: remotePort ?? 0 } : { path: "" };
    this.local = { host: localAddress ?? "", port: localPort ?? 0 };
    this.#gone = destroyed;
    connection.setNoDelay?.(true);
    connection.setTimeout?.(0);
    connection.on("data", (octets) => this.#received(octets));
    // Servers of node:http leave it half open.
    connection.on("end", () => connection.end());
    connection.on("error", (error) => this.#error = error);
    connection.on("close", () => {
      this.#gone = true;
      this.#sink?.closed(this.#error);
    });
    connection.pause();
  }

  start(sink: ByteSink): void {
    this.#sink = sink;
    queueMicrotask(() => this.#gone ? sink.closed(this.#error) : this.#goOn());
  }

  #goOn(): void {
    if (this.#gone || this.#paused) return;
    const octets = this.#early;
    this.#early = undefined;
    if (octets !== undefined) this.#received(octets);
    if (!this.#paused) this.#connection.resume();
  }

  #received(octets: Uint8Array): void {
    if (!this.#closing) fill(this.#sink!, octets);
  }

  write(octets: Uint8Array): number {
    if (this.#gone) return 0;
    const size = octets.length;
    let done = false;
    this.#connection.write(this.#staging.keep(octets), (error) => {
      if (!done && !error && !this.#gone) this.#sink!.written(size);
    });
    // What the kernel took at once needs no waiting for the callback.
    done = this.#connection.writableLength === 0;
    return done ? size : 0;
  }

  pause(): void {
    this.#paused = true;
    this.#connection.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#early === undefined) this.#connection.resume();
    else queueMicrotask(() => this.#goOn());
  }

  close(): void {
    this.#closing = true;
    this.#connection.end();
    this.#connection.resume();
  }

  abort(): void {
    this.#closing = true;
    this.#connection.destroy();
  }
}
