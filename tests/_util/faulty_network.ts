// A runtime whose network is in memory, and as bad as a schedule says. Everything comes from a seed.

import type { HostPort, StreamAddress } from "../../src/endpoint.ts";
import type {
  Accepted,
  ByteStream,
  InterfaceAddress,
  Listener,
  ListenOptions,
  Runtime,
  StreamOptions,
} from "../../src/link/stream.ts";
import { realRuntime } from "./fake_runtime.ts";
import { anyConnection, type Script } from "./faulty_faults.ts";
import { Random } from "./faulty_random.ts";
import { type Agenda, Wire } from "./faulty_wire.ts";
import { systemError } from "./scripted_runtime.ts";

/** The first port that is given for a wildcard, and that a connection comes from. */
const FIRST_PORT = 40_000;
/** How often something to do waits for another turn. */
const LAG = 0.1;

const real = realRuntime();
const turn = (globalThis as unknown as { setImmediate(call: () => void): void }).setImmediate;

/** Where a conversation is. */
export interface Place {
  /** To bind; the port is the network's choice. */
  readonly endpoint: string;
  readonly address: string;
  /** A host name that resolves to it. */
  readonly name: string;
  /** Connections that were made so far. */
  readonly connections: number;
  /** Octets that the first connection took in each direction. */
  readonly taken: readonly [toListener: number, toDialer: number];
  /** Connections are refused, as by a listener that is being started again. */
  down: boolean;
  /** Resolves when nothing is under way here any more. */
  idle(): Promise<void>;
}

/** What is at one address. */
class Host implements Agenda, Place {
  readonly address: string;
  readonly name: string;
  readonly endpoint: string;
  readonly script: Script;
  readonly #seed: number;
  readonly #agenda: Agenda;
  #tasks = 0;
  #first: Wire | undefined;
  readonly counts = { connecting: 0, listening: 0, accepting: 0, resolving: 0, connections: 0 };
  down = false;

  constructor(agenda: Agenda, number: number, script: Script, seed: number) {
    this.#agenda = agenda;
    this.address = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    this.name = `host${number}.test`;
    this.endpoint = `tcp://${this.address}:*`;
    this.script = script;
    this.#seed = seed;
  }

  get connections(): number {
    return this.counts.connections;
  }

  get taken(): readonly [number, number] {
    const { dialer, listener } = this.#first!;
    return [dialer.outgoing.taken, listener.outgoing.taken];
  }

  later(task: () => void): void {
    this.#tasks++;
    this.#agenda.later(() => {
      this.#tasks--;
      task();
    });
  }

  async idle(): Promise<void> {
    while (this.#tasks > 0) await new Promise<void>(turn);
  }

  /** Why a call fails. */
  refusal(what: "connecting" | "listening" | "accepting" | "resolving"): string | undefined {
    const count = this.counts[what]++;
    return this.script[what]?.(count, this.#randomFor(what, count));
  }

  /** The next connection. */
  connect(at: HostPort, from: HostPort): Wire {
    const count = this.counts.connections++;
    const random = this.#randomFor("connection", count);
    const faults = this.script.connection?.(count, random) ?? anyConnection(random);
    const wire = new Wire(this, at, from, faults, random);
    this.#first ??= wire;
    return wire;
  }

  /** Each call has a source of its own: what happens to it does not depend on when the others come. */
  #randomFor(what: string, count: number): Random {
    return new Random(`${this.#seed} ${what} ${count}`);
  }
}

class MemoryListener implements Listener {
  readonly local: HostPort;
  readonly #close: () => void;
  readonly accepted: Accepted;
  readonly failed: (error: unknown) => void;

  constructor(
    local: HostPort,
    accepted: Accepted,
    failed: (error: unknown) => void,
    close: () => void,
  ) {
    this.local = local;
    this.accepted = accepted;
    this.failed = failed;
    this.#close = close;
  }

  close(): Promise<void> {
    this.#close();
    return Promise.resolve();
  }
}

