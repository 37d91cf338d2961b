// Sockets as users have them over streams without a network: the test is every peer, octet by octet. What a peer sends has
// an effect at once, so that nothing here waits.

import { Context, type SocketStats } from "../../mod.ts";
import { decodeCommand } from "../../src/wire/command.ts";
import { MORE, readHeader, readStream } from "../core/models/frame_model.ts";
import { textOf, textsOf } from "./bytes.ts";
import { type Attempt, type ScriptedListener, ScriptedRuntime } from "./scripted_runtime.ts";
import type { FakeStream } from "./fake_stream.ts";
import { concat } from "./octets.ts";
import { oldGreeting } from "./raw_subscriptions.ts";
import { frame, greeting, message, ready } from "./raw_zmtp.ts";

const ENDPOINT = "tcp://127.0.0.1:5555";
const GREETING_SIZE = 64;
/** So many turns take seconds. */
const MOST_TURNS = 1_000_000;

type Body = Uint8Array | string;

/** What is needed of a socket; not all types have all of it. */
export interface AnySocket {
  linger: number;
  bind(endpoint: string): Promise<void>;
  connect(endpoint: string, options?: { routingId: string }): void;
  trySend(message: Body | Body[]): boolean;
  tryReceive(): Uint8Array[] | undefined;
  stats(): SocketStats;
  close(): Promise<void>;
}

/** A class of sockets. */
export type SocketClass = new (options?: object) => object;

/** The sockets of one test file, and their peers. */
export class PatternStage {
  readonly #runtime: ScriptedRuntime = new ScriptedRuntime();
  readonly #context: Context = new Context({ runtime: this.#runtime });
  readonly #listeners: Map<AnySocket, ScriptedListener> = new Map();
  readonly #sockets: AnySocket[] = [];
  readonly #peers: OctetPeer[] = [];
  /** Attempts to connect that were handed out. */
  #answered = 0;

  /** Opens a socket that connects again at once when it has to. */
  open(type: SocketClass, options: object = {}): AnySocket {
    const values = { reconnectInterval: 0, ...options, context: this.#context };
    const socket = new type(values) as unknown as AnySocket;
    this.#sockets.push(socket);
    return socket;
  }

  /** Opens a socket that peers can join. */
  async bound(type: SocketClass, options: object = {}): Promise<AnySocket> {
    const socket = this.open(type, options);
    await socket.bind(ENDPOINT);
    this.#listeners.set(socket, this.#runtime.listeners.at(-1)!);
    return socket;
  }

  /** A peer of a bound socket, past its handshake. */
  join(socket: AnySocket, type: string, how: PeerOptions = {}): OctetPeer {
    return this.#greet(
      this.#listeners.get(socket)!.accept({ room: how.deaf ? 0 : Infinity }),
      type,
      how,
    );
  }

  /** The attempt to connect that nobody has answered yet. */
  async dialled(): Promise<Attempt> {
    const { attempts } = this.#runtime;
    for (let turns = 0; attempts.length <= this.#answered; turns++) {
      if (turns === MOST_TURNS) throw new Error("Nobody tries to connect");
      await turn();
    }
    return attempts[this.#answered++];
  }

  /** Answers the next attempt to connect, as a peer past its handshake. */
  async answer(type: string, how: PeerOptions = {}): Promise<OctetPeer> {
    const attempt = await this.dialled();
    return this.#greet(await attempt.succeed({ room: how.deaf ? 0 : Infinity }), type, how);
  }

  /** For `afterEach`. */
  async close(): Promise<void> {
    for (const peer of this.#peers.splice(0)) peer.leave();
    this.#listeners.clear();
    await Promise.all(
      this.#sockets.splice(0).map((socket) => {
        socket.linger = 0;
        return socket.close();
      }),
    );
    this.#answered = this.#runtime.attempts.length;
  }

  #greet(stream: FakeStream, type: string, how: PeerOptions): OctetPeer {
    const peer = new OctetPeer(stream, type, how);
    this.#peers.push(peer);
    return peer;
  }
}

