// Node's sockets. Deno uses parts of it through its own node:net; nothing here is imported statically from node:.

import type { HostPort } from "../endpoint.ts";
import type {
  ByteSink,
  ByteStream,
  InterfaceAddress,
  Listener,
  ListenOptions,
  Runtime,
  StreamOptions,
} from "../link/stream.ts";
import { fill } from "../octets.ts";
import { Staging } from "./staging.ts";

interface NodeSocket {
  _handle: unknown;
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly writableLength: number;
  on(event: "close" | "connect" | "end", call: () => void): void;
  on(event: "error", call: (error: unknown) => void): void;
  off(event: "error" | "connect", call: (error: unknown) => void): void;
  write(octets: Uint8Array, done: (error?: unknown) => void): boolean;
  pause(): void;
  resume(): void;
  end(): void;
  destroy(): void;
  unref(): void;
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean, initialDelay: number): void;
}

interface NodeServer {
  listen(options: { host: string; port: number; backlog: number }): void;
  close(done: () => void): void;
  address(): { address: string; port: number };
  on(event: "connection", call: (socket: NodeSocket) => void): void;
  on(event: "listening", call: () => void): void;
  on(event: "error", call: (error: unknown) => void): void;
  unref(): void;
}

type OnRead = DirectReading["onread"];

interface NodeNet {
  readonly Socket: new (
    options: { handle: unknown; pauseOnCreate: boolean; onread: OnRead },
  ) => NodeSocket;
  connect(options: {
    onread: OnRead;
    host: string;
    port: number;
    localAddress?: string | undefined;
    localPort?: number | undefined;
  }): NodeSocket;
  createServer(options: { noDelay: boolean; pauseOnConnect: boolean }): NodeServer;
}

interface NodeDns {
  lookup(
    host: string,
    options: { all: true; verbatim: true },
    done: (error: unknown, addresses: { address: string }[]) => void,
  ): void;
}

interface NodeOs {
  networkInterfaces(): Record<string, { address: string }[] | undefined>;
}

interface NodeFs {
  openSync(path: string, flags: string): number;
  closeSync(descriptor: number): void;
}

interface Modules {
  "node:fs": NodeFs;
  "node:net": NodeNet;
  "node:dns": NodeDns;
  "node:os": NodeOs;
}

/** A module of Node, where the runtime has it. */
export function builtin<N extends keyof Modules>(name: N): Modules[N] {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: string): unknown };
  };
  return process.getBuiltinModule(name) as Modules[N];
}

/**
 * Has Node read into the sink's own memory, which saves a buffer for each read and the copy out of it: it halves what
 * receiving costs. Node asks for a buffer first when the socket is made and then after each read, so the first read,
 * the peer's greeting mostly, goes elsewhere.
 */
class DirectReading {
  readonly #first: Uint8Array = new Uint8Array(64);
  #sink: ByteSink | undefined;
  /** Where the read under way goes, when that is not the sink's. */
  #other: Uint8Array | undefined = this.#first;
  #ignoring = false;

