// Peers that speak ZMTP 2.0 and 1.0, written by hand, apart from the library's own code: over tcp, and over streams without
// a network.

import { Context } from "../../mod.ts";
import { MORE, readStream } from "../core/models/frame_model.ts";
import { textsOf, utf8 } from "./bytes.ts";
import type { FakeStream, FakeStreamOptions } from "./fake_stream.ts";
import { concat } from "./octets.ts";
import { turn } from "./pattern_stage.ts";
import type { RawConnection } from "./raw_peer.ts";
import { message } from "./raw_zmtp.ts";
import { ScriptedRuntime } from "./scripted_runtime.ts";

/** A version of ZMTP without mechanisms, metadata and commands. */
export type OldProtocol = "2.0" | "1.0";

/** Both. */
export const OLD_PROTOCOLS: readonly OldProtocol[] = ["2.0", "1.0"];

type Body = Uint8Array | string;

const SIGNATURE_SIZE = 10;
const LONG_MARK = 0xff;
/** The octets of the socket types in ZMTP 2.0. */
const TYPES = ["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH"];
/** The types that have a routing id to announce. */
const NAMED = ["REQ", "DEALER", "ROUTER"];

/** The number of a socket type in ZMTP 2.0; XPUB and XSUB are announced as PUB and SUB. */
export function typeOctet(type: string): number {
  return TYPES.indexOf(type.replace(/^X/, ""));
}

/** What a peer says first. */
export function oldOpening(protocol: OldProtocol, type: string, id: Body = ""): Uint8Array {
  const octets = octetsOf(id);
  if (protocol === "1.0") return oldFrame("1.0", octets);
  const revision = Uint8Array.of(1, typeOctet(type), 0, octets.length);
  return concat(signature(0n), revision, octets);
}

/** What a socket of this package says first to such a peer. */
export function openingTo(protocol: OldProtocol, type: string, id: Body = ""): Uint8Array {
  const octets = NAMED.includes(type) ? octetsOf(id) : utf8("");
  const start = signature(BigInt(octets.length + 1));
  if (protocol === "1.0") return concat(start, octets);
  return concat(start, Uint8Array.of(3, typeOctet(type), 0, octets.length), octets);
}

/** One frame. */
export function oldFrame(protocol: OldProtocol, body: Body, more = false): Uint8Array {
  const octets = octetsOf(body);
  if (protocol === "2.0") {
    return more ? message(octets, "").subarray(0, -2) : message(octets);
  }
  const size = octets.length + 1;
  const flags = more ? MORE : 0;
  if (size < LONG_MARK) return concat(Uint8Array.of(size, flags), octets);
  const header = new Uint8Array(SIGNATURE_SIZE);
  header[0] = LONG_MARK;
  new DataView(header.buffer).setBigUint64(1, BigInt(size));
  header[9] = flags;
  return concat(header, octets);
}

/** The frames of one message. */
export function oldMessage(protocol: OldProtocol, ...bodies: Body[]): Uint8Array {
  return concat(...bodies.map((body, i) => oldFrame(protocol, body, i < bodies.length - 1)));
}

/** The whole messages in octets, and where the first incomplete one begins. */
export interface OldReading {
  readonly messages: Uint8Array[][];
  readonly end: number;
}

/** Reads what came behind the opening; fails on what the version does not have. */
export function readOld(protocol: OldProtocol, octets: Uint8Array): OldReading {
  if (protocol === "1.0") return readFirst(octets);
  const { messages, commands, fault } = readStream(octets);
  if (fault !== undefined || commands.length > 0) throw new Error(fault ?? "a command");
  const end = concat(...messages.map((frames) => oldMessage("2.0", ...frames))).length;
  return { messages, end };
}

