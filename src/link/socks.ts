// The client of a SOCKS5 proxy (RFC 1928), with a name and a password where the proxy asks for them (RFC 1929).

import type { HostPort } from "../endpoint.ts";
import { ZmqError } from "../errors.ts";
import { addressOctets } from "../networks.ts";
import type { CommonOptions } from "../options.ts";
import { fill } from "../octets.ts";
import type { ByteSink, ByteStream } from "./stream.ts";

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const PASSWORD = 2;
const PASSWORD_VERSION = 1;
const CONNECT = 1;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;
const DONE = 0;

/** What the proxy may answer but 0. */
const FAILURES: readonly (readonly [code: string, why: string])[] = [
  ["ECONNABORTED", "it failed"],
  ["EACCES", "its rules do not allow it"],
  ["ENETUNREACH", "the network is unreachable"],
  ["EHOSTUNREACH", "the host is unreachable"],
  ["ECONNREFUSED", "the connection was refused"],
  ["ETIMEDOUT", "it took too long"],
  ["ENOTSUP", "it does not support the command"],
  ["ENOTSUP", "it does not support the type of address"],
];

const utf8 = new TextEncoder();

/**
 * Asks the proxy at the other end of `stream` for a connection to `target`, and answers the stream of that.
 *
 * @throws {ZmqError} Why the proxy makes none: `ECONNREFUSED`, `EACCES`, `EHOSTUNREACH` and others; `EPROTO` when it does
 * not speak SOCKS5.
 */
export async function throughProxy(
  stream: ByteStream,
  target: HostPort,
  options: CommonOptions,
  signal: AbortSignal,
): Promise<ByteStream> {
  const conversation = new Conversation(stream);
  const stop = () => conversation.closed(signal.reason);
  signal.addEventListener("abort", stop);
  try {
    signal.throwIfAborted();
    await authenticate(conversation, options);
    await connect(conversation, target);
    return conversation;
  } catch (error) {
    stream.abort();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function authenticate(proxy: Conversation, options: CommonOptions): Promise<void> {
  const { socksUsername: name, socksPassword: password } = options;
  const methods = name === null ? [NO_AUTHENTICATION] : [NO_AUTHENTICATION, PASSWORD];
  proxy.say(Uint8Array.of(VERSION, methods.length, ...methods));
  const [version, method] = await proxy.hear(2);
  if (version !== VERSION) throw unexpected(`version ${version} instead of ${VERSION}`);
  if (method === NO_AUTHENTICATION) return;
  if (method !== PASSWORD || name === null) {
    throw refused(
      "EACCES",
      name === null
        ? "it asks for a name and a password; set socksUsername and socksPassword"
        : "it accepts no way of authentication that is offered",
    );
  }
  const user = utf8.encode(name);
  const secret = utf8.encode(password ?? "");
  proxy.say(Uint8Array.of(PASSWORD_VERSION, user.length, ...user, secret.length, ...secret));
  const [, status] = await proxy.hear(2);
  if (status !== DONE) {
    throw refused("EACCES", "it does not accept socksUsername and socksPassword");
  }
}

async function connect(proxy: Conversation, { host, port }: HostPort): Promise<void> {
  proxy.say(
    Uint8Array.of(VERSION, CONNECT, 0, ...addressOf(host), port >> 8, port & 255),
  );
  const [version, status, , type] = await proxy.hear(4);
  if (version !== VERSION) throw unexpected(`version ${version} instead of ${VERSION}`);
  if (status !== DONE) {
    throw refused(...FAILURES[status - 1] ?? ["EPROTO", `it answered ${status}`] as const);
  }
  // The address that the proxy connects from is of no use here.
  const size = type === IPV4
    ? 4
    : type === IPV6
    ? 16
    : type === NAME
    ? (await proxy.hear(1))[0]
    : -1;
  if (size < 0) throw unexpected(`the type of address ${type}`);
  await proxy.hear(size + 2);
}

function addressOf(host: string): number[] {
  const address = addressOctets(host);
  if (address !== undefined) return [address.length === 4 ? IPV4 : IPV6, ...address];
  const name = utf8.encode(host);
  if (name.length > 255) {
    throw refused("ENAMETOOLONG", "the host's name has more than 255 octets");
  }
  return [NAME, name.length, ...name];
}

function refused(code: string, why: string): ZmqError {
  return new ZmqError(code, `The SOCKS proxy makes no connection: ${why}`);
}

function unexpected(what: string): ZmqError {
  return new ZmqError("EPROTO", `The SOCKS proxy does not speak SOCKS5: it sent ${what}`);
}

/** The stream while the proxy is asked, and afterwards what it is then: a stream to the target. */
class Conversation implements ByteStream, ByteSink {
  readonly #stream: ByteStream;
  #sink: ByteSink | undefined;
  /** The memory last lent is the sink's. */
  #direct = false;
  readonly #memory: Uint8Array = new Uint8Array(1024);
  /** What came and was not asked for yet. */
  #heard: Uint8Array = new Uint8Array(0);
  #wanted = 0;
  #resolve: (octets: Uint8Array) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #over = false;
  #error: unknown;
  /** What was said and the stream did not take at once. */
  #unsaid: Uint8Array | undefined;

  constructor(stream: ByteStream) {
    this.#stream = stream;
    stream.start(this);
  }

  say(octets: Uint8Array): void {
    if (this.#over) return;
    const taken = this.#stream.write(octets);
    this.#unsaid = taken < octets.length ? octets.subarray(taken) : undefined;
  }

  /** The next `count` octets from the proxy. */
  hear(count: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#wanted = count;
      this.#resolve = resolve;
      this.#reject = reject;
      this.#serve();
    });
  }

  #serve(): void {
    if (this.#wanted > 0 && this.#heard.length >= this.#wanted) {
      const octets = this.#heard.subarray(0, this.#wanted);
      this.#heard = this.#heard.subarray(this.#wanted);
      this.#wanted = 0;
      this.#resolve(octets);
    } else if (this.#over) {
      this.#reject(
        this.#error ?? new ZmqError("ECONNRESET", "The SOCKS proxy ended the connection"),
      );
    }
  }

  // As the sink of the proxy's stream

  target(): Uint8Array {
    this.#direct = this.#sink !== undefined;
    return this.#sink?.target() ?? this.#memory;
  }

  filled(count: number): void {
    if (this.#sink !== undefined) {
      // The read may have begun before the sink was there.
      if (this.#direct) this.#sink.filled(count);
      else fill(this.#sink, this.#memory.subarray(0, count));
      return;
    }
    const heard = new Uint8Array(this.#heard.length + count);
    heard.set(this.#heard);
    heard.set(this.#memory.subarray(0, count), this.#heard.length);
    this.#heard = heard;
    this.#serve();
  }

  written(count: number): void {
    if (this.#sink !== undefined) return this.#sink.written(count);
    const rest = this.#unsaid?.subarray(count);
    if (rest !== undefined && rest.length > 0) this.say(rest);
    else this.#unsaid = undefined;
  }

  closed(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#serve();
    this.#sink?.closed(error);
  }

  // As the stream to the target

  get local(): ByteStream["local"] {
    return this.#stream.local;
  }

  get remote(): ByteStream["remote"] {
    return this.#stream.remote;
  }

  start(sink: ByteSink): void {
    const early = this.#heard;
    this.#heard = early.subarray(early.length);
    fill(sink, early);
    this.#sink = sink;
    if (this.#over) sink.closed(this.#error);
  }

  write(octets: Uint8Array): number {
    return this.#stream.write(octets);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#stream.close();
  }

  abort(): void {
    this.#stream.abort();
  }
}
