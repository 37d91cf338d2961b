// The contract with a runtime: what `link` needs, and all that it needs. The files in src/runtime implement it.

import type { HostPort, StreamAddress } from "../endpoint.ts";

/** Takes what happens on a stream. Calls come from the event loop, never from inside a call to the stream but `write`. */
export interface ByteSink {
  /** Where the next octets go, never empty; borrowed until `filled` is called or the stream is closed. */
  target(): Uint8Array;
  /** The first `count` octets of `target` were filled. */
  filled(count: number): void;
  /** `count` more octets of the view given to `write` were taken; 0: it is worth offering the rest again. */
  written(count: number): void;
  /** The stream is gone, by an error or by an end of either side; the last call, and nothing is borrowed any more. */
  closed(error: unknown): void;
}

/** A connected stream of octets. */
export interface ByteStream {
  /** This side's address. */
  readonly local: StreamAddress;
  /** The peer's address. */
  readonly remote: StreamAddress;
  /** Begins to read. */
  start(sink: ByteSink): void;
  /**
   * Hands octets to the kernel and answers how many it took at once. If not all, `written` follows once, and only then
   * is `write` called again. Octets that are only a part of their buffer are lent for the call: what the kernel did not
   * take at once has to be copied. Never called with an empty view.
   */
  write(octets: Uint8Array): number;
  /** Stops reading; octets on their way may still come. */
  pause(): void;
  /** Reads on. */
  resume(): void;
  /** Tells the peer that nothing more comes, drops what it still sends, and closes when it has closed. */
  close(): void;
  /** Closes at once. */
  abort(): void;
}

/** Settings of a stream, as the socket's options have them. */
export interface StreamOptions {
  /** -1, 0 or 1: as the system does, off, on. */
  readonly tcpKeepalive: number;
  /** Seconds of silence before the first probe; -1 as the system does. */
  readonly tcpKeepaliveIdle: number;
}

/** Settings of a listener. */
export interface ListenOptions extends StreamOptions {
  /** How many connections may wait to be accepted. */
  readonly backlog: number;
}

/** A listening socket. */
export interface Listener {
  /** Where it listens, wildcards resolved. */
  readonly local: StreamAddress;
  /** Ends listening; streams that were accepted live on. */
  close(): Promise<void>;
}

/** A network address of the machine. */
export interface InterfaceAddress {
  /** The interface, e.g. `lo`. */
  readonly name: string;
  /** One of its addresses. */
  readonly address: string;
}

/** The files in which sockets of the ipc transport appear. */
export interface SocketFiles {
  /** Makes a fresh folder, for this user alone, and answers its path. */
  makeFolder(): string;
  /** Removes a folder that is empty. */
  removeFolder(path: string): void;
  /** True when there is a file that is a socket. */
  isSocket(path: string): boolean;
  /** Removes a file. */
  remove(path: string): void;
}

/** Called with each accepted connection. */
export type Accepted = (stream: ByteStream) => void;

/** A JavaScript runtime with its sockets. Errors have the system's `code` (`ECONNREFUSED` …). */
export interface Runtime {
  /** For messages: Deno, Bun, Node. */
  readonly name: string;
  /**
   * After how many turns by `setImmediate` the event loop has looked at I/O for certain.
   * @default {1}
   */
  readonly turnsToPoll?: number;
  /**
   * Received frames of at most so many octets are copied, because views cost more here; -1 for none.
   * @default {-1}
   */
  readonly copiedFrames?: number;
  /**
   * Short frames of at least so many octets between sockets of a context share memory, because buffers of their own cost
   * more here.
   * @default {Infinity}
   */
  readonly pooledFrames?: number;
  /** Where the runtime has local sockets: their files. */
  readonly socketFiles?: SocketFiles | undefined;
  /** Lets a timer of this runtime not keep the process alive. */
  unrefTimer(timer: unknown): void;
  /**
   * Listens at an address (not a name); `::` takes IPv4 too. When accepting fails for want of file descriptors, it goes on
   * after a while. `failed` hears of that.
   */
  listen(
    at: StreamAddress,
    options: ListenOptions,
    accepted: Accepted,
    failed: (error: unknown) => void,
  ): Promise<Listener>;
  /** As `listen`, within the call. */
  listenSync?(
    at: StreamAddress,
    options: ListenOptions,
    accepted: Accepted,
    failed: (error: unknown) => void,
  ): Listener;
  /** Connects to an address (not a name). Rejects with the signal's reason when aborted. */
  connect(
    to: StreamAddress,
    source: HostPort | undefined,
    options: StreamOptions,
    signal: AbortSignal,
  ): Promise<ByteStream>;
  /** All addresses of a host name, in the system's order. */
  resolve(host: string): Promise<string[]>;
  /** The addresses of the machine's network interfaces. */
  interfaces(): InterfaceAddress[];
}
