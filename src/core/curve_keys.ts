// What the frames of one CURVE connection are sealed and opened with: a key and a nonce for each direction, in the memory
// of the core, where they can be wiped.

import {
  CURVE_KEYS,
  CURVE_KEYS_SIZE,
  CURVE_NONCE,
  CURVE_OVERHEAD,
  LONG_HEADER,
} from "../../wasm/layout.ts";
import { ProtocolError, ZmqError } from "../errors.ts";
import { frameSize } from "../span.ts";
import type { Core } from "./instance.ts";

const CLIENT = new TextEncoder().encode("CurveZMQMESSAGEC");
const SERVER = new TextEncoder().encode("CurveZMQMESSAGES");
const SIZE = 2 * CURVE_KEYS_SIZE;

/** The nonces of a connection at the end of its handshake. */
export interface Nonces {
  /** The next one to send. */
  readonly next: bigint;
  /** The last one of the peer. */
  readonly last: bigint;
}

export class CurveKeys {
  readonly #core: Core;
  /** Where the core finds the key for what is sent. */
  readonly sending: number;
  readonly #receiving: number;
  #wiped = false;

  /** `key` is the one that both sides computed; it is wiped. */
  constructor(core: Core, key: Uint8Array, asServer: boolean, { next, last }: Nonces) {
    this.#core = core;
    this.sending = core.block(SIZE, "encrypt");
    this.#receiving = this.sending + CURVE_KEYS_SIZE;
    this.#set(this.sending, key, asServer ? SERVER : CLIENT, next);
    this.#set(this.#receiving, key, asServer ? CLIENT : SERVER, last);
    key.fill(0);
  }

  /** All nonces of a direction begin with the same 16 octets: what XSalsa20 makes of these and the key is made once. */
  #set(at: number, key: Uint8Array, prefix: Uint8Array, nonce: bigint): void {
    const { exports, bytes } = this.#core;
    bytes.set(key, at);
    const input = this.#core.place(prefix);
    exports.hsalsa20(at, input, at);
    new DataView(bytes.buffer).setBigUint64(at + CURVE_NONCE, nonce, true);
  }

  /** Seals plain frames that are no part of an outbox. Not when the connection is over. */
  sealFrames(frames: Uint8Array): Uint8Array {
    if (this.#wiped) throw over();
    const core = this.#core;
    let room = frames.length;
    for (let at = 0; at < frames.length; at += frameSize(frames, at)) {
      room += LONG_HEADER + CURVE_OVERHEAD;
    }
    const block = frames.length + room;
    const at = core.block(block, "encrypt");
    core.bytes.set(frames, at);
    const end = at + frames.length;
    const size = core.exports.curveSeal(this.sending, at, end, end, room);
    const sealed = core.bytes.slice(end, end + size);
    core.bytes.fill(0, at, end);
    core.exports.free(at, block);
    if (size === 0) throw exhausted();
    return sealed;
  }

  /** Lends the key for what is received to a core that has octets to open; `giveBack` must follow. */
  lend(core: Core): void {
    // Its memory may be another connection's by now.
    if (this.#wiped) throw over();
    const { bytes } = this.#core;
    const from = this.#receiving;
    core.bytes.set(bytes.subarray(from, from + CURVE_KEYS_SIZE), CURVE_KEYS);
  }

  giveBack(core: Core): void {
    const nonce = CURVE_KEYS + CURVE_NONCE;
    const to = this.#receiving + CURVE_NONCE;
    this.#core.bytes.set(core.bytes.subarray(nonce, nonce + 8), to);
    core.bytes.fill(0, CURVE_KEYS, CURVE_KEYS + CURVE_KEYS_SIZE);
  }

  /** The connection is over. */
  wipe(): void {
    if (this.#wiped) return;
    this.#wiped = true;
    this.#core.bytes.fill(0, this.sending, this.sending + SIZE);
    this.#core.exports.free(this.sending, SIZE);
  }
}

function over(): ZmqError {
  return new ZmqError("ECANCELED", "The connection is over, and its keys are forgotten");
}

/** The error for a connection that has sent as many messages as it may. */
export function exhausted(): ProtocolError {
  return new ProtocolError(
    "ERR_ZMTP_INVALID_SEQUENCE",
    "The connection has used all of its 2^64 nonces; a new one has new keys",
  );
}
