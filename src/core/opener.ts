// Opens the sealed frames of a CURVE connection where they arrived, and says what is wrong with one that does not open.

import {
  BODY_LIMIT,
  CURVE_BAD_FLAGS,
  CURVE_BAD_INNER,
  CURVE_BAD_NAME,
  CURVE_BAD_NONCE,
  CURVE_BAD_SIZE,
  CURVE_BAD_TAG,
  CURVE_DONE,
  CURVE_END,
  CURVE_FLAGS,
  CURVE_KEYS,
  CURVE_NEED,
  CURVE_NEXT,
  CURVE_OVERHEAD,
  FLAG_LONG,
  LONG_HEADER,
  RESULTS,
} from "../../wasm/layout.ts";
import { ProtocolError } from "../errors.ts";
import { frameSize, headerSize } from "../span.ts";
import type { CurveKeys } from "./curve_keys.ts";
import type { Core } from "./instance.ts";

/** What came of the octets of a region. */
export interface Opened {
  /** Where the plain frames end. */
  readonly end: number;
  /** The first octet that was not opened, and the size of the whole frame there, 0 if it is not known. */
  readonly next: number;
  readonly need: number;
  /** What is wrong with that frame. */
  readonly fault: ProtocolError | undefined;
}

/** Octets of a sealed body before its text. */
const TEXT_AT = CURVE_OVERHEAD - 1;
/** A long text goes through the core in pieces: the first begins behind the 32 octets of a key, the others on a block. */
const PASS_SIZE = 16 * 1024;
const BLOCKS = 256;
const KEY_SIZE = 32;

const RESULT_WORD = RESULTS >> 2;

export class Opener {
  readonly #keys: CurveKeys;
  readonly #limit: number;

  /** Refuses bodies above `limit` octets (negative: none). */
  constructor(keys: CurveKeys, limit: number) {
    this.#keys = keys;
    this.#limit = limit;
  }

  /** Opens the whole frames from `at` to `end` in place: plain ones lie from `at` on. */
  open(core: Core, at: number, end: number): Opened {
    this.#keys.lend(core);
    const status = core.exports.curveOpen(CURVE_KEYS, at, end, this.#limit);
    this.#keys.giveBack(core);
    const { words } = core;
    const next = words[RESULT_WORD + CURVE_NEXT];
    return {
      end: words[RESULT_WORD + CURVE_END],
      next,
      need: words[RESULT_WORD + CURVE_NEED],
      fault: status === CURVE_DONE
        ? undefined
        : faultOf(status, core.bytes.subarray(next, end), this.#limit),
    };
  }

  /**
   * Opens a frame that was too long for the region, passing through the `size` octets at `at`; the plain frame is a view on
   * the same memory.
   *
   * @throws {ProtocolError} Nothing of the frame is left then.
   */
  openLong(core: Core, at: number, size: number, long: Uint8Array): Uint8Array {
    const { bytes, exports } = core;
    const body = long.length - LONG_HEADER;
    bytes.set(long.subarray(LONG_HEADER, LONG_HEADER + TEXT_AT), at);
    this.#keys.lend(core);
    let status = exports.curveOpening(CURVE_KEYS, at, body);
    if (status === CURVE_DONE) {
      let pass = Math.min(PASS_SIZE, size - BLOCKS) - KEY_SIZE;
      for (let from = LONG_HEADER + TEXT_AT; from < long.length; from += pass) {
        if (from > LONG_HEADER + TEXT_AT) pass = Math.min(PASS_SIZE, size - BLOCKS);
        const piece = long.subarray(from, from + pass);
        bytes.set(piece, at);
        exports.boxUpdate(at, at, piece.length, 1);
        piece.set(bytes.subarray(at, at + piece.length));
      }
      status = exports.curveOpened(CURVE_KEYS, long[LONG_HEADER + TEXT_AT]);
    }
    this.#keys.giveBack(core);
    if (status !== CURVE_DONE) {
      const fault = faultOf(status, long.slice(0, LONG_HEADER + TEXT_AT), this.#limit);
      long.fill(0);
      throw fault;
    }
    const plain = long.subarray(CURVE_OVERHEAD);
    plain[0] = core.words[RESULT_WORD + CURVE_FLAGS] | FLAG_LONG;
    new DataView(plain.buffer, plain.byteOffset).setBigUint64(1, BigInt(body - CURVE_OVERHEAD));
    return plain;
  }
}

/** What a status says of the frame that begins with these octets. */
function faultOf(status: number, frame: Uint8Array, limit: number): ProtocolError {
  switch (status) {
    case CURVE_BAD_FLAGS:
      return fault(
        "MALFORMED_COMMAND_UNSPECIFIED",
        `a frame with the flags 0x${frame[0].toString(16).padStart(2, "0")} in a CURVE connection`,
      );
    case CURVE_BAD_SIZE:
      return tooLong(frame, limit);
    case CURVE_BAD_NAME:
      return fault("UNEXPECTED_COMMAND", "something else than a MESSAGE in a CURVE connection");
    case CURVE_BAD_NONCE:
      return fault(
        "INVALID_SEQUENCE",
        "a MESSAGE whose nonce is not above the last one: it was repeated or moved",
      );
    case CURVE_BAD_TAG:
      return fault(
        "CRYPTOGRAPHIC",
        "a MESSAGE that does not open: it was altered, or sealed with another key",
      );
    case CURVE_BAD_INNER:
      return fault("MALFORMED_COMMAND_MESSAGE", "a MESSAGE with unknown flags inside");
    default:
      return fault(
        "MALFORMED_COMMAND_MESSAGE",
        `a MESSAGE of ${
          frameSize(frame, 0) - headerSize(frame[0])
        } octets, of which it must have ${CURVE_OVERHEAD} at least`,
      );
  }
}

function fault(code: string, what: string): ProtocolError {
  return new ProtocolError(`ERR_ZMTP_${code}`, `The peer sent ${what}`);
}

function tooLong(frame: Uint8Array, limit: number): ProtocolError {
  const size = frameSize(frame, 0) - headerSize(frame[0]) - CURVE_OVERHEAD;
  const most = limit < 0
    ? BODY_LIMIT - CURVE_OVERHEAD
    : Math.min(limit, BODY_LIMIT - CURVE_OVERHEAD);
  return new ProtocolError(
    "EMSGSIZE",
    `The peer announced a frame of ${size} octets, more than the ${most} allowed` +
      (limit < 0 ? "" : "; maxMessageSize sets the limit"),
  );
}
