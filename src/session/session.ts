// One peer without I/O: greeting, handshake, traffic. Octets go in, octets to send come out; no stream, no timer, no
// clock is known here. During traffic frames do not pass here, only commands do.

import { FLAG_COMMAND, FLAG_LONG } from "../../wasm/layout.ts";
import type { CurveKeys } from "../core/curve_keys.ts";
import { ProtocolError } from "../errors.ts";
import { type Answer, type Mechanism, Refusal } from "../security/mechanism.ts";
import type { PeerIdentity, Protocol } from "../peer.ts";
import { quoted } from "../quoted.ts";
import { headerSize } from "../span.ts";
import { type Command, decodeCommand, encodeCommand, encodeError } from "../wire/command.ts";
import { encodeGreeting, type Greeting } from "../wire/greeting.ts";
import type { Metadata } from "../wire/metadata.ts";
import { peersOf, type SocketType } from "../wire/socket_type.ts";
import { type OlderPeer, Opening } from "./opening.ts";

/** Who the peer said it is, and how to talk to it. */
export interface SessionPeer extends PeerIdentity {
  /** The version of ZMTP that both speak. */
  readonly protocol: Protocol;
}

/** The longest handshake command that is read: its property values are short, routing ids 255 octets at most. */
export const HANDSHAKE_LIMIT: number = 8 * 1024;
/** The longest context of a PING (RFC 37). */
const CONTEXT_LIMIT = 16;
const TTL_SIZE = 2;
/** In tenths of a second: libzmq misreads anything longer. */
const TTL_MOST = 655;

/** How much of a name that a peer sent is shown. */
const NAME_SHOWN = 20;

const NONE = new Uint8Array(0);
const NOTHING_KNOWN: Metadata = new Map();
const latin1 = new TextDecoder("latin1");

/** Where a session is in the life of its connection. */
export type SessionState = "greeting" | "handshake" | "traffic" | "failed";

export class Session {
  readonly #type: SocketType;
  readonly #mechanism: Mechanism;
  #state: SessionState = "greeting";
  /** Until the peer's greeting is whole. */
  #opening: Opening | undefined;
  #protocol: Protocol = "3.1";
  /** The mechanism has begun. */
  #started = false;
  #peer: SessionPeer | undefined;
  /** What has come of the frame of a handshake command. */
  #pending: Uint8Array = NONE;
  #size = 0;
  #out: Uint8Array[] = [];
  #waiting: Promise<void> | undefined;
  #ended = false;
  /** How long the peer's last PING asked to be waited for, in milliseconds; 0 for no limit. */
  timeToLive = 0;

  /** `routingId` is for peers that know no metadata. */
  constructor(type: SocketType, mechanism: Mechanism, routingId: Uint8Array = NONE) {
    this.#type = type;
    this.#mechanism = mechanism;
    const { name, asServer, demands } = mechanism;
    const greeting = encodeGreeting(name, asServer, routingId.length);
    const opening = new Opening({ type, routingId, greeting, demands });
    this.#out.push(...opening.out.splice(0));
    this.#opening = opening;
  }

  get state(): SessionState {
    return this.#state;
  }

  /**
   * Settles when the mechanism has made up its mind, which takes computing, or a handler to be asked; until then nothing is
   * received. Rejects with what `receive` would throw.
   */
  get waiting(): Promise<void> | undefined {
    return this.#waiting;
  }

  /** What frames are sealed with from the start of traffic on, if they are. */
  get keys(): CurveKeys | undefined {
    return this.#mechanism.keys;
  }

  /** The peer, known from the start of traffic on. */
  get peer(): SessionPeer | undefined {
    return this.#peer;
  }

  /** Takes the octets that wait to be sent. */
  takeOutput(): Uint8Array[] {
    const out = this.#out;
    if (out.length > 0) this.#out = [];
    return out;
  }

  /**
   * Takes octets of the peer up to the end of the handshake, or until it has to wait, and answers how many it took.
   * After an error the session is failed and stays so; what it has to send (an ERROR command) can still be taken.
   *
   * @throws {ProtocolError}
   */
  receive(octets: Uint8Array): number {
    let at = 0;
    try {
      while (at < octets.length && this.#shakesHands && this.#waiting === undefined) {
        at += this.#state === "greeting"
          ? this.#readGreeting(octets, at)
          : this.#readCommand(octets, at);
      }
    } catch (error) {
      throw this.#failure(error);
    }
    return at;
  }

