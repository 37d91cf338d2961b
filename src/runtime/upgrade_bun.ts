// WebSockets of Bun.serve: one set of handlers for all connections of a server, each of which has its own in its `data`.

import { LOST } from "../close_codes.ts";
import { pause } from "../clock.ts";
import type { StreamAddress } from "../endpoint.ts";
import type { WebSocketEventLike, WebSocketLike } from "../link/stream.ts";

/** What is used of the server that `Bun.serve` gives to its `fetch` handler. */
export interface BunWebSocketServer {
  /** Answers a request for a WebSocket; false when it asks for none. */
  upgrade(
    request: Request,
    options: { readonly headers: Record<string, string>; readonly data: unknown },
  ): boolean;
  /** Who sent a request. */
  requestIP(request: Request): { readonly address: string; readonly port: number } | null;
}

/** What is used of Bun's `ServerWebSocket`. */
export interface BunServerWebSocket {
  /** What was given to `upgrade`. */
  readonly data: unknown;
  /** 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** `"arraybuffer"` for the messages of sockets of this package. */
  binaryType?: string | undefined;
  /** Sends a message: its size, -1 when it has to wait, 0 when it was dropped. */
  send(data: Uint8Array): number;
  /** Octets that wait to be sent. */
  getBufferedAmount(): number;
  /** Asks for a pong. */
  ping(): number;
  /** Begins to close. */
  close(code?: number, reason?: string): void;
  /** Ends the connection at once. */
  terminate(): void;
  /** Stops reading. */
  pause?(): void;
  /** Reads on. */
  resume?(): void;
}

/** The `websocket` of `Bun.serve`, as far as this package has a say in it. */
export interface WebSocketHandlers {
  /** A connection stands. */
  open(socket: BunServerWebSocket): void;
  /** A message arrived. */
  message(socket: BunServerWebSocket, message: string | ArrayBuffer | Uint8Array): void;
  /** There is room for more. */
  drain(socket: BunServerWebSocket): void;
  /** A connection is over. */
  close(socket: BunServerWebSocket, code: number, reason: string): void;
  /** A ping arrived, which Bun answers by itself. */
  ping(socket: BunServerWebSocket, data: Uint8Array): void;
  /** A pong arrived. */
  pong(socket: BunServerWebSocket, data: Uint8Array): void;
  /** The longest message in octets. */
  readonly maxPayloadLength: number;
  /** Seconds of silence after which Bun ends a connection; 0 for none. */
  readonly idleTimeout: number;
  /** Octets that may wait for a peer; Bun drops what is more. */
  readonly backpressureLimit: number;
  /** Whether messages may be compressed. */
  readonly perMessageDeflate: boolean;
}

type EventType = Parameters<WebSocketLike["addEventListener"]>[0];
type Listener = (event: WebSocketEventLike) => void;

const CONNECTING = 0;
/** In milliseconds. */
const OPEN_LIMIT = 500;
const OTHER_HANDLERS = "Bun.serve has other handlers: give it websocket: webSocketHandlers()";
const NOTHING: WebSocketEventLike = {};

/** One of these connections, from the request on. */
export class BunWebSocket implements WebSocketLike {
  /** Nothing else is given. */
  binaryType = "arraybuffer";
  readonly protocol: string;
  readonly remote: StreamAddress;
  #socket: BunServerWebSocket | undefined;
  #closed = false;
  readonly #listeners: Map<EventType, Listener[]> = new Map();

  constructor(protocol: string, remote: StreamAddress) {
    this.protocol = protocol;
    this.remote = remote;
  }

