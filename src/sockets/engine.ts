// The inside of a socket: its pattern, its endpoints, and the operations that wait.

import type { Filter } from "../core/receiver.ts";
import { SendError, type ZmqError } from "../errors.ts";
import { Endpoints } from "../link/endpoints.ts";
import type { LinkHost, Security } from "../link/host.ts";
import { routingIdOf } from "../link/identity.ts";
import type { ByteStream, Introduction } from "../link/stream.ts";
import type { Monitor } from "../events.ts";
import type { Census } from "../link/census.ts";
import {
  type Frame,
  framesOf,
  type MessageLike,
  type Outgoing,
  toBytes,
  toOutgoing,
} from "../message.ts";
import type { OptionValues } from "../options.ts";
import type { Pattern, Queued } from "../routing/pattern.ts";
import type { Hold, Pipe } from "../routing/pipe.ts";
import type { MechanismName } from "../wire/greeting.ts";
import type { SocketType } from "../wire/socket_type.ts";
import type { ContextParts } from "./context.ts";
import { Backlog } from "./backlog.ts";
import { keepMetadata } from "./metadata.ts";
import { type OperationOptions, OperationQueue } from "./queue.ts";
import type { PatternTools } from "./socket.ts";
import { mechanismOf, type SocketSecurity } from "./socket_security.ts";
import { closedMeanwhile, isBorrowed, isClosed, terminated } from "./states.ts";

const DONE: Promise<void> = Promise.resolve();

export class Engine implements LinkHost, Queued {
  readonly type: SocketType;
  readonly options: OptionValues;
  readonly around: ContextParts;
  readonly pattern: Pattern;
  readonly monitor: Monitor;
  readonly census: Census;
  readonly #security: SocketSecurity;
  readonly #sending: OperationQueue<Outgoing, void>;
  readonly #receiving: OperationQueue<undefined, Frame[]>;
  #pumping = false;
  #again = false;
  readonly #endpoints: Endpoints = new Endpoints(this, () => this.#closedNow());
  #closing: Promise<void> | undefined;
  /** Told whenever something can be sent or received that could not before. */
  readonly #watchers: Set<() => void> = new Set();
  /** A proxy has the socket for itself. */
  #borrowed = false;
  /** Why operations fail that are pending when the socket is closed. */
  #reason: () => ZmqError = closedMeanwhile;
  #closedNow: () => void = () => {};

  /** What it sends is no message of a user's: the context's limit is not for it. */
  unlimited = false;

  constructor(
    type: SocketType,
    pattern: Pattern,
    { options, around, monitor, census, security }: PatternTools,
  ) {
    this.type = type;
    this.options = options;
    this.around = around;
    this.pattern = pattern;
    this.monitor = monitor;
    this.census = census;
    this.#security = security;
    this.#sending = new OperationQueue(around, "peer with room");
    this.#receiving = new OperationQueue(around, "message arrived");
  }