function readFirst(octets: Uint8Array): OldReading {
  const messages: Uint8Array[][] = [];
  let frames: Uint8Array[] = [];
  let end = 0;
  for (let at = 0; at < octets.length;) {
    const long = octets[at] === LONG_MARK;
    const header = long ? SIGNATURE_SIZE : 2;
    if (at + header > octets.length) break;
    const view = new DataView(octets.buffer, octets.byteOffset + at);
    const size = long ? Number(view.getBigUint64(1)) : octets[at];
    if (size === 0 || (long && size < LONG_MARK)) throw new Error(`The size ${size} at ${at}`);
    const flags = octets[at + header - 1];
    if (flags > 1) throw new Error(`The flags ${flags} at ${at}`);
    const next = at + header - 1 + size;
    if (next > octets.length) break;
    frames.push(octets.subarray(at + header, next));
    at = next;
    if (flags & MORE) continue;
    messages.push(frames);
    frames = [];
    end = at;
  }
  return { messages, end };
}

/** What a conversation needs of a peer. */
export interface OldPeer {
  say(...frames: Body[]): unknown;
  /** The next message that came. */
  hear(): Promise<Uint8Array[]>;
}

/** A peer over a stream without a network: what it sends has an effect at once. */
export class OldStreamPeer implements OldPeer {
  readonly stream: FakeStream;
  readonly #protocol: OldProtocol;
  readonly #openingSize: number;
  #octets: Uint8Array = new Uint8Array(0);
  #heard = 0;

  /** `own` is what the socket says first. */
  constructor(stream: FakeStream, protocol: OldProtocol, own: Uint8Array) {
    this.stream = stream;
    this.#protocol = protocol;
    this.#openingSize = own.length;
  }