  get #shakesHands(): boolean {
    return this.#state === "greeting" || this.#state === "handshake";
  }

  /** The session has failed. What the peer is told of it goes out. */
  #failure(thrown: unknown): unknown {
    this.#state = "failed";
    if (!(thrown instanceof Refusal)) return thrown;
    if (this.#mechanism.mayRefuse) this.#out.push(encodeError(thrown.reason));
    return thrown.error;
  }

  /** The connection is over: nothing is received any more. */
  end(): void {
    this.#ended = true;
    this.#state = "failed";
    this.#mechanism.end();
  }

  /** Goes on with what the mechanism answers, now or later. */
  #follow(answer: Answer | Promise<Answer>): void {
    if (answer instanceof Promise) this.#waiting = this.#later(answer);
    else this.#answered(answer);
  }

  async #later(answer: Promise<Answer>): Promise<void> {
    try {
      const frames = await answer;
      // What ended the connection has forgotten the keys; these came after it.
      if (this.#ended) this.#mechanism.end();
      else this.#answered(frames);
    } catch (error) {
      throw this.#failure(error);
    } finally {
      this.#waiting = undefined;
    }
  }

  #answered(frames: Answer): void {
    const { peer, admission } = this.#mechanism;
    if (peer === undefined) {
      this.#out.push(...frames);
      return;
    }
    const identified = this.#identify(vouchedFor(peer, admission));
    this.#out.push(...frames);
    this.#peer = identified;
    this.#state = "traffic";
  }

  /**
   * Takes a command during traffic, and answers it if it is not the session's own: the socket type may know it. Undefined
   * is for a PING.
   *
   * @throws {ProtocolError} When it is malformed.
   */
  command(body: Uint8Array): Command | undefined {
    try {
      const { protocol } = this.#peer!;
      if (protocol === "2.0") {
        throw new ProtocolError(
          "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
          "The peer sent a command, which ZMTP 2.0 does not have",
        );
      }
      const command = decodeCommand(body);
      if (command.name === "PONG") checkContext("PONG", command.data.length);
      if (command.name !== "PING") return command;
      this.#out.push(answerPing(command.data));
      this.timeToLive = 100 * (256 * command.data[0] + command.data[1]);
      return undefined;
    } catch (error) {
      this.#state = "failed";
      throw error;
    }
  }

  /** Sends a PING, for an answer within `timeToLive` milliseconds (0: no limit). */
  ping(timeToLive: number): void {
    const tenths = Math.min(TTL_MOST, Math.floor(timeToLive / 100));
    this.#out.push(encodeCommand("PING", Uint8Array.of(tenths >> 8, tenths & 255)));
  }

  #readGreeting(octets: Uint8Array, at: number): number {
    const opening = this.#opening!;
    const taken = opening.receive(octets, at);
    this.#out.push(...opening.out.splice(0));
    const { greeting, older } = opening;
    if (older !== undefined) {
      this.#opening = undefined;
      this.#peer = this.#identifyOlder(older);
      this.#state = "traffic";
      return taken;
    }
    // Where nothing is asked for, nothing has to be waited for: neither side waits for the other's READY.
    if (opening.agreed && this.#mechanism.demands === undefined) this.#start();
    if (greeting === undefined) return taken;
    this.#opening = undefined;
    this.#protocol = protocolOf(greeting);
    checkMechanism(greeting, this.#mechanism);
    this.#state = "handshake";
    this.#start();
    return taken;
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#follow(this.#mechanism.start());
  }

  /** Collects one command frame, then gives it to the mechanism. */
  #readCommand(octets: Uint8Array, at: number): number {
    let taken = 0;
    for (;;) {
      const need = this.#needed();
      if (this.#size === need) break;
      const piece = octets.subarray(at + taken, at + taken + need - this.#size);
      if (piece.length === 0) return taken;
      if (this.#pending.length < need) this.#pending = grown(this.#pending, this.#size, need);
      this.#pending.set(piece, this.#size);
      this.#size += piece.length;
      taken += piece.length;
    }
    const frame = this.#pending.subarray(0, this.#size);
    this.#pending = NONE;
    this.#size = 0;
    this.#follow(this.#mechanism.receive(decodeCommand(frame.subarray(headerSize(frame[0])))));
    return taken;
  }

  /** How many octets of the frame must be there before the next step. */
  #needed(): number {
    if (this.#size === 0) return 1;
    const flags = this.#pending[0];
    if ((flags & ~FLAG_LONG) !== FLAG_COMMAND) {
      throw new ProtocolError(
        "ERR_ZMTP_UNEXPECTED_COMMAND",
        `The peer sent a frame with the flags 0x${
          flags.toString(16).padStart(2, "0")
        } where the handshake expects a command`,
      );
    }
    const header = headerSize(flags);
    if (this.#size < header) return header;
    const size = flags & FLAG_LONG
      ? new DataView(this.#pending.buffer).getBigUint64(1)
      : BigInt(this.#pending[1]);
    if (size > BigInt(HANDSHAKE_LIMIT)) {
      throw new ProtocolError(
        "EMSGSIZE",
        `The peer announced a handshake command of ${size} octets, more than the ${HANDSHAKE_LIMIT} allowed`,
      );
    }
    return header + Number(size);
  }

  #identify(metadata: Metadata): SessionPeer {
    const socketType = latin1.decode(metadata.get("socket-type") ?? NONE);
    if (metadata.has("socket-type") && !peersOf(this.#type).includes(socketType)) {
      throw new Refusal(illegalPair(this.#type, socketType), "Invalid socket type");
    }
    const routingId = metadata.get("identity") ?? NONE;
    const protocol = this.#protocol;
    if (routingId.length > 255) {
      throw badRoutingId(`of ${routingId.length} octets, more than the 255 allowed`);
    }
    // A ROUTER names peers that have none so: nobody may take such a name.
    if (protocol === "3.1" && routingId[0] === 0) {
      throw badRoutingId("that begins with a zero octet, which is reserved");
    }
    return { socketType, routingId, metadata, protocol };
  }

  #identifyOlder({ protocol, socketType, routingId }: OlderPeer): SessionPeer {
    if (socketType !== "" && !peersOf(this.#type).includes(socketType)) {
      throw illegalPair(this.#type, socketType);
    }
    return { socketType, routingId, metadata: NOTHING_KNOWN, protocol };
  }
}

/** Peers of a later version speak ours. */
function protocolOf({ major, minor }: Greeting): Protocol {
  return major > 3 || minor > 0 ? "3.1" : "3.0";
}

function badRoutingId(what: string): ProtocolError {
  return new ProtocolError(
    "ERR_ZMTP_INVALID_METADATA",
    `The peer announced a routing id ${what}`,
  );
}

function illegalPair(own: SocketType, theirs: string): ProtocolError {
  return new ProtocolError(
    "ERR_ZMTP_INVALID_METADATA",
    `The peer is a ${quoted(theirs, NAME_SHOWN)} socket; a ${own} talks to ${
      peersOf(own).join(", ")
    }`,
  );
}

/** Properties that this side finds out. */
const OURS = ["user-id", "peer-address"];

/** The properties of a peer, with what the ZAP handler says of it; nobody says himself who let him in. */
function vouchedFor(announced: Metadata, admission: Metadata | undefined): Metadata {
  const spoofed = OURS.some((name) => announced.has(name));
  if (!spoofed && (admission === undefined || admission.size === 0)) return announced;
  const metadata = new Map(announced);
  for (const name of OURS) metadata.delete(name);
  for (const [name, value] of admission ?? []) metadata.set(name, value);
  return metadata;
}

/** Both sides must speak the same mechanism, and be on different sides of it where it has two. */
function checkMechanism({ mechanism, role }: Greeting, own: Mechanism): void {
  if (mechanism !== own.name) {
    throw new ProtocolError(
      "ERR_ZMTP_MECHANISM_MISMATCH",
      `The peer wants the security mechanism ${
        quoted(mechanism, NAME_SHOWN)
      }, this socket ${own.name}`,
    );
  }
  if (own.name === "NULL" || role === 0 || (role === 1 && !own.asServer)) return;
  throw new ProtocolError(
    "ERR_ZMTP_UNSPECIFIED",
    role === 1
      ? `The peer is a ${own.name} server, as this socket is: one of them has to be a client`
      : `The peer's role is ${role}, where ${own.name} knows 0 for a client and 1 for a server`,
  );
}

/** The PONG with the context of a PING. */
function answerPing(data: Uint8Array): Uint8Array {
  checkContext("PING", data.length - TTL_SIZE);
  return encodeCommand("PONG", data.subarray(TTL_SIZE));
}

function checkContext(command: string, size: number): void {
  if (size >= 0 && size <= CONTEXT_LIMIT) return;
  throw new ProtocolError(
    "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
    size < 0
      ? `The peer sent a ${command} without a time to live`
      : `The peer sent a ${command} with a context of ${size} octets, more than the ${CONTEXT_LIMIT} allowed`,
  );
}

function grown(old: Uint8Array, size: number, need: number): Uint8Array {
  const larger = new Uint8Array(need);
  larger.set(old.subarray(0, size));
  return larger;
}
