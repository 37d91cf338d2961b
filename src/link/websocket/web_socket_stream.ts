// ZeroMQ over WebSocket on a stream of octets: the handshake, then frames (RFC 6455). What it hands to the link, and takes
// from it, is ZMTP.

import { CURVE_OVERHEAD } from "../../../wasm/layout.ts";
import type { Cancel } from "../../clock.ts";
import { GOING_AWAY, NO_CODE, NORMAL, PROTOCOL_ERROR, TOO_LONG } from "../../close_codes.ts";
import { WebSocketReader, type WebSocketRules } from "../../core/websocket_reader.ts";
import { WebSocketWriter } from "../../core/websocket_writer.ts";
import type { StreamAddress } from "../../endpoint.ts";
import { ProtocolError, ZmqError } from "../../errors.ts";
import { fill } from "../../octets.ts";
import type { Protocol } from "../../peer.ts";
import { quoted } from "../../quoted.ts";
import { HANDSHAKE_LIMIT } from "../../session/session.ts";
import { decodeClose, encodeClose } from "../../wire/websocket/close.ts";
import { HttpRefusal, WebSocketFault } from "../../wire/websocket/fault.ts";
import { HeadReader } from "../../wire/websocket/head.ts";
import { encodeRefusal } from "../../wire/websocket/response.ts";
import type { LinkHost } from "../host.ts";
import { CLOSE_TIME } from "../link.ts";
import type { ByteSink, ByteStream, FramedStream, Introduction } from "../stream.ts";
import { Output } from "./output.ts";
import type { Side } from "./sides.ts";
import { Disguise, DOUBT_TIME } from "./zws.ts";

/** Opcodes of control frames. */
const CLOSE = 8;
const PING = 9;
const PONG = 10;
/** A peer that sends pings and does not read the answers gets no more than so many. */
const REMARKS_MOST = 64;
const SCRATCH_SIZE = 1024;
const NOTHING = new Uint8Array(0);

export class WebSocketStream implements FramedStream, ByteSink {
  readonly local: StreamAddress;
  readonly remote: StreamAddress;
  readonly #stream: ByteStream;
  readonly #side: Side;
  readonly #host: LinkHost;
  #own!: Introduction;
  #disguise!: Disguise;
  #sink!: ByteSink;
  /** No WebSocket yet; open; the last frame is said, or about to be. */
  #state: "upgrade" | "open" | "closing" = "upgrade";
  readonly #head: HeadReader = new HeadReader();
  readonly #output: Output;
  #reader: WebSocketReader | undefined;
  #rules: { -readonly [name in keyof WebSocketRules]: WebSocketRules[name] } | undefined;
  /** Where octets go that are not for the link. */
  readonly #scratch: Uint8Array = new Uint8Array(SCRATCH_SIZE);
  /** The peer has said its last frame, or is not heard any more. */
  #farewell = false;
  /** Why it ends, for the link. */
  #fault: unknown;
  #cancelAbort: Cancel | undefined;
  #cancelDoubt: Cancel | undefined;

  /** Over a stream that is connected; `side` does the handshake. */
  constructor(stream: ByteStream, side: Side, host: LinkHost) {
    this.#stream = stream;
    this.#side = side;
    this.#host = host;
    this.#output = new Output(stream);
    this.local = stream.local;
    this.remote = stream.remote;
  }

  get protocol(): Protocol | undefined {
    return this.#disguise.protocol;
  }

  introduce(own: Introduction): void {
    this.#own = own;
    this.#disguise = new Disguise(own);
  }

