// Bun's native sockets.

import type { HostPort } from "../endpoint.ts";
import { codeOf } from "../errors.ts";
import type {
  ByteSink,
  ByteStream,
  Listener,
  ListenOptions,
  Runtime,
  StreamOptions,
} from "../link/stream.ts";
import { fill } from "../octets.ts";
import { builtin, interfaces, resolve } from "./node.ts";

interface BunSocket {
  data: BunStream | undefined;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  write(octets: Uint8Array): number;
  pause(): void;
  resume(): void;
  shutdown(): void;
  terminate(): void;
  unref(): void;
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean, initialDelay: number): void;
}

interface BunHandlers {
  open(socket: BunSocket): void;
  data(socket: BunSocket, chunk: Uint8Array): void;
  drain(socket: BunSocket): void;
  close(socket: BunSocket, error?: unknown): void;
  error(socket: BunSocket, error: unknown): void;
  connectError?(socket: BunSocket, error: unknown): void;
}

interface BunListener {
  readonly port: number;
  stop(closeConnections: boolean): void;
  unref(): void;
}

interface BunGlobal {
  listen(
    options: { hostname: string; port: number; ipv6Only: boolean; socket: BunHandlers },
  ): BunListener;
  connect(options: {
    hostname: string;
    port: number;
    localAddress?: string;
    localPort?: number;
    socket: BunHandlers;
  }): Promise<BunSocket>;
}

const bun = (globalThis as unknown as { Bun: BunGlobal }).Bun;

class BunStream implements ByteStream {
  readonly local: HostPort;
  readonly remote: HostPort;
  readonly #socket: BunSocket;
  #sink: ByteSink | undefined;
  #early: Uint8Array[] = [];
  #waiting = false;
  #closing = false;
  #gone = false;
  #error: unknown;

  constructor(socket: BunSocket, options: StreamOptions) {
    this.#socket = socket;
    this.local = { host: socket.localAddress, port: socket.localPort };
    this.remote = { host: socket.remoteAddress, port: socket.remotePort };
    socket.setNoDelay(true);
    if (options.tcpKeepalive >= 0) {
      socket.setKeepAlive(options.tcpKeepalive === 1, Math.max(0, options.tcpKeepaliveIdle) * 1000);
    }
    socket.unref();
  }

  start(sink: ByteSink): void {
    this.#sink = sink;
    for (const chunk of this.#early) fill(sink, chunk);
    this.#early = [];
    if (this.#gone) sink.closed(this.#error);
  }

  write(octets: Uint8Array): number {
    const taken = this.#gone ? 0 : Math.max(0, this.#socket.write(octets));
    this.#waiting = taken < octets.length;
    return taken;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#socket.resume();
    this.#socket.shutdown();
  }

  abort(): void {
    this.#closing = true;
    this.#socket.terminate();
  }

  // What Bun calls, by way of HANDLERS.

  received(chunk: Uint8Array): void {
    if (this.#closing) return;
    // Bun reads before anybody has asked it to.
    if (this.#sink === undefined) this.#early.push(chunk);
    else fill(this.#sink, chunk);
  }

  drained(): void {
    if (!this.#waiting || this.#gone) return;
    this.#waiting = false;
    this.#sink?.written(0);
  }

  ended(error: unknown): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#error = error;
    this.#sink?.closed(error);
  }
}

/** The handlers of every socket; a socket's own stream is its `data`. */
const COMMON: Omit<BunHandlers, "open"> = {
  data: (socket, chunk) => socket.data?.received(chunk),
  drain: (socket) => socket.data?.drained(),
  close: (socket, error) => socket.data?.ended(error),
  error: (socket, error) => socket.data?.ended(error),
};

class BunTcpListener implements Listener {
  readonly local: HostPort;
  readonly #listener: BunListener;

  constructor(listener: BunListener, host: string) {
    this.#listener = listener;
    this.local = { host, port: listener.port };
    listener.unref();
  }

  close(): Promise<void> {
    this.#listener.stop(false);
    return Promise.resolve();
  }
}

/** Bun does not tell when no file descriptor was left: opening a file does. */
function exhaustion(): unknown {
  const { openSync, closeSync } = builtin("node:fs");
  try {
    closeSync(openSync("/dev/null", "r"));
  } catch (error) {
    if (codeOf(error) === "EMFILE" || codeOf(error) === "ENFILE") return error;
  }
  return undefined;
}

function listen(
  at: HostPort,
  options: StreamOptions,
  accepted: (stream: ByteStream) => void,
): Listener {
  const listener = bun.listen({
    hostname: at.host,
    port: at.port,
    ipv6Only: false,
    socket: {
      ...COMMON,
      open(socket) {
        socket.data = new BunStream(socket, options);
        accepted(socket.data);
      },
    },
  });
  return new BunTcpListener(listener, at.host);
}

export const bunRuntime: Runtime = {
  name: "Bun",
  // A view on a buffer takes JavaScriptCore 40 ns and more, a short array of its own 30.
  copiedFrames: 16,
  unrefTimer: (timer) => (timer as { unref(): void }).unref(),
  // Async, so that what is thrown rejects.
  // deno-lint-ignore require-await
  async listen(at, options: ListenOptions, accepted) {
    try {
      return listen(at, options, accepted);
    } catch (error) {
      throw codeOf(error) === "" ? exhaustion() ?? error : error;
    }
  },
  connect(to, source, options, signal) {
    return new Promise((resolve, reject) => {
      const stop = () => reject(signal.reason);
      if (signal.aborted) return stop();
      signal.addEventListener("abort", stop);
      const failed = (error: unknown) => {
        signal.removeEventListener("abort", stop);
        reject(error);
      };
      bun.connect({
        hostname: to.host,
        port: to.port,
        ...(source && { localAddress: source.host, localPort: source.port }),
        socket: {
          ...COMMON,
          open(socket) {
            signal.removeEventListener("abort", stop);
            // The attempt was given up meanwhile: Bun has no way to cancel it.
            if (signal.aborted) return socket.terminate();
            socket.data = new BunStream(socket, options);
            resolve(socket.data);
          },
          connectError: (_socket, error) => failed(error),
        },
      }).catch(failed);
    });
  },
  resolve,
  interfaces,
};
