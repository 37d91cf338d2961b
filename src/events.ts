// What a socket tells about its connections: zeromq.js's events with libzmq's meaning (`zmq_socket_monitor`), and more.

import type { AuthenticationError } from "./errors.ts";
import type { Protocol } from "./peer.ts";

/** What every event of an endpoint has. */
export interface EndpointEvent<T extends string> {
  /** What happened. */
  readonly type: T;
  /** The endpoint that the socket was bound or connected to. */
  readonly address: string;
}

/** An event of one connection. */
export interface PeerEvent<T extends string> extends EndpointEvent<T> {
  /** Where the peer's end of the connection is; the endpoint itself for transports without addresses of peers. */
  readonly peerAddress: string;
}

/** An event of a connection whose peer is known. */
export interface KnownPeerEvent<T extends string> extends PeerEvent<T> {
  /** The routing id: on a Router the one it knows the peer by, else what the peer announced; may be empty. */
  readonly routingId: Uint8Array;
}

/** An error that is reported to those who watch a socket, and to nobody else; most have a `code`. */
export type EventError = Error & { readonly code?: string; readonly errno?: number };

/**
 * What a socket tells those who watch its `events`.
 *
 * - `bind`, `bind:error`: it listens, or cannot. `close`: it no longer listens, or an attempt to connect failed (with
 *   `error`). `close:error`: the file of an ipc endpoint could not be removed.
 * - `accept`, `accept:error`: a connection was accepted, or refused.
 * - `connect:delay`, `connect`, `connect:retry`: an attempt begins, it succeeded, the next one follows in `interval`
 *   milliseconds because of `error`.
 * - `handshake`: messages can flow. `handshake:error:protocol`, `…:auth`, `…:other`: they never will on this connection.
 * - `disconnect`: a connection is over; `error` says why, if it was not in peace.
 * - `drop`: `count` messages were not sent because the peer was full. `full:send`, `full:receive`: a high-water mark was
 *   reached.
 * - `end`: the socket is closed.
 */
export type Event =
  | EndpointEvent<"bind">
  | EndpointEvent<"bind:error"> & { readonly error: EventError }
  | PeerEvent<"accept">
  | EndpointEvent<"accept:error"> & { readonly error: EventError; readonly peerAddress?: string }
  | EndpointEvent<"connect:delay">
  | PeerEvent<"connect">
  | EndpointEvent<"connect:retry"> & {
    /** Milliseconds until the next attempt. */
    readonly interval: number;
    /** Why another attempt is needed; absent when the peer ended the connection in peace. */
    readonly error?: EventError;
  }
  | KnownPeerEvent<"handshake"> & {
    readonly socketType: string;
    /** The version of ZMTP that is spoken; empty within a context. */
    readonly protocol: Protocol | "";
  }
  | PeerEvent<"handshake:error:protocol"> & { readonly error: EventError }
  | PeerEvent<"handshake:error:auth"> & { readonly error: AuthenticationError }
  | PeerEvent<"handshake:error:other"> & { readonly error: EventError }
  | KnownPeerEvent<"disconnect"> & { readonly error?: EventError }
  | EndpointEvent<"close"> & { readonly error?: EventError }
  | EndpointEvent<"close:error"> & { readonly error: EventError }
  | PeerEvent<"drop"> & { readonly count: number }
  | PeerEvent<"full:send">
  | PeerEvent<"full:receive">
  | { readonly type: "end" };

/** The name of an event. */
export type EventType = Event["type"];

/** The event of a name. */
export type EventOfType<E extends EventType = EventType> = Extract<Event, { readonly type: E }>;

/** Where the events of one socket go. */
export class Monitor {
  readonly #watchers: Set<(event: Event) => void> = new Set();

  /** Somebody watches. Where something may happen often, ask before an event is made of it. */
  get watched(): boolean {
    return this.#watchers.size > 0;
  }

  emit(event: Event): void {
    for (const watcher of this.#watchers) watcher(event);
  }

  watch(watcher: (event: Event) => void): void {
    this.#watchers.add(watcher);
  }

  unwatch(watcher: (event: Event) => void): void {
    this.#watchers.delete(watcher);
  }
}

/** Anything thrown, as an error. */
export function asError(error: unknown): EventError {
  return error instanceof Error ? error : new Error(String(error));
}
