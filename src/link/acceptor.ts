// The binding side of one endpoint: listens, and hands over who connects.

import { isWebSocket, type StreamEndpoint } from "../endpoint.ts";
import { codeOf } from "../errors.ts";
import { asError } from "../events.ts";
import { Guests } from "./guests.ts";
import type { LinkHost, Security } from "./host.ts";
import { type Bound, listenAt, listenAtSync, wrapperFor } from "./listening.ts";
import type { ByteStream } from "./stream.ts";
import { ServerSide } from "./websocket/sides.ts";

/** There are no file descriptors left, of the process or of the system. */
const SHORTAGE: readonly unknown[] = ["EMFILE", "ENFILE"];

export class Acceptor {
  readonly #host: LinkHost;
  readonly #done: () => void;
  readonly #guests: Guests;
  readonly #security: Security;
  /** Over WebSocket: what is said to who connects. */
  #side: ServerSide | undefined;
  #wrap: (stream: ByteStream) => ByteStream = (stream) => stream;
  #bound: Bound | undefined;
  /** Connections that came before `listen` was done. */
  #early: ByteStream[] = [];
  #listening: Promise<void> | undefined;
  #finishing = false;
  /** The listener has ended. */
  #free = false;
  #closed = false;

  /** `done` is called once, when the listener and all its links have ended. */
  constructor(host: LinkHost, done: () => void) {
    this.#host = host;
    this.#done = done;
    this.#guests = new Guests(host, () => this.#check());
    this.#security = host.secure();
  }

  /**
   * Starts to listen.
   *
   * @throws {EndpointError} With the code of the system: `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES` …
   */
  async listen(endpoint: StreamEndpoint): Promise<void> {
    this.#wrap = wrapperFor(endpoint, this.#host);
    this.#listensAt(endpoint, await listenAt(endpoint, this.#host, this));
  }

  /** As `listen`, within the call. */
  listenSync(endpoint: StreamEndpoint): void {
    this.#wrap = wrapperFor(endpoint, this.#host);
    this.#listensAt(endpoint, listenAtSync(endpoint, this.#host, this));
  }

  #listensAt(endpoint: StreamEndpoint, bound: Bound): void {
    if (isWebSocket(endpoint)) this.#side = new ServerSide(endpoint.path, this.#host.options);
    this.#bound = bound;
    this.#host.monitor.emit({ type: "bind", address: bound.endpoint });
    const early = this.#early;
    this.#early = [];
    for (const stream of early) this.accepted(stream);
  }

  /** The endpoint that peers can connect to. */
  get endpoint(): string {
    return this.#bound!.endpoint;
  }

  readonly accepted = (stream: ByteStream): void => {
    if (this.#finishing) return stream.abort();
    if (this.#bound === undefined) {
      this.#early.push(stream);
      return;
    }
    const { endpoint } = this;
    this.#guests.receive(this.#wrap(stream), {
      endpoint,
      security: this.#security,
      side: this.#side,
    });
  };

  readonly failed = (error: unknown): void => {
    // Those that never finish their handshake must not keep the others out.
    if (SHORTAGE.includes(codeOf(error))) this.#guests.evict(asError(error));
    this.#host.monitor.emit({
      type: "accept:error",
      address: this.#bound?.endpoint ?? "",
      error: asError(error),
    });
  };

  /** Stops listening. The promise is for the listener alone; its links go on until they are sent empty. */
  finish(): Promise<void> {
    if (this.#listening !== undefined) return this.#listening;
    this.#finishing = true;
    this.#listening = this.#bound!.listener.close().finally(() => {
      this.#free = true;
      this.#tellClosed();
      this.#check();
    });
    this.#guests.finish();
    return this.#listening;
  }

  /** Removes the folder of a wildcard; the runtime has removed the file in it. */
  #tellClosed(): void {
    const { monitor, around } = this.#host;
    const { endpoint: address, folder } = this.#bound!;
    try {
      if (folder !== undefined) around.runtime.socketFiles!.removeFolder(folder);
    } catch (error) {
      monitor.emit({ type: "close:error", address, error: asError(error) });
    }
    monitor.emit({ type: "close", address });
  }

  /** Ends every link now. */
  close(): void {
    void this.finish();
    this.#guests.close();
  }

  #check(): void {
    if (!this.#free || this.#guests.size > 0 || this.#closed) return;
    this.#closed = true;
    this.#done();
  }
}
