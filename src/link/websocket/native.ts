// ZeroMQ over a WebSocket that the runtime frames: a page's own, or one that an HTTP server has upgraded. What it hands to
// the link, and takes from it, is ZMTP.

import { pause } from "../../clock.ts";
import { formatHostPort, type StreamAddress, type WebSocketEndpoint } from "../../endpoint.ts";
import { concat, fill } from "../../octets.ts";
import type { Protocol } from "../../peer.ts";
import { WebSocketFault } from "../../wire/websocket/fault.ts";
import type { ByteSink, FramedStream, Introduction, Runtime, WebSocketLike } from "../stream.ts";
import { COMMAND, headerOf, MessageMaker, MORE } from "./messages.ts";
import {
  badFlag,
  checkSpoken,
  endOf,
  type Farewell,
  farewellFor,
  notOpened,
  octetsOf,
  PEACE,
  unread,
} from "./native_faults.ts";
import { Disguise, DOUBT_TIME } from "./zws.ts";

/** With so many octets waiting to be sent, the WebSocket is given no more. */
const SEND_MOST = 1024 * 1024;
/** How often it is looked at then, in milliseconds: not every WebSocket tells. */
const SEND_PAUSE = 4;
/** A WebSocket that cannot pause may hold so many octets for a socket that does not receive; more end the connection. */
const UNREAD_MOST = 16 * 1024 * 1024;
/** How far the close codes that a page may send are from those of the RFC. */
const PRIVATE = 3000;
const OPEN = 1;
const NOWHERE: StreamAddress = { host: "", port: 0 };

/**
 * Opens the runtime's own WebSocket.
 *
 * @throws {ZmqError} `ECONNREFUSED` when it does not open: a page is not told why. The signal's reason when aborted.
 */
export async function openNative(
  endpoint: WebSocketEndpoint,
  runtime: Runtime,
  offers: readonly string[],
  signal: AbortSignal,
): Promise<FramedStream> {
  signal.throwIfAborted();
  const { transport, path } = endpoint;
  const url = `${transport}://${formatHostPort(endpoint)}${path}`;
  const socket = runtime.webSocket!(url, offers);
  const opened = Promise.withResolvers<void>();
  const aborted = (): void => {
    socket.close();
    opened.reject(signal.reason);
  };
  signal.addEventListener("abort", aborted);
  // Made before the WebSocket opens: what comes at once must not be missed.
  const stream = new NativeStream(socket, endpoint, true);
  socket.addEventListener("open", () => opened.resolve());
  socket.addEventListener("close", (event) => opened.reject(notOpened(endpoint, offers, event)));
  try {
    await opened.promise;
  } finally {
    signal.removeEventListener("abort", aborted);
  }
  return stream;
}

/** Where the connection is: no subprotocol yet, in use, said farewell to, over. */
type State = "connecting" | "open" | "closing" | "over";

export class NativeStream implements FramedStream {
  readonly local: StreamAddress;
  readonly remote: StreamAddress;
  /** Only where the WebSocket can send one. */
  readonly ping?: (taken: () => void) => void;
  readonly #socket: WebSocketLike;
  readonly #asks: boolean;
  readonly #messages: MessageMaker;
  #own!: Introduction;
  #disguise!: Disguise;
  #sink: ByteSink | undefined;
  #state: State = "connecting";
  #error: unknown;
  #paused = false;
  /** What came before the link wanted it, and how many octets that is. */
  #unread: unknown[] = [];
  #unreadSize = 0;
  /** `resume` was called within this turn. */
  #resuming = false;
  /** The link has octets that were not taken. */
  #stalled = false;
  #watching = false;