/** How a peer begins. */
export interface PeerOptions {
  /** What it calls itself. */
  readonly id?: Body;
  /** It speaks ZMTP 3.0. */
  readonly old?: boolean;
  /** It takes the handshake, and reads nothing more until it is told to. */
  readonly deaf?: boolean;
  /** The first octets behind its handshake, in the same read. */
  readonly says?: Uint8Array;
}

/** A peer past its handshake. */
export class OctetPeer {
  readonly stream: FakeStream;
  #octets: Uint8Array = new Uint8Array(0);
  /** How many messages and commands were asked for. */
  #messages = 0;
  #commands = 1;

  constructor(
    stream: FakeStream,
    type: string,
    { id, old = false, deaf = false, says }: PeerOptions,
  ) {
    this.stream = stream;
    stream.deliver(
      concat(old ? oldGreeting() : greeting(), ready(type, id), says ?? new Uint8Array(0)),
    );
    // Octet by octet: what comes behind the handshake stays where it is.
    while (deaf && !this.refused && this.#reading.commands.length === 0) stream.drain(1);
    if (!deaf) stream.flow();
  }

  /** Sends one message. */
  say(...frames: Body[]): this {
    return this.send(message(...frames));
  }

  /** Sends frames that are not the last ones of their message. */
  begin(...frames: Body[]): this {
    return this.send(...frames.map((body) => frame(body, true)));
  }

  /** Sends octets, in one read. */
  send(...pieces: Uint8Array[]): this {
    this.stream.deliver(concat(...pieces));
    return this;
  }

  /** Reads on. */
  listen(octets: number = Infinity): this {
    this.stream.drain(octets);
    return this;
  }

  /** The octets behind the handshake that came since the beginning. */
  get octets(): Uint8Array {
    this.#take();
    const body = this.#octets.subarray(GREETING_SIZE);
    return body.subarray(2 + body[1]);
  }

  /** The messages that came whole since the last call, as texts. */
  heard(): string[][] {
    const { messages } = this.#reading;
    return messages.slice(this.#messages, this.#messages = messages.length).map(textsOf);
  }

  /** The same, of messages with one frame. */
  texts(): string[] {
    return this.heard().map((frames) => frames.join("|"));
  }

  /** The requests that came as commands since the last call: `+topic`, `-topic`. */
  asked(): string[] {
    const { commands } = this.#reading;
    const fresh = commands.slice(this.#commands, this.#commands = commands.length);
    return fresh.map(({ body }) => {
      const { name, data } = decodeCommand(body);
      return `${name === "SUBSCRIBE" ? "+" : name === "CANCEL" ? "-" : `${name} `}${textOf(data)}`;
    });
  }

  /** True when the octets end within a message. */
  get cut(): boolean {
    const { octets } = this;
    let flags = 0;
    for (let at = 0; at < octets.length;) {
      const header = readHeader(octets, at, -1);
      if (typeof header !== "object" || header.start + header.size > octets.length) return true;
      flags = header.flags;
      at = header.start + header.size;
    }
    return (flags & MORE) > 0;
  }

  /** The socket has ended the connection. */
  get refused(): boolean {
    return this.stream.calls.some((call) => call === "close" || call === "abort");
  }

  /** The socket does not read at the moment. */
  get ignored(): boolean {
    return this.stream.paused;
  }

  /** The connection breaks. */
  leave(): void {
    if (!this.stream.over) this.stream.end();
  }

  get #reading(): ReturnType<typeof readStream> {
    this.#take();
    return readStream(this.#octets.subarray(GREETING_SIZE));
  }

  #take(): void {
    this.#octets = concat(this.#octets, this.stream.takeOutput());
  }
}

/** Ends the turn of the event loop: what was collected in it is written. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

declare function setImmediate(call: () => void): unknown;

/** Sends texts until the socket takes no more; how many it took. */
export function sendAll(
  socket: AnySocket,
  make: (number: number) => Body[],
  most = 10_000,
): number {
  for (let i = 0; i < most; i++) if (!socket.trySend(make(i))) return i;
  throw new Error(`Not full after ${most} messages`);
}

/** All that can be received now, the frames of each message joined by `|`. */
export function receiveAll(socket: AnySocket): string[] {
  const all: string[] = [];
  for (let frames = socket.tryReceive(); frames; frames = socket.tryReceive()) {
    all.push(textsOf(frames).join("|"));
  }
  return all;
}
