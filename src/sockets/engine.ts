// The inside of a socket: its pattern, its endpoints, and the operations that wait.

import type { Cancel } from "../clock.ts";
import type { Filter } from "../core/receiver.ts";
import { StateError, ZmqError } from "../errors.ts";
import { Endpoints } from "../link/endpoints.ts";
import type { LinkHost } from "../link/host.ts";
import { type Frame, type MessageLike, type Outgoing, toOutgoing } from "../message.ts";
import { routingIdBytes } from "../option_values.ts";
import type { OptionValues } from "../options.ts";
import type { Pattern, Queued } from "../routing/pattern.ts";
import type { Hold, Pipe } from "../routing/pipe.ts";
import type { Mechanism, Property } from "../security/mechanism.ts";
import { NullMechanism } from "../security/null.ts";
import { announcesIdentity, type SocketType } from "../wire/socket_type.ts";
import type { ContextParts } from "./context.ts";
import { type OperationOptions, OperationQueue } from "./queue.ts";

const DONE: Promise<void> = Promise.resolve();

export class Engine implements LinkHost, Queued {
  readonly type: SocketType;
  readonly options: OptionValues;
  readonly around: ContextParts;
  readonly pattern: Pattern;
  readonly #sending: OperationQueue<Outgoing, void>;
  readonly #receiving: OperationQueue<undefined, Frame[]>;
  /** Messages that lost peers did not get; they go before everything else. */
  #backlog: Uint8Array[][] = [];
  #pumping = false;
  #again = false;
  #letBacklogGo: Cancel | undefined;
  readonly #endpoints: Endpoints = new Endpoints(this, () => this.#closedNow());
  #closing: Promise<void> | undefined;
  /** Told whenever something can be sent or received that could not before: a proxy has the socket. */
  #borrower: (() => void) | undefined;
  #closedNow: () => void = () => {};

  constructor(type: SocketType, pattern: Pattern, options: OptionValues, around: ContextParts) {
    this.type = type;
    this.options = options;
    this.around = around;
    this.pattern = pattern;
    this.#sending = new OperationQueue(around, "peer with room");
    this.#receiving = new OperationQueue(around, "message arrived");
  }

  get closed(): boolean {
    return this.#closing !== undefined;
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
    if (this.closed) throw closedError();
  }

  // Messages

