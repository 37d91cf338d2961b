// Bun's native sockets.

import type { StreamAddress } from "../endpoint.ts";
import { codeOf } from "../errors.ts";
import type {
  Accepted,
  ByteSink,
  ByteStream,
  Listener,
  Runtime,
  StreamOptions,
} from "../link/stream.ts";
import { fill } from "../octets.ts";
import { builtin } from "./builtin.ts";
import { interfaces, resolve } from "./node.ts";
import { socketFiles } from "./socket_files.ts";
import { tlsLayer } from "./tls.ts";

interface BunSocket {
  data: BunStream | undefined;
  /** Gone with the connection, as the next three. */
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  write(octets: Uint8Array): number;
  pause(): void;
  resume(): void;
  shutdown(): void;
  end(): void;
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
    options: BunTarget & { ipv6Only?: boolean; socket: BunHandlers },
  ): BunListener;
  connect(
    options: BunTarget & { localAddress?: string; localPort?: number; socket: BunHandlers },
  ): Promise<BunSocket>;
}

type BunTarget = { hostname: string; port: number } | { unix: string };

const bun = (globalThis as unknown as { Bun: BunGlobal }).Bun;

class BunStream implements ByteStream {
  readonly local: StreamAddress;
  readonly remote: StreamAddress;
  readonly #socket: BunSocket;
  #sink: ByteSink | undefined;
  #early: Uint8Array[] = [];
  #waiting = false;
  #closing = false;
  #gone = false;
  #error: unknown;

  /** `at` is where it was accepted or connected to. */
  constructor(socket: BunSocket, at: StreamAddress, options: StreamOptions) {
    this.#socket = socket;
    socket.unref();
    if ("path" in at) {
      this.local = at;
      this.remote = at;
      return;
    }
    this.local = { host: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    this.remote = { host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
    socket.setNoDelay(true);
    if (options.tcpKeepalive >= 0) {
      socket.setKeepAlive(options.tcpKeepalive === 1, Math.max(0, options.tcpKeepaliveIdle) * 1000);
    }
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

  /** After `close` a reset would take from the peer what it did not read yet. */
  abort(): void {
    if (this.#closing) this.#socket.end();
    else this.#socket.terminate();
    this.#closing = true;
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

class BunSocketListener implements Listener {
  readonly local: StreamAddress;
  readonly #listener: BunListener;

  constructor(listener: BunListener, at: StreamAddress) {
    this.#listener = listener;
    this.local = "path" in at ? at : { host: at.host, port: listener.port };
    listener.unref();
  }

  close(): Promise<void> {
    this.#listener.stop(false);
    return Promise.resolve();
  }
}

function targetOf(at: StreamAddress): BunTarget {
  return "path" in at ? { unix: at.path } : { hostname: at.host, port: at.port };
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

function listen(at: StreamAddress, options: StreamOptions, accepted: Accepted): Listener {
  try {
    const listener = bun.listen({
      ...targetOf(at),
      ..."host" in at && { ipv6Only: false },
      socket: {
        ...COMMON,
        open(socket) {
          socket.data = new BunStream(socket, at, options);
          accepted(socket.data);
        },
      },
    });
    return new BunSocketListener(listener, at);
  } catch (error) {
    throw codeOf(error) === "" ? exhaustion() ?? error : error;
  }
}

export const bunRuntime: Runtime = {
  name: "Bun",
  // A view on a buffer takes JavaScriptCore 40 ns and more, a short array of its own 30.
  copiedFrames: 16,
  get socketFiles() {
    return socketFiles();
  },
  unrefTimer: (timer) => (timer as { unref(): void }).unref(),
  tls: tlsLayer,
  // Async, so that what is thrown rejects. Bun accepts as soon as it has descriptors again, without a word.
  // deno-lint-ignore require-await
  listen: async (at, options, accepted) => listen(at, options, accepted),
  listenSync: listen,
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
        ...targetOf(to),
        ...(source && { localAddress: source.host, localPort: source.port }),
        socket: {
          ...COMMON,
          open(socket) {
            signal.removeEventListener("abort", stop);
            // The attempt was given up meanwhile: Bun has no way to cancel it.
            if (signal.aborted) return socket.terminate();
            socket.data = new BunStream(socket, to, options);
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