  say(...frames: Body[]): this {
    return this.send(oldMessage(this.#protocol, ...frames));
  }

  /** Sends octets, in one read. */
  send(...pieces: Uint8Array[]): this {
    this.stream.deliver(concat(...pieces));
    this.stream.flow();
    return this;
  }

  /** All octets that came. */
  get octets(): Uint8Array {
    this.#octets = concat(this.#octets, this.stream.takeOutput());
    return this.#octets;
  }

  /** The messages that came whole since the last call, as texts. */
  async heard(): Promise<string[][]> {
    const messages = await this.#messages();
    return messages.slice(this.#heard, this.#heard = messages.length).map(textsOf);
  }

  async hear(): Promise<Uint8Array[]> {
    const next = (await this.#messages())[this.#heard++];
    if (next === undefined) throw new Error("Nothing came");
    return next;
  }

  async #messages(): Promise<Uint8Array[][]> {
    await turn(); // what was collected in it is written
    this.stream.flow();
    return readOld(this.#protocol, this.octets.subarray(this.#openingSize)).messages;
  }

  /** The socket has ended the connection. */
  get refused(): boolean {
    return this.stream.calls.some((call) => call === "close" || call === "abort");
  }
}

/** A peer over tcp. */
export class OldRawPeer implements OldPeer {
  readonly connection: RawConnection;
  readonly #protocol: OldProtocol;
  readonly #buffered: Uint8Array[][] = [];
  #rest: Uint8Array = new Uint8Array(0);

  private constructor(connection: RawConnection, protocol: OldProtocol) {
    this.connection = connection;
    this.#protocol = protocol;
  }

  /** Opens a connection; the peer is of `type`, and the socket says `own` first. */
  static async open(
    connection: RawConnection,
    protocol: OldProtocol,
    type: string,
    own: Uint8Array,
    id: Body = "",
  ): Promise<OldRawPeer> {
    connection.send(oldOpening(protocol, type, id));
    const said = await connection.take(own.length);
    if (String(said) !== String(own)) throw new Error(`It said ${said} instead of ${own}`);
    return new OldRawPeer(connection, protocol);
  }

  say(...frames: Body[]): void {
    this.connection.send(oldMessage(this.#protocol, ...frames));
  }

  async hear(): Promise<Uint8Array[]> {
    while (this.#buffered.length === 0) {
      // At least one octet, and all that is there already.
      const more = await this.connection.take(Math.max(1, this.connection.available));
      this.#rest = concat(this.#rest, more);
      const { messages, end } = readOld(this.#protocol, this.#rest);
      this.#buffered.push(...messages);
      this.#rest = this.#rest.slice(end);
    }
    return this.#buffered.shift()!;
  }
}

/** What is needed of a socket; not all types have all of it. */
export interface Talking {
  linger: number;
  send(frames: Body[]): Promise<void>;
  receive(): Promise<Uint8Array[]>;
  tryReceive(): Uint8Array[] | undefined;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  bind(endpoint: string): Promise<void>;
  connect(endpoint: string): void;
  close(): Promise<void>;
}

/** A step of a conversation: the peer says or hears a message, or the socket does something. */
export type Step = readonly [
  "says" | "hears" | "sends" | "receives" | "subscribes" | "unsubscribes",
  ...frames: string[],
];

/** Has a socket and its peer talk. */
export async function talk(
  socket: Talking,
  peer: OldPeer,
  steps: readonly Step[],
): Promise<void> {
  for (const [what, ...frames] of steps) {
    if (what === "says") peer.say(...frames);
    else if (what === "sends") await socket.send(frames);
    else if (what === "subscribes") socket.subscribe(frames[0]);
    else if (what === "unsubscribes") socket.unsubscribe(frames[0]);
    else {
      const got = textsOf(await (what === "hears" ? peer.hear() : socket.receive()));
      if (got.join("|") !== frames.join("|")) {
        throw new Error(`${what} ${JSON.stringify(got)} instead of ${JSON.stringify(frames)}`);
      }
    }
  }
}

/** Sockets as users have them, over streams without a network. */
export class OldStage {
  readonly #runtime: ScriptedRuntime = new ScriptedRuntime();
  readonly #context: Context = new Context({ runtime: this.#runtime });
  readonly #sockets: Talking[] = [];
  readonly #streams: FakeStream[] = [];

  /** A socket that has bound, and connections to it as they are asked for. */
  async bound(
    type: new (options?: object) => object,
    options: object = {},
  ): Promise<[Talking, accept: (how?: FakeStreamOptions) => FakeStream]> {
    const socket = this.#open(type, options);
    await socket.bind("tcp://127.0.0.1:5555");
    const listener = this.#runtime.listeners.at(-1)!;
    return [socket, (how) => this.#keep(listener.accept(how))];
  }

  /** A socket that connects, and the connections that it makes. */
  connecting(
    type: new (options?: object) => object,
    options: object = {},
  ): [Talking, next: (how?: FakeStreamOptions) => Promise<FakeStream>] {
    const socket = this.#open(type, { reconnectInterval: 0, ...options });
    let count = this.#runtime.attempts.length;
    socket.connect("tcp://127.0.0.1:5555");
    const next = async (how?: FakeStreamOptions): Promise<FakeStream> => {
      while (this.#runtime.attempts.length <= count) await turn();
      return this.#keep(await this.#runtime.attempts[count++].succeed(how));
    };
    return [socket, next];
  }

  /** For `afterEach`. */
  async close(): Promise<void> {
    for (const stream of this.#streams.splice(0)) if (!stream.over) stream.end();
    await Promise.all(
      this.#sockets.splice(0).map((socket) => {
        socket.linger = 0;
        return socket.close();
      }),
    );
  }

  #open(type: new (options?: object) => object, options: object): Talking {
    const socket = new type({ ...options, context: this.#context }) as Talking;
    this.#sockets.push(socket);
    return socket;
  }

  #keep(stream: FakeStream): FakeStream {
    this.#streams.push(stream);
    return stream;
  }
}

function signature(padding: bigint): Uint8Array {
  const octets = new Uint8Array(SIGNATURE_SIZE);
  octets[0] = 0xff;
  new DataView(octets.buffer).setBigUint64(1, padding);
  octets[9] = 0x7f;
  return octets;
}

function octetsOf(body: Body): Uint8Array {
  return typeof body === "string" ? utf8(body) : body;
}
