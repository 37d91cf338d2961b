// What all socket classes have in common.

import { withCode } from "../errors.ts";
import type { Frame, MessageLike } from "../message.ts";
import { checkOption, defaultOptions, defineOptions } from "../option_values.ts";
import type { CommonOptions, OptionName, OptionValues } from "../options.ts";
import type { Pattern } from "../routing/pattern.ts";
import { SOCKET_TYPE_ID, type SocketType } from "../wire/socket_type.ts";
import { type Context, context as standardContext, type ContextParts, partsOf } from "./context.ts";
import { Engine } from "./engine.ts";
import type { OperationOptions } from "./queue.ts";

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
  /** Iterates over the messages; leaving the loop leaves the socket open, closing the socket ends the loop. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Frame[]>;
}

/** The inside of a socket; for the files of this folder. */
export let engineOf: (socket: Socket) => Engine;

/** The rules of a socket, by a class that knows which they are. */
export function patternOf<P extends Pattern>(socket: Socket): P {
  return engineOf(socket).pattern as P;
}

const READY_CLASSES: Set<unknown> = new Set();

/** The base of all sockets: endpoints, life cycle and the options that every socket has. */
export abstract class Socket {
  readonly #engine: Engine;
  /** The context that the socket belongs to. */
  readonly context: Context;

  static {
    engineOf = (socket) => socket.#engine;
  }

  /** @internal */
  constructor(
    type: SocketType,
    pattern: (options: OptionValues, around: ContextParts) => Pattern,
    options: SocketOptions<object> = {},
  ) {
    if (typeof options !== "object" || options === null) {
      throw withCode(new TypeError("Options must be an object"), "EINVAL");
    }
    const values = defaultOptions();
    this.context = options.context ?? standardContext;
    const around = partsOf(this.context);
    this.#engine = new Engine(type, pattern(values, around), values, around);
    for (const [name, value] of Object.entries(options)) {
      if (name !== "context" && value !== undefined) this.#setOption(name, value);
    }
    // A misspelt option is an error, not a new property; classes of the user's own may have fields.
    if (READY_CLASSES.has(new.target)) Object.preventExtensions(this);
  }

  #setOption(name: string, value: unknown): void {
    if (!(name in this) || !(name in this.#engine.options)) {
      throw withCode(
        new TypeError(`Unknown option ${name}: a ${this.constructor.name} socket does not have it`),
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

  /** The security mechanism; `null` is NULL. `ZMQ_MECHANISM`. */
  get securityMechanism(): null {
    return null;
  }

  /** As in libzmq, these socket types are for one thread. `ZMQ_THREAD_SAFE`. */
  get threadSafe(): boolean {
    return false;
  }

  /**
   * Listens for peers. A port `*` or 0 lets the system choose one, which `lastEndpoint` then tells.
   *
   * @param address `tcp://interface:port`; the interface is `*`, an address (IPv6 in brackets), or a name such as `lo`.
   * @throws {EndpointError} Rejects with `EINVAL`, `EPROTONOSUPPORT`, `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, `EMFILE` or `ENOTSUP`.
   */
  bind(address: string): Promise<void> {
    return this.#engine.bind(address);
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
   * Connects to a peer, now or as soon as it is there; never fails because nobody listens yet.
   *
   * @param address `tcp://host:port`, or `tcp://source:port;host:port` to connect from an address of this machine.
   * @throws {EndpointError} `EINVAL`, `EPROTONOSUPPORT` or `ENOTSUP`.
   * @throws {ZmqError} `EBUSY` when a Pair has its peer already.
   */
  connect(address: string): void {
    this.#engine.connect(address);
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
  "backlog",
  "ipv6",
  "immediate",
  "tcpKeepalive",
  "tcpKeepaliveIdle",
  "tcpKeepaliveCount",
  "tcpKeepaliveInterval",
];

const optionsOf = (socket: Socket): OptionValues => engineOf(socket).options;

defineOptions(Socket, COMMON, optionsOf);

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
    defineOptions(type, ["sendHighWaterMark", "sendTimeout"], optionsOf);
  }
  if (traits.receives) {
    define(prototype, "receive", function (this: Socket, options?: OperationOptions) {
      return engineOf(this).receive(options);
    });
    define(prototype, Symbol.asyncIterator, function (this: Socket) {
      return new MessageIterator(engineOf(this));
    });
    defineOptions(type, ["receiveHighWaterMark", "receiveTimeout"], optionsOf);
  }
  defineOptions(type, traits.options, optionsOf);
  READY_CLASSES.add(type);
}

function define(prototype: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
}

/** Written by hand: an async generator costs three times as much for each message. */
class MessageIterator implements AsyncIterableIterator<Frame[]> {
  readonly #engine: Engine;
  #done = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  next(): Promise<IteratorResult<Frame[], undefined>> {
    if (this.#done || this.#engine.closed) return Promise.resolve({ value: undefined, done: true });
    const value = this.#engine.tryReceive();
    if (value !== undefined) return this.#engine.paced({ value, done: false });
    return this.#wait();
  }

  async #wait(): Promise<IteratorResult<Frame[], undefined>> {
    try {
      return { value: await this.#engine.receive(), done: false };
    } catch (error) {
      if (!this.#engine.closed) throw error;
      this.#done = true;
      return { value: undefined, done: true };
    }
  }

  return(): Promise<IteratorResult<Frame[], undefined>> {
    this.#done = true;
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
