// The contract with a runtime: what `link` needs, and all that it needs. The files in src/runtime implement it.

import type { Endpoint, EndpointUse, HostPort, StreamAddress } from "../endpoint.ts";
import type { CommonOptions } from "../options.ts";
import type { Protocol } from "../peer.ts";
import type { MechanismName } from "../wire/greeting.ts";
import type { SocketType } from "../wire/socket_type.ts";

/** Takes what happens on a stream. Calls come from the event loop, never from inside a call to the stream but `write`. */
export interface ByteSink {
  /** Where the next octets go, never empty; borrowed until `filled` is called or the stream is closed. */
  target(): Uint8Array;
  /** The first `count` octets of `target` were filled. */
  filled(count: number): void;
  /** `count` more octets of the view given to `write` were taken; 0: it is worth offering the rest again. */
  written(count: number): void;
  /** The peer gave a sign of life that is none of its octets. */
  alive?(): void;
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
  /** Closes at once; `reason` is what the peer did wrong, which some streams can tell it. */
  abort(reason?: unknown): void;
}

/** Who this side is, for what carries ZMTP in a framing of its own. */
export interface Introduction {
  readonly type: SocketType;
  readonly mechanism: MechanismName;
  /** The routing id that the peer is told; may be empty. */
  readonly routingId: Uint8Array;
}

/** A stream over something that has a framing of its own: what it hands over, and is handed, is ZMTP 3.0 all the same. */
export interface FramedStream extends ByteStream {
  /** What is spoken beneath, once that is agreed. */
  readonly protocol: Protocol | undefined;
  /** Tells who this side is; before `start`. */
  introduce(own: Introduction): void;
  /** The handshake of ZMTP is done: the peer is not unknown any more. */
  served?(): void;
  /** Asks the peer for a sign of life, and calls `taken` when the system has taken the question; where that is possible. */
  ping?(taken: () => void): void;
}

/** Who a listener for TLS is. */
export interface TlsIdentity {
  /** Its private key, as PEM. */
  readonly key: string;
  /** Its certificate, and those of its authorities up to the root, as PEM. */
  readonly certificate: string;
}

/** Whom a connection over TLS trusts. */
export interface TlsTrust {
  /** The name that the certificate has to be for; sent to the server as well. */
  readonly hostname: string;
  /** With `false` it may be for any name. */
  readonly verifyName: boolean;
  /** Certificates of authorities, as PEM. */
  readonly authorities: string | undefined;
  /** The authorities that the system or the runtime trusts are trusted, too. */
  readonly system: boolean;
}

/** TLS over streams that stand; the handshake goes on when they are started. */
export interface TlsLayer {
  /** The client's side. */
  connect(stream: ByteStream, trust: TlsTrust): ByteStream;
  /**
   * The server's side, for each connection.
   *
   * @throws When the key or the certificate is no good, or they do not belong together.
   */
  listen(identity: TlsIdentity): (stream: ByteStream) => ByteStream;
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

/** What is used of a WebSocket as pages know it (WHATWG WebSockets). */
export interface WebSocketLike {
  /** Set to `"arraybuffer"`. */
  binaryType: string;
  /** The subprotocol that was agreed on; empty before that. */
  readonly protocol: string;
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** Octets that wait to be sent. */
  readonly bufferedAmount: number;
  /** Sends a binary message. */
  send(data: Uint8Array): void;
  /** Begins to close. */
  close(code?: number, reason?: string): void;
  /** Calls with each event of a type; `pong` and `drain` (there is room again) where they are known. */
  addEventListener(
    type: "open" | "message" | "close" | "error" | "pong" | "drain",
    listener: (event: WebSocketEventLike) => void,
  ): void;
  /** This side's address; unknown if not given. */
  readonly local?: StreamAddress;
  /** The peer's address; unknown if not given. */
  readonly remote?: StreamAddress;
  /** Stops reading; where that is possible. */
  pause?(): void;
  /** Reads on; where `pause` is. */
  resume?(): void;
  /** Asks for a pong; where that is possible. */
  ping?(): void;
  /** Ends it at once; where that is possible. */
  terminate?(): void;
}

/** What is used of its events. */
export interface WebSocketEventLike {
  /** Of a message. */
  readonly data?: unknown;
  /** Of a close: its code. */
  readonly code?: number;
  /** Of a close: what was said of it. */
  readonly reason?: string;
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
  /** TLS, for `wss://`. */
  readonly tls?: TlsLayer | undefined;
  /**
   * Why it cannot bind or connect an endpoint with these options, as the rest of a sentence that begins with its name: `cannot
   * listen; …`. Undefined when it can.
   */
  refuse?(endpoint: Endpoint, use: EndpointUse, options: CommonOptions): string | undefined;
  /** A socket without a `context` has one of its own: nothing may be shared. */
  readonly isolated?: boolean;
  /** Calls when the event loop comes round; where there is no `setImmediate`. */
  turn?(call: () => void): void;
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
  /**
   * Opens a WebSocket as the runtime has it. Where this is, `ws://` and `wss://` are connected with it and by name; else they
   * are framed here, over `connect`.
   */
  webSocket?(url: string, protocols: readonly string[]): WebSocketLike;
  /** All addresses of a host name, in the system's order. Where this is not, `connect` takes names. */
  resolve?(host: string): Promise<string[]>;
  /** The addresses of the machine's network interfaces. */
  interfaces(): InterfaceAddress[];
}
