// The events of one connection, told in the same words on every transport.

import { AuthenticationError, ProtocolError } from "../errors.ts";
import { asError, type EventError, type Monitor } from "../events.ts";
import type { Pipe } from "../routing/pipe.ts";

/** A connection, as events name it. */
export interface Where {
  /** The endpoint that was bound or connected to. */
  readonly address: string;
  /** The address of the peer. */
  readonly peerAddress: string;
}

const NOBODY = new Uint8Array(0);

/** Messages can flow. */
export function tellHandshake(monitor: Monitor, where: Where, pipe: Pipe): void {
  if (!monitor.watched) return;
  const routingId = pipe.routingId.slice();
  const { socketType } = pipe.peer!;
  const { protocol } = pipe;
  monitor.emit({ type: "handshake", ...where, routingId, socketType, protocol });
}

/** The connection is over before there was a pipe for it; as libzmq, that is told twice. */
export function tellFailure(monitor: Monitor, where: Where, error: unknown): void {
  if (!monitor.watched) return;
  if (error instanceof AuthenticationError) {
    monitor.emit({ type: "handshake:error:auth", ...where, error });
  } else {
    const kind = error instanceof ProtocolError ? "protocol" : "other";
    monitor.emit({ type: `handshake:error:${kind}`, ...where, error: asError(error) });
  }
  tellDisconnect(monitor, where, undefined, error);
}

/** The connection, which `pipe` was for, is over, because of `error` or in peace. */
export function tellDisconnect(
  monitor: Monitor,
  where: Where,
  pipe: Pipe | undefined,
  error: unknown,
): void {
  if (!monitor.watched) return;
  const routingId = pipe?.routingId.slice() ?? NOBODY.slice();
  monitor.emit({ type: "disconnect", ...where, routingId, ...reasonOf(error) });
}

/** The next attempt to connect follows. */
export function tellRetry(
  monitor: Monitor,
  address: string,
  interval: number,
  error: unknown,
): void {
  if (!monitor.watched) return;
  monitor.emit({ type: "connect:retry", address, interval, ...reasonOf(error) });
}

function reasonOf(error: unknown): { readonly error?: EventError } {
  return error === undefined ? {} : { error: asError(error) };
}
