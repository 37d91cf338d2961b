// What a socket type's rules are to the socket: where messages go, where they come from, whose turn it is.

import { StateError, type ZmqError } from "../errors.ts";
import type { Frame, Outgoing } from "../message.ts";
import type { Pipe } from "./pipe.ts";

/** Operations of the user that wait already. */
export interface Queued {
  readonly sends: number;
  readonly receives: number;
}

/** The rules of one socket type. A pattern is asked synchronously and never waits. */
export interface Pattern {
  /** Messages can be routed to the pipe from now on. Answers why not, when the peer is refused. */
  attach(pipe: Pipe): ZmqError | undefined;
  /**
   * The pipe has a connection, and its peer announced `routingId` (empty when it has none). Comes before `attach` or, for
   * a pipe that waited for its connection, after. Answers why not, when the peer is refused.
   */
  identify(pipe: Pipe, routingId: Uint8Array): ZmqError | undefined;
  /** The pipe is gone; what it has received stays readable. */
  detach(pipe: Pipe): void;
  /** The pipe has messages to read. */
  readable(pipe: Pipe): void;
  /** The pipe has room for messages. */
  writable(pipe: Pipe): void;
  /** Why the user may not send or receive now: it is out of turn, or the type cannot. */
  refuse(use: "send" | "receive", queued: Queued): ZmqError | undefined;
  /** Routes a message; false when it has to wait for room. */
  send(message: Outgoing): boolean;
  /**
   * Routes the wire frames of a message that a lost peer did not get; false when they have to wait for room. Absent where
   * such messages are lost with their peer.
   */
  resend?(frames: Uint8Array[]): boolean;
  /** The next message for the user. */
  receive(): Frame[] | undefined;
  /** True when a message could be sent, or received, at once. */
  readonly canSend: boolean;
  readonly canReceive: boolean;
}

/** The frames of a message, one or several. */
export function framesOf(message: Outgoing): Exclude<Outgoing, string | Uint8Array> {
  return Array.isArray(message) ? message : [message];
}

/** The error for an operation that the socket type does not have. */
export function notSupported(type: string, use: string): StateError {
  return new StateError("ENOTSUP", `Cannot ${use} on a ${type} socket`);
}
