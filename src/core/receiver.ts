// The receiving half of a connection: owns the region that the stream reads into, has the core scan it, and cuts what
// came into slabs for the inbox. A frame too long for the region is read straight into its own slab.

import {
  COMMAND_LIMIT,
  CURVE_OVERHEAD,
  FILTER_MIDDLE,
  FLAG_COMMAND,
  FLAG_MORE,
  LONG_HEADER,
  MIDDLE_DROPPED,
  RESULTS,
  RUN_WORDS,
  SCAN_AGAIN,
  SCAN_BAD_FLAGS,
  SCAN_BAD_PARTS,
  SCAN_BAD_SIZE,
  SCAN_BAD_TOTAL,
  SCAN_BODY,
  SCAN_COMMAND,
  SCAN_FLAGS,
  SCAN_NEED,
  SCAN_NEXT,
  SCAN_PARTS,
  SCAN_RUNS,
  SCAN_SIZE,
  SCAN_TABLE,
  SCAN_TOTAL,
} from "../../wasm/layout.ts";
import { uncleared } from "../message.ts";
import { badFlags, badParts, badSize, badTotal, orMost } from "./frame_faults.ts";
import type { Inbox } from "./inbox.ts";
import type { Core } from "./instance.ts";
import type { CoreMemory, Region } from "./memory.ts";
import type { Opener } from "./opener.ts";
import type { Topics } from "./topics.ts";

/** What a receiver reports besides messages. */
export interface ReceiverEvents {
  /** A command arrived; its octets are borrowed for the call. */
  command(body: Uint8Array): void;
}

/** What a peer may send at most. */
export interface ReceiveLimits {
  /** Octets of a frame; negative for no limit. */
  readonly frame: number;
  /** Frames of a message; 0 for any number. */
  readonly parts: number;
  /** Octets of all frames of a message; negative for no limit. */
  readonly message: number;
}

/** Which messages a subscriber wants: those that match a topic, or those that match none. */
export interface Filter {
  readonly topics: Topics;
  readonly inverted: boolean;
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

const ANY_NUMBER = 0xffffffff;

const RESULT_WORD = RESULTS >> 2;

export class Receiver {
  readonly #memory: CoreMemory;
  readonly #inbox: Inbox;
  readonly #events: ReceiverEvents;
  readonly #limit: number;
  readonly #mostParts: number;
  readonly #mostOctets: number;
  /** A frame that is longer is refused in any message. */
  readonly #longest: number;
  readonly #largest: number;
  readonly #filter: Filter | undefined;
  readonly #opener: Opener | undefined;
  #region: Region;
  /** The instance whose memory the stream was given; the arena may have a larger copy when it is filled. */
  #lent: Core;
  /** Octets at the start of the region that belong to an unfinished frame. */
  #kept = 0;
  /** Of the message that goes on, so far; 0 between messages. */
  #parts = 0;
  #octets = 0;
  /** As the filter left it: 0 between messages. */
  #filtered = 0;
  #quiet = 0;
  /** The slab of a long frame that is being read, how far it is filled, and its full size. */
  #long: Uint8Array | undefined;
  #filled = 0;
  #size = 0;
  #afterLong = false;

  /**
   * Refuses what is beyond the `limits`; reads at most `largest` octets at once; keeps only what `filter` wants. With an
   * `opener` the frames are sealed ones.
   */
  constructor(
    memory: CoreMemory,
    inbox: Inbox,
    events: ReceiverEvents,
    limits: ReceiveLimits,
    largest: number,
    filter?: Filter,
    opener?: Opener,
  ) {
    this.#memory = memory;
    this.#inbox = inbox;
    this.#events = events;
    this.#limit = limits.frame;
    this.#mostParts = limits.parts === 0 ? ANY_NUMBER : limits.parts;
    this.#mostOctets = orMost(limits.message);
    this.#longest = Math.min(orMost(limits.frame), this.#mostOctets);
    this.#largest = largest;
    this.#filter = filter;
    this.#opener = opener;
    inbox.beheaded = false;
    this.#region = memory.allocate(SMALLEST, filter?.topics.arena);
    this.#lent = this.#region.arena.core;
  }

