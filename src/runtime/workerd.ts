// workerd, which Cloudflare Workers run on: tcp to others by `cloudflare:sockets`; it cannot listen.

import type { Endpoint, EndpointUse, HostPort, StreamAddress } from "../endpoint.ts";
import { isWebSocket } from "../endpoint.ts";
import { textOf, ZmqError } from "../errors.ts";
import type { ByteStream, Runtime, StreamOptions, TlsLayer, TlsTrust } from "../link/stream.ts";
import type { OptionValues } from "../options.ts";

/** What is used of a `Socket` of `cloudflare:sockets`. */
export interface WorkerdSocket {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when the connection stands; rejects when it never will. */
  readonly opened: Promise<unknown>;
  /** Resolves when it is closed; rejects when it broke. */
  readonly closed: Promise<unknown>;
  close(): Promise<unknown>;
  /** Goes on with TLS, in a socket of its own; before anything is read or written. */
  startTls(options: { readonly expectedServerHostname: string }): WorkerdSocket;
}

/** `connect` of `cloudflare:sockets`. */
export type WorkerdConnect = (
  address: { readonly hostname: string; readonly port: number },
  options: { readonly allowHalfOpen: boolean; readonly secureTransport: "starttls" },
) => WorkerdSocket;

/** A stream of octets that is not started yet may give its socket back. */
export interface FreeableStream extends ByteStream {
  release(): void;
}

/** Makes a stream of octets of a socket that stands. `early` says what may be wrong when nothing is ever read. */
export type StreamOf = (
  socket: WorkerdSocket,
  ends: { readonly local: StreamAddress; readonly remote: StreamAddress },
  early?: string,
) => FreeableStream;

/** A socket's address here is not told. */
const UNKNOWN: StreamAddress = { path: "" };

const CANNOT_LISTEN = "cannot listen; give the socket of a connect(socket) handler to accept()";

/** What it cannot do, as the rest of a sentence that begins with its name. */
function refuse(
  endpoint: Endpoint,
  use: EndpointUse,
  options: StreamOptions & Partial<OptionValues>,
): string | undefined {
  if (endpoint.transport === "inproc") return undefined;
  if (endpoint.transport === "ipc") return "has no local sockets; use tcp, ws, wss or inproc";
  if (use === "bind") return CANNOT_LISTEN;
  if (atGlobalScope()) return "permits no I/O at global scope; connect in a handler";
  if (endpoint.transport === "tcp" && endpoint.source !== undefined) {
    return "cannot choose where a connection starts from; leave the source address out";
  }
  if (options.tcpKeepalive !== -1) return "cannot set tcpKeepalive; leave it at -1";
  if (options.tcpKeepaliveIdle !== -1) return "cannot set tcpKeepaliveIdle; leave it at -1";
  if (!isWebSocket(endpoint) || endpoint.transport === "ws") return undefined;
  if ((options.wssTrustPem ?? null) !== null) {
    return "trusts the authorities of its own network settings; leave wssTrustPem at null";
  }
  if ((options.socksProxy ?? null) !== null) {
    return "speaks no TLS through a SOCKS proxy; leave socksProxy at null, or use ws with CURVE";
  }
  if (options.wssHostname === "") {
    return "does not take a certificate for any name; leave wssHostname at null, or name the server";
  }
  return undefined;
}

/** Outside of handlers workerd has no randomness, among other things. */
function atGlobalScope(): boolean {
  try {
    crypto.getRandomValues(new Uint8Array(1));
    return false;
  } catch {
    return true;
  }
}

function cannotListen(): never {
  throw new ZmqError("ENOTSUP", `workerd ${CANNOT_LISTEN}`);
}

/** Waits until a connection stands, or is not wanted any more. */
function standing(socket: WorkerdSocket, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      socket.close().catch(ignore);
      reject(signal.reason);
    };
    signal.addEventListener("abort", stop);
    socket.opened.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

function ignore(): void {}

/** TLS is workerd's own: it takes a socket, not any stream. */
class WorkerdTls implements TlsLayer {
  readonly #streamOf: StreamOf;
  readonly #sockets: WeakMap<ByteStream, WorkerdSocket> = new WeakMap();

  constructor(streamOf: StreamOf) {
    this.#streamOf = streamOf;
  }

  /** A stream that can go on with TLS. */
  open(socket: WorkerdSocket, remote: StreamAddress): ByteStream {
    const stream = this.#streamOf(socket, { local: UNKNOWN, remote });
    this.#sockets.set(stream, socket);
    return stream;
  }

  connect(stream: ByteStream, { hostname }: TlsTrust): ByteStream {
    const socket = this.#sockets.get(stream)!;
    (stream as FreeableStream).release();
    const secure = socket.startTls({ expectedServerHostname: hostname });
    secure.closed.catch(ignore);
    secure.opened.catch(ignore);
    return this.#streamOf(secure, stream, mistrust(hostname));
  }

  listen(): never {
    return cannotListen();
  }
}

/** workerd tells its log alone what is wrong with TLS. */
function mistrust(hostname: string): string {
  return ` (over TLS: the server may have none, its certificate may not be for ${
    JSON.stringify(hostname)
  }, or its authority is not trusted; workerd's log and the tlsOptions of its network tell)`;
}

/** The runtime, given what only its own modules can give. */
export function workerdRuntime(connect: WorkerdConnect, streamOf: StreamOf): Runtime {
  const tls = new WorkerdTls(streamOf);
  return {
    name: "workerd",
    isolated: true,
    // As on Node.
    pooledFrames: 65,
    tls,
    refuse,
    // A timer keeps nothing alive: the handler's promise does.
    unrefTimer: ignore,
    listen: () => Promise.reject(new ZmqError("ENOTSUP", `workerd ${CANNOT_LISTEN}`)),
    listenSync: cannotListen,
    async connect(to, _source, _options, signal) {
      signal.throwIfAborted();
      const { host, port } = to as HostPort;
      const hostname = host.includes(":") ? `[${host}]` : host;
      try {
        const socket = connect(
          { hostname, port },
          { allowHalfOpen: true, secureTransport: "starttls" },
        );
        socket.closed.catch(ignore);
        await standing(socket, signal);
        return tls.open(socket, { host, port });
      } catch (cause) {
        signal.throwIfAborted();
        throw unreachable(`${hostname}:${port}`, cause);
      }
    },
    interfaces: () => [],
  };
}

/** workerd does not tell why. */
function unreachable(where: string, cause: unknown): ZmqError {
  return new ZmqError(
    "ECONNREFUSED",
    `workerd could not connect to ${where}: nobody listens there, or the worker's globalOutbound ` +
      `does not allow it (${textOf(cause)})`,
    { cause },
  );
}
