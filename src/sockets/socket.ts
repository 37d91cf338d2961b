// What all socket classes have in common.

import { defineAccessors } from "../accessors.ts";
import { withCode } from "../errors.ts";
import type { Frame, MessageLike } from "../message.ts";
import { checkOption, defaultOptions } from "../option_values.ts";
import type { CommonOptions, OptionName, OptionValues } from "../options.ts";
import { Monitor } from "../events.ts";
import { Census } from "../link/census.ts";
import type { Connection } from "../link/connection.ts";
import { networkOf } from "../link/network.ts";
import type { Pattern } from "../routing/pattern.ts";
import { SOCKET_TYPE_ID, type SocketType } from "../wire/socket_type.ts";
import { askHandler } from "./ask_handler.ts";
import { type Context, type ContextParts, partsOf, usualContext } from "./context.ts";
import { Engine } from "./engine.ts";
import { engineOf, lookInside } from "./inside.ts";
import { MessageIterator } from "./message_iterator.ts";
import { Observer } from "./observer.ts";
import type { OperationOptions } from "./queue.ts";
import { type SocketStats, statsOf } from "./stats.ts";
import { mechanismOf, SocketSecurity } from "./socket_security.ts";
import { readableStreamOf, writableStreamOf } from "./web_streams.ts";

/** What a socket's constructor takes: any of its options, and its context. */
export type SocketOptions<O> = Partial<O> & {
  /**
   * The context that the socket belongs to.
   * @default {context}
   */
  readonly context?: Context;
};

/** A socket that sends. */
export interface Writable {
  /**
   * Sends a message: one frame, or an array of frames that arrive together or not at all. Resolves when the message is
   * queued for a peer. Several calls may wait; they are served in order.
   *
   * Rejects with `EAGAIN` when no peer has room within `sendTimeout` or the socket is closed meanwhile, `EBADF` when it is
   * closed already, `EINVAL` for what cannot be sent, and the signal's reason when cancelled.
   */
  send(message: MessageLike | readonly MessageLike[], options?: OperationOptions): Promise<void>;
  /**
   * Sends a message if that is possible at once; false when `send` would have to wait. The event loop has to come round now
   * and then for anything to leave. `ZMQ_DONTWAIT`.
   *
   * @throws {ZmqError} What `send` rejects with, but for `EAGAIN`.
   */
  trySend(message: MessageLike | readonly MessageLike[]): boolean;
  /**
   * The socket as a Web Stream that sends what is written to it, one message for each write; a write resolves when its
   * message is queued for a peer. Closing or aborting the stream leaves the socket open.
   */
  writableStream(): WritableStream<MessageLike | readonly MessageLike[]>;
}

/** A socket that receives; iterating it gives the messages until it is closed. */
export interface Readable {
  /**
   * The next message, as its frames. Several calls may wait; they are served in order.
   *
   * Rejects with `EAGAIN` when no message comes within `receiveTimeout` or the socket is closed meanwhile, `EBADF` when it
   * is closed already, and the signal's reason when cancelled, which loses no message.
   */
  receive(options?: OperationOptions): Promise<Frame[]>;
  /**
   * The next message if there is one already; undefined when `receive` would have to wait. The event loop has to come round
   * now and then for anything to arrive. `ZMQ_DONTWAIT`.
   *
   * @throws {ZmqError} What `receive` rejects with, but for `EAGAIN`.
   */
  tryReceive(): Frame[] | undefined;
  /** Iterates over the messages; leaving the loop leaves the socket open, closing the socket ends the loop. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Frame[]>;
  /**
   * The socket as a Web Stream of its messages: it takes one when its consumer wants one, and ends when the socket is
   * closed. It waits for messages as long as it takes, whatever `receiveTimeout` says. Cancelling the stream leaves the
   * socket open, and loses no message that it did not hand over.
   */
  readableStream(): ReadableStream<Frame[]>;
}

/** What a pattern is made with. */
export interface PatternTools {
  readonly options: OptionValues;
  readonly around: ContextParts;
  readonly monitor: Monitor;
  readonly census: Census;
  readonly security: SocketSecurity;
}

const READY_CLASSES: Set<unknown> = new Set();

/** The base of all sockets: endpoints, life cycle and the options that every socket has. */
export abstract class Socket {
  readonly #engine: Engine;
  #events: Observer | undefined;
  /** The context that the socket belongs to. */
  readonly context: Context;