  /** Where the stream puts the next octets; borrowed until `filled` is called. Never empty. */
  target(): Uint8Array {
    if (this.#long !== undefined) return this.#long.subarray(this.#filled);
    const { arena: { core }, address, size } = this.#region;
    this.#lent = core;
    // Behind a long frame another one is likely: what is read of it here would only have to be copied.
    const end = this.#afterLong ? Math.min(size, this.#kept + SMALLEST) : size;
    return core.bytes.subarray(address + this.#kept, address + end);
  }

  /** `count` octets were put at the start of `target`. Throws a ProtocolError when the peer broke the framing. */
  filled(count: number): void {
    if (this.#inbox.beheaded) this.#behead();
    if (this.#long !== undefined) return this.#fillLong(count);
    if (this.#lent !== this.#region.arena.core) this.#carry(count);
    this.#scan(this.#kept + count);
  }

  /** The user gave up the topic of a message that has begun. */
  #behead(): void {
    this.#inbox.beheaded = false;
    this.#count(0, 0);
    this.#filtered = MIDDLE_DROPPED;
  }

  /** The arena was copied while the stream read into the old one. */
  #carry(count: number): void {
    const { arena: { core }, address } = this.#region;
    const start = address + this.#kept;
    core.bytes.set(this.#lent.bytes.subarray(start, start + count), start);
  }

  #count(parts: number, octets: number): void {
    this.#parts = parts;
    this.#octets = octets;
  }

  /** The connection ended: what is unfinished is dropped. */
  cut(): void {
    if (this.#parts > 0) this.#inbox.cut();
    this.#count(0, 0);
    this.#long = undefined;
  }

  /** Gives the memory back, once the stream does not write into it any more. */
  free(): void {
    this.#memory.release(this.#region);
  }

  #scan(size: number): void {
    this.#afterLong = false;
    const { arena: { core }, address } = this.#region;
    const { words } = core;
    if (this.#opener === undefined) {
      const end = this.#sift(address, address + size);
      const at = words[RESULT_WORD + SCAN_NEXT];
      this.#keep(at, end, size, words[RESULT_WORD + SCAN_NEED], words[RESULT_WORD + SCAN_FLAGS]);
      return;
    }
    const { end, next, need, fault } = this.#opener.open(core, address, address + size);
    // What came before a fault is whole and genuine.
    this.#sift(address, end);
    if (fault !== undefined) throw fault;
    this.#keep(next, address + size, size, need, 0);
  }

  /** Puts the plain frames up to `end` into the inbox; answers where they end when what is not wanted was dropped. */
  #sift(address: number, end: number): number {
    const { arena: { core } } = this.#region;
    const { words } = core;
    const sieve = this.#sieve;
    if (sieve !== undefined) end = this.#drop(sieve, end);
    let at = address;
    let status: number;
    do {
      status = core.exports.scan(
        at,
        end,
        this.#parts,
        this.#octets,
        this.#limit,
        this.#mostParts,
        this.#mostOctets,
        SLAB_SIZE,
      );
      this.#collect(core.bytes, words);
      at = words[RESULT_WORD + SCAN_NEXT];
      this.#parts = words[RESULT_WORD + SCAN_PARTS];
      this.#octets = words[RESULT_WORD + SCAN_TOTAL];
      if (status === SCAN_COMMAND) {
        const body = words[RESULT_WORD + SCAN_BODY];
        this.#events.command(core.bytes.subarray(body, body + words[RESULT_WORD + SCAN_SIZE]));
      }
    } while (status === SCAN_COMMAND || status === SCAN_AGAIN);
    if (status === SCAN_BAD_FLAGS) throw badFlags(core.bytes[at]);
    if (status === SCAN_BAD_SIZE) throw badSize(core.bytes.subarray(at, end), this.#limit);
    if (status === SCAN_BAD_PARTS) throw badParts(this.#mostParts);
    if (status === SCAN_BAD_TOTAL) throw badTotal(this.#mostOctets);
    if (sieve === undefined) this.#filtered = Math.min(this.#parts, 1);
    return end;
  }

  /** The filter, if it has anything to do. */
  get #sieve(): Filter | undefined {
    const filter = this.#filter;
    if (filter === undefined || this.#filtered === MIDDLE_DROPPED) return filter;
    return filter.topics.all && !filter.inverted ? undefined : filter;
  }

  /** Drops what is not wanted, and answers where the rest ends. */
  #drop({ topics, inverted }: Filter, end: number): number {
    const { arena: { core }, address } = this.#region;
    const rest = core.exports.filter(
      address,
      end,
      this.#filtered,
      topics.address,
      inverted ? 1 : 0,
      this.#longest,
    );
    this.#filtered = core.words[RESULT_WORD + FILTER_MIDDLE];
    return rest;
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

  /**
   * Moves an unfinished frame to the start of the region, or to its own slab when it is too long for that. The region had
   * `held` octets.
   */
  #keep(at: number, end: number, held: number, need: number, flags: number): void {
    const { arena: { core }, address, size } = this.#region;
    const rest = end - at;
    if (this.#opener !== undefined) this.#checkSealed(need);
    // A sealed frame is opened in the region, as long as it can be made large enough.
    const sealed = this.#opener !== undefined && 2 * need <= this.#largest;
    if (need > size / LONG_SHARE && !sealed && (flags & FLAG_COMMAND) === 0) {
      this.#startLong(core.bytes.subarray(at, end), need);
      this.#kept = 0;
    } else {
      if (at !== address && rest > 0) core.bytes.copyWithin(address, at, end);
      this.#kept = rest;
    }
    if (sealed && 2 * need > size) this.#resize(fit(2 * need));
    else if (need > size && (flags & FLAG_COMMAND) !== 0) this.#resize(fit(need));
    else if (held === size && size < this.#largest) this.#resize(size * 2);
    else if (held > size >> 2 || size === SMALLEST) this.#quiet = 0;
    else if (++this.#quiet === QUIET_READS && this.#kept < size >> 1) this.#resize(size >> 1);
  }

  #resize(size: number): void {
    const old = this.#region;
    const region = this.#memory.allocate(size, this.#filter?.topics.arena);
    region.arena.core.bytes.set(
      old.arena.core.bytes.subarray(old.address, old.address + this.#kept),
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
    if (this.#opener === undefined) return this.#deliver(long);
    const { arena: { core }, address, size } = this.#region;
    const plain = this.#opener.openLong(core, address, size, long);
    if ((plain[0] & FLAG_COMMAND) === 0) return this.#deliver(plain);
    if ((plain[0] & FLAG_MORE) !== 0) throw badFlags(plain[0]);
    if (plain.length - LONG_HEADER > COMMAND_LIMIT) throw badSize(plain, this.#limit);
    this.#events.command(plain.subarray(LONG_HEADER));
  }

  /** Puts a long frame into the inbox, if it is wanted. */
  #deliver(long: Uint8Array): void {
    const more = long[0] & FLAG_MORE;
    const size = long.length - LONG_HEADER;
    if (this.#filtered === 0 && !this.#wants(long.subarray(LONG_HEADER))) {
      this.#filtered = MIDDLE_DROPPED;
    }
    if (this.#filtered === MIDDLE_DROPPED) {
      if (more === 0) this.#filtered = 0;
      return;
    }
    this.#check(size);
    this.#count(more * (this.#parts + 1), more * (this.#octets + size));
    this.#filtered = more;
    this.#inbox.push(long, 1 - more);
  }

  /** A sealed frame that is announced: it may be a command, unless it is too long for one. */
  #checkSealed(need: number): void {
    const size = need - LONG_HEADER - CURVE_OVERHEAD;
    if (size > COMMAND_LIMIT && this.#filtered !== MIDDLE_DROPPED) this.#check(size);
  }

  /** The scan has not seen what was in a sealed frame. */
  #check(size: number): void {
    if (this.#parts >= this.#mostParts) throw badParts(this.#mostParts);
    if (size > this.#mostOctets - this.#octets) throw badTotal(this.#mostOctets);
  }

  #wants(topic: Uint8Array): boolean {
    const filter = this.#filter;
    return filter === undefined || filter.topics.match(topic) !== filter.inverted;
  }
}

function fit(size: number): number {
  return 1 << 32 - Math.clz32(size - 1);
}
