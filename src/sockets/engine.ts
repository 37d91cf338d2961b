// The inside of a socket: its pattern, its endpoints, and the operations that wait.

import type { Cancel } from "../clock.ts";
import { type Endpoint, parseEndpoint } from "../endpoint.ts";
import { EndpointError, StateError, ZmqError } from "../errors.ts";
import { Acceptor } from "../link/acceptor.ts";
import { Dialer } from "../link/dialer.ts";
import type { LinkHost } from "../link/host.ts";
import { type Frame, type MessageLike, type Outgoing, toOutgoing } from "../message.ts";
import { type OptionValues, routingIdBytes } from "../options.ts";
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
  readonly #pattern: Pattern;
  readonly #sending: OperationQueue<Outgoing, void>;
  readonly #receiving: OperationQueue<undefined, Frame[]>;
  /** Messages that lost peers did not get; they go before everything else. */
  #backlog: Uint8Array[][] = [];
  #pumping = false;
  #letBacklogGo: Cancel | undefined;
  /** Endpoints in use, by their text; what is bound stands under its resolved text. */
  readonly #dialers: Map<string, Dialer> = new Map();
  readonly #acceptors: Map<string, Acceptor> = new Map();
  /** Endpoints whose last messages are still leaving. */
  readonly #leaving: Set<Dialer | Acceptor> = new Set();
  #closing: Promise<void> | undefined;
  #closedNow: () => void = () => {};
  lastEndpoint: string | null = null;

  constructor(type: SocketType, pattern: Pattern, options: OptionValues, around: ContextParts) {
    this.type = type;
    this.options = options;
    this.around = around;
    this.#pattern = pattern;
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
    return !this.closed && this.#pattern.canReceive;
  }

  get writable(): boolean {
    return !this.closed && this.#backlog.length === 0 && this.#pattern.canSend;
  }

  // Messages

  send(value: MessageLike | readonly MessageLike[], options?: OperationOptions): Promise<void> {
    try {
      this.#mayUse("send", options?.signal);
      const message = toOutgoing(value);
      if (this.#sending.length === 0 && this.#backlog.length === 0 && this.#pattern.send(message)) {
        return this.around.pace.due() ? this.#nextTurn() : DONE;
      }
      return this.#sending.add(message, this.options.sendTimeout, options?.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  receive(options?: OperationOptions): Promise<Frame[]> {
    try {
      this.#mayUse("receive", options?.signal);
      const due = this.around.pace.due();
      if (this.#receiving.length === 0 && !due) {
        const frames = this.#pattern.receive();
        if (frames !== undefined) return Promise.resolve(frames);
      }
      if (due) void this.#nextTurn().then(() => this.#pumpReceives());
      return this.#receiving.add(undefined, this.options.receiveTimeout, options?.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A message that is there already, for iterators; undefined when one has to wait. */
  tryReceive(): Frame[] | undefined {
    if (this.closed || this.#receiving.length > 0 || this.around.pace.due()) return undefined;
    return this.#pattern.refuse("receive", this) === undefined
      ? this.#pattern.receive()
      : undefined;
  }

  #nextTurn(): Promise<void> {
    return new Promise((resolve) => this.around.turns.once(resolve));
  }

  #mayUse(use: "send" | "receive", signal: AbortSignal | undefined): void {
    if (this.#closing !== undefined) throw closedError();
    signal?.throwIfAborted();
    const refusal = this.#pattern.refuse(use, this);
    if (refusal !== undefined) throw refusal;
  }

  #pumpReceives(): void {
    while (this.#receiving.length > 0) {
      const frames = this.#pattern.receive();
      if (frames === undefined) return;
      this.#receiving.resolve(frames);
    }
  }

  /** Sends what waits, as far as there is room. Sending may flush a link, which makes room and calls this again. */
  #pumpSends(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#backlog.length > 0 && this.#pattern.resend!(this.#backlog[0])) {
      this.#backlog.shift();
    }
    if (this.#backlog.length === 0) {
      this.#letBacklogGo?.();
      this.#letBacklogGo = undefined;
      while (this.#sending.length > 0 && this.#sendFirst());
    }
    this.#pumping = false;
    if (this.#closing !== undefined) this.#finishEndpoints();
  }

  #sendFirst(): boolean {
    try {
      if (!this.#pattern.send(this.#sending.first)) return false;
      this.#sending.resolve();
    } catch (error) {
      this.#sending.reject(error);
    }
    return true;
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
    const refusal = this.#pattern.attach(pipe);
    if (refusal === undefined) this.#pumpSends();
    return refusal;
  }

  identify(pipe: Pipe, routingId: Uint8Array): ZmqError | undefined {
    return this.#pattern.identify(pipe, routingId);
  }

  detach(pipe: Pipe): void {
    this.#pattern.detach(pipe);
  }

  readonly hold: Hold = () => {
    const { linger } = this.options;
    if (linger === 0) return () => {};
    const { clock, keepAlive } = this.around;
    keepAlive.acquire();
    let held = true;
    const letGo = () => {
      if (held) keepAlive.release();
      held = false;
      cancel?.();
    };
    const cancel = linger > 0 ? clock.after(linger, letGo) : undefined;
    return letGo;
  };

  returned(messages: Uint8Array[][]): void {
    if (messages.length === 0 || this.#pattern.resend === undefined || this.closed) return;
    this.#backlog.unshift(...messages);
    this.#letBacklogGo ??= this.hold();
    this.#pumpSends();
  }

  pipeReadable(pipe: Pipe): void {
    this.#pattern.readable(pipe);
    if (this.#receiving.length > 0) this.#pumpReceives();
  }

  pipeWritable(pipe: Pipe): void {
    this.#pattern.writable(pipe);
    if (this.#sending.length > 0 || this.#backlog.length > 0) this.#pumpSends();
  }

  // Endpoints

  async bind(text: string): Promise<void> {
    if (this.closed) throw closedError();
    const endpoint = parseEndpoint(text, "bind");
    this.#checkOptions(endpoint);
    const acceptor: Acceptor = await Acceptor.listen(this, endpoint, () => this.#left(acceptor));
    if (this.closed) {
      this.#leaving.add(acceptor);
      acceptor.close();
      throw closedError();
    }
    this.#acceptors.set(acceptor.endpoint, acceptor);
    this.lastEndpoint = acceptor.endpoint;
  }

  connect(text: string, assignedId?: Uint8Array): void {
    if (this.closed) throw closedError();
    const endpoint = parseEndpoint(text, "connect");
    this.#checkOptions(endpoint);
    // As in libzmq, a DEALER or REQ has one connection to an endpoint; other types have one for each connect.
    let key = text;
    if (this.#dialers.has(text)) {
      if (this.type === "DEALER" || this.type === "REQ") return;
      for (let i = 2; this.#dialers.has(key); i++) key = `${text}#${i}`;
    }
    const dialer: Dialer = new Dialer(this, endpoint, assignedId, () => {
      this.#dialers.delete(key);
      this.#left(dialer);
    });
    const refusal = dialer.start();
    if (refusal !== undefined) throw refusal;
    this.#dialers.set(key, dialer);
    this.lastEndpoint = text;
  }

  async unbind(text: string): Promise<void> {
    if (this.closed) throw closedError();
    const acceptor = this.#acceptors.get(text);
    if (acceptor === undefined) throw noSuchEndpoint(text, "unbind", [...this.#acceptors.keys()]);
    this.#acceptors.delete(text);
    this.#leaving.add(acceptor);
    this.#limit(acceptor);
    await acceptor.finish();
  }

  disconnect(text: string): void {
    if (this.closed) throw closedError();
    const dialer = this.#dialers.get(text);
    if (dialer === undefined) throw noSuchEndpoint(text, "disconnect", [...this.#dialers.keys()]);
    this.#dialers.delete(text);
    this.#leaving.add(dialer);
    this.#limit(dialer);
    dialer.finish(false);
  }

  #checkOptions(endpoint: Endpoint): void {
    for (const name of ["tcpKeepaliveCount", "tcpKeepaliveInterval"] as const) {
      if (this.options[name] < 0) continue;
      throw new EndpointError(
        "ENOTSUP",
        `Cannot use ${
          JSON.stringify(endpoint.text)
        } with ${name}: ${this.around.runtime.name} cannot set it; leave it at -1`,
        { address: endpoint.text },
      );
    }
  }

  /** Ends what is leaving when `linger` is over. */
  #limit(leaving: Dialer | Acceptor): void {
    const { linger } = this.options;
    if (linger > 0) this.around.clock.after(linger, () => leaving.close());
    else if (linger === 0) this.around.turns.once(() => leaving.close());
  }

  #left(leaving: Dialer | Acceptor): void {
    this.#leaving.delete(leaving);
    if (this.#closing !== undefined && this.#leaving.size === 0) this.#closedNow();
  }

  // Closing

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  #close(): Promise<void> {
    const reason = new ZmqError(
      "EAGAIN",
      "Operation was not possible or timed out: the socket was closed",
    );
    const closed = new Promise<void>((resolve) => this.#closedNow = resolve);
    queueMicrotask(() => {
      this.#receiving.rejectAll(reason);
      this.#sending.rejectAll(reason);
      const { linger } = this.options;
      if (linger === 0) this.#dropEverything();
      else if (linger > 0) this.around.clock.after(linger, () => this.#dropEverything());
      this.#finishEndpoints();
    });
    return closed;
  }

  /** Lets every endpoint send what it has and end; what no peer has taken yet goes first. */
  #finishEndpoints(): void {
    if (this.#backlog.length > 0 && this.#dialers.size + this.#acceptors.size > 0) return;
    const endpoints = [...this.#dialers.values(), ...this.#acceptors.values()];
    this.#dialers.clear();
    this.#acceptors.clear();
    for (const endpoint of endpoints) this.#leaving.add(endpoint);
    for (const endpoint of endpoints) {
      if (endpoint instanceof Dialer) endpoint.finish(true);
      else void endpoint.finish();
    }
    if (this.#leaving.size === 0) this.#closedNow();
  }

  #dropEverything(): void {
    this.#backlog = [];
    this.#letBacklogGo?.();
    this.#finishEndpoints();
    for (const endpoint of [...this.#leaving]) endpoint.close();
  }
}

function closedError(): StateError {
  return new StateError("EBADF", "Socket is closed");
}

function noSuchEndpoint(text: string, use: string, known: string[]): EndpointError {
  const hint = known.length === 0 ? "there is none" : `there is ${known.join(", ")}`;
  return new EndpointError(
    "ENOENT",
    `No such endpoint: cannot ${use} ${JSON.stringify(text)}; ${hint}`,
    { address: text },
  );
}
