// The socket as links, dialers and acceptors see it, with a clock turned by hand and everything written down.

import { CoreMemory } from "../../src/core/memory.ts";
import type { Filter } from "../../src/core/receiver.ts";
import type { ZmqError } from "../../src/errors.ts";
import { Monitor } from "../../src/events.ts";
import type { LinkHost, Security, Surroundings } from "../../src/link/host.ts";
import { Census } from "../../src/link/census.ts";
import { InprocNames } from "../../src/link/inproc_names.ts";
import { KeepAlive } from "../../src/link/keep_alive.ts";
import type { Runtime } from "../../src/link/stream.ts";
import { systemNetwork } from "../../src/link/system_network.ts";
import { Turns } from "../../src/link/turns.ts";
import { defaultOptions } from "../../src/option_values.ts";
import type { OptionValues } from "../../src/options.ts";
import { FrameMaker } from "../../src/routing/frame_maker.ts";
import type { Hold, Pipe } from "../../src/routing/pipe.ts";
import { NullMechanism } from "../../src/security/null.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { textOf, utf8 } from "./bytes.ts";
import { ManualClock } from "./manual_clock.ts";
import { openDoor } from "./open_door.ts";

/** One core for all hosts of a test file: a memory for each would be slow. */
const memory = new CoreMemory();

/** A host that does what a test says. */
export class FakeHost implements LinkHost {
  readonly type: SocketType;
  readonly options: OptionValues;
  readonly clock: ManualClock = new ManualClock();
  readonly around: Surroundings;
  readonly monitor: Monitor = new Monitor();
  readonly census: Census = new Census();
  /** Whether operations wait, and whether the socket is closed. */
  expectant = false;
  closed = false;
  /** The calls, in order. */
  readonly calls: string[] = [];
  readonly attached: Set<Pipe> = new Set();
  /** Messages of lost peers. */
  readonly backlog: Uint8Array[][] = [];
  /** Pipes that hold the process alive. */
  holds = 0;
  /** What `attach` and `identify` answer. */
  refusal: ZmqError | undefined;
  /** What `command` answers. */
  commandRefusal: ZmqError | undefined;
  /** What is wanted of what arrives. */
  filter: Filter | undefined;
  /** Commands that the session did not know, as name and data. */
  readonly commands: [string, Uint8Array][] = [];
  /** Called when a pipe has messages, and when it has room. */
  onReadable: (pipe: Pipe) => void = () => {};
  onWritable: (pipe: Pipe) => void = () => {};
  /** Called when a connection serves a pipe, and when it is lost. */
  onLinked: (pipe: Pipe) => void = () => {};
  onUnlinked: (pipe: Pipe) => void = () => {};

  constructor(
    type: SocketType,
    options: Partial<OptionValues> = {},
    runtime: Partial<Runtime> = {},
  ) {
    this.type = type;
    this.options = { ...defaultOptions(), ...options };
    const turns = new Turns(this.clock);
    this.around = {
      runtime: runtime as Runtime,
      network: systemNetwork,
      clock: this.clock,
      memory,
      turns,
      keepAlive: new KeepAlive(this.clock, turns),
      frames: new FrameMaker(Infinity),
      inproc: new InprocNames(),
    };
  }

  readonly hold: Hold = () => {
    this.holds++;
    return () => this.holds--;
  };

  readonly mechanism = "NULL" as const;

  secure(): Security {
    return () => new NullMechanism([["Socket-Type", utf8(this.type)]], openDoor());
  }

  attach(pipe: Pipe): ZmqError | undefined {
    this.calls.push("attach");
    if (this.refusal === undefined) this.attached.add(pipe);
    return this.refusal;
  }

  identify(_pipe: Pipe, routingId: Uint8Array): ZmqError | undefined {
    this.calls.push(`identify ${textOf(routingId)}`);
    return this.refusal;
  }

  detach(pipe: Pipe): void {
    this.calls.push("detach");
    this.attached.delete(pipe);
  }

  linked(pipe: Pipe): void {
    this.onLinked(pipe);
  }

  unlinked(pipe: Pipe): void {
    this.onUnlinked(pipe);
  }

  command(_pipe: Pipe, name: string, data: Uint8Array): ZmqError | undefined {
    this.commands.push([name, data.slice()]);
    return this.commandRefusal;
  }

  returned(messages: Uint8Array[][]): void {
    this.calls.push(`returned ${messages.length}`);
    this.backlog.push(...messages);
  }

  get messageLimit(): number {
    return this.options.maxMessageSize;
  }

  arrived(pipe: Pipe): void {
    this.calls.push("arrived");
    this.onReadable(pipe);
  }

  drained(pipe: Pipe): void {
    this.calls.push("drained");
    this.onWritable(pipe);
  }

  changed(): void {
    this.calls.push("changed");
  }

  pipeReadable(pipe: Pipe): void {
    this.onReadable(pipe);
  }

  pipeWritable(pipe: Pipe): void {
    this.onWritable(pipe);
  }
}
