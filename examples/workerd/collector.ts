/**
 * A worker that accepts ZMTP: machines connect by tcp and push readings, which a Durable Object collects. Its pages are
 *
 *   GET /       how many readings there were, and each machine's last one
 *   GET /live   a WebSocket to subscribe to: each reading as it comes, under the machine's name
 *
 * @module
 */

import { Publisher, Pull, upgrade } from "../../workerd.ts";

/** A connection, as workerd gives it to a `connect` handler and gets it from a stub. */
interface Connection {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** What is used of a Durable Object's stub. */
interface Stub {
  fetch(request: Request): Promise<Response>;
  connect(address: string, options: { allowHalfOpen: boolean }): Connection;
}

interface Env {
  readonly COLLECTOR: { idFromName(name: string): unknown; get(id: unknown): Stub };
}

/** All machines are peers of one socket: I/O of a Durable Object's handlers may meet, that of others may not. */
export class Collector {
  readonly #readings: Pull = new Pull();
  readonly #live: Publisher = new Publisher();
  readonly #last: Map<string, number> = new Map();
  #count = 0;

  constructor() {
    void this.#collect();
  }

  async #collect(): Promise<void> {
    for await (const [machine, reading] of this.#readings) {
      this.#count++;
      this.#last.set(String(machine), Number(reading));
      await this.#live.send([machine, reading]);
    }
  }

  /** A machine is served for as long as its connection stands. */
  connect(connection: Connection): Promise<void> {
    return this.#readings.accept(connection);
  }

  fetch(request: Request): Response {
    if (new URL(request.url).pathname === "/live") {
      return upgrade(this.#live, request) ?? new Response("Only WebSockets\n", { status: 426 });
    }
    const last = Object.fromEntries([...this.#last].sort());
    return Response.json({ count: this.#count, last });
  }
}

function collector({ COLLECTOR }: Env): Stub {
  return COLLECTOR.get(COLLECTOR.idFromName("collector"));
}

export default {
  fetch: (request: Request, env: Env): Promise<Response> => collector(env).fetch(request),

  /** Hands a connection on to the object. */
  async connect(machine: Connection, env: Env): Promise<void> {
    const object = collector(env).connect("collector:1", { allowHalfOpen: true });
    await Promise.allSettled([
      machine.readable.pipeTo(object.writable),
      object.readable.pipeTo(machine.writable),
    ]);
  },
};
