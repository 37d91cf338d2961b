// The receiving half of a connection: owns the region that the stream reads into, has the core scan it, and cuts what
// came into slabs for the inbox. A frame too long for the region is read straight into its own slab.

import {
  BODY_LIMIT,
  COMMAND_LIMIT,
  FLAG_COMMAND,
  LONG_HEADER,
  RESULTS,
  RUN_WORDS,
  SCAN_AGAIN,
  SCAN_BAD_FLAGS,
  SCAN_BAD_SIZE,
  SCAN_BODY,
  SCAN_COMMAND,
  SCAN_FLAGS,
  SCAN_MIDDLE,
  SCAN_NEED,
  SCAN_NEXT,
  SCAN_RUNS,
  SCAN_SIZE,
  SCAN_TABLE,
} from "../../wasm/layout.ts";
import { ProtocolError } from "../errors.ts";
import { uncleared } from "../message.ts";
import type { Inbox } from "./inbox.ts";
import type { CoreMemory, Region } from "./memory.ts";

/** What a receiver reports besides messages. */
export interface ReceiverEvents {
  /** A command arrived; its octets are borrowed for the call. */
  command(body: Uint8Array): void;
}

const SMALLEST = 4096;
/** Frames are handed out in slabs of at most this size, so that one kept frame does not pin much memory. */
const SLAB_SIZE = 16 * 1024;
/** An unfinished frame above this share of the region gets its own slab: cheaper than moving it to the front. */
const LONG_SHARE = 4;
/** A body longer than this is believed only as far as it has arrived. */
const TRUSTED_SIZE = 1024 * 1024;
/** Behind a frame of this size the next one is expected to be as long, and read apart from its header. */
const DIRECT_SIZE = 64 * 1024;
/** So many reads that would have fitted a quarter of the region halve it. */
const QUIET_READS = 64;

const RESULT_WORD = RESULTS >> 2;

export class Receiver {
  readonly #memory: CoreMemory;
  readonly #inbox: Inbox;
  readonly #events: ReceiverEvents;
  readonly #limit: number;
  readonly #largest: number;
  #region: Region;
  /** Octets at the start of the region that belong to an unfinished frame. */
  #kept = 0;
  #middle = 0;
  #quiet = 0;
  /** The slab of a long frame that is being read, how far it is filled, and its full size. */
  #long: Uint8Array | undefined;
  #filled = 0;
  #size = 0;
  #afterLong = false;

  /** Refuses bodies above `limit` octets (negative: none); reads at most `largest` octets at once. */
  constructor(
    memory: CoreMemory,
    inbox: Inbox,
    events: ReceiverEvents,
    limit: number,
    largest: number,
  ) {
    this.#memory = memory;
    this.#inbox = inbox;
    this.#events = events;
    this.#limit = limit;
    this.#largest = largest;
    this.#region = memory.allocate(SMALLEST);
  }

