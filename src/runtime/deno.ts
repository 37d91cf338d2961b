// Deno's native sockets. What they lack (source address, keep-alive times) comes from node:net through Deno.

import { pause } from "../clock.ts";
import type { StreamAddress } from "../endpoint.ts";
import { EndpointError } from "../errors.ts";
import type {
  Accepted,
  ByteSink,
  ByteStream,
  Listener,
  ListenOptions,
  Runtime,
  StreamOptions,
} from "../link/stream.ts";
import { Staging } from "./staging.ts";
import { tlsLayer } from "./tls.ts";
import {
  connect as connectNode,
  interfaces,
  listen as listenNode,
  listenSync as listenNodeSync,
  resolve,
} from "./node.ts";
import { socketFiles } from "./socket_files.ts";

type NetAddress = { readonly hostname: string; readonly port: number } | { readonly path: string };

interface Conn {
  readonly localAddr: NetAddress;
  readonly remoteAddr: NetAddress;
  read(into: Uint8Array): Promise<number | null>;
  write(octets: Uint8Array): Promise<number>;
  close(): void;
  closeWrite(): Promise<void>;
  /** Only where it is a tcp connection, as the next. */
  setNoDelay?(on: boolean): void;
  setKeepAlive?(on: boolean): void;
  unref(): void;
}

interface DenoListener {
  readonly addr: NetAddress;
  accept(): Promise<Conn>;
  close(): void;
  unref(): void;
}

type DenoTarget = { hostname: string; port: number } | { transport: "unix"; path: string };

interface DenoGlobal {
  listen(options: DenoTarget & { tcpBacklog: number }): DenoListener;
  connect(options: DenoTarget & { signal: AbortSignal }): Promise<Conn>;
  unrefTimer(timer: unknown): void;
}

const deno = (globalThis as unknown as { Deno: DenoGlobal }).Deno;

/** How long to wait when accepting failed for want of file descriptors. */
const ACCEPT_PAUSE = 100;

class DenoStream implements ByteStream {
  readonly local: StreamAddress;
  readonly remote: StreamAddress;
  readonly #conn: Conn;
  readonly #staging: Staging = new Staging();
  #sink: ByteSink | undefined;
  #paused = false;
  #reading = false;
  #closing = false;
  #closed = false;
  #error: unknown;
  /** The sink has heard of the end. */
  #told = false;

  constructor(conn: Conn, options: StreamOptions) {
    this.#conn = conn;
    this.local = addressOf(conn.localAddr);
    this.remote = addressOf(conn.remoteAddr);
    conn.setNoDelay?.(true);
    if (options.tcpKeepalive >= 0) conn.setKeepAlive?.(options.tcpKeepalive === 1);
    conn.unref();
  }

