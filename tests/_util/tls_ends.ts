// Streams with TLS between two ends of this process, over the sockets of the runtime.

import type { HostPort } from "../../src/endpoint.ts";
import type { ByteSink, ByteStream, TlsIdentity, TlsTrust } from "../../src/link/stream.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { AUTHORITY } from "./certificates.ts";
import type { Cleanup } from "./cleanup.ts";
import { eventually, within } from "./deadline.ts";

const MUST_MS = 20_000;
const runtime = detectRuntime();
const tls = runtime.tls!;
const SYSTEM = { tcpKeepalive: -1, tcpKeepaliveIdle: -1 };

/** Trusts the authority of the tests, for localhost. */
export const TRUST: TlsTrust = {
  hostname: "localhost",
  verifyName: true,
  authorities: AUTHORITY,
  system: false,
};

/** One end of a stream: keeps what comes, and writes. */
export class End implements ByteSink {
  readonly stream: ByteStream;
  /** What came, if it is kept, and how many octets it was. */
  readonly chunks: Uint8Array[] = [];
  received = 0;
  keeps = true;
  /** How much of it is written at once. */
  piece: number = Infinity;
  /** How many octets of all `write`s were taken. */
  taken = 0;
  /** The stream is gone; why. */
  gone = false;
  error: unknown;
  readonly #memory: Uint8Array = new Uint8Array(32 * 1024);
  #rest: Uint8Array = new Uint8Array(0);

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  start(): this {
    this.stream.start(this);
    return this;
  }

  /** Writes all of it, once what was written before is taken. */
  async write(octets: Uint8Array): Promise<void> {
    this.offer(octets);
    await eventually(() => this.#rest.length === 0 || this.gone, MUST_MS, "the octets are taken");
  }

  /** As `write`, and waits for nothing. */
  offer(octets: Uint8Array): void {
    this.#rest = octets;
    this.#more();
  }

  #more(): void {
    while (this.#rest.length > 0) {
      const piece = this.#rest.subarray(0, Math.min(this.piece, this.#rest.length));
      const count = this.stream.write(piece);
      const whole = count === piece.length;
      this.#take(count);
      if (!whole) return;
    }
  }

  #take(count: number): void {
    this.taken += count;
    this.#rest = this.#rest.subarray(count);
  }

  /** All that came, as text. */
  get text(): string {
    return this.chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
  }

  /** Waits until it received this. */
  async reads(text: string): Promise<void> {
    await eventually(() => this.text === text || this.gone, MUST_MS, `received ${text}`);
    if (this.text !== text) throw new Error(`It ended, with "${this.text}": ${this.error}`);
  }

  /** Waits for its end, and answers why. */
  async ends(): Promise<unknown> {
    await eventually(() => this.gone, MUST_MS, "the stream ends");
    return this.error;
  }

  target(): Uint8Array {
    return this.#memory;
  }

  filled(count: number): void {
    this.received += count;
    if (this.keeps) this.chunks.push(this.#memory.slice(0, count));
  }

  written(count: number): void {
    this.#take(count);
    this.#more();
  }

  closed(error: unknown): void {
    if (this.gone) throw new Error("closed() was called twice");
    this.gone = true;
    this.error = error;
  }
}

/** A listener, with TLS if it has an identity. */
export class Door {
  readonly at: HostPort;
  readonly accepted: End[];
  readonly #close: () => Promise<void>;

  private constructor(at: HostPort, accepted: End[], close: () => Promise<void>) {
    this.at = at;
    this.accepted = accepted;
    this.#close = close;
  }

  static async open(cleanup: Cleanup, identity?: TlsIdentity): Promise<Door> {
    const accepted: End[] = [];
    const serve = identity === undefined ? (stream: ByteStream) => stream : tls.listen(identity);
    const listener = await runtime.listen(
      { host: "127.0.0.1", port: 0 },
      { ...SYSTEM, backlog: 100 },
      (stream) => accepted.push(cleanup.add(disposable(new End(serve(stream))))),
      () => {},
    );
    const close = () => listener.close();
    return cleanup.add(new Door(listener.local as HostPort, accepted, close));
  }

  /** The other end of the next connection. */
  async next(): Promise<End> {
    await eventually(() => this.accepted.length > 0, MUST_MS, "a connection is accepted");
    return this.accepted.shift()!;
  }

  close(): void {
    void this.#close();
  }
}

/** Connects, with TLS if it trusts somebody. */
export async function connectTo(at: HostPort, cleanup: Cleanup, trust?: TlsTrust): Promise<End> {
  const { signal } = new AbortController();
  const stream = await within(
    runtime.connect(at, undefined, SYSTEM, signal),
    MUST_MS,
    "a connection",
  );
  const end = new End(trust === undefined ? stream : tls.connect(stream, trust));
  return cleanup.add(disposable(end));
}

/** Both ends of a connection with TLS that stands. */
export async function pairOf(
  cleanup: Cleanup,
  identity: TlsIdentity,
  trust: TlsTrust = TRUST,
): Promise<{ client: End; server: End }> {
  const door = await Door.open(cleanup, identity);
  const client = (await connectTo(door.at, cleanup, trust)).start();
  const server = (await door.next()).start();
  client.offer(new TextEncoder().encode("hello"));
  await server.reads("hello");
  return { client, server };
}

function disposable(end: End): End & { destroy(): void } {
  return Object.assign(end, { destroy: () => end.stream.abort() });
}