/** The network. */
export class FaultyNetwork implements Runtime, Agenda {
  readonly name = "Test";
  readonly #random: Random;
  readonly #hosts: Map<string, Host> = new Map();
  readonly #names: Map<string, Host> = new Map();
  readonly #listeners: Map<string, MemoryListener> = new Map();
  #port = FIRST_PORT;
  #tasks: (() => void)[] = [];
  #running = false;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** A host of its own for a script. */
  host(script: Script = {}, seed: number = this.#random.between(0, 2 ** 32 - 1)): Place {
    const host = new Host(this, this.#hosts.size + 1, script, seed);
    this.#hosts.set(host.address, host);
    this.#names.set(host.name, host);
    return host;
  }

  // Agenda

  later(task: () => void): void {
    this.#tasks.push(task);
    if (this.#running) return;
    this.#running = true;
    turn(this.#run);
  }

  #run = (): void => {
    const tasks = this.#random.shuffle(this.#tasks);
    this.#tasks = [];
    for (const task of tasks) {
      if (this.#random.chance(LAG)) this.#tasks.push(task);
      else task();
    }
    this.#running = this.#tasks.length > 0;
    if (this.#running) turn(this.#run);
  };

  // Runtime

  unrefTimer(timer: unknown): void {
    real.unrefTimer(timer);
  }

  async listen(
    at: StreamAddress,
    _options: ListenOptions,
    accepted: Accepted,
    failed: (error: unknown) => void,
  ): Promise<Listener> {
    await this.#soon();
    return this.listenSync(at, _options, accepted, failed);
  }

  listenSync(
    at: StreamAddress,
    _options: ListenOptions,
    accepted: Accepted,
    failed: (error: unknown) => void,
  ): Listener {
    const { host, port } = at as HostPort;
    const code = this.#hosts.get(host)!.refusal("listening");
    if (code !== undefined) throw systemError(code);
    const local = { host, port: port === 0 ? this.#port++ : port };
    const key = keyOf(local);
    if (this.#listeners.has(key)) throw systemError("EADDRINUSE");
    const close = () => {
      if (this.#listeners.get(key) === listener) this.#listeners.delete(key);
    };
    const listener = new MemoryListener(local, accepted, failed, close);
    this.#listeners.set(key, listener);
    return listener;
  }

  async connect(
    to: StreamAddress,
    _source: HostPort | undefined,
    _options: StreamOptions,
    signal: AbortSignal,
  ): Promise<ByteStream> {
    await this.#soon();
    signal.throwIfAborted();
    const at = to as HostPort;
    const host = this.#hosts.get(at.host);
    const listener = this.#listeners.get(keyOf(at));
    if (host === undefined || host.down || listener === undefined) {
      throw systemError("ECONNREFUSED");
    }
    const code = host.refusal("connecting");
    if (code !== undefined) throw systemError(code);
    const wire = host.connect(at, { host: "10.255.0.1", port: this.#port++ });
    host.later(() => this.#accept(wire, at, host));
    return wire.dialer;
  }

  /** Has a connection accepted. */
  #accept(wire: Wire, at: HostPort, host: Host): void {
    const listener = this.#listeners.get(keyOf(at));
    if (listener === undefined) return wire.listener.abort();
    const code = host.refusal("accepting");
    if (code === undefined) return listener.accepted(wire.listener);
    listener.failed(systemError(code));
    if (code === "ECONNABORTED") wire.listener.abort();
    else host.later(() => this.#accept(wire, at, host));
  }

  async resolve(name: string): Promise<string[]> {
    await this.#soon();
    const host = this.#names.get(name);
    const code = host === undefined ? "ENOTFOUND" : host.refusal("resolving");
    if (code !== undefined) throw systemError(code);
    return [host!.address];
  }

  interfaces(): InterfaceAddress[] {
    return [];
  }

  #soon(): Promise<void> {
    return new Promise((resolve) => this.later(resolve));
  }
}

function keyOf({ host, port }: HostPort): string {
  return `${host}:${port}`;
}