  /** For the `onread` option of a socket. */
  readonly onread = {
    buffer: (): Uint8Array => {
      if (this.#ignoring || this.#sink === undefined) return this.#other = this.#first;
      this.#other = undefined;
      return this.#sink.target();
    },
    callback: (count: number): boolean => {
      if (this.#ignoring) return true;
      if (this.#other === undefined) this.#sink!.filled(count);
      else fill(this.#sink!, this.#other.subarray(0, count));
      return true;
    },
  };

  start(sink: ByteSink): void {
    this.#sink = sink;
  }

  /** What still comes is dropped. */
  ignore(): void {
    this.#ignoring = true;
  }
}

class NodeStream implements ByteStream {
  readonly local: HostPort;
  readonly remote: HostPort;
  readonly #socket: NodeSocket;
  #sink: ByteSink | undefined;
  readonly #staging: Staging = new Staging();
  readonly #reading: DirectReading;
  #gone = false;
  #error: unknown;

  constructor(socket: NodeSocket, reading: DirectReading, options: StreamOptions) {
    this.#socket = socket;
    this.#reading = reading;
    this.local = { host: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    this.remote = { host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
    socket.setNoDelay(true);
    if (options.tcpKeepalive >= 0) {
      socket.setKeepAlive(options.tcpKeepalive === 1, Math.max(0, options.tcpKeepaliveIdle) * 1000);
    }
    socket.unref();
    socket.on("error", (error) => this.#error = error);
    socket.on("close", () => {
      this.#gone = true;
      this.#sink?.closed(this.#error);
    });
  }

  start(sink: ByteSink): void {
    this.#sink = sink;
    if (this.#gone) return sink.closed(this.#error);
    this.#reading.start(sink);
    this.#socket.resume();
  }

  write(octets: Uint8Array): number {
    if (this.#gone) return 0;
    const size = octets.length;
    let done = false;
    this.#socket.write(this.#staging.keep(octets), (error) => {
      if (!done && !error && !this.#gone) this.#sink!.written(size);
    });
    // What the kernel took at once needs no waiting for the callback.
    done = this.#socket.writableLength === 0;
    return done ? size : 0;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#reading.ignore();
    this.#socket.end();
    this.#socket.resume();
  }

  abort(): void {
    this.#reading.ignore();
    this.#socket.destroy();
  }
}

class NodeListener implements Listener {
  readonly local: HostPort;
  readonly #server: NodeServer;

  constructor(server: NodeServer) {
    this.#server = server;
    server.unref();
    const { address, port } = server.address();
    this.local = { host: address, port };
  }

  close(): Promise<void> {
    // Node calls back when the last connection has ended too; the port itself is free at once.
    this.#server.close(() => {});
    return Promise.resolve();
  }
}

/**
 * Gives an accepted connection a socket that reads directly: `createServer` does not take the option, so the handle
 * moves to a new socket, as Node itself does when it passes connections between processes.
 */
function adopt(socket: NodeSocket, options: StreamOptions): NodeStream {
  const reading = new DirectReading();
  const handle = socket._handle;
  socket._handle = null;
  const direct = new (builtin("node:net").Socket)({
    handle,
    pauseOnCreate: true,
    onread: reading.onread,
  });
  return new NodeStream(direct, reading, options);
}

/** Listens with node:net; also Deno's way for what its own sockets cannot do. */
export function listen(
  at: HostPort,
  options: ListenOptions,
  accepted: (stream: ByteStream) => void,
): Promise<Listener> {
  const server = builtin("node:net").createServer({ noDelay: true, pauseOnConnect: true });
  server.on("connection", (socket) => accepted(adopt(socket, options)));
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.on("listening", () => resolve(new NodeListener(server)));
    server.listen({ host: at.host, port: at.port, backlog: options.backlog });
  });
}

/** Connects with node:net; also Deno's way for what its own sockets cannot do. */
export function connect(
  to: HostPort,
  source: HostPort | undefined,
  options: StreamOptions,
  signal: AbortSignal,
): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const reading = new DirectReading();
    const socket = builtin("node:net").connect({
      onread: reading.onread,
      host: to.host,
      port: to.port,
      localAddress: source?.host,
      localPort: source?.port,
    });
    socket.unref();
    const stop = () => {
      socket.destroy();
      reject(signal.reason);
    };
    const failed = (error: unknown) => {
      signal.removeEventListener("abort", stop);
      reject(error);
    };
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop);
    socket.on("error", failed);
    socket.on("connect", () => {
      signal.removeEventListener("abort", stop);
      socket.off("error", failed);
      socket.pause();
      resolve(new NodeStream(socket, reading, options));
    });
  });
}

/** All addresses of a host name, as the system's resolver orders them. */
export function resolve(host: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    builtin("node:dns").lookup(host, { all: true, verbatim: true }, (error, addresses) => {
      if (error) reject(error);
      else resolve(addresses.map(({ address }) => address));
    });
  });
}

/** The addresses of the machine's network interfaces. */
export function interfaces(): InterfaceAddress[] {
  return Object.entries(builtin("node:os").networkInterfaces())
    .flatMap(([name, addresses]) => (addresses ?? []).map(({ address }) => ({ name, address })));
}

export const nodeRuntime: Runtime = {
  name: "Node",
  unrefTimer: (timer) => (timer as { unref(): void }).unref(),
  listen,
  connect,
  resolve,
  interfaces,
};
