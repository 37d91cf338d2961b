// What ZeroMQ over WebSocket leaves out of ZMTP, made up for the link: the greetings, and without a mechanism also the READY
// commands, in the place of which each side says its routing id (RFC 45; RFC 39).

import { FLAG_COMMAND, FLAG_LONG, SHORT_HEADER } from "../../../wasm/layout.ts";
import { PROTOCOL_ERROR } from "../../close_codes.ts";
import { headerSize } from "../../span.ts";
import { ProtocolError } from "../../errors.ts";
import type { Protocol } from "../../peer.ts";
import { encodeCommand } from "../../wire/command.ts";
import { encodeGreeting, GREETING_SIZE } from "../../wire/greeting.ts";
import { encodeMetadata } from "../../wire/metadata.ts";
import { WebSocketFault } from "../../wire/websocket/fault.ts";
import { hasMechanism, mechanismIn } from "../../wire/websocket/subprotocol.ts";
import type { Introduction } from "../stream.ts";

const MINOR_AT = 11;
const ID_LIMIT = 255;
/** The first letter of its name. */
const READY_LETTER = "R".charCodeAt(0);
const NOTHING = new Uint8Array(0);
/** How long a client waits with its READY to see what the server speaks; in milliseconds. */
export const DOUBT_TIME = 100;

/** What the link writes, as far as it is for the WebSocket. */
export interface Outgoing {
  /** So many of the octets are not said. */
  readonly swallowed: number;
  /** A message to say in their place. */
  readonly instead: Uint8Array | undefined;
}

/** What the peer's first message comes to. */
export interface Named {
  /** For the link in the place of a routing id; empty for a command, which comes as it is. */
  readonly ready: Uint8Array;
  /** For the link after that. */
  readonly rest: Uint8Array;
  /** A message to say now. */
  readonly answer: Uint8Array | undefined;
}

export class Disguise {
  readonly #own: Introduction;
  /** The subprotocol; empty before it is agreed. */
  #subprotocol = "";
  /** Octets of our greeting that the link has yet to write. */
  #greeting: number = GREETING_SIZE;
  /** Without a mechanism: our READY is still to be written, and the peer's routing id to be received. */
  #unready = false;
  #unnamed = false;
  /**
   * A server has agreed on NULL, and its first message will show whether it means that: servers that are made of a WebSocket
   * library agree on whatever is offered first, and speak plain ZWS 2.0, as jszmq's do.
   */
  #doubted = false;
  /** Our READY meanwhile: such a server would take it for our routing id. */
  #held: Uint8Array | undefined;
  /** The peer's first message, as far as it has come. */
  #first: Uint8Array = NOTHING;

  constructor(own: Introduction) {
    this.#own = own;
  }

  /** What is spoken, once it is agreed. */
  get protocol(): Protocol | undefined {
    if (this.#subprotocol === "") return undefined;
    return this.#subprotocol.startsWith("ZWS1.0") ? "ZWS1.0" : "ZWS2.0";
  }

  /** There are commands, because there is a mechanism. */
  get commands(): boolean {
    return hasMechanism(this.#subprotocol);
  }

  /** The subprotocol is agreed, by a client (`asks`) or a server: the greeting that the peer would have sent. */
  agree(subprotocol: string, asks: boolean): Uint8Array {
    this.#subprotocol = subprotocol;
    this.#doubted = asks && mechanismIn(subprotocol) === "NULL";
    const plain = !hasMechanism(subprotocol);
    this.#unready = plain || this.#doubted;
    this.#unnamed = this.#unready;
    const greeting = encodeGreeting(this.#own.mechanism, false);
    // ZMTP 3.0 has neither PING nor commands to subscribe, as ZWS.
    greeting[MINOR_AT] = 0;
    return greeting;
  }

  /** Takes what the link writes: a part of its greeting or its READY, or something to be said. Whole commands come at once. */
  say(octets: Uint8Array): Outgoing {
    const greeting = Math.min(this.#greeting, octets.length);
    this.#greeting -= greeting;
    if (greeting === octets.length || !this.#unready) {
      return { swallowed: greeting, instead: undefined };
    }
    this.#unready = false;
    const at = greeting;
    const flags = octets[at];
    const size = flags & FLAG_LONG
      ? Number(new DataView(octets.buffer, octets.byteOffset).getBigUint64(at + 1))
      : octets[at + 1];
    const end = at + headerSize(flags) + size;
    // What is no READY says why there is none, if there are words for it.
    if (octets[at + headerSize(flags) + 1] !== READY_LETTER) {
      return { swallowed: this.#doubted ? greeting : octets.length, instead: undefined };
    }
    if (!this.#doubted) return { swallowed: end, instead: this.#ourName() };
    this.#held = octets.slice(at, end);
    return { swallowed: end, instead: undefined };
  }

  /** The server may wait for us to begin: what there is to say then. */
  hurry(): Uint8Array | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  /** Whether to call {@linkcode Disguise.hurry} after {@linkcode DOUBT_TIME}. */
  get doubted(): boolean {
    return this.#doubted;
  }

  #ourName(): Uint8Array {
    const { routingId } = this.#own;
    const frame = new Uint8Array(SHORT_HEADER + routingId.length);
    frame[1] = routingId.length;
    frame.set(routingId, SHORT_HEADER);
    return frame;
  }

  /** True while what comes is the peer's first message, for `name`. */
  get unnamed(): boolean {
    return this.#unnamed;
  }

  /**
   * Takes octets of the peer's first message, as a frame of ZMTP. Answers the READY that it stands for, and what comes after
   * it; undefined before it is whole.
   *
   * @throws {WebSocketFault} When it is no routing id.
   */
  name(octets: Uint8Array): Named | undefined {
    const first = new Uint8Array(this.#first.length + octets.length);
    first.set(this.#first);
    first.set(octets, this.#first.length);
    this.#first = first;
    if (first.length < SHORT_HEADER) return undefined;
    const [flags, size] = first;
    if (this.#doubted && (flags & FLAG_COMMAND) !== 0) return this.#believe(first);
    if (flags !== 0) {
      throw notNamed(
        flags & FLAG_LONG ? `more than ${ID_LIMIT} octets` : "a message of several frames",
      );
    }
    const end = SHORT_HEADER + size;
    if (first.length < end) return undefined;
    this.#unnamed = false;
    this.#first = NOTHING;
    if (this.#doubted) this.#subprotocol = "ZWS2.0";
    this.#doubted = false;
    const identity = first.subarray(SHORT_HEADER, end);
    return {
      ready: encodeCommand("READY", encodeMetadata([["Identity", identity]])),
      rest: first.subarray(end),
      answer: this.hurry() && this.#ourName(),
    };
  }

  #believe(first: Uint8Array): Named {
    this.#doubted = this.#unnamed = this.#unready = false;
    this.#first = NOTHING;
    return { ready: NOTHING, rest: first, answer: this.hurry() };
  }
}

function notNamed(what: string): WebSocketFault {
  return new WebSocketFault(
    PROTOCOL_ERROR,
    new ProtocolError(
      "ERR_WS_FRAME",
      `The peer began with ${what}, where its routing id is expected`,
    ),
  );
}
