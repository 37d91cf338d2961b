// TLS over any stream, by node:tls, which Deno, Bun and Node have alike. Their own sockets with TLS are left alone: on Deno
// they trust more authorities than they are told to, and do not stop reading for who does not read.

import type { StreamAddress } from "../endpoint.ts";
import { fill } from "../octets.ts";
import type { ByteSink, ByteStream, TlsIdentity, TlsLayer, TlsTrust } from "../link/stream.ts";
import { builtin } from "./builtin.ts";
import { Staging } from "./staging.ts";
import { Carrier, type NodeDuplex } from "./tls_carrier.ts";
import { contextFor, contextOf, type SecureContext } from "./tls_context.ts";
import { broken, explained, goneEarly, type TlsSide } from "./tls_errors.ts";

interface TlsSocket {
  on(event: "secure" | "secureConnect" | "end" | "close", call: () => void): void;
  on(event: "data", call: (chunk: Uint8Array) => void): void;
  on(event: "error" | "_tlsError", call: (error: unknown) => void): void;
  write(octets: Uint8Array, done: (error?: unknown) => void): boolean;
  pause(): void;
  resume(): void;
  end(done: () => void): void;
  destroy(): void;
}

/** What is used of node:tls. */
export interface NodeTls {
  readonly TLSSocket: new (
    stream: NodeDuplex,
    options: { isServer: true; secureContext: SecureContext },
  ) => TlsSocket;
  connect(options: {
    socket: NodeDuplex;
    secureContext: SecureContext;
    host: string;
    servername: string;
    rejectUnauthorized: true;
    checkServerIdentity?: () => undefined;
  }): TlsSocket;
  createSecureContext(options: {
    minVersion: "TLSv1.2";
    key?: string;
    cert?: string;
    ca?: readonly string[];
  }): SecureContext;
  readonly rootCertificates: readonly string[];
  /** Of Node from 22.15 on. */
  getCACertificates?(type: "default" | "system"): readonly string[];
}

/**
 * TLS of 1.2 and up. Both sides are there at once. A client knows that the server is who it should be before its first octet
 * is sent; if it is not, the stream closes with the reason. A server reads nothing before it is started, and who never
 * finishes the handshake is for the limits of the stream's owner.
 */
export const tlsLayer: TlsLayer = { connect, listen };

/** @throws {ZmqError} `EINVAL` when the authorities cannot be read. */
function connect(stream: ByteStream, trust: TlsTrust): ByteStream {
  try {
    return new TlsStream(stream, { server: false, name: trust.hostname }, clientOf(trust));
  } catch (error) {
    stream.abort();
    throw error;
  }
}

function clientOf(trust: TlsTrust): (socket: NodeDuplex) => TlsSocket {
  const secureContext = contextFor(trust);
  const { hostname: host, verifyName } = trust;
  // An address is no name (RFC 6066 section 3): it is compared, but not sent.
  const servername = builtin("node:net").isIP(host) === 0 ? host : "";
  // Whatever the environment says.
  const always = { secureContext, host, servername, rejectUnauthorized: true } as const;
  const options = verifyName ? always : { ...always, checkServerIdentity: () => undefined };
  return (socket) => builtin("node:tls").connect({ ...options, socket });
}

/** @throws {ZmqError} `EINVAL` when key or certificate cannot be read, or do not belong together. */
function listen(identity: TlsIdentity): (stream: ByteStream) => ByteStream {
  const options = { isServer: true, secureContext: contextOf(identity) } as const;
  const open = (socket: NodeDuplex) => new (builtin("node:tls").TLSSocket)(socket, options);
  return (stream) => new TlsStream(stream, { server: true, name: "" }, open);
}

