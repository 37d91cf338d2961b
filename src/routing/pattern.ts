// What a socket type's rules are to the socket: where messages go, where they come from, whose turn it is.

import type { Filter } from "../core/receiver.ts";
import { StateError, type ZmqError } from "../errors.ts";
import type { Frame, Outgoing } from "../message.ts";
import type { Span } from "../span.ts";
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
  /** A connection serves the pipe from now on: what its peer has to know can be sent. */
  linked?(pipe: Pipe): void;
  /** The connection is lost; the pipe waits for the next one. */
  unlinked?(pipe: Pipe): void;
  /** The peer sent a command that the session does not know; its data is borrowed. Answers why its link has to end. */
  command?(pipe: Pipe, name: string, data: Uint8Array): ZmqError | undefined;
  /** What of the messages that arrive is wanted; absent where all of them are. */
  readonly filter?: Filter;
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
  /**
   * Takes the next message for a proxy, as it can be passed on for the least: in `span`, or as frames. Undefined when there
   * is none; absent where frames are added.
   */
  take?(span: Span): Outgoing | undefined;
  /** The pipe of the message that `receive` answered last. */
  readonly source?: Pipe | undefined;
  /** How many topics are published to a peer. */
  topicsOf?(pipe: Pipe): number;
  /** True when a message could be sent, or received, at once. */
  readonly canSend: boolean;
  readonly canReceive: boolean;
  /** The socket is closed and every pipe gone: gives memory of the core back. */
  free?(): void;
}

/** The error for an operation that the socket type does not have. */
export function notSupported(type: string, use: string): StateError {
  return new StateError("ENOTSUP", `Cannot ${use} on a ${type} socket`);
}