  /** @throws {ZmqError} `EMFILE` when the context has as many sockets as it may have. */
  enter(): void {
    this.around.sockets.add(this);
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Why operations fail on the closed socket. */
  get closingReason(): ZmqError {
    return this.#reason === terminated ? terminated() : isClosed();
  }

  get sends(): number {
    return this.#sending.length;
  }

  get receives(): number {
    return this.#receiving.length;
  }

  get readable(): boolean {
    return !this.closed && this.pattern.canReceive;
  }

  get writable(): boolean {
    return !this.closed && this.#backlog.length === 0 && this.pattern.canSend;
  }

  /** @throws {StateError} `EBADF` when the socket is closed. */
  assertOpen(): void {
    if (this.closed) throw isClosed();
  }

  // Messages

  send(value: MessageLike | readonly MessageLike[], options?: OperationOptions): Promise<void> {
    try {
      this.#mayUse("send", options?.signal);
      const message = this.#toSend(value);
      if (this.#sendNow(message)) return this.around.pace.due() ? this.around.pace.turn() : DONE;
      return this.#sending.add(message, this.options.sendTimeout, options?.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  trySend(value: MessageLike | readonly MessageLike[]): boolean {
    this.#mayUse("send", undefined);
    return this.#sendNow(this.#toSend(value));
  }

  #toSend(value: MessageLike | readonly MessageLike[]): Outgoing {
    const message = toOutgoing(value);
    if (this.around.sockets.limited && !this.unlimited) this.#checkSizes(message);
    return message;
  }

  /** Routes a message unless others wait; false when it has to wait too. */
  #sendNow(message: Outgoing): boolean {
    if (this.#sending.length > 0 || this.#backlog.length > 0 || !this.pattern.send(message)) {
      return false;
    }
    if (this.#receiving.length > 0 || this.#watchers.size > 0) this.#turned();
    return true;
  }

  receive(options?: OperationOptions): Promise<Frame[]> {
    try {
      this.#mayUse("receive", options?.signal);
      const frames = this.#receiveNow();
      if (frames !== undefined) return this.paced(frames);
      return this.#receiving.add(undefined, this.options.receiveTimeout, options?.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A message that is there already. */
  tryReceive(): Frame[] | undefined {
    this.#mayUse("receive", undefined);
    return this.#receiveNow();
  }

  #receiveNow(): Frame[] | undefined {
    const frames = this.#receiving.length === 0 ? this.#next() : undefined;
    if (frames === undefined) return undefined;
    if (this.#sending.length > 0 || this.#watchers.size > 0) this.#turned();
    return frames;
  }

  /** A message that is there already; undefined when `receive` has to be asked. */
  ready(): Frame[] | undefined {
    if (this.closed || this.#receiving.length > 0 || this.#borrowed) return undefined;
    return this.#next();
  }

  #next(): Frame[] | undefined {
    const frames = this.pattern.receive();
    if (frames !== undefined && this.options.attachMetadata) {
      keepMetadata(frames, this.pattern.source);
    }
    return frames;
  }

  /** The context allows no longer frames. */
  #checkSizes(message: Outgoing): void {
    const { maxMessageSize: most } = this.around.sockets.settings;
    for (const frame of framesOf(message)) {
      const size = toBytes(frame).length;
      if (size <= most) continue;
      throw new SendError(
        "EMSGSIZE",
        `Cannot send a frame of ${size} octets: the context's maxMessageSize allows ${most}`,
      );
    }
  }

  /** The result of an operation that did not have to wait; now and then it waits for the event loop all the same. */
  paced<T>(result: T): Promise<T> {
    return this.around.pace.tired() ? this.#later(result) : Promise.resolve(result);
  }

  /** Apart from `paced`, which must not make a closure for each message. */
  async #later<T>(result: T): Promise<T> {
    await this.around.pace.rest();
    return result;
  }

  #mayUse(use: "send" | "receive", signal: AbortSignal | undefined): void {
    if (this.#closing !== undefined) throw isClosed();
    if (this.#borrowed) throw isBorrowed();
    signal?.throwIfAborted();
    const refusal = this.pattern.refuse(use, this);
    if (refusal !== undefined) throw refusal;
  }

  /** The user has sent or received: what waits for its turn, as on a REQ or REP, may go on. */
  #turned(): void {
    if (this.#receiving.length > 0 || this.#sending.length > 0) this.#pump();
    // Later: who watches may be the caller.
    if (this.#watchers.size > 0) queueMicrotask(this.#tell);
  }

  /**
   * Serves what waits, as far as there are messages and room. On a REQ or REP one kind makes way for the other; and
   * sending may flush a link, which makes room and calls this again.
   */
  #pump(): void {
    this.#again = true;
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#again) {
      this.#again = false;
      if (this.#backlog.length > 0) this.#backlog.serve(this.#resend);
      if (this.#backlog.length === 0) {
        while (this.#sending.length > 0 && this.#sendFirst()) this.#again = true;
      }
      while (this.#receiving.length > 0 && this.#receiveFirst()) this.#again = true;
    }
    this.#pumping = false;
    if (this.#closing !== undefined) this.#finishEndpoints();
  }

  #sendFirst(): boolean {
    try {
      if (!this.pattern.send(this.#sending.first)) return false;
      this.#sending.resolve();
    } catch (error) {
      this.#sending.reject(error);
    }
    return true;
  }

  #receiveFirst(): boolean {
    const frames = this.#next();
    if (frames === undefined) return false;
    this.#receiving.resolve(frames);
    return true;
  }

  // For a proxy

  /** True when there is an endpoint. */
  get attached(): boolean {
    return this.#endpoints.size > 0;
  }

  /**
   * Gives the messages of the socket to a proxy, which is called when there may be something to do.
   *
   * @throws {StateError} `EBADF` when the socket is closed, `EBUSY` when it is in use.
   */
  lend(borrower: () => void): void {
    this.assertOpen();
    if (this.#borrowed || this.sends > 0 || this.receives > 0) throw isBorrowed();
    this.#borrowed = true;
    this.#watchers.add(borrower);
  }

  giveBack(borrower: () => void): void {
    this.#borrowed = false;
    this.#watchers.delete(borrower);
  }

  /** Calls `watcher` whenever something can be sent or received that could not before, and when the socket is closed. */
  watch(watcher: () => void): void {
    this.#watchers.add(watcher);
  }

  unwatch(watcher: () => void): void {
    this.#watchers.delete(watcher);
  }

  readonly #tell = (): void => {
    for (const watcher of this.#watchers) watcher();
  };

  /** Routes a message, if that is possible at once. */
  forward(message: Outgoing): boolean {
    return this.#backlog.length === 0 && this.pattern.send(message);
  }

  // LinkHost

  secure(): Security {
    return this.#security.of(this);
  }

  get mechanism(): MechanismName {
    const { type, options } = this;
    const mechanism = type === "STREAM" ? null : mechanismOf(options);
    return mechanism === null ? "NULL" : mechanism === "plain" ? "PLAIN" : "CURVE";
  }

  attach(pipe: Pipe): ZmqError | undefined {
    const refusal = this.pattern.attach(pipe);
    if (refusal === undefined) this.#ready();
    return refusal;
  }

  identify(pipe: Pipe, routingId: Uint8Array): ZmqError | undefined {
    return this.pattern.identify(pipe, routingId);
  }

  detach(pipe: Pipe): void {
    this.pattern.detach(pipe);
    this.changed();
  }

  /** A peer sent something or is gone, or its topics are others: operations that wait may be able to go on. */
  changed(): void {
    if (this.expectant) this.#ready();
  }

  get expectant(): boolean {
    return this.#receiving.length > 0 || this.#sending.length > 0 || this.#watchers.size > 0;
  }

  /** Something can be sent or received that could not before. */
  #ready(): void {
    this.#pump();
    if (this.#watchers.size > 0) this.#tell();
  }

  linked(pipe: Pipe): void {
    this.pattern.linked?.(pipe);
    // A peer of ZMTP 1.0 is reported at once.
    this.changed();
  }

  unlinked(pipe: Pipe): void {
    this.pattern.unlinked?.(pipe);
    this.changed();
  }

  command(pipe: Pipe, name: string, data: Uint8Array): ZmqError | undefined {
    const refusal = this.pattern.command?.(pipe, name, data);
    this.changed();
    return refusal;
  }

  get filter(): Filter | undefined {
    return this.pattern.filter;
  }

  readonly hold: Hold = (expired) => {
    const { linger } = this.options;
    if (linger === 0) return () => {};
    const { clock, keepAlive } = this.around;
    keepAlive.acquire();
    const cancel = linger > 0
      ? clock.after(linger, () => {
        keepAlive.release();
        expired();
      })
      : undefined;
    return () => {
      cancel?.();
      keepAlive.release();
    };
  };

  readonly #backlog: Backlog = new Backlog(this.hold);

  returned(messages: Uint8Array[][], owed: boolean): void {
    if (messages.length === 0 || this.pattern.resend === undefined || this.closed) return;
    this.#backlog.add(messages, owed);
    this.#pump();
  }

  readonly #resend = (frames: Uint8Array[]): boolean => this.pattern.resend!(frames);

  pipeReadable(pipe: Pipe): void {
    this.arrived(pipe);
    this.changed();
  }

  pipeWritable(pipe: Pipe): void {
    this.pattern.writable(pipe);
    if (this.#sending.length > 0 || this.#backlog.length > 0 || this.#watchers.size > 0) {
      this.#ready();
    }
  }

  arrived(pipe: Pipe): void {
    if (this.options.conflate) pipe.inbox.keepLast();
    this.pattern.readable(pipe);
  }

  drained(pipe: Pipe): void {
    this.pattern.writable(pipe);
  }

  /** The high-water marks are others now: there may be room where there was none. */
  marksChanged(): void {
    for (const pipe of this.census.pipes) {
      pipe.marksChanged();
      if (!pipe.full) this.pattern.writable(pipe);
    }
    this.changed();
  }

  /** The longest frame that is received: the socket and its context both have a say. */
  get messageLimit(): number {
    const { maxMessageSize } = this.options;
    const { limited, settings } = this.around.sockets;
    if (!limited) return maxMessageSize;
    return maxMessageSize < 0
      ? settings.maxMessageSize
      : Math.min(maxMessageSize, settings.maxMessageSize);
  }

  // Endpoints

  get lastEndpoint(): string | null {
    return this.#endpoints.last;
  }

  async bind(text: string): Promise<void> {
    this.assertOpen();
    if (!await this.#endpoints.bind(text)) throw isClosed();
  }

  bindSync(text: string): void {
    this.assertOpen();
    this.#endpoints.bindSync(text);
  }

  connect(text: string, assignedId?: Uint8Array): void {
    this.assertOpen();
    this.#endpoints.connect(text, assignedId);
  }

  /** Serves a connection that was made elsewhere; with a path, one that has yet to become a WebSocket. */
  accept(stream: ByteStream, path?: string): Promise<void> {
    this.assertOpen();
    return this.#endpoints.accept(stream, path);
  }

  /** Who this side is, for who makes a WebSocket of a request. */
  get introduction(): Introduction {
    const { type, mechanism } = this;
    return { type, mechanism, routingId: routingIdOf(this) };
  }

  async unbind(text: string): Promise<void> {
    this.assertOpen();
    await this.#endpoints.unbind(text);
  }

  unbindSync(text: string): void {
    this.assertOpen();
    // Nobody waits for the address to be free.
    void this.#endpoints.unbindSync(text);
  }

  disconnect(text: string): void {
    this.assertOpen();
    this.#endpoints.disconnect(text);
  }

  /** Takes back what peers of the context have not read, and all that waits. */
  withdraw(): void {
    for (const { outbox } of this.census.pipes) outbox.clear();
  }

  // Closing

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** The context is terminated. */
  terminate(): Promise<void> {
    this.#reason = terminated;
    return this.close();
  }

  #close(): Promise<void> {
    const { keepAlive } = this.around;
    keepAlive.acquire();
    const closed = new Promise<void>((resolve) => this.#closedNow = resolve).then(() => {
      this.pattern.free?.();
      this.around.sockets.delete(this);
      this.monitor.emit({ type: "end" });
      keepAlive.release();
    });
    queueMicrotask(() => {
      this.#receiving.rejectAll(this.#reason);
      this.#sending.rejectAll(this.#reason);
      const { linger } = this.options;
      if (linger === 0) this.#dropEverything();
      else if (linger > 0) this.around.clock.after(linger, () => this.#dropEverything());
      this.#finishEndpoints();
      this.#tell();
    });
    return closed;
  }

  /** Lets every endpoint send what it has and end; what no peer has taken yet goes first, if there can be one. */
  #finishEndpoints(): void {
    if (this.#backlog.owed && this.#endpoints.size > 0) return;
    this.#backlog.drop();
    this.#endpoints.finish();
  }

  #dropEverything(): void {
    this.#backlog.drop();
    this.#endpoints.close();
  }
}
