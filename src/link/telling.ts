// The events of one connection, told in the same words on every transport.

import { ProtocolError } from "../errors.ts";
import { asError, type Monitor } from "../events.ts";
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
  monitor.emit({ type: "handshake", ...where, routingId, socketType });
}

/** The connection is over before there was a pipe for it; as libzmq, that is told twice. */
export function tellFailure(monitor: Monitor, where: Where, error: unknown): void {
  if (!monitor.watched) return;
  const kind = error instanceof ProtocolError ? "protocol" : "other";
  monitor.emit({ type: `handshake:error:${kind}`, ...where, error: asError(error) });
  tellDisconnect(monitor, where, NOBODY, error);
}

/** The connection is over, because of `error` or in peace. */
export function tellDisconnect(
  monitor: Monitor,
  where: Where,
  routingId: Uint8Array,
  error: unknown,
): void {
  if (!monitor.watched) return;
  const reason = error === undefined ? {} : { error: asError(error) };
  monitor.emit({ type: "disconnect", ...where, routingId: routingId.slice(), ...reason });
}
