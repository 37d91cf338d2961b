// Peers that are nothing but a connection over tcp or ipc: they send what a test says, also what no
// ZeroMQ would, and read only when told to. Runs on Deno, Bun and Node by way of node:net.

import { within } from "./deadline.ts";
import { concat } from "./octets.ts";

interface NetSocket {
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  on(event: "data", listener: (chunk: Uint8Array) => void): void;
  on(event: "connect" | "end" | "close", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  write(octets: Uint8Array, done?: () => void): boolean;
  pause(): void;
  resume(): void;
  end(): void;
  destroy(): void;
  resetAndDestroy?(): void;
}

type NetAddress = { readonly host: string; readonly port: number } | { readonly path: string };

interface NetServer {
  on(event: "connection", listener: (socket: NetSocket) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  listen(options: NetAddress, done: () => void): void;
  address(): { address: string; port: number } | string;
  close(): void;
}

interface NetModule {
  connect(options: NetAddress & { allowHalfOpen: boolean }): NetSocket;
  createServer(options: { allowHalfOpen: boolean }): NetServer;
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:net"): NetModule };
};
const LOOPBACK = "127.0.0.1";
/** How long a raw peer waits for what a test expects. */
const WAIT_MS = 5_000;

/** One raw connection. */
export class RawConnection {
  /** Resolves when the other side has closed or the connection broke. */
  readonly closed: Promise<void>;
  /** Where the other side's end of the connection is. */
  readonly remoteAddress: string;
  readonly #socket: NetSocket;
  #chunks: Uint8Array[] = [];
  #available = 0;
  #isClosed = false;
  #progress: () => void = () => {};

  constructor(socket: NetSocket) {
    this.#socket = socket;
    this.remoteAddress = socket.remoteAddress ?? "";
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    const over = (): void => {
      this.#isClosed = true;
      resolve();
      this.#progress();
    };
    socket.on("data", (chunk) => {
      this.#chunks.push(Uint8Array.from(chunk));
      this.#available += chunk.length;
      this.#progress();
    });
    socket.on("error", over); // a reset: over all the same
    socket.on("end", over);
    socket.on("close", over);
  }

  /** True when the other side has closed or the connection broke. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** How many octets have come and were not taken. */
  get available(): number {
    return this.#available;
  }

  /** Sends octets as they are, in one go. */
  send(...pieces: readonly Uint8Array[]): void {
    this.#socket.write(concat(...pieces));
  }

  /** Sends octets; resolves when the system has taken them. */
  flush(octets: Uint8Array): Promise<void> {
    return new Promise((resolve) => void this.#socket.write(octets, resolve));
  }

  /** Takes exactly `count` octets; fails when they do not come. */
  async take(count: number): Promise<Uint8Array> {
    const enough = (): boolean => this.#available >= count;
    await within(
      new Promise<void>((resolve) => {
        this.#progress = () => (enough() || this.#isClosed) && resolve();
        this.#progress();
      }),
      WAIT_MS,
      `${count} octets from the peer, ${this.#available} came`,
    );
    if (!enough()) throw new Error(`Closed after ${this.#available} of ${count} octets`);
    const all = this.#chunks.length === 1 ? this.#chunks[0] : concat(...this.#chunks);
    this.#chunks = [all.subarray(count)];
    this.#available -= count;
    return all.slice(0, count);
  }

  /** Stops reading: what the other side sends stays in the system's buffers. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#socket.resume();
  }

  /** Sends nothing more; what has been sent arrives. */
  end(): void {
    this.#socket.end();
  }

  /** Closes. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Waits until the other side has closed. */
  async untilClosed(ms: number = WAIT_MS): Promise<void> {
    await within(this.closed, ms, "the peer closes the connection");
  }
}

/** Connects to `tcp://127.0.0.1:port` or `ipc://path`. */
export async function dial(endpoint: string): Promise<RawConnection> {
  const socket = process.getBuiltinModule("node:net")
    .connect({ ...addressOf(endpoint), allowHalfOpen: true });
  const connection = new RawConnection(socket);
  await within(
    new Promise<void>((resolve, reject) => {
      socket.on("connect", resolve);
      socket.on("error", reject);
    }),
    WAIT_MS,
    `connection to ${endpoint}`,
  );
  return connection;
}

/** A raw listener. */
export class RawServer {
  readonly endpoint: string;
  readonly #server: NetServer;
  readonly #connections: RawConnection[] = [];
  readonly #waiting: ((connection: RawConnection) => void)[] = [];
  readonly #all: RawConnection[] = [];

  private constructor(server: NetServer) {
    this.#server = server;
    const address = server.address();
    this.endpoint = typeof address === "string"
      ? `ipc://${address}`
      : `tcp://${address.address}:${address.port}`;
    server.on("connection", (socket) => {
      const connection = new RawConnection(socket);
      this.#all.push(connection);
      const next = this.#waiting.shift();
      if (next === undefined) this.#connections.push(connection);
      else next(connection);
    });
  }

  /** Listens on a free port, or at the endpoint. */
  static listen(endpoint = `tcp://${LOOPBACK}:0`): Promise<RawServer> {
    const server = process.getBuiltinModule("node:net").createServer({ allowHalfOpen: true });
    return new Promise((resolve, reject) => {
      server.on("error", reject);
      server.listen(addressOf(endpoint), () => resolve(new RawServer(server)));
    });
  }

  /** How many connections have come. */
  get count(): number {
    return this.#all.length;
  }

  /** The next connection. */
  async accept(): Promise<RawConnection> {
    const connection = this.#connections.shift();
    if (connection !== undefined) return connection;
    const { promise, resolve } = Promise.withResolvers<RawConnection>();
    this.#waiting.push(resolve);
    return await within(promise, WAIT_MS, "a connection");
  }

  /** Closes the listener and all its connections. */
  close(): void {
    this.#server.close();
    for (const connection of this.#all) connection.destroy();
  }
}

function addressOf(endpoint: string): NetAddress {
  const [transport, address] = endpoint.split("://");
  if (transport === "ipc") return { path: address };
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
