// Node's sockets. Deno uses parts of it through its own node:net.

import type { HostPort, StreamAddress } from "../endpoint.ts";
import type {
  Accepted,
  ByteSink,
  ByteStream,
  InterfaceAddress,
  Listener,
  ListenOptions,
  Runtime,
  StreamOptions,
} from "../link/stream.ts";
import { fill } from "../octets.ts";
import { builtin } from "./builtin.ts";
import { socketFiles } from "./socket_files.ts";
import { Staging } from "./staging.ts";
import { tlsLayer } from "./tls.ts";

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
  listen(options: { host: string; port: number; backlog: number } | { path: string }): void;
  /** What `listen` comes to, in the end; it listens within the call. Not documented. */
  _listen2?(
    address: string,
    port: number,
    family: 4 | 6 | -1,
    backlog: number,
    descriptor: -1,
    flags: 0,
  ): void;
  close(done: () => void): void;
  readonly listening: boolean;
  address(): { address: string; port: number } | string | null;
  on(event: "connection", call: (socket: NodeSocket) => void): void;
  on(event: "listening", call: () => void): void;
  on(event: "error", call: (error: unknown) => void): void;
  unref(): void;
}

type OnRead = DirectReading["onread"];

type NodeTarget = { path: string } | {
  host: string;
  port: number;
  localAddress?: string | undefined;
  localPort?: number | undefined;
};

interface NodeHandle {
  listen(backlog: number): number;
  close(): void;
}

/** What is used of node:net. */
export interface NodeNet {
  /** 4, 6, or 0 for what is no address. */
  isIP(text: string): number;
  readonly Socket: new (
    options: { handle: unknown; pauseOnCreate: boolean; onread: OnRead },
  ) => NodeSocket;
  connect(options: NodeTarget & { onread: OnRead }): NodeSocket;
  /** A handle that is bound, or the number of an error. Not documented. */
  _createServerHandle?(address: string, port: number, family: 4 | 6 | -1): NodeHandle | number;
  createServer(options: { noDelay: boolean; pauseOnConnect: boolean }): NodeServer;
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
  readonly local: StreamAddress;
  readonly remote: StreamAddress;
  readonly #socket: NodeSocket;
  #sink: ByteSink | undefined;
  readonly #staging: Staging = new Staging();
  readonly #reading: DirectReading;
  #gone = false;
  #error: unknown;

  /** `at` is where it was accepted or connected to. */
  constructor(
    socket: NodeSocket,
    reading: DirectReading,
    at: StreamAddress,
    options: StreamOptions,
  ) {
    this.#socket = socket;
    this.#reading = reading;
    if ("path" in at) {
      this.local = at;
      this.remote = at;
    } else {
      this.local = { host: socket.localAddress ?? "", port: socket.localPort ?? 0 };
      this.remote = { host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
      socket.setNoDelay(true);
      if (options.tcpKeepalive >= 0) {
        const idle = Math.max(0, options.tcpKeepaliveIdle) * 1000;
        socket.setKeepAlive(options.tcpKeepalive === 1, idle);
      }
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
  readonly local: StreamAddress;
  readonly #server: NodeServer;

  constructor(server: NodeServer, at: StreamAddress) {
    this.#server = server;
    server.unref();
    if ("path" in at) {
      this.local = at;
    } else {
      const { address, port } = server.address() as { address: string; port: number };
      this.local = { host: address, port };
    }
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
function adopt(socket: NodeSocket, at: StreamAddress, options: StreamOptions): NodeStream {
  const reading = new DirectReading();
  const handle = socket._handle;
  socket._handle = null;
  const direct = new (builtin("node:net").Socket)({
    handle,
    pauseOnCreate: true,
    onread: reading.onread,
  });
  return new NodeStream(direct, reading, at, options);
}

function serverFor(at: StreamAddress, options: StreamOptions, accepted: Accepted): NodeServer {
  const server = builtin("node:net").createServer({ noDelay: true, pauseOnConnect: true });
  server.on("connection", (socket) => accepted(adopt(socket, at, options)));
  return server;
}

/** Listens with node:net; also Deno's way for what its own sockets cannot do. */
export function listen(
  at: StreamAddress,
  options: ListenOptions,
  accepted: Accepted,
  failed: (error: unknown) => void,
): Promise<Listener> {
  const server = serverFor(at, options, accepted);
  return new Promise((resolve, reject) => {
    let listening = false;
    server.on("error", (error) => listening ? failed(error) : reject(honest(error, at)));
    server.on("listening", () => {
      listening = true;
      resolve(new NodeListener(server, at));
    });
    server.listen(
      "path" in at ? { path: at.path } : { host: at.host, port: at.port, backlog: options.backlog },
    );
  });
}

/** As `listen`, within the call. Node puts that off for the sake of host names, but only on the outermost layer. */
export function listenSync(
  at: StreamAddress,
  options: ListenOptions,
  accepted: Accepted,
  failed: (error: unknown) => void,
): Listener {
  const server = serverFor(at, options, accepted);
  let listening = false;
  server.on("error", (error) => listening && failed(error));
  const [address, port, family] = "path" in at
    ? [at.path, -1, -1 as const]
    : [at.host, at.port, at.host.includes(":") ? 6 as const : 4 as const];
  if ("path" in at) {
    server.listen({ path: at.path });
  } else if (server._listen2 !== undefined) {
    server._listen2(address, port, family, options.backlog, -1, 0);
  } else {
    const unable = new Error("This version of Node cannot listen within a call");
    throw Object.assign(unable, { code: "ENOTSUP" });
  }
  if (!server.listening) {
    throw honest(listenError(address, port, family, options.backlog), at);
  }
  listening = true;
  return new NodeListener(server, at);
}

/** Node says EACCES for a folder that is not there. */
function honest(error: unknown, at: StreamAddress): unknown {
  if (!("path" in at) || (error as { code?: unknown }).code !== "EACCES") return error;
  const folder = at.path.includes("/") ? at.path.replace(/[^/]*$/, "") : ".";
  if (builtin("node:fs").existsSync(folder)) return error;
  return Object.assign(new Error(`listen ENOENT: ${folder}`), { code: "ENOENT" });
}

/** Why Node cannot listen, which it would tell later: found out by another try. */
function listenError(address: string, port: number, family: 4 | 6 | -1, backlog: number): Error {
  const handle = builtin("node:net")._createServerHandle?.(address, port, family) ?? 0;
  let failure = handle;
  if (typeof handle !== "number") {
    failure = handle.listen(backlog);
    handle.close();
  }
  const code = failure === 0
    ? "EADDRINUSE"
    : builtin("node:util").getSystemErrorName(failure as number);
  return Object.assign(new Error(`listen ${code}`), { code });
}

/** Connects with node:net; also Deno's way for what its own sockets cannot do. */
export function connect(
  to: StreamAddress,
  source: HostPort | undefined,
  options: StreamOptions,
  signal: AbortSignal,
): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const reading = new DirectReading();
    const target: NodeTarget = "path" in to
      ? { path: to.path }
      : { host: to.host, port: to.port, localAddress: source?.host, localPort: source?.port };
    const socket = builtin("node:net").connect({ ...target, onread: reading.onread });
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
      resolve(new NodeStream(socket, reading, to, options));
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
  // V8 keeps up to 64 octets with their array; a buffer outside of its heap takes most of a microsecond.
  pooledFrames: 65,
  get socketFiles() {
    return socketFiles();
  },
  unrefTimer: (timer) => (timer as { unref(): void }).unref(),
  tls: tlsLayer,
  listen,
  listenSync,
  connect,
  resolve,
  interfaces,
};
