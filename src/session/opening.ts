// The start of a connection: the first octets of a peer tell which version of ZMTP it speaks, and ours are said only as far
// as every version that is still possible understands them (RFC 23 and 37, "Backwards Interoperability"; RFC 15; RFC 13).

import { ProtocolError } from "../errors.ts";
import { concat } from "../octets.ts";
import { quoted } from "../quoted.ts";
import {
  decodeGreeting,
  type Greeting,
  GREETING_SIZE,
  MAJOR_AT,
  SIGNATURE_SIZE,
} from "../wire/greeting.ts";
import { decodeTypeOctet, encodeTypeOctet, type SocketType } from "../wire/socket_type.ts";

/** What this side is. */
export interface Own {
  readonly type: SocketType;
  readonly routingId: Uint8Array;
  /** All of it, of which older peers see only the start. */
  readonly greeting: Uint8Array;
  /** What this side asks for and older versions do not have; they are refused then. */
  readonly demands: string | undefined;
}

/** A peer that speaks ZMTP 2.0 or 1.0: no mechanism, no metadata, no commands. */
export interface OlderPeer {
  readonly protocol: "2.0" | "1.0";
  /** Empty in ZMTP 1.0, which does not tell. */
  readonly socketType: SocketType | "";
  readonly routingId: Uint8Array;
}

/** Octets of the header of a long frame in ZMTP 1.0: a mark, its size, and the flags, which the size counts. */
const OLD_HEADER = 10;
/** Where the type of a peer of ZMTP 2.0 is, and the frame with its routing id. */
const TYPE_AT = 11;
const ID_FRAME_AT = 12;
const ID_AT = 14;
const ID_LIMIT = 255;

const latin1 = new TextDecoder("latin1");

export class Opening {
  readonly #own: Own;
  /** What has come of the peer's opening. */
  #start: Uint8Array = new Uint8Array(ID_AT + ID_LIMIT);
  #size = 0;
  /** How much of the greeting was said. */
  #said = SIGNATURE_SIZE;
  /** What to say, until it is taken. */
  readonly out: Uint8Array[];
  /** The peer, once its opening is complete. */
  greeting: Greeting | undefined;
  older: OlderPeer | undefined;

  constructor(own: Own) {
    this.#own = own;
    this.out = [own.greeting.subarray(0, SIGNATURE_SIZE)];
  }

  /** The peer speaks ZMTP 3: all of the greeting was said. */
  get agreed(): boolean {
    return this.#said === GREETING_SIZE && this.#start[MAJOR_AT] >= 3;
  }

  /**
   * Takes octets from `at` on as far as they belong to the opening, and answers how many.
   *
   * @throws {ProtocolError} When the peer speaks something else.
   */
  receive(octets: Uint8Array, at: number): number {
    const start = at;
    for (;;) {
      const need = this.#next(octets.subarray(start));
      const piece = octets.subarray(at, at + need - this.#size);
      if (piece.length === 0) return at - start;
      this.#start.set(piece, this.#size);
      this.#size += piece.length;
      at += piece.length;
    }
  }

  /** Decides what can be decided, says what it allows, and answers how many octets the next decision needs. */
  #next(latest: Uint8Array): number {
    const { greeting } = this.#own;
    const start = this.#start;
    const size = this.#size;
    if (size === 0) return 1;
    if (start[0] !== 0xff) return this.#shortFrame(latest);
    if (size < SIGNATURE_SIZE) return SIGNATURE_SIZE;
    if ((start[OLD_HEADER - 1] & 1) === 0) return this.#longFrame();
    this.#say(greeting, MAJOR_AT + 1);
    if (size <= MAJOR_AT) return MAJOR_AT + 1;
    const major = start[MAJOR_AT];
    if (major < 3) return this.#second(major);
    this.#say(greeting, GREETING_SIZE);
    if (size === GREETING_SIZE) this.greeting = decodeGreeting(start.subarray(0, GREETING_SIZE));
    return GREETING_SIZE;
  }

  /** Says the octets before `end`, of what begins with the signature. */
  #say(octets: Uint8Array, end: number): void {
    if (this.#said < end) this.out.push(octets.subarray(this.#said, end));
    this.#said = Math.max(this.#said, end);
  }

  /** ZMTP 1.0: a short frame with the peer's routing id. Its flags are free, but nobody used that; other protocols do. */
  #shortFrame(latest: Uint8Array): number {
    const [length, flags] = this.#start;
    if (length === 0) throw foreign("a frame without flags, which no version of ZMTP has");
    if (this.#size < 2) return 2;
    if (flags > 1 && flags !== 0x7f) {
      const shown = this.#size > latest.length ? this.#start.subarray(0, this.#size) : latest;
      throw foreign(
        `something else than ZMTP, beginning with ${quoted(latin1.decode(shown), 20)}`,
      );
    }
    this.#admit("1.0");
    if (this.#size === 1 + length) this.#first(2);
    return 1 + length;
  }

  /** ZMTP 1.0: a long frame with it. */
  #longFrame(): number {
    const length = new DataView(this.#start.buffer).getBigUint64(1);
    if (length === 0n || length > BigInt(1 + ID_LIMIT)) {
      throw foreign(
        `ZMTP 1.0 with a first frame of ${length} octets, where 1 to ${1 + ID_LIMIT} are allowed`,
      );
    }
    this.#admit("1.0");
    const end = OLD_HEADER - 1 + Number(length);
    if (this.#size === end) this.#first(OLD_HEADER);
    return end;
  }

  #first(idAt: number): void {
    const { routingId } = this.#own;
    // The signature is the header of this frame.
    if (routingId.length > 0) this.out.push(routingId);
    this.#is("1.0", "", idAt);
  }

  /** ZMTP 2.0: the types, and a frame with the routing id. */
  #second(revision: number): number {
    if (revision === 0) throw foreign("a ZMTP of the revision 0, which nobody has released");
    this.#admit("2.0");
    const { type, routingId, greeting } = this.#own;
    const start = this.#start;
    const size = this.#size;
    this.#say(
      concat([
        greeting.subarray(0, TYPE_AT),
        Uint8Array.of(encodeTypeOctet(type), 0, routingId.length),
        routingId,
      ]),
      ID_AT + routingId.length,
    );
    if (size === TYPE_AT) return ID_FRAME_AT;
    const socketType = decodeTypeOctet(start[TYPE_AT]);
    if (socketType === undefined) {
      throw foreign(`ZMTP 2.0 with the socket type ${start[TYPE_AT]}, which it does not know`);
    }
    if (size < ID_AT) return ID_AT;
    if (start[ID_FRAME_AT] !== 0) {
      throw foreign(
        `ZMTP 2.0 with the flags ${start[ID_FRAME_AT]} on its routing id, where 0 is expected`,
      );
    }
    const end = ID_AT + start[ID_AT - 1];
    if (size === end) this.#is("2.0", socketType, ID_AT);
    return end;
  }

  #admit(protocol: "2.0" | "1.0"): void {
    const { demands } = this.#own;
    if (demands === undefined) return;
    throw new ProtocolError(
      "ERR_ZMTP_MECHANISM_MISMATCH",
      `The peer speaks ZMTP ${protocol}, which does not have the ${demands} that this socket asks for`,
    );
  }

  #is(protocol: "2.0" | "1.0", socketType: SocketType | "", idAt: number): void {
    this.older = { protocol, socketType, routingId: this.#start.slice(idAt, this.#size) };
  }
}

function foreign(what: string): ProtocolError {
  return new ProtocolError("ERR_ZMTP_UNSPECIFIED", `The peer speaks ${what}`);
}