  start(sink: ByteSink): void {
    this.#sink = sink;
    try {
      const hello = this.#side.hello(this.#own);
      if (hello !== undefined) this.#output.say(hello);
    } catch (error) {
      this.#fault = error;
    }
    this.#stream.start(this);
    if (this.#fault !== undefined) this.#stream.abort();
  }

  // What comes from the peer

  target(): Uint8Array {
    return this.#reader === undefined ? this.#scratch : this.#reader.target();
  }

  filled(count: number): void {
    try {
      if (this.#reader !== undefined) this.#reader.filled(count);
      else this.#meet(this.#scratch.subarray(0, count));
    } catch (fault) {
      this.#fail(fault);
    }
    if (this.#state === "open") this.#sink.alive?.();
  }

  #meet(octets: Uint8Array): void {
    if (this.#state !== "upgrade") return;
    const { head, taken } = this.#head.receive(octets);
    if (head === undefined) return;
    const { protocol, answer } = this.#side.meet(head, this.#own);
    if (answer !== undefined) this.#output.say(answer);
    this.#open(protocol, octets.slice(taken));
  }

  #open(subprotocol: string, early: Uint8Array): void {
    const { around: { memory }, messageLimit } = this.#host;
    const { asks } = this.#side;
    this.#state = "open";
    const greeting = this.#disguise.agree(subprotocol, asks);
    this.#output.writer = new WebSocketWriter(memory.outboxes, asks, entropy);
    this.#rules = {
      masked: !asks,
      limit: messageLimit < 0 ? -1 : Math.max(messageLimit, HANDSHAKE_LIMIT) + CURVE_OVERHEAD,
      // Strangers are not believed: of frames that are whole the link sees the size before they have come.
      fragments: HANDSHAKE_LIMIT,
      commands: this.#disguise.commands,
    };
    this.#reader = new WebSocketReader(memory, this.#passing, this, this.#rules);
    if (this.#disguise.doubted) {
      this.#cancelDoubt = this.#host.around.clock.after(DOUBT_TIME, () => {
        if (this.#state === "open") this.#sayFirst(this.#disguise.hurry());
      });
    }
    fill(this.#sink, greeting);
    if (this.#state === "open") fill(this.#reader, early);
  }

  /** Gives on what the reader makes of it: to the link, but for the peer's routing id where that comes by itself. */
  readonly #passing = {
    target: (): Uint8Array =>
      this.#state === "open" && !this.#disguise.unnamed ? this.#sink.target() : this.#scratch,
    filled: (count: number): void => {
      if (this.#state !== "open") return;
      if (!this.#disguise.unnamed) return this.#sink.filled(count);
      const named = this.#disguise.name(this.#scratch.subarray(0, count));
      if (named === undefined) return;
      this.#cancelDoubt?.();
      this.#sayFirst(named.answer);
      fill(this.#sink, named.ready);
      fill(this.#sink, named.rest);
    },
  };

  /** A control frame of the peer. */
  control(opcode: number, payload: Uint8Array): void {
    if (opcode === PONG) this.#sink.alive?.();
    else if (opcode === PING) this.#answer(payload);
    else if (opcode === CLOSE) this.#part(payload);
  }

  #answer(payload: Uint8Array): void {
    if (this.#state !== "open" || this.#output.remarks >= REMARKS_MOST) return;
    this.#output.say(this.#output.writer!.control(PONG, payload));
  }

  /** The peer says its last frame: it gets it back, and the connection ends. */
  #part(payload: Uint8Array): void {
    const { code, reason } = decodeClose(payload);
    this.#farewell = true;
    this.#reader!.stop();
    if (this.#state === "closing") return this.#stream.close();
    if (code !== NORMAL && code !== GOING_AWAY && code !== NO_CODE) {
      this.#fault = closedBy(code, reason);
    }
    this.#leave(payload.slice());
  }

  served(): void {
    this.#rules!.fragments = this.#rules!.limit;
  }

  // What goes to the peer

  write(octets: Uint8Array): number {
    const { swallowed, instead } = this.#disguise.say(octets);
    if (this.#state !== "open") return swallowed;
    this.#sayFirst(instead);
    if (swallowed === octets.length) return swallowed;
    return swallowed + this.#output.write(swallowed === 0 ? octets : octets.subarray(swallowed));
  }

  /** A message that comes before any other. */
  #sayFirst(frame: Uint8Array | undefined): void {
    if (frame === undefined) return;
    const writer = this.#output.writer!;
    writer.take(frame);
    this.#output.say(writer.wire(0).slice());
  }

  ping(taken: () => void): void {
    if (this.#state !== "open") return;
    this.#output.say(this.#output.writer!.control(PING, NOTHING), taken);
  }

  written(count: number): void {
    const left = this.#output.written(count);
    if (left > 0) this.#sink.written(left);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  // The end

  close(): void {
    if (this.#state !== "closing") this.#leave(encodeClose(NORMAL));
  }

  /** What the peer did wrong is told it, if there is still something to say it with. */
  abort(reason?: unknown): void {
    if (this.#state !== "open" || !(reason instanceof ProtocolError)) return this.#stream.abort();
    this.#farewell = true;
    this.#leave(
      encodeClose(reason.code === "EMSGSIZE" ? TOO_LONG : PROTOCOL_ERROR, reason.message),
    );
  }

  /** What came cannot be gone on with. */
  #fail(fault: unknown): void {
    // RFC 6455, section 7.1.7: nothing is waited for.
    this.#farewell = true;
    const known = fault instanceof WebSocketFault || fault instanceof HttpRefusal;
    this.#fault ??= known ? fault.error : fault;
    this.#reader?.stop();
    if (fault instanceof WebSocketFault && this.#state === "open") {
      this.#leave(encodeClose(fault.closeCode, fault.error.message));
    } else if (fault instanceof HttpRefusal && !this.#side.asks) {
      this.#output.say(encodeRefusal(fault));
      this.#leave(NOTHING);
    } else {
      this.#stream.abort();
    }
  }

  /** Says the last frame, if it is a WebSocket, and waits a while for the peer's. */
  #leave(farewell: Uint8Array): void {
    const open = this.#state === "open";
    this.#state = "closing";
    this.#cancelAbort = this.#host.around.clock.after(CLOSE_TIME, () => this.#stream.abort());
    if (open) this.#output.say(this.#output.writer!.control(CLOSE, farewell));
    this.#output.end(() => {
      // Who has nothing to wait for lets the other end it.
      if (!open || this.#farewell) this.#stream.close();
      else this.#stream.resume();
    });
  }

  closed(error: unknown): void {
    this.#cancelAbort?.();
    this.#cancelDoubt?.();
    this.#state = "closing";
    const left = this.#output.lost();
    if (left > 0) this.#sink.written(left);
    this.#sink.closed(this.#fault ?? error);
    this.#reader?.free();
    this.#output.writer?.free();
  }
}

function entropy(into: Uint8Array): void {
  crypto.getRandomValues(into as Uint8Array<ArrayBuffer>);
}

function closedBy(code: number, reason: string): ZmqError {
  const why = reason === "" ? "without a reason" : quoted(reason, 123);
  return new ZmqError("ECONNRESET", `The peer closed the WebSocket with the code ${code}, ${why}`);
}
