// The receiving half of a CURVE connection past its handshake, with the tests' own peer at the other end. What is lent to a
// stream is filled with rubbish, as with Taking.

import { CurveKeys } from "../../src/core/curve_keys.ts";
import { Inbox } from "../../src/core/inbox.ts";
import { CoreMemory } from "../../src/core/memory.ts";
import { Opener } from "../../src/core/opener.ts";
import { Receiver } from "../../src/core/receiver.ts";
import type { ProtocolError } from "../../src/errors.ts";
import { CurveClient, CurveServer } from "./curve_oracle.ts";
import type { Role } from "./curve_stage.ts";

const KEY = new Uint8Array(32).fill(0x77);
/** The last nonce of the handshake, and the first that this side would send. */
const LAST = 2n;
const memory = new CoreMemory();

/** How a receiver is made. */
export interface CurveReceiverOptions {
  /** Of this side. */
  readonly role?: Role;
  readonly limit?: number;
  /** The most that one read brings. */
  readonly largest?: number;
  readonly key?: Uint8Array;
  readonly last?: bigint;
  /** What a handshake came to, in place of a key and the last nonce. */
  readonly keys?: CurveKeys | undefined;
}

/** A receiver with its inbox, and everything that came out of them. */
export class CurveReceiver {
  /** Seals what this receives. */
  readonly peer: CurveClient | CurveServer;
  readonly messages: Uint8Array[][] = [];
  readonly commands: Uint8Array[] = [];
  fault: ProtocolError | undefined;
  readonly #inbox = new Inbox();
  readonly #receiver: Receiver;
  readonly #keys: CurveKeys;

  constructor(options: CurveReceiverOptions = {}) {
    const { role = "server", limit = -1, largest = 256 * 1024, key = KEY, last = LAST } = options;
    this.peer = role === "server"
      ? new CurveClient({ serverKey: KEY, nonce: last + 1n })
      : new CurveServer();
    this.peer.nonce = last + 1n;
    this.peer.key = key;
    this.#keys = options.keys ??
      new CurveKeys(memory.outboxes, key.slice(), role === "server", { next: 2n, last });
    this.#receiver = new Receiver(
      memory,
      this.#inbox,
      { command: (body) => void this.commands.push(body.slice()) },
      { frame: limit, parts: 0, message: -1 },
      largest,
      undefined,
      new Opener(this.#keys, limit),
    );
  }

  /** Octets come in, in reads of at most `size`; stops at a fault. */
  read(octets: Uint8Array, size: number = Infinity): this {
    for (let at = 0; at < octets.length && this.fault === undefined;) {
      const target = this.#receiver.target();
      target.subarray(0, 300).fill(0xee);
      const piece = octets.subarray(at, at + Math.min(size, target.length));
      target.set(piece);
      at += piece.length;
      try {
        this.#receiver.filled(piece.length);
      } catch (error) {
        this.fault = error as ProtocolError;
        this.#receiver.cut();
      }
    }
    while (this.#inbox.messages > 0) this.messages.push(this.#inbox.shift());
    return this;
  }

  /** Octets come in, in reads of these sizes in turn. */
  readPieces(octets: Uint8Array, sizes: readonly number[]): this {
    let turn = 0;
    for (let at = 0; at < octets.length && this.fault === undefined;) {
      const size = sizes[turn++ % sizes.length];
      this.read(octets.subarray(at, at + size));
      at += size;
    }
    return this;
  }

  /** The connection is over. */
  free(): void {
    this.#receiver.cut();
    this.#receiver.free();
    this.#keys.wipe();
  }
}
