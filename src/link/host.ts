// What the connections of one socket share and report to.

import type { Clock } from "../clock.ts";
import type { CoreMemory } from "../core/memory.ts";
import type { Filter } from "../core/receiver.ts";
import type { ZmqError } from "../errors.ts";
import type { OptionValues } from "../options.ts";
import type { Hold, Pipe } from "../routing/pipe.ts";
import type { Mechanism } from "../security/mechanism.ts";
import type { SocketType } from "../wire/socket_type.ts";
import type { KeepAlive } from "./keep_alive.ts";
import type { Runtime } from "./stream.ts";
import type { Turns } from "./turns.ts";

/** What a context gives to all its sockets. */
export interface Surroundings {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly memory: CoreMemory;
  readonly turns: Turns;
  readonly keepAlive: KeepAlive;
}

/** The socket, as its links see it. */
export interface LinkHost {
  readonly type: SocketType;
  readonly options: OptionValues;
  readonly around: Surroundings;
  /** A fresh handshake. */
  mechanism(): Mechanism;
  /** See Pattern: the pipe becomes routable, its peer is known, it is gone. */
  attach(pipe: Pipe): ZmqError | undefined;
  identify(pipe: Pipe, routingId: Uint8Array): ZmqError | undefined;
  detach(pipe: Pipe): void;
  /** See Pattern: a connection serves the pipe, it is lost, its peer sent a command; what is wanted of what arrives. */
  linked(pipe: Pipe): void;
  unlinked(pipe: Pipe): void;
  command(pipe: Pipe, name: string, data: Uint8Array): ZmqError | undefined;
  readonly filter: Filter | undefined;
  /** Keeps the process alive while a pipe has something to send, for as long as `linger` asks for it. */
  readonly hold: Hold;
  /** Messages that a lost peer did not get; another one may. */
  returned(messages: Uint8Array[][]): void;
  /** The pipe received messages, or has room for more. */
  pipeReadable(pipe: Pipe): void;
  pipeWritable(pipe: Pipe): void;
}