  static {
    lookInside((socket) => socket.#engine);
  }

  /** @internal */
  constructor(
    type: SocketType,
    pattern: (tools: PatternTools) => Pattern,
    options: SocketOptions<object> = {},
  ) {
    if (typeof options !== "object" || options === null) {
      throw withCode(new TypeError("Options must be an object"), "EINVAL");
    }
    const values = defaultOptions();
    this.context = options.context ?? usualContext();
    const around = partsOf(this.context);
    values.ipv6 = this.context.ipv6;
    if (!this.context.blocky) values.linger = 0;
    const tools = {
      options: values,
      around,
      monitor: new Monitor(),
      census: new Census(),
      security: new SocketSecurity(around.memory, (request) => askHandler(around, request)),
    };
    this.#engine = new Engine(type, pattern(tools), tools);
    try {
      for (const [name, value] of Object.entries(options)) {
        if (name !== "context" && value !== undefined) this.#setOption(name, value);
      }
      this.#engine.enter();
    } catch (error) {
      this.#engine.pattern.free?.();
      throw error;
    }
    // A misspelt option is an error, not a new property; classes of the user's own may have fields.
    if (READY_CLASSES.has(new.target)) Object.preventExtensions(this);
  }

  #setOption(name: string, value: unknown): void {
    if (!(name in this) || !Object.hasOwn(this.#engine.options, name)) {
      throw withCode(
        new TypeError(`Unknown option ${name}: a ${this.#engine.type} socket does not have it`),
        "EINVAL",
      );
    }
    (this.#engine.options as unknown as Record<string, unknown>)[name] = checkOption(
      name as OptionName,
      value,
    );
  }

  /** The number that libzmq gives the socket's type. `ZMQ_TYPE`. */
  get type(): number {
    return SOCKET_TYPE_ID[this.#engine.type];
  }

  /** The endpoint of the last `bind`, with wildcards resolved, or of the last `connect`. `ZMQ_LAST_ENDPOINT`. */
  get lastEndpoint(): string | null {
    return this.#engine.lastEndpoint;
  }

  /** True from the call of `close` on. */
  get closed(): boolean {
    return this.#engine.closed;
  }

  /** True when a message could be received at once. `ZMQ_EVENTS`, `ZMQ_POLLIN`. */
  get readable(): boolean {
    return this.#engine.readable;
  }

  /** True when a message could be sent at once. `ZMQ_EVENTS`, `ZMQ_POLLOUT`. */
  get writable(): boolean {
    return this.#engine.writable;
  }

  /** What happens on the socket's endpoints, from the first use of this property on. `zmq_socket_monitor`. */
  get events(): Observer {
    return this.#events ??= new Observer(this);
  }

  /** The figures of the socket and of its peers, as they are now. */
  stats(): SocketStats {
    return statsOf(this.#engine);
  }

  /** The security mechanism that the options ask for; `null` is NULL. `ZMQ_MECHANISM`. */
  get securityMechanism(): null | "plain" | "curve" {
    return mechanismOf(this.#engine.options);
  }

  /** As in libzmq, these socket types are for one thread. `ZMQ_THREAD_SAFE`. */
  get threadSafe(): boolean {
    return false;
  }

  /**
   * Listens for peers. What the system chooses (a port `*` or 0, a path `*`) `lastEndpoint` then tells.
   *
   * @param address One of
   * - `tcp://interface:port`: the interface is `*`, an address (IPv6 in brackets), or a name such as `lo`;
   * - `ws://interface:port/path` or `wss://…`: ZeroMQ over WebSocket, for pages as well; any path is served;
   * - `ipc://path`: a socket in the file system; `*` for a fresh one, `@name` for an abstract name (Linux);
   * - `inproc://name`: for sockets of the same context.
   * @throws {EndpointError} Rejects with `EINVAL`, `EPROTONOSUPPORT`, `ENOCOMPATPROTO`, `EADDRINUSE`, `EADDRNOTAVAIL`,
   * `EACCES`, `EMFILE`, `ENAMETOOLONG` or `ENOTSUP`.
   */
  bind(address: string): Promise<void> {
    return this.#engine.bind(address);
  }

  /**
   * As `bind`, but listens before it returns. A host name cannot be resolved in that time (`EINVAL`), and the file of an
   * ipc socket whose owner died is in use (`EADDRINUSE`): `bind` finds out.
   *
   * @throws {EndpointError} As `bind` rejects.
   */
  bindSync(address: string): void {
    this.#engine.bindSync(address);
  }

  /**
   * Stops listening at an endpoint, which must be given as `lastEndpoint` told it. Its peers are let go when what waits
   * for them is sent, or `linger` is over.
   *
   * @throws {EndpointError} Rejects with `ENOENT` when the socket is not bound there.
   */
  unbind(address: string): Promise<void> {
    return this.#engine.unbind(address);
  }

  /**
   * As `unbind`, without waiting for the address to be free, which on Deno it is a moment later.
   *
   * @throws {EndpointError} `ENOENT` when the socket is not bound there.
   */
  unbindSync(address: string): void {
    this.#engine.unbindSync(address);
  }

  /**
   * Connects to a peer, now or as soon as it is there; never fails because nobody listens yet.
   *
   * @param address `tcp://host:port`, or `tcp://source:port;host:port` to connect from an address of this machine;
   * `ws://host:port/path` or `wss://host:port/path`; `ipc://path` or `ipc://@name`; `inproc://name`.
   * @throws {EndpointError} `EINVAL`, `EPROTONOSUPPORT`, `ENOCOMPATPROTO`, `ENAMETOOLONG` or `ENOTSUP`.
   * @throws {ZmqError} `EBUSY` when a Pair has its peer already.
   */
  connect(address: string): void {
    this.#engine.connect(address);
  }

  /**
   * Serves a connection that was made elsewhere, as if a peer had connected to an endpoint of the socket: octets both ways as
   * web streams, over which the peer speaks ZMTP, or a WebSocket on which a subprotocol of ZeroMQ was agreed. Resolves
   * when the connection is closed; what goes wrong on it `events` tells. See `upgrade` for HTTP servers.
   *
   * @throws {TypeError} Rejects with `EINVAL` for what is no connection, or with options that contradict each other.
   * @throws {StateError} Rejects with `EBADF` when the socket is closed.
   */
  async accept(connection: Connection): Promise<void> {
    const engine = engineOf(this);
    engine.assertOpen();
    const stream = await networkOf(engine.around).streamOf(connection);
    try {
      await engine.accept(stream);
    } catch (error) {
      // The socket was closed meanwhile, or has options that contradict each other: nobody else can end it now.
      stream.abort();
      throw error;
    }
  }

  /**
   * Ends the connection to an endpoint. What waits for its peer is sent first, within `linger`; without a connection it
   * goes to the other peers.
   *
   * @throws {EndpointError} `ENOENT` when the socket is not connected there.
   */
  disconnect(address: string): void {
    this.#engine.disconnect(address);
  }

  /**
   * Closes the socket. Pending operations reject with `EAGAIN`; messages that were accepted are still sent for as long as
   * `linger` allows, and the promise resolves when that is over. Calling it again answers the same promise.
   */
  close(): Promise<void> {
    return this.#engine.close();
  }

  /** Closes the socket, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The options that every socket has. */
export interface Socket extends CommonOptions {}

const COMMON: readonly (keyof CommonOptions)[] = [
  "linger",
  "reconnectInterval",
  "reconnectMaxInterval",
  "connectTimeout",
  "handshakeInterval",
  "maxMessageSize",
  "maxMultipartSize",
  "maxMessageParts",
  "maxPendingHandshakes",
  "backlog",
  "ipv6",
  "immediate",
  "tcpKeepalive",
  "tcpKeepaliveIdle",
  "tcpKeepaliveCount",
  "tcpKeepaliveInterval",
  "tcpMaxRetransmitTimeout",
  "interface",
  "tcpAcceptFilter",
  "socksProxy",
  "socksUsername",
  "socksPassword",
  "reconnectStop",
  "heartbeatInterval",
  "heartbeatTimeout",
  "heartbeatTimeToLive",
  "attachMetadata",
  "properties",
  "plainServer",
  "plainUsername",
  "plainPassword",
  "curveServer",
  "curvePublicKey",
  "curveSecretKey",
  "curveServerKey",
  "zapDomain",
  "zapEnforceDomain",
  "origins",
  "wssKeyPem",
  "wssCertPem",
  "wssTrustPem",
  "wssHostname",
  "wssTrustSystem",
  "affinity",
  "rate",
  "recoveryInterval",
  "multicastMaxTransportDataUnit",
  "typeOfService",
  "loopbackFastPath",
  "vmciBufferSize",
  "vmciBufferMinSize",
  "vmciBufferMaxSize",
  "vmciConnectTimeout",
];

const marksChanged = (socket: Socket): void => engineOf(socket).marksChanged();

function defineOptions(
  type: { readonly prototype: Socket },
  names: readonly OptionName[],
  changed?: (socket: Socket) => void,
): void {
  defineAccessors(type, names, (socket) => engineOf(socket).options, checkOption, changed);
}

defineOptions(Socket, COMMON);

/** What a socket class is made of. */
export interface SocketTraits {
  readonly sends: boolean;
  readonly receives: boolean;
  /** Its options beyond those of all sockets, and those of sending and receiving. */
  readonly options: readonly OptionName[];
}

/** Completes a class with the operations and options that its merged interface declares. */
export function complete(type: { readonly prototype: Socket }, traits: SocketTraits): void {
  const { prototype } = type;
  if (traits.sends) {
    define(
      prototype,
      "send",
      function (this: Socket, message: MessageLike, options?: OperationOptions) {
        return engineOf(this).send(message, options);
      },
    );
    define(prototype, "trySend", function (this: Socket, message: MessageLike) {
      return engineOf(this).trySend(message);
    });
    define(prototype, "writableStream", function (this: Socket) {
      return writableStreamOf(engineOf(this));
    });
    defineOptions(type, ["sendHighWaterMark"], marksChanged);
    defineOptions(type, ["sendTimeout", "sendBufferSize", "multicastHops"]);
  }
  if (traits.receives) {
    define(prototype, "receive", function (this: Socket, options?: OperationOptions) {
      return engineOf(this).receive(options);
    });
    define(prototype, Symbol.asyncIterator, function (this: Socket) {
      return new MessageIterator(engineOf(this));
    });
    define(prototype, "tryReceive", function (this: Socket) {
      return engineOf(this).tryReceive();
    });
    define(prototype, "readableStream", function (this: Socket) {
      return readableStreamOf(engineOf(this));
    });
    defineOptions(type, ["receiveHighWaterMark"], marksChanged);
    defineOptions(type, ["receiveTimeout", "receiveBufferSize"]);
  }
  defineOptions(type, traits.options);
  READY_CLASSES.add(type);
}

function define(prototype: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
}
