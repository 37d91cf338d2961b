// What a STREAM receives, sorted by its connections: octets in one run, notifications apart.

import { toHex } from "./bytes.ts";
import { concat } from "./octets.ts";

/** What a STREAM can do that matters here. */
export interface Receiving {
  receive(): Promise<Uint8Array[]>;
}

interface Connection {
  chunks: Uint8Array[];
  available: number;
  /** Notifications that were not asked for yet. */
  notices: number;
}

/** Receives only as much as a test asks for. */
export class StreamInbox {
  readonly #stream: Receiving;
  readonly #connections = new Map<string, Connection>();
  /** Connections whose first notification was not asked for yet. */
  readonly #fresh: Uint8Array[] = [];
  /** The sizes of all pieces, in order. */
  readonly sizes: number[] = [];

  constructor(stream: Receiving) {
    this.#stream = stream;
  }

  /** The id of the next connection that was not known before. */
  async opened(): Promise<Uint8Array> {
    while (this.#fresh.length === 0) await this.#next();
    const id = this.#fresh.shift()!;
    this.#of(id).notices--;
    return id;
  }

  /** Waits for the connection's next notification; fails when octets come first that were not taken. */
  async notice(id: Uint8Array | string): Promise<void> {
    const rest = await this.rest(id);
    if (rest.length > 0) throw new Error(`${rest.length} octets of ${keyOf(id)} were not taken`);
  }

  /** Waits for the connection's next notification; the octets that came before it. */
  async rest(id: Uint8Array | string): Promise<Uint8Array> {
    const connection = this.#of(id);
    while (connection.notices === 0) await this.#next();
    connection.notices--;
    return await this.take(id, connection.available);
  }

  /** Exactly so many octets of a connection. */
  async take(id: Uint8Array | string, count: number): Promise<Uint8Array> {
    const connection = this.#of(id);
    while (connection.available < count) {
      if (connection.notices > 0) {
        throw new Error(`A notification after ${connection.available} of ${count} octets`);
      }
      await this.#next();
    }
    const all = concat(...connection.chunks);
    connection.chunks = [all.subarray(count)];
    connection.available -= count;
    return all.slice(0, count);
  }

  /** Receives one piece. */
  async #next(): Promise<void> {
    const message = await this.#stream.receive();
    const [id, octets] = message;
    if (message.length !== 2) throw new Error(`A STREAM gave ${message.length} frames`);
    if (!this.#connections.has(keyOf(id))) this.#fresh.push(id);
    const connection = this.#of(id);
    this.sizes.push(octets.length);
    if (octets.length === 0) connection.notices++;
    else {
      connection.chunks.push(octets);
      connection.available += octets.length;
    }
  }

  #of(id: Uint8Array | string): Connection {
    const key = keyOf(id);
    let connection = this.#connections.get(key);
    if (connection === undefined) {
      connection = { chunks: [], available: 0, notices: 0 };
      this.#connections.set(key, connection);
    }
    return connection;
  }
}

function keyOf(id: Uint8Array | string): string {
  return typeof id === "string" ? toHex(new TextEncoder().encode(id)) : toHex(id);
}