  start(sink: ByteSink): void {
    this.#sink = sink;
    void this.#read();
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    let error: unknown;
    let count: number | null = null;
    const sink = this.#sink!;
    try {
      while (!this.#paused && !this.#closed) {
        count = await this.#conn.read(this.#closing ? new Uint8Array(65536) : sink.target());
        if (count === null) break;
        if (!this.#closing) sink.filled(count);
      }
    } catch (cause) {
      error = cause;
    }
    this.#reading = false;
    if (error !== undefined || count === null || this.#closed) this.#finish(error);
  }

  write(octets: Uint8Array): number {
    this.#conn.write(this.#staging.keep(octets)).then(this.#written, this.#failed);
    return 0;
  }

  #written = (count: number): void => {
    if (!this.#closed) this.#sink!.written(count);
  };

  #failed = (error: unknown): void => this.#finish(error);

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (!this.#closed) void this.#read();
  }

  close(): void {
    if (this.#closed || this.#closing) return;
    this.#closing = true;
    this.#conn.closeWrite().catch(() => this.abort());
    if (this.#sink === undefined) this.#sink = NOBODY;
    this.resume();
  }

  abort(): void {
    this.#finish(undefined);
  }

  /** Closes the connection; the sink hears of it when no read borrows its memory any more. */
  #finish(error: unknown): void {
    if (!this.#closed) {
      this.#closed = true;
      this.#error = error;
      try {
        this.#conn.close();
      } catch {
        // Closed by the peer's reset already.
      }
    }
    if (this.#reading || this.#told || this.#sink === undefined) return;
    this.#told = true;
    this.#sink.closed(this.#error);
  }
}

/** Takes the place of the sink of a stream that was closed before it was started. */
const NOBODY: ByteSink = {
  target: () => new Uint8Array(1),
  filled() {},
  written() {},
  closed() {},
};

class DenoSocketListener implements Listener {
  readonly local: StreamAddress;
  readonly #listener: DenoListener;
  readonly #accepting: Promise<void>;
  #closed = false;

  constructor(
    listener: DenoListener,
    options: StreamOptions,
    accepted: Accepted,
    failed: (error: unknown) => void,
  ) {
    this.#listener = listener;
    this.local = addressOf(listener.addr);
    listener.unref();
    this.#accepting = this.#accept(options, accepted, failed);
  }

  async #accept(
    options: StreamOptions,
    accepted: Accepted,
    failed: (error: unknown) => void,
  ): Promise<void> {
    while (!this.#closed) {
      try {
        accepted(new DenoStream(await this.#listener.accept(), options));
      } catch (error) {
        // Out of descriptors, or the peer was gone before it was accepted: the listener itself still stands.
        if (this.#closed) return;
        failed(error);
        await pause(ACCEPT_PAUSE);
      }
    }
  }

  /** The address is free only when the pending accept has ended too. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#listener.close();
    }
    return this.#accepting;
  }
}

function addressOf(address: NetAddress): StreamAddress {
  if ("hostname" in address) return { host: address.hostname, port: address.port };
  return { path: address.path ?? "" };
}

function targetOf(at: StreamAddress): DenoTarget {
  if ("path" in at) return { transport: "unix", path: at.path };
  return { hostname: at.host, port: at.port };
}

/** Deno's refusals have no code of the system. */
function refused(flag: string, cause: unknown): unknown {
  if ((cause as Error).name !== "NotCapable") return cause;
  return new EndpointError("EACCES", `Deno does not permit it: run with ${flag}`, { cause });
}

function permitted<T>(flag: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw refused(flag, cause);
  }
}

/** What local sockets need permission for. */
const LOCAL_FLAGS = "--allow-read --allow-write --allow-net";

/** What Deno asks permission for. */
function flagsFor(at: StreamAddress): string {
  return "path" in at ? LOCAL_FLAGS : "--allow-net";
}

function listen(
  at: StreamAddress,
  options: ListenOptions,
  accepted: Accepted,
  failed: (error: unknown) => void,
): Listener {
  const listener = permitted(
    flagsFor(at),
    () => deno.listen({ ...targetOf(at), tcpBacklog: options.backlog }),
  );
  return new DenoSocketListener(listener, options, accepted, failed);
}

export const denoRuntime: Runtime = {
  name: "Deno",
  // Immediates keep Deno's loop from waiting for I/O; it looks at it only once in 61 rounds then. A timer would have it
  // look at once, but takes a millisecond or two, which is many rounds.
  turnsToPoll: 64,
  // A buffer of a few octets takes Deno most of a microsecond, a view 40 ns.
  pooledFrames: 0,
  get socketFiles() {
    const files = socketFiles();
    const makeFolder = () => permitted(LOCAL_FLAGS, () => files!.makeFolder());
    return files && { ...files, makeFolder };
  },
  unrefTimer: (timer) => deno.unrefTimer(timer),
  tls: tlsLayer,
  async listen(at, options, accepted, failed) {
    if (options.tcpKeepaliveIdle < 0 || "path" in at) return listen(at, options, accepted, failed);
    return await listenNode(at, options, accepted, failed);
  },
  listenSync(at, options, accepted, failed) {
    if (options.tcpKeepaliveIdle < 0 || "path" in at) return listen(at, options, accepted, failed);
    return listenNodeSync(at, options, accepted, failed);
  },
  async connect(to, source, options, signal) {
    if ("host" in to && (source !== undefined || options.tcpKeepaliveIdle >= 0)) {
      return await connectNode(to, source, options, signal);
    }
    try {
      return new DenoStream(await deno.connect({ ...targetOf(to), signal }), options);
    } catch (cause) {
      throw refused(flagsFor(to), cause);
    }
  },
  resolve,
  interfaces: () => permitted("--allow-sys=networkInterfaces", interfaces),
};
