// A pair of web streams as a stream of octets: the tcp sockets of workerd, Deno's connections, and whatever else has both.

import { isIpv4, isIpv6, type StreamAddress } from "../endpoint.ts";
import { codeOf, textOf, withCode, ZmqError } from "../errors.ts";
import { OctetReader } from "./octet_reader.ts";
import type { ByteSink, ByteStream } from "./stream.ts";

/** Both directions of a connection, as web streams of octets. */
export interface OctetStreams {
  /** What the peer sends. Read with buffers of one's own if it can be (a byte stream), which costs less. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What goes to the peer. */
  readonly writable: WritableStream<Uint8Array>;
  /** Ends both directions at once; where there is more to end than the streams. */
  close?(): unknown;
}

/** The ends of a connection, as far as they are known. */
export interface Ends {
  /** This side's. */
  readonly local: StreamAddress;
  /** The peer's. */
  readonly remote: StreamAddress;
}

/** Deno's form of an address, of tcp or of a local socket. */
type NetAddress = { readonly hostname?: string; readonly port?: number; readonly path?: string };

/** What tells the ends: workerd's `Socket` has `opened`, Deno's connections have the rest. */
interface Told {
  readonly opened?: Promise<{ readonly localAddress?: string; readonly remoteAddress?: string }>;
  readonly closed?: unknown;
  readonly localAddr?: NetAddress;
  readonly remoteAddr?: NetAddress;
}

/** An end of which nothing is known: a rule about addresses does not admit it. */
const UNKNOWN: StreamAddress = { host: "", port: 0 };

/** A pair of web streams as what links are made of. */
export class WebStream implements ByteStream {
  readonly local: StreamAddress;
  readonly remote: StreamAddress;
  readonly #pair: OctetStreams;
  readonly #reader: OctetReader;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  /** What may be wrong. */
  #hint: string;
  #sink: ByteSink | undefined;
  /** Octets of the write under way; 0 when there is none. */
  #writing = 0;
  #paused = false;
  #reading = false;
  #closing = false;
  /** The peer has said that nothing more comes. */
  #ended = false;
  /** This side has said so, and all it wrote before is taken. */
  #said = false;
  #over = false;
  #told = false;
  #error: unknown;

  /**
   * Takes both streams for itself. `early` says what may be wrong when it is lost before anything was read.
   *
   * @throws {TypeError} `EINVAL` when one of them is in use.
   */
  constructor(pair: OctetStreams, { local, remote }: Ends, early: string = "") {
    this.#pair = pair;
    this.#hint = early;
    this.local = local;
    this.remote = remote;
    const { readable, writable } = pair;
    if (readable.locked || writable.locked) throw inUse(readable.locked ? "readable" : "writable");
    this.#reader = new OctetReader(readable);
    this.#writer = writable.getWriter();
    this.#writer.closed.catch(ignore);
  }

  /** Gives both streams back instead of starting. */
  release(): void {
    this.#over = true;
    this.#reader.release();
    this.#writer.releaseLock();
  }

  start(sink: ByteSink): void {
    this.#sink = sink;
    if (this.#over) this.#tell();
    else void this.#read();
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    let error: unknown;
    try {
      while (!this.#paused && !this.#over && !this.#ended) {
        const octets = await this.#reader.next();
        if (octets === undefined) this.#ended = true;
        else this.#give(octets);
      }
    } catch (cause) {
      error = lost(cause, this.#hint);
    }
    this.#reading = false;
    if (this.#over) return this.#tell();
    if (error !== undefined) this.#finish(error);
    else if (this.#ended) this.#peerEnded();
  }

  #give(octets: Uint8Array): void {
    this.#hint = "";
    const sink = this.#sink!;
    for (let at = 0; at < octets.length && !this.#closing && !this.#over;) {
      const target = sink.target();
      const piece = octets.subarray(at, at + target.length);
      target.set(piece);
      at += piece.length;
      sink.filled(piece.length);
    }
  }

  write(octets: Uint8Array): number {
    this.#writing = octets.length;
    // A stream may keep what it was given for longer than the write takes; a body that has its buffer for itself stays.
    const whole = octets.length === octets.buffer.byteLength;
    this.#writer.write(whole ? octets : octets.slice()).then(this.#written, this.#failed);
    return 0;
  }

  readonly #written = (): void => {
    const count = this.#writing;
    this.#writing = 0;
    if (!this.#over) this.#sink!.written(count);
  };

  readonly #failed = (cause: unknown): void => this.#finish(lost(cause, this.#hint));

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (!this.#over && this.#sink !== undefined) void this.#read();
  }

  close(): void {
    if (this.#closing || this.#over) return;
    this.#closing = true;
    this.#sink ??= NOBODY;
    this.#writer.close().then(() => {
      this.#said = true;
      if (this.#ended) this.#finish(undefined);
    }, this.#failed);
    this.resume();
  }

  /** The peer's end ends the connection; what this side said before it closed has to leave first. */
  #peerEnded(): void {
    if (this.#closing ? this.#said : this.#writing > 0) this.#finish(undefined);
    else this.close();
  }

  abort(): void {
    this.#finish(undefined);
  }

  /** Ends both streams; the sink hears of it later, when no read borrows its memory any more. */
  #finish(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#reader.cancel();
    if (!this.#said) this.#writer.abort().catch(ignore);
    void closeAll(this.#pair);
    if (!this.#reading) queueMicrotask(() => this.#tell());
  }

  #tell(): void {
    if (this.#told || this.#sink === undefined) return;
    this.#told = true;
    this.#sink.closed(this.#error);
  }
}

function inUse(which: string): TypeError {
  const text = `Cannot use the ${which} stream of a connection: it is locked to somebody else`;
  return withCode(new TypeError(text), "EINVAL");
}

/** Takes the place of the sink of a stream that was closed before it was started. */
const NOBODY: ByteSink = {
  target: () => new Uint8Array(1),
  filled() {},
  written() {},
  closed() {},
};

/** Where both ends of a connection are; waits until it stands. Rejects when it never does. */
export async function endsOf(pair: OctetStreams): Promise<Ends> {
  const { opened, closed, localAddr, remoteAddr } = pair as OctetStreams & Told;
  // What breaks the connection is heard from its streams.
  if (closed instanceof Promise) closed.catch(ignore);
  if (!(opened instanceof Promise)) {
    return { local: netAddress(localAddr), remote: netAddress(remoteAddr) };
  }
  try {
    const { localAddress, remoteAddress } = await opened;
    return { local: textAddress(localAddress), remote: textAddress(remoteAddress) };
  } catch (cause) {
    throw lost(cause);
  }
}

function netAddress({ hostname, port, path }: NetAddress = {}): StreamAddress {
  if (path !== undefined) return { path };
  return hostname === undefined || port === undefined ? UNKNOWN : { host: hostname, port };
}

/** workerd's form: `127.0.0.1:5555`, `[::1]:5555`. */
function textAddress(text: string | undefined): StreamAddress {
  const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(text ?? "") ?? [];
  return host !== undefined && (isIpv4(host) || isIpv6(host))
    ? { host, port: Number(port) }
    : UNKNOWN;
}

/** An error of a web stream, which has no code of the system. */
function lost(cause: unknown, hint: string = ""): unknown {
  if (codeOf(cause) !== "") return cause;
  return new ZmqError("ECONNRESET", `The connection was lost: ${textOf(cause)}${hint}`, { cause });
}

async function closeAll(pair: OctetStreams): Promise<void> {
  try {
    await pair.close?.();
  } catch {
    // It is closed already.
  }
}

function ignore(): void {}
