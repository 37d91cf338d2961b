// Peers that do only what a test says: raw connections where a transport has octets on the way, sockets on inproc, which
// has none. So a test of what a socket does with its peers is written once.

import type { Transport } from "./anywhere.ts";
import { utf8 } from "./bytes.ts";
import { type RawConnection, RawServer } from "./raw_peer.ts";
import { connectAs, message, shakeHands, takeMessage } from "./raw_zmtp.ts";
import { reserve } from "./transports.ts";
import { WIRE_CLASSES } from "./wire_classes.ts";

/** The types that a scripted peer may have. */
export type ScriptedType = "PAIR" | "PUSH" | "PULL" | "REQ" | "REP" | "DEALER" | "ROUTER";

type Body = Uint8Array | string;

/** A peer past its handshake that reads nothing but what it is told to. */
export interface ScriptedPeer {
  /** Sends one message. */
  say(...frames: Body[]): void;
  /** Sends several messages, which arrive together. */
  sayAll(...messages: Body[][]): void;
  /** The next message that was sent to it. */
  hear(): Promise<Uint8Array[]>;
  /** Reads nothing from the transport any more, until it hears again. */
  pause(): void;
  /** Reads from the transport. */
  resume(): void;
  /** Is gone at once. */
  leave(): void;
  /** The same, for a test's end. */
  close(): Promise<void>;
}

/** A peer that others connect to. */
export interface ScriptedListener {
  readonly endpoint: string;
  /** The first who connects. */
  accept(): Promise<ScriptedPeer>;
  close(): Promise<void>;
}

/** Connects a peer of this type. */
export async function join(
  endpoint: string,
  type: ScriptedType,
  routingId?: Body,
): Promise<ScriptedPeer> {
  if (!endpoint.startsWith("inproc:")) {
    return new WirePeer(await connectAs(endpoint, type, routingId));
  }
  const peer = type === "ROUTER"
    ? new RouterPeer(undefined)
    : new SocketPeer(open(type, routingId));
  peer.connect(endpoint);
  return peer;
}

/** Waits for a connection as a peer of this type; a ROUTER has to be told the id of who it is to speak to first. */
export async function listenAs(
  transport: Transport,
  type: ScriptedType,
  expected?: string,
): Promise<ScriptedListener> {
  const endpoint = await reserve(transport);
  if (transport !== "inproc") return new WireListener(await RawServer.listen(endpoint), type);
  const peer = type === "ROUTER" ? new RouterPeer(expected) : new SocketPeer(open(type));
  await peer.bind(endpoint);
  return {
    endpoint,
    accept: () => Promise.resolve(peer),
    close: () => peer.close(),
  };
}

export class WirePeer implements ScriptedPeer {
  readonly #connection: RawConnection;

  constructor(connection: RawConnection) {
    this.#connection = connection;
  }

  say(...frames: Body[]): void {
    this.sayAll(frames);
  }

  sayAll(...messages: Body[][]): void {
    this.#connection.send(...messages.map((frames) => message(...frames)));
  }

  hear(): Promise<Uint8Array[]> {
    return takeMessage(this.#connection);
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  leave(): void {
    this.#connection.destroy();
  }

  // deno-lint-ignore require-await -- as a socket's
  async close(): Promise<void> {
    this.#connection.destroy();
  }
}

class WireListener implements ScriptedListener {
  readonly endpoint: string;
  readonly #server: RawServer;
  readonly #type: ScriptedType;

  constructor(server: RawServer, type: ScriptedType) {
    this.endpoint = server.endpoint;
    this.#server = server;
    this.#type = type;
  }

  async accept(): Promise<ScriptedPeer> {
    const connection = await this.#server.accept();
    await shakeHands(connection, this.#type);
    return new WirePeer(connection);
  }

  // deno-lint-ignore require-await -- as a socket's
  async close(): Promise<void> {
    this.#server.close();
  }
}

const WAIT_MS = 5_000;

/** Opens a socket of a type. */
function open(type: ScriptedType, routingId?: Body): Joinable {
  const receives = type === "PUSH" ? {} : { receiveTimeout: WAIT_MS };
  const named = routingId === undefined ? {} : { routingId };
  return new WIRE_CLASSES[type]({ ...receives, ...named, linger: 0 }) as unknown as Joinable;
}

/** What is needed of a socket; not all types have all of it. */
export interface Joinable {
  bind(endpoint: string): Promise<void>;
  connect(endpoint: string): void;
  send(frames: Body[]): Promise<void>;
  receive(): Promise<Uint8Array[]>;
  close(): Promise<void>;
}

/** A socket of which nobody receives but the test. */
export class SocketPeer implements ScriptedPeer {
  readonly #socket: Joinable;

  constructor(socket: Joinable) {
    this.#socket = socket;
  }

  bind(endpoint: string): Promise<void> {
    return this.#socket.bind(endpoint);
  }

  connect(endpoint: string): void {
    this.#socket.connect(endpoint);
  }

  say(...frames: Body[]): void {
    this.#socket.send(frames).catch(() => {}); // what waits when the test is over
  }

  sayAll(...messages: Body[][]): void {
    for (const frames of messages) this.say(...frames);
  }

  hear(): Promise<Uint8Array[]> {
    return this.#socket.receive();
  }

  pause(): void {}

  resume(): void {}

  leave(): void {
    void this.#socket.close();
  }

  close(): Promise<void> {
    return this.#socket.close();
  }
}

/** A ROUTER that speaks to the one who wrote last. */
class RouterPeer extends SocketPeer {
  #id: Uint8Array | undefined;

  constructor(expected: string | undefined) {
    super(open("ROUTER"));
    if (expected !== undefined) this.#id = utf8(expected);
  }

  override say(...frames: Body[]): void {
    super.say(this.#id!, ...frames);
  }

  override async hear(): Promise<Uint8Array[]> {
    const [id, ...frames] = await super.hear();
    this.#id = id;
    return frames;
  }
}
