// The sockets and loops of a process of the soak.

import { pause } from "../_util/deadline.ts";
import { type AnySocket, type LibraryName, makePatient } from "./library.ts";

/** What is open and what goes on in a process. */
export class Flows {
  /** Nothing new is to be sent. */
  stopped = false;
  sent = 0;
  /** Requests that died with a peer. */
  unanswered = 0;
  readonly #sockets: Set<AnySocket> = new Set();
  #closed: WeakRef<AnySocket>[] = [];
  readonly #running: Set<Promise<void>> = new Set();
  readonly #library: LibraryName;
  readonly #trouble: (error: unknown) => void;

  constructor(library: LibraryName, trouble: (error: unknown) => void) {
    this.#library = library;
    this.#trouble = trouble;
  }

  /** How many sockets are open. */
  get socketCount(): number {
    return this.#sockets.size;
  }

  /** How many sockets were closed and are in memory still, although garbage was collected. */
  countUncollected(): number {
    this.#closed = this.#closed.filter((socket) => socket.deref() !== undefined);
    return this.#closed.length;
  }

  /** Remembers a socket. */
  open<S extends AnySocket>(socket: S): S {
    this.#sockets.add(socket);
    if (this.#library === "libzmq") makePatient(socket);
    return socket;
  }

  /** Closes a socket. */
  async close(socket: AnySocket): Promise<void> {
    await socket.close();
    this.#sockets.delete(socket);
    this.#closed.push(new WeakRef(socket));
  }

  /** Lets a loop run; its failure is told. */
  run(loop: Promise<void>): void {
    const running = loop.catch(this.#trouble).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** A pause of about this length; not in step with others. */
  rest(ms: number): Promise<void> {
    return pause(ms * (0.5 + Math.random()));
  }

  /** Closes all sockets and waits for the loops to end. */
  async end(): Promise<void> {
    for (const socket of this.#sockets) socket.linger = 0;
    await Promise.all([...this.#sockets].map((socket) => this.close(socket)));
    await Promise.all(this.#running);
  }
}
