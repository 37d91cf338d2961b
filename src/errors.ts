/** Numbers of the codes that have one: Linux's, and libzmq's own from its `ZMQ_HAUSNUMERO`. */
const ERRNO: Readonly<Record<string, number>> = {
  ENOENT: 2,
  EBADF: 9,
  EAGAIN: 11,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  ENODEV: 19,
  EINVAL: 22,
  EMFILE: 24,
  ENAMETOOLONG: 36,
  EMSGSIZE: 90,
  EPROTONOSUPPORT: 93,
  ENOTSUP: 95,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  ECANCELED: 125,
  EFSM: 156384763,
  ENOCOMPATPROTO: 156384764,
  ETERM: 156384765,
};

/** What an error can say besides its text. */
export interface ZmqErrorOptions {
  /** The endpoint or the peer's address. */
  readonly address?: string | undefined;
  /** The error of the runtime that led to this one. */
  readonly cause?: unknown;
}

/**
 * Any failure that this package reports, with a stable `code`. Wrong arguments are `TypeError`s and `RangeError`s with a
 * `code` of their own; a cancelled operation rejects with its signal's reason.
 *
 * @example Tell a timeout from a closed socket
 * ```ts
 * import { Pull, ZmqError } from "@wasmq/wasmq";
 *
 * const pull = new Pull({ receiveTimeout: 10 });
 * try {
 *   await pull.receive();
 * } catch (error) {
 *   if (!(error instanceof ZmqError) || error.code !== "EAGAIN") throw error;
 * }
 * await pull.close();
 * ```
 */
export class ZmqError extends Error {
  /** The name of the class. */
  override readonly name: string = "ZmqError";
  /** Stable name of the failure, e.g. `"EAGAIN"`. README.md lists them all. */
  readonly code: string;
  /** The number that libzmq on Linux uses for `code`; 0 where it has none. */
  readonly errno: number;
  /** The endpoint or the peer's address, where one is involved. */
  readonly address: string | undefined;

  /** Made by this package; exported so that `instanceof` works. */
  constructor(code: string, message: string, options: ZmqErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.errno = ERRNO[code] ?? 0;
    this.address = options.address;
  }
}

/** The operation is not possible in the socket's state: closed (`EBADF`), or out of turn on a REQ or REP (`EFSM`). */
export class StateError extends ZmqError {
  /** The name of the class. */
  override readonly name: string = "StateError";
}

/** An endpoint could not be used: `EINVAL`, `EPROTONOSUPPORT`, `EADDRINUSE`, `EADDRNOTAVAIL`, `ENOENT`, `EMFILE` and others. */
export class EndpointError extends ZmqError {
  /** The name of the class. */
  override readonly name: string = "EndpointError";
}

/** A message was not accepted: `EAGAIN` (full or timed out), `EHOSTUNREACH` (no such peer), `EMSGSIZE`, `ENOBUFS`. */
export class SendError extends ZmqError {
  /** The name of the class. */
  override readonly name: string = "SendError";
}

/** The peer broke the protocol or refused the handshake; its link ends, nobody else is touched. Codes as zeromq.js: `ERR_ZMTP_…`. */
export class ProtocolError extends ZmqError {
  /** The name of the class. */
  override readonly name: string = "ProtocolError";
}

/** Why an authentication failed: for the moment (300), for good (400), or because the handler could not tell (500). RFC 27. */
export type AuthenticationStatus = 300 | 400 | 500;

/** A peer was not let in: the ZAP handler of this side, or the peer's, said no. The code is `EACCES`. */
export class AuthenticationError extends ZmqError {
  /** The name of the class. */
  override readonly name: string = "AuthenticationError";
  /** What the handler answered. */
  readonly status: AuthenticationStatus;
  /** True when the peer does not let this side in, false when this side does not let the peer in. */
  readonly byPeer: boolean;

  /** Made by this package; exported so that `instanceof` works. */
  constructor(status: AuthenticationStatus, message: string, byPeer: boolean) {
    super("EACCES", message);
    this.status = status;
    this.byPeer = byPeer;
  }
}

/** Gives a `TypeError` or `RangeError` a code, as Node does. */
export function withCode<E extends Error>(error: E, code: string): E & { code: string } {
  return Object.assign(error, { code });
}

/** The `code` of any error, `""` when it has none. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : "";
}

/** The text of anything thrown. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
