// A runtime without a network: each attempt to connect and each listener waits for what the test says.

import type { HostPort } from "../../src/endpoint.ts";
import type {
  ByteStream,
  InterfaceAddress,
  Listener,
  ListenOptions,
  Runtime,
  StreamOptions,
} from "../../src/link/stream.ts";
import { FakeStream, type FakeStreamOptions } from "./fake_stream.ts";
import { microtasks } from "./manual_clock.ts";

/** An error as a runtime gives it. */
export function systemError(code: string): Error & { code: string } {
  return Object.assign(new Error(`${code} by the system`), { code });
}

/** One call of `connect`. */
export class Attempt {
  readonly to: HostPort;
  readonly source: HostPort | undefined;
  readonly options: StreamOptions;
  readonly signal: AbortSignal;
  readonly #outcome: PromiseWithResolvers<ByteStream>;

  constructor(
    to: HostPort,
    source: HostPort | undefined,
    options: StreamOptions,
    signal: AbortSignal,
  ) {
    this.to = to;
    this.source = source;
    this.options = { ...options };
    this.signal = signal;
    this.#outcome = Promise.withResolvers();
    signal.addEventListener("abort", () => this.#outcome.reject(signal.reason));
  }

  get outcome(): Promise<ByteStream> {
    return this.#outcome.promise;
  }

  /** The connection stands. */
  async succeed(options: FakeStreamOptions = {}): Promise<FakeStream> {
    const stream = new FakeStream({ remote: this.to, ...options });
    this.#outcome.resolve(stream);
    await microtasks();
    return stream;
  }

  /** The connection is refused. */
  async fail(code = "ECONNREFUSED"): Promise<void> {
    this.#outcome.reject(systemError(code));
    await microtasks();
  }
}

/** A listener of the scripted runtime. */
export class ScriptedListener implements Listener {
  readonly local: HostPort;
  readonly options: ListenOptions;
  readonly #accepted: (stream: ByteStream) => void;
  closed = false;

  constructor(at: HostPort, options: ListenOptions, accepted: (stream: ByteStream) => void) {
    this.local = { host: at.host, port: at.port === 0 ? 40_001 : at.port };
    this.options = { ...options };
    this.#accepted = accepted;
  }

  /** A peer connects. */
  accept(options: FakeStreamOptions = {}): FakeStream {
    const remote = { host: "127.0.0.1", port: 50_000 };
    const stream = new FakeStream({ local: this.local, remote, ...options });
    this.#accepted(stream);
    return stream;
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/** The runtime, with all that it was asked for. */
export class ScriptedRuntime implements Runtime {
  readonly name = "Test";
  readonly attempts: Attempt[] = [];
  readonly listeners: ScriptedListener[] = [];
  /** The addresses of host names; the others are unknown. */
  readonly hosts: Map<string, string[]> = new Map();
  /** The names that were looked up. */
  readonly lookups: string[] = [];
  networkInterfaces: InterfaceAddress[] = [{ name: "lo", address: "127.0.0.1" }];
  /** Why listening fails. */
  listenError: Error | undefined;
  /** Called when listening began, before `listen` has answered. */
  onListen: (listener: ScriptedListener) => void = () => {};

  unrefTimer(): void {}

  listen(
    at: HostPort,
    options: ListenOptions,
    accepted: (stream: ByteStream) => void,
  ): Promise<Listener> {
    if (this.listenError !== undefined) return Promise.reject(this.listenError);
    const listener = new ScriptedListener(at, options, accepted);
    this.listeners.push(listener);
    this.onListen(listener);
    return Promise.resolve(listener);
  }

  connect(
    to: HostPort,
    source: HostPort | undefined,
    options: StreamOptions,
    signal: AbortSignal,
  ): Promise<ByteStream> {
    const attempt = new Attempt(to, source, options, signal);
    this.attempts.push(attempt);
    return attempt.outcome;
  }

  resolve(host: string): Promise<string[]> {
    this.lookups.push(host);
    const addresses = this.hosts.get(host);
    return addresses === undefined
      ? Promise.reject(systemError("ENOTFOUND"))
      : Promise.resolve(addresses);
  }

  interfaces(): InterfaceAddress[] {
    return this.networkInterfaces;
  }
}
