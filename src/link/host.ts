// What the connections of one socket share and report to.

import type { Clock } from "../clock.ts";
import type { CoreMemory } from "../core/memory.ts";
import type { Filter } from "../core/receiver.ts";
import type { ZmqError } from "../errors.ts";
import type { Monitor } from "../events.ts";
import type { OptionValues } from "../options.ts";
import type { FrameMaker } from "../routing/frame_maker.ts";
import type { Hold, Pipe } from "../routing/pipe.ts";
import type { Mechanism } from "../security/mechanism.ts";
import type { MechanismName } from "../wire/greeting.ts";
import type { SocketType } from "../wire/socket_type.ts";
import type { Census } from "./census.ts";
import type { InprocNames } from "./inproc_names.ts";
import type { KeepAlive } from "./keep_alive.ts";
import type { Network } from "./network.ts";
import type { Runtime } from "./stream.ts";
import type { Turns } from "./turns.ts";

/** What a context gives to all its sockets. */
export interface Surroundings {
  readonly runtime: Runtime;
  /** None in a page. */
  readonly network: Network | undefined;
  readonly clock: Clock;
  readonly memory: CoreMemory;
  readonly turns: Turns;
  readonly keepAlive: KeepAlive;
  readonly frames: FrameMaker;
  /** Who is bound and who waits on the inproc transport. */
  readonly inproc: InprocNames;
}

/** Makes a fresh handshake with a peer at an address, which is empty for transports that have none. */
export type Security = (peerHost: string) => Mechanism;

/** The socket, as its links see it. */
export interface LinkHost {
  readonly type: SocketType;
  readonly options: OptionValues;
  readonly around: Surroundings;
  /** Where events go, and who the peers are. */
  readonly monitor: Monitor;
  readonly census: Census;
  /** The longest frame that is received; negative for no limit. */
  readonly messageLimit: number;
  /**
   * The security mechanism that the options ask for now, as it will be for all connections of an endpoint.
   *
   * @throws {ZmqError} `EINVAL` when they contradict each other.
   */
  secure(): Security;
  /** Its name. */
  readonly mechanism: MechanismName;
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
  /** Messages that a lost peer did not get; another one may. They are worth waiting for if they are `owed`. */
  returned(messages: Uint8Array[][], owed: boolean): void;
  /** The pipe received messages, or has room for more. */
  pipeReadable(pipe: Pipe): void;
  pipeWritable(pipe: Pipe): void;
  /** As the two before, for a call from another socket: what waits is not served yet, but by `changed`. */
  arrived(pipe: Pipe): void;
  drained(pipe: Pipe): void;
  /** Operations that wait may be able to go on. */
  changed(): void;
  /** Something waits, and `changed` would be heard. */
  readonly expectant: boolean;
  /** The socket is closed; its connections may not be yet. */
  readonly closed: boolean;
}