  /** The connection stands. */
  opened(socket: BunServerWebSocket): void {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    if (this.#closed) socket.terminate();
    else this.emit("open", NOTHING);
  }

  /** Gives it up when its server has other handlers, which never tell it that the connection stands. */
  async awaitOpen(): Promise<void> {
    // Bun tells it before `upgrade` returns.
    if (this.#socket !== undefined) return;
    await pause(OPEN_LIMIT);
    if (this.readyState === CONNECTING) this.ended(LOST, OTHER_HANDLERS);
  }

  /** The connection is over. Bun says so from within a call to `close`, as no other WebSocket does. */
  ended(code: number, reason: string): void {
    this.#closed = true;
    queueMicrotask(() => this.emit("close", { code, reason }));
  }

  /** Calls who listens. */
  emit(type: EventType, event: WebSocketEventLike): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }

  get readyState(): number {
    if (this.#closed) return 3;
    return this.#socket?.readyState ?? 0;
  }

  get bufferedAmount(): number {
    return this.#closed ? 0 : this.#socket?.getBufferedAmount() ?? 0;
  }

  send(data: Uint8Array): void {
    // What a peer does not get must not be followed by what it does get.
    if (this.#socket!.send(data) === 0 && this.readyState === 1) this.terminate();
  }

  ping(): void {
    this.#socket?.ping();
  }

  pause(): void {
    this.#socket?.pause?.();
  }

  resume(): void {
    this.#socket?.resume?.();
  }

  close(code?: number, reason?: string): void {
    if (this.#socket === undefined) this.terminate();
    else this.#socket.close(code, reason);
  }

  terminate(): void {
    if (this.#socket === undefined) this.ended(LOST, "");
    else this.#socket.terminate();
  }

  addEventListener(type: EventType, listener: Listener): void {
    const listeners = this.#listeners.get(type);
    if (listeners === undefined) this.#listeners.set(type, [listener]);
    else listeners.push(listener);
  }
}

/** Handlers of the program's own, for WebSockets of the same server that are none of ZeroMQ, and settings of the server. */
export interface OwnWebSocketHandlers {
  /** A connection stands. */
  open?(socket: never): unknown;
  /** A message arrived. */
  message?(socket: never, message: never): unknown;
  /** There is room for more. */
  drain?(socket: never): unknown;
  /** A connection is over. */
  close?(socket: never, code: number, reason: string): unknown;
  /** A ping arrived. */
  ping?(socket: never, data: never): unknown;
  /** A pong arrived. */
  pong?(socket: never, data: never): unknown;
  /**
   * The longest message in octets.
   * @default {64 MiB}
   */
  readonly maxPayloadLength?: number;
  /**
   * Seconds of silence after which Bun ends a connection; 0 for none. `heartbeatInterval` is the socket's own way.
   * @default {0}
   */
  readonly idleTimeout?: number;
  /**
   * Octets that may wait for a peer. Bun drops what is more; a socket's connection ends then.
   * @default {1 GiB}
   */
  readonly backpressureLimit?: number;
  /**
   * Whether messages may be compressed.
   * @default {false}
   */
  readonly perMessageDeflate?: boolean | object;
}

const MEBIOCTET = 1024 * 1024;

/**
 * What `Bun.serve` needs as its `websocket` for `upgrade` to work: Bun has one set of handlers for all WebSockets of a server.
 *
 * @param own Handlers for WebSockets that are none of a socket's, and settings of the server.
 *
 * @example Data for pages on a server of Bun
 * ```ts ignore
 * import { Publisher, upgrade, webSocketHandlers } from "@wasmq/wasmq";
 *
 * const publisher = new Publisher();
 * Bun.serve({
 *   fetch: (request, server) => upgrade(publisher, request, server) ?? new Response("Hello"),
 *   websocket: webSocketHandlers(),
 * });
 * ```
 */
export function webSocketHandlers(own: OwnWebSocketHandlers = {}): WebSocketHandlers {
  const others = own as Partial<WebSocketHandlers>;
  return {
    maxPayloadLength: 64 * MEBIOCTET,
    idleTimeout: 0,
    backpressureLimit: 1024 * MEBIOCTET,
    perMessageDeflate: false,
    ...others,
    open(socket) {
      if (isOurs(socket)) socket.data.opened(socket);
      else others.open?.(socket);
    },
    message(socket, data) {
      if (isOurs(socket)) socket.data.emit("message", { data });
      else others.message?.(socket, data);
    },
    drain(socket) {
      if (isOurs(socket)) socket.data.emit("drain", NOTHING);
      else others.drain?.(socket);
    },
    ping(socket, data) {
      if (isOurs(socket)) socket.data.emit("pong", NOTHING);
      else others.ping?.(socket, data);
    },
    pong(socket, data) {
      if (isOurs(socket)) socket.data.emit("pong", NOTHING);
      else others.pong?.(socket, data);
    },
    close(socket, code, reason) {
      if (isOurs(socket)) socket.data.ended(code, reason);
      else others.close?.(socket, code, reason);
    },
  };
}

function isOurs(
  socket: BunServerWebSocket,
): socket is BunServerWebSocket & { readonly data: BunWebSocket } {
  return socket.data instanceof BunWebSocket;
}
