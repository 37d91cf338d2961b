// One peer without I/O: greeting, handshake, traffic. Octets go in, octets to send come out; no stream, no timer, no
// clock is known here. During traffic frames do not pass here, only commands do.

import { FLAG_COMMAND, FLAG_LONG } from "../../wasm/layout.ts";
import type { CurveKeys } from "../core/curve_keys.ts";
import { ProtocolError } from "../errors.ts";
import { type Answer, type Mechanism, Refusal } from "../security/mechanism.ts";
import type { PeerIdentity } from "../peer.ts";
import { headerSize } from "../span.ts";
import { type Command, decodeCommand, encodeCommand, encodeError } from "../wire/command.ts";
import {
  decodeGreeting,
  encodeGreeting,
  type Greeting,
  GREETING_SIZE,
  isGreetingStart,
} from "../wire/greeting.ts";
import type { Metadata } from "../wire/metadata.ts";
import { peersOf, type SocketType } from "../wire/socket_type.ts";

/** Who the peer said it is, and how to talk to it. */
export interface SessionPeer extends PeerIdentity {
  /** The minor version of ZMTP 3 that both speak. */
  readonly minor: number;
}

/** The longest handshake command that is read: its property values are short, routing ids 255 octets at most. */
const HANDSHAKE_LIMIT = 8 * 1024;
/** The longest context of a PING (RFC 37). */
const CONTEXT_LIMIT = 16;
const TTL_SIZE = 2;
/** In tenths of a second: libzmq misreads anything longer. */
const TTL_MOST = 655;

const NONE = new Uint8Array(0);
const latin1 = new TextDecoder("latin1");

/** Where a session is in the life of its connection. */
export type SessionState = "greeting" | "handshake" | "traffic" | "failed";

export class Session {
  readonly #type: SocketType;
  readonly #mechanism: Mechanism;
  #state: SessionState = "greeting";
  #greeting: Greeting | undefined;
  #peer: SessionPeer | undefined;
  /** What has come of the greeting, or of the frame of a handshake command. */
  #pending: Uint8Array = new Uint8Array(GREETING_SIZE);
  #size = 0;
  #out: Uint8Array[] = [];
  #waiting: Promise<void> | undefined;
  #ended = false;
  /** How long the peer's last PING asked to be waited for, in milliseconds; 0 for no limit. */
  timeToLive = 0;

  constructor(type: SocketType, mechanism: Mechanism) {
    this.#type = type;
    this.#mechanism = mechanism;
    this.#out.push(encodeGreeting(mechanism.name, mechanism.asServer));
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

  /** The connection is over. */
  end(): void {
    this.#ended = true;
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
      const command = decodeCommand(body);
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
    const piece = octets.subarray(at, at + GREETING_SIZE - this.#size);
    this.#pending.set(piece, this.#size);
    this.#size += piece.length;
    if (!isGreetingStart(this.#pending, this.#size)) throw notZmtp3(this.#pending, this.#size);
    if (this.#size === GREETING_SIZE) {
      this.#greeting = decodeGreeting(this.#pending);
      checkMechanism(this.#greeting, this.#mechanism);
      this.#state = "handshake";
      this.#pending = NONE;
      this.#size = 0;
      this.#follow(this.#mechanism.start());
    }
    return piece.length;
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
      const error = new ProtocolError(
        "ERR_ZMTP_INVALID_METADATA",
        `The peer is a ${printable(socketType)} socket; a ${this.#type} talks to ${
          peersOf(this.#type).join(", ")
        }`,
      );
      throw new Refusal(error, "Invalid socket type");
    }
    const routingId = metadata.get("identity") ?? NONE;
    if (routingId.length > 255) {
      throw new ProtocolError(
        "ERR_ZMTP_INVALID_METADATA",
        `The peer announced a routing id of ${routingId.length} octets, more than the 255 allowed`,
      );
    }
    const { major, minor } = this.#greeting!;
    return { socketType, routingId, metadata, minor: major > 3 ? 1 : Math.min(1, minor) };
  }
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
      `The peer wants the security mechanism ${printable(mechanism)}, this socket ${own.name}`,
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
  if (data.length < TTL_SIZE || data.length > TTL_SIZE + CONTEXT_LIMIT) {
    throw new ProtocolError(
      "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
      `The peer sent a PING with ${data.length} octets of data, where ${TTL_SIZE} to ${
        TTL_SIZE + CONTEXT_LIMIT
      } are allowed`,
    );
  }
  return encodeCommand("PONG", data.subarray(TTL_SIZE));
}

function grown(old: Uint8Array, size: number, need: number): Uint8Array {
  const larger = new Uint8Array(need);
  larger.set(old.subarray(0, size));
  return larger;
}

function printable(text: string): string {
  return JSON.stringify(text.slice(0, 20));
}

function notZmtp3(octets: Uint8Array, size: number): ProtocolError {
  const start = octets.subarray(0, size);
  const what = start[0] === 0xff
    ? "an older version of ZMTP than 3.0"
    : `something else than ZMTP, beginning with ${printable(latin1.decode(start))}`;
  return new ProtocolError("ERR_ZMTP_UNSPECIFIED", `The peer speaks ${what}`);
}