  send(value: MessageLike | readonly MessageLike[], options?: OperationOptions): Promise<void> {
    try {
      this.#mayUse("send", options?.signal);
      const message = toOutgoing(value);
      if (this.#sending.length === 0 && this.#backlog.length === 0 && this.pattern.send(message)) {
        if (this.#receiving.length > 0) this.#pump();
        return this.around.pace.due() ? this.around.pace.turn() : DONE;
      }
      return this.#sending.add(message, this.options.sendTimeout, options?.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  receive(options?: OperationOptions): Promise<Frame[]> {
    try {
      this.#mayUse("receive", options?.signal);
      const frames = this.#receiving.length === 0 ? this.pattern.receive() : undefined;
      if (frames === undefined) {
        return this.#receiving.add(undefined, this.options.receiveTimeout, options?.signal);
      }
      if (this.#sending.length > 0) this.#pump();
      return this.paced(frames);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A message that is there already; undefined when `receive` has to be asked. */
  tryReceive(): Frame[] | undefined {
    if (this.closed || this.#receiving.length > 0 || this.#borrower !== undefined) return undefined;
    return this.pattern.receive();
  }

  /** The result of an operation that did not have to wait; now and then it waits for the event loop all the same. */
  paced<T>(result: T): Promise<T> {
    return this.around.pace.due() ? this.#later(result) : Promise.resolve(result);
  }

  /** Apart from `paced`, which must not make a closure for each message. */
  async #later<T>(result: T): Promise<T> {
    await this.around.pace.turn();
    return result;
  }

  #mayUse(use: "send" | "receive", signal: AbortSignal | undefined): void {
    if (this.#closing !== undefined) throw closedError();
    if (this.#borrower !== undefined) throw borrowedError();
    signal?.throwIfAborted();
    const refusal = this.pattern.refuse(use, this);
    if (refusal !== undefined) throw refusal;
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
      while (this.#backlog.length > 0 && this.pattern.resend!(this.#backlog[0])) {
        this.#backlog.shift();
      }
      if (this.#backlog.length === 0) {
        this.#dropBacklog();
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
    const frames = this.pattern.receive();
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
    if (this.#borrower !== undefined || this.sends > 0 || this.receives > 0) throw borrowedError();
    this.#borrower = borrower;
  }

  giveBack(): void {
    this.#borrower = undefined;
  }

  /** Routes a message, if that is possible at once. */
  forward(message: Outgoing): boolean {
    return this.#backlog.length === 0 && this.pattern.send(message);
  }

  // LinkHost

  mechanism(): Mechanism {
    const properties: Property[] = [["Socket-Type", new TextEncoder().encode(this.type)]];
    if (announcesIdentity(this.type)) {
      properties.push(["Identity", routingIdBytes(this.options.routingId)]);
    }
    return new NullMechanism(properties);
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
    if (this.#receiving.length > 0 || this.#sending.length > 0 || this.#borrower) this.#ready();
  }

  /** Something can be sent or received that could not before. */
  #ready(): void {
    this.#pump();
    this.#borrower?.();
  }

  linked(pipe: Pipe): void {
    this.pattern.linked?.(pipe);
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

  returned(messages: Uint8Array[][]): void {
    if (messages.length === 0 || this.pattern.resend === undefined || this.closed) return;
    this.#backlog.unshift(...messages);
    this.#letBacklogGo ??= this.hold(() => this.#letBacklogGo = undefined);
    this.#pump();
  }

  pipeReadable(pipe: Pipe): void {
    if (this.options.conflate) pipe.inbox.keepLast();
    this.pattern.readable(pipe);
    this.changed();
  }

  pipeWritable(pipe: Pipe): void {
    this.pattern.writable(pipe);
    if (this.#sending.length > 0 || this.#backlog.length > 0 || this.#borrower) this.#ready();
  }

  // Endpoints

  get lastEndpoint(): string | null {
    return this.#endpoints.last;
  }

  async bind(text: string): Promise<void> {
    this.assertOpen();
    if (!await this.#endpoints.bind(text)) throw closedError();
  }

  connect(text: string, assignedId?: Uint8Array): void {
    this.assertOpen();
    this.#endpoints.connect(text, assignedId);
  }

  async unbind(text: string): Promise<void> {
    this.assertOpen();
    await this.#endpoints.unbind(text);
  }

  disconnect(text: string): void {
    this.assertOpen();
    this.#endpoints.disconnect(text);
  }

  // Closing

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  #close(): Promise<void> {
    const { keepAlive } = this.around;
    keepAlive.acquire();
    const closed = new Promise<void>((resolve) => this.#closedNow = resolve).then(() => {
      this.pattern.free?.();
      keepAlive.release();
    });
    queueMicrotask(() => {
      this.#receiving.rejectAll(closedMeanwhile);
      this.#sending.rejectAll(closedMeanwhile);
      const { linger } = this.options;
      if (linger === 0) this.#dropEverything();
      else if (linger > 0) this.around.clock.after(linger, () => this.#dropEverything());
      this.#finishEndpoints();
      this.#borrower?.();
    });
    return closed;
  }

  /** Lets every endpoint send what it has and end; what no peer has taken yet goes first, if there can be one. */
  #finishEndpoints(): void {
    if (this.#backlog.length > 0 && this.#endpoints.size > 0) return;
    this.#dropBacklog();
    this.#endpoints.finish();
  }

  #dropEverything(): void {
    this.#dropBacklog();
    this.#endpoints.close();
  }

  #dropBacklog(): void {
    this.#backlog = [];
    this.#letBacklogGo?.();
    this.#letBacklogGo = undefined;
  }
}

function closedMeanwhile(): ZmqError {
  return new ZmqError(
    "EAGAIN",
    "Operation was not possible or timed out: the socket was closed",
  );
}

function borrowedError(): StateError {
  return new StateError(
    "EBUSY",
    "The socket is in use: a proxy needs it for itself, without pending operations",
  );
}

function closedError(): StateError {
  return new StateError("EBADF", "Socket is closed");
}