  /** Where the stream puts the next octets; borrowed until `filled` is called. Never empty. */
  target(): Uint8Array {
    if (this.#long !== undefined) return this.#long.subarray(this.#filled);
    const { core, address, size } = this.#region;
    // Behind a long frame another one is likely: what is read of it here would only have to be copied.
    const end = this.#afterLong ? Math.min(size, this.#kept + SMALLEST) : size;
    return core.bytes.subarray(address + this.#kept, address + end);
  }

  /** `count` octets were put at the start of `target`. Throws a ProtocolError when the peer broke the framing. */
  filled(count: number): void {
    if (this.#long !== undefined) this.#fillLong(count);
    else this.#scan(this.#kept + count);
  }

  /** The connection ended: what is unfinished is dropped. */
  cut(): void {
    if (this.#middle !== 0) this.#inbox.cut();
    this.#middle = 0;
    this.#long = undefined;
  }

  /** Gives the memory back, once the stream does not write into it any more. */
  free(): void {
    this.#memory.release(this.#region);
  }

  #scan(size: number): void {
    this.#afterLong = false;
    const { core, address } = this.#region;
    const words = core.words;
    const end = address + size;
    let at = address;
    let status: number;
    do {
      status = core.exports.scan(at, end, this.#middle, this.#limit, SLAB_SIZE);
      this.#collect(core.bytes, words);
      at = words[RESULT_WORD + SCAN_NEXT];
      this.#middle = words[RESULT_WORD + SCAN_MIDDLE];
      if (status === SCAN_COMMAND) {
        const body = words[RESULT_WORD + SCAN_BODY];
        this.#events.command(core.bytes.subarray(body, body + words[RESULT_WORD + SCAN_SIZE]));
      }
    } while (status === SCAN_COMMAND || status === SCAN_AGAIN);
    if (status === SCAN_BAD_FLAGS) throw badFlags(core.bytes[at]);
    if (status === SCAN_BAD_SIZE) throw badSize(core.bytes.subarray(at, end), this.#limit);
    this.#keep(at, end, words[RESULT_WORD + SCAN_NEED], words[RESULT_WORD + SCAN_FLAGS]);
  }

  #collect(bytes: Uint8Array<ArrayBuffer>, words: Uint32Array): void {
    const runs = words[RESULT_WORD + SCAN_RUNS];
    for (let i = 0; i < runs; i++) {
      const row = RESULT_WORD + SCAN_TABLE + i * RUN_WORDS;
      const start = words[row];
      // The copy constructor does not clear the memory first, as slice() does.
      const slab = new Uint8Array(bytes.subarray(start, start + words[row + 1]));
      this.#inbox.push(slab, words[row + 2]);
    }
  }

  /** Moves an unfinished frame to the start of the region, or to its own slab when it is too long for that. */
  #keep(at: number, end: number, need: number, flags: number): void {
    const { core, address, size } = this.#region;
    const rest = end - at;
    const full = end === address + size;
    if (need > size / LONG_SHARE && (flags & FLAG_COMMAND) === 0) {
      this.#startLong(core.bytes.subarray(at, end), need);
      this.#kept = 0;
    } else {
      if (at !== address && rest > 0) core.bytes.copyWithin(address, at, end);
      this.#kept = rest;
    }
    if (need > size && (flags & FLAG_COMMAND) !== 0) this.#resize(fit(need));
    else if (full && size < this.#largest) this.#resize(size * 2);
    else if (end - address > size >> 2 || size === SMALLEST) this.#quiet = 0;
    else if (++this.#quiet === QUIET_READS && this.#kept < size >> 1) this.#resize(size >> 1);
  }

  #resize(size: number): void {
    const old = this.#region;
    const region = this.#memory.allocate(size);
    region.core.bytes.set(
      old.core.bytes.subarray(old.address, old.address + this.#kept),
      region.address,
    );
    this.#memory.release(old);
    this.#region = region;
    this.#quiet = 0;
  }

  #startLong(start: Uint8Array, size: number): void {
    this.#long = uncleared(Math.min(size, TRUSTED_SIZE + LONG_HEADER));
    this.#long.set(start);
    this.#filled = start.length;
    this.#size = size;
  }

  #fillLong(count: number): void {
    const long = this.#long!;
    this.#filled += count;
    if (this.#filled < long.length) return;
    if (this.#filled < this.#size) {
      this.#long = uncleared(Math.min(this.#size, 2 * long.length));
      this.#long.set(long);
      return;
    }
    this.#long = undefined;
    this.#afterLong = this.#size > DIRECT_SIZE;
    this.#middle = long[0] & 1;
    this.#inbox.push(long, 1 - this.#middle);
  }
}

function fit(size: number): number {
  return 1 << 32 - Math.clz32(size - 1);
}

function badFlags(flags: number): ProtocolError {
  const hex = flags.toString(16).padStart(2, "0");
  return new ProtocolError(
    "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
    `The peer sent a frame with the flags 0x${hex}, which ZMTP 3 does not know`,
  );
}

function badSize(frame: Uint8Array, limit: number): ProtocolError {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const size = (frame[0] & 2) === 0 ? BigInt(frame[1]) : view.getBigUint64(1);
  const command = (frame[0] & FLAG_COMMAND) !== 0;
  const most = command ? COMMAND_LIMIT : limit < 0 || limit > BODY_LIMIT ? BODY_LIMIT : limit;
  return new ProtocolError(
    "EMSGSIZE",
    `The peer announced a ${
      command ? "command" : "frame"
    } of ${size} octets, more than the ${most} allowed` +
      (command || limit < 0 ? "" : "; maxMessageSize sets the limit"),
  );
}