class TlsStream implements ByteStream {
  readonly local: StreamAddress;
  readonly remote: StreamAddress;
  readonly #stream: ByteStream;
  readonly #side: TlsSide;
  readonly #open: (stream: NodeDuplex) => TlsSocket;
  readonly #staging: Staging = new Staging();
  #sink: ByteSink | undefined;
  #carrier: Carrier | undefined;
  #tls: TlsSocket | undefined;
  /** The handshake is done, and the peer is who it should be. */
  #secure = false;
  /** What waits for that. */
  #early: Uint8Array | undefined;
  #paused = false;
  #closing = false;
  #gone = false;
  #error: unknown;

  constructor(
    stream: ByteStream,
    side: TlsSide,
    open: (stream: NodeDuplex) => TlsSocket,
  ) {
    this.local = stream.local;
    this.remote = stream.remote;
    this.#stream = stream;
    this.#side = side;
    this.#open = open;
  }

  start(sink: ByteSink): void {
    this.#sink = sink;
    if (this.#gone) return sink.closed(this.#error);
    const carrier = new Carrier(this.#stream, this.#lost);
    this.#carrier = carrier;
    this.#stream.start(carrier);
    const tls = this.#open(carrier.duplex);
    this.#tls = tls;
    tls.on(this.#side.server ? "secure" : "secureConnect", () => this.#secured());
    tls.on("data", (chunk) => {
      if (this.#secure && !this.#closing && !this.#gone) fill(this.#sink!, chunk);
    });
    tls.on("end", () => this.#over());
    tls.on("close", () => this.#over());
    const failed = (error: unknown) =>
      this.#finish(this.#secure ? broken(error) : explained(error, this.#side));
    tls.on("error", failed);
    // Node's servers have an eye on this; a socket without one tells nobody else of a broken record.
    tls.on("_tlsError", failed);
  }

  #secured(): void {
    if (this.#gone) return;
    this.#secure = true;
    if (this.#paused) this.pause();
    if (this.#early !== undefined) this.#write(this.#early);
    this.#early = undefined;
  }

  write(octets: Uint8Array): number {
    if (this.#gone) return 0;
    const kept = this.#staging.keep(octets);
    if (this.#secure) this.#write(kept);
    else this.#early = kept;
    return 0;
  }

  #write(octets: Uint8Array): void {
    const taken = () => {
      if (!this.#gone) this.#sink!.written(octets.length);
    };
    this.#tls!.write(octets, (error) => {
      if (!error && !this.#gone) this.#carrier!.free(taken);
    });
  }

  pause(): void {
    this.#paused = true;
    if (!this.#secure || this.#closing || this.#gone) return;
    this.#tls!.pause();
    // Not every runtime's TLS stops reading by itself.
    this.#carrier!.hold(true);
  }

  resume(): void {
    this.#paused = false;
    if (!this.#secure || this.#gone) return;
    this.#carrier!.hold(false);
    this.#tls!.resume();
  }

  /** Nothing was said yet if nothing is secure: there is nothing to end in order. */
  close(): void {
    if (this.#closing) return;
    if (!this.#secure) return this.abort();
    this.resume();
    this.#closing = true;
    this.#tls!.end(() => this.#carrier!.close());
  }

  abort(): void {
    if (!this.#gone) this.#end(undefined);
  }

  /** The peer says that it sends no more. */
  #over(): void {
    if (this.#closing) return;
    this.#finish(this.#secure ? undefined : goneEarly(this.#side));
  }

  /** The stream beneath is gone. What it brought last may still be on its way through TLS, which then says so. */
  #lost = (error: unknown): void => {
    if (this.#closing || (this.#secure && error !== undefined)) return this.#finish(error);
    if (error !== undefined) this.#finish(goneEarly(this.#side, error));
  };

  #finish(error: unknown): void {
    if (this.#gone) return;
    // In order, for what the peer should still hear: an alert that says why.
    this.#stream.close();
    this.#end(error);
  }

  #end(error: unknown): void {
    this.#gone = true;
    this.#error = error;
    this.#stream.abort();
    this.#tls?.destroy();
    this.#carrier?.duplex.destroy();
    this.#sink?.closed(error);
  }
}