  /** `remote` is where the peer is, if the WebSocket does not know it; `asks` says that this side is the client. */
  constructor(socket: WebSocketLike, remote: StreamAddress = NOWHERE, asks = false) {
    this.#socket = socket;
    this.#asks = asks;
    this.local = socket.local ?? NOWHERE;
    this.remote = socket.remote ?? remote;
    this.#messages = new MessageMaker((message) => socket.send(message));
    if (socket.ping !== undefined) this.ping = (taken) => this.#ping(taken);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.#open());
    socket.addEventListener("message", ({ data }) => this.#came(data));
    socket.addEventListener("drain", () => this.#drained());
    socket.addEventListener("pong", () => this.#sink?.alive?.());
    // What this side wanted is no error.
    socket.addEventListener("close", (event) => {
      this.#finish(this.#state === "closing" ? undefined : endOf(event));
    });
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
    if (this.#state === "over") queueMicrotask(() => sink.closed(this.#error));
    else if (this.#socket.readyState === OPEN) queueMicrotask(() => this.#open());
  }

  /** Both the WebSocket and the link are there. */
  #open(): void {
    if (this.#sink === undefined || this.#state !== "connecting") return;
    const { protocol } = this.#socket;
    try {
      checkSpoken(protocol, this.#own);
    } catch (fault) {
      return this.#fail(fault);
    }
    this.#state = "open";
    if (this.#asks) void this.#hurry();
    fill(this.#sink, this.#disguise.agree(protocol, this.#asks));
    this.#read();
    this.#drained();
  }

  // What comes from the peer

  #came(data: unknown): void {
    if (this.#state === "closing" || this.#state === "over") return;
    if (this.#state === "open" && !this.#paused && this.#unread.length === 0) {
      return this.#receive(data);
    }
    // The last one may be of any size: it is here already.
    if (this.#socket.pause === undefined && this.#unreadSize > UNREAD_MOST) {
      return this.#fail(unread(this.#unreadSize));
    }
    this.#unread.push(data);
    this.#unreadSize += sizeOf(data);
  }

  /** Gives on what waits, as far as it is wanted. */
  #read(): void {
    let count = 0;
    while (count < this.#unread.length && this.#state === "open" && !this.#paused) {
      const data = this.#unread[count++];
      this.#unreadSize -= sizeOf(data);
      this.#receive(data);
    }
    this.#unread.splice(0, count);
  }

  #receive(data: unknown): void {
    try {
      this.#translate(octetsOf(data));
    } catch (fault) {
      this.#fail(fault);
    }
  }

  /** A message of the peer becomes a frame of ZMTP. */
  #translate(message: Uint8Array): void {
    const most = this.#disguise.commands ? COMMAND : MORE;
    if (message[0] > most) throw badFlag(message[0], most);
    const header = headerOf(message);
    if (this.#disguise.unnamed) return this.#name(concat([header, message.subarray(1)]));
    const sink = this.#sink!;
    const size = header.length + message.length - 1;
    const target = sink.target();
    if (size > target.length) {
      fill(sink, header);
      fill(sink, message.subarray(1));
    } else {
      // The flag octet goes where the last one of the header is, which comes after it.
      target.set(message, header.length - 1);
      target.set(header);
      sink.filled(size);
    }
  }

  /** The first message without a mechanism: the peer's routing id. */
  #name(frame: Uint8Array): void {
    const named = this.#disguise.name(frame);
    if (named === undefined) return;
    if (named.answer !== undefined) this.#messages.take(named.answer, 0);
    fill(this.#sink!, named.ready);
    fill(this.#sink!, named.rest);
  }

  /** A server that waits for the client's READY gets it. */
  async #hurry(): Promise<void> {
    await pause(DOUBT_TIME);
    const ready = this.#state === "open" && this.#disguise.hurry();
    if (ready) this.#messages.take(ready, 0);
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause?.();
  }

  resume(): void {
    this.#paused = false;
    if (this.#resuming) return;
    this.#resuming = true;
    queueMicrotask(() => {
      this.#resuming = false;
      this.#read();
      if (!this.#paused) this.#socket.resume?.();
    });
  }

  // What goes to the peer

  write(octets: Uint8Array): number {
    // The link hears of the end, and keeps what it has for another connection.
    if (this.#state === "closing" || this.#state === "over") return 0;
    const { swallowed, instead } = this.#disguise.say(octets);
    if (instead !== undefined) this.#messages.take(instead, 0);
    if (swallowed === octets.length) return swallowed;
    if (this.#state === "open" && this.#socket.bufferedAmount <= SEND_MOST) {
      this.#messages.take(octets, swallowed);
      return octets.length;
    }
    this.#stalled = true;
    if (!this.#watching) void this.#watch();
    return swallowed;
  }

  /** There may be room again. */
  #drained(): void {
    if (!this.#stalled || this.#state !== "open") return;
    if (this.#socket.bufferedAmount > SEND_MOST) return;
    this.#stalled = false;
    this.#sink!.written(0);
  }

  async #watch(): Promise<void> {
    this.#watching = true;
    while (this.#stalled && this.#state === "open") {
      await pause(SEND_PAUSE);
      this.#drained();
    }
    this.#watching = false;
  }

  #ping(taken: () => void): void {
    if (this.#state !== "open") return;
    this.#socket.ping!();
    taken();
  }

  // Its end

  close(): void {
    if (this.#state === "connecting" || this.#state === "open") this.#part(PEACE);
  }

  abort(reason?: unknown): void {
    if (this.#state === "connecting" || this.#state === "open") this.#part(farewellFor(reason));
    this.#socket.terminate?.();
    this.#finish(undefined);
  }

  #fail(fault: unknown): void {
    if (this.#state === "closing" || this.#state === "over") return;
    this.#part(farewellFor(fault));
    this.#finish(fault instanceof WebSocketFault ? fault.error : fault);
  }

  #part({ code, reason }: Farewell): void {
    this.#state = "closing";
    this.#unread = [];
    // The peer's close comes behind what it has sent.
    this.#socket.resume?.();
    try {
      this.#socket.close(code, reason);
    } catch {
      // Of the RFC's codes a page may send only the one for peace.
      this.#socket.close(PRIVATE + code, reason);
    }
  }

  #finish(error: unknown): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#error = error;
    this.#unread = [];
    const sink = this.#sink;
    if (sink !== undefined) queueMicrotask(() => sink.closed(error));
  }
}

function sizeOf(data: unknown): number {
  return data instanceof ArrayBuffer ? data.byteLength : 0;
}
