// A wire between two sockets that is listened in on: everything goes on as it came, and is kept.

import { concat } from "./octets.ts";
import { dial, type RawConnection, RawServer } from "./raw_peer.ts";

const GREETING_SIZE = 64;
const FLAG_LONG = 2;

/** A frame as it went over the wire. */
export interface TappedFrame {
  readonly flags: number;
  readonly body: Uint8Array;
  /** All of its octets, header and body. */
  readonly octets: Uint8Array;
}

/** What went one way on one connection. */
export class Direction {
  readonly #chunks: Uint8Array[] = [];

  /** Remembers octets. */
  add(octets: Uint8Array): void {
    this.#chunks.push(octets);
  }

  /** The greeting; empty as long as it is not complete. */
  get greeting(): Uint8Array {
    const octets = concat(...this.#chunks);
    return octets.subarray(0, octets.length < GREETING_SIZE ? 0 : GREETING_SIZE);
  }

  /** The whole frames after the greeting. */
  get frames(): TappedFrame[] {
    const octets = concat(...this.#chunks);
    const frames: TappedFrame[] = [];
    for (let at = GREETING_SIZE; at + 2 <= octets.length;) {
      const isLong = (octets[at] & FLAG_LONG) !== 0;
      if (isLong && at + 9 > octets.length) break;
      const view = new DataView(octets.buffer, octets.byteOffset + at);
      const start = at + (isLong ? 9 : 2);
      const end = start + (isLong ? Number(view.getBigUint64(1)) : octets[at + 1]);
      if (end > octets.length) break;
      const flags = octets[at];
      frames.push({ flags, body: octets.slice(start, end), octets: octets.slice(at, end) });
      at = end;
    }
    return frames;
  }
}

/** One tapped connection. */
export interface TappedConnection {
  readonly fromClient: Direction;
  readonly fromServer: Direction;
}

/** Listens for connections to an endpoint, and passes them on. */
export class Tap {
  readonly #server: RawServer;
  readonly #target: string;
  readonly #open: RawConnection[] = [];

  private constructor(server: RawServer, target: string) {
    this.#server = server;
    this.#target = target;
  }

  /** Taps the way to `target`. */
  static async on(target: string): Promise<Tap> {
    return new Tap(await RawServer.listen(), target);
  }

  /** Where to connect instead. */
  get endpoint(): string {
    return this.#server.endpoint;
  }

  /** Passes on the next connection. */
  async accept(): Promise<TappedConnection> {
    const client = await this.#server.accept();
    const server = await dial(this.#target);
    this.#open.push(client, server);
    const fromClient = new Direction();
    const fromServer = new Direction();
    void pass(client, server, fromClient);
    void pass(server, client, fromServer);
    return { fromClient, fromServer };
  }

  close(): void {
    this.#server.close();
    for (const connection of this.#open) connection.destroy();
  }
}

async function pass(from: RawConnection, to: RawConnection, kept: Direction): Promise<void> {
  try {
    for (;;) {
      const first = await from.take(1);
      const octets = concat(first, await from.take(from.available));
      kept.add(octets);
      to.send(octets);
    }
  } catch {
    // It was closed, or is silent for good.
    to.end();
  }
}
