// The receiving half of a WebSocket (RFC 6455, section 5; RFC 45): owns the region that the stream reads into, has the core
// make ZMTP frames of what came, in place, and gives them on. A body that has not come whole is given on as it comes.

import {
  READ_BODY,
  READ_COMMANDS,
  READ_CONTROL,
  READ_DONE,
  READ_END,
  READ_FIRST,
  READ_FRAGMENT,
  READ_FRAGMENTED,
  READ_KEY,
  READ_LEFT,
  READ_MASKED,
  READ_NEXT,
  READ_SIZE,
  RESULTS,
} from "../../wasm/layout.ts";
import type { Filling } from "../octets.ts";
import type { CoreMemory, Region } from "./memory.ts";
import { faultOf } from "./websocket_faults.ts";
import { Fragments } from "./websocket_fragments.ts";

/** What a reader reports besides messages. */
export interface WebSocketEvents {
  /** A control frame came: close 8, ping 9 or pong 10, with at most 125 octets, unmasked and borrowed for the call. */
  control(opcode: number, payload: Uint8Array): void;
}

/** What the frames of a peer must be like; may change between two of its messages. */
export interface WebSocketRules {
  /** True where they must be masked (on a server), false where they must not be. */
  readonly masked: boolean;
  /** Most octets of a body that is no command; negative for no limit. */
  readonly limit: number;
  /** Most octets of a body that comes in fragments, which is kept until it is whole; `limit` if not given. */
  readonly fragments?: number;
  /** True where the subprotocol has commands. */
  readonly commands: boolean;
}

const SMALLEST = 4096;
const LARGEST = 256 * 1024;
/** So many reads that would have fitted a quarter of the region halve it. */
const QUIET_READS = 64;
/** A body without a mask of which so much is to come is read straight to where it belongs. */
const DIRECT_SIZE = 64 * 1024;

const FIN = 0x80;
const RESULT_WORD = RESULTS >> 2;

/** Takes octets of WebSocket frames, and gives on ZMTP 3 frames. */
export class WebSocketReader implements Filling {
  readonly #memory: CoreMemory;
  readonly #to: Filling;
  readonly #events: WebSocketEvents;
  readonly #rules: WebSocketRules;
  #region: Region;
  /** Octets of a header or a control frame that has not come whole; they are behind the slack. */
  #kept = 0;
  /** Octets of the body under way that are to come, and their mask key. */
  #left = 0;
  #key = 0;
  #quiet = 0;
  #direct = false;
  #stopped = false;
  /** The fragmented message under way, and whether the frame under way is its last one. */
  #fragments: Fragments | undefined;
  #last = false;

  constructor(memory: CoreMemory, to: Filling, events: WebSocketEvents, rules: WebSocketRules) {
    this.#memory = memory;
    this.#to = to;
    this.#events = events;
    this.#rules = rules;
    this.#region = memory.allocate(SMALLEST);
  }

  /** Where the stream puts the next octets; borrowed until `filled` is called. Never empty. */
  target(): Uint8Array {
    this.#direct = this.#left >= DIRECT_SIZE && !this.#rules.masked && !this.#stopped;
    if (this.#direct) return this.#to.target().subarray(0, this.#left);
    const { arena: { core }, address, size } = this.#region;
    return core.bytes.subarray(address + slackOf(size) + this.#kept, address + size);
  }

  /**
   * `count` octets were put at the start of `target`.
   *
   * @throws {WebSocketFault} The peer broke the framing; what came before that was given on.
   */
  filled(count: number): void {
    if (this.#stopped) return;
    if (this.#direct) {
      this.#left -= count;
      return this.#to.filled(count);
    }
    const { address, size } = this.#region;
    const start = address + slackOf(size);
    const end = start + this.#kept + count;
    const next = this.#read(start, end);
    if (!this.#stopped) this.#keep(start, next, end);
  }

  /** Nothing more is given on; what comes is dropped. */
  stop(): void {
    this.#stopped = true;
    this.#fragments = undefined;
  }

  /** Gives the memory back, once the stream does not write into it any more. */
  free(): void {
    this.stop();
    this.#memory.release(this.#region);
  }

  /** Reads the octets from `at` to `end`, and answers where what has not come whole begins. */
  #read(at: number, end: number): number {
    const { arena: { core }, address } = this.#region;
    const { bytes, words } = core;
    for (;;) {
      if (this.#fragments !== undefined && (this.#fragments.left > 0 || this.#last)) {
        at = this.#collect(this.#fragments, at, end);
        if (this.#stopped || at === end) return at;
      }
      const { limit } = this.#rules;
      const status = core.exports.webSocketRead(
        at,
        end,
        address,
        this.#left,
        this.#key,
        this.#bits,
        limit,
      );
      // Whoever gets what came uses the core as well.
      const made = words[RESULT_WORD + READ_END];
      const first = words[RESULT_WORD + READ_FIRST];
      const size = words[RESULT_WORD + READ_SIZE];
      const body = words[RESULT_WORD + READ_BODY];
      at = words[RESULT_WORD + READ_NEXT];
      this.#left = words[RESULT_WORD + READ_LEFT];
      this.#key = words[RESULT_WORD + READ_KEY];
      if (made > address) this.#give(bytes.subarray(address, made));
      if (this.#stopped || status === READ_DONE) return at;
      if (status === READ_CONTROL) {
        this.#events.control(first & 15, bytes.subarray(body, body + size));
        if (this.#stopped) return at;
      } else if (status === READ_FRAGMENT) {
        this.#fragments ??= new Fragments(this.#rules.fragments ?? limit, this.#rules.commands);
        this.#last = (first & FIN) !== 0;
        this.#fragments.announce(size);
      } else {
        throw faultOf(status, bytes.subarray(at, end), limit);
      }
    }
  }

  get #bits(): number {
    const { masked, commands } = this.#rules;
    return (masked ? READ_MASKED : 0) | (commands ? READ_COMMANDS : 0) |
      (this.#fragments === undefined ? 0 : READ_FRAGMENTED);
  }

  /** Takes what is there of a fragment's payload, and answers where that ends. */
  #collect(fragments: Fragments, at: number, end: number): number {
    const { arena: { core } } = this.#region;
    const size = Math.min(fragments.left, end - at);
    this.#key = core.exports.webSocketMask(at, size, this.#key);
    fragments.add(core.bytes.subarray(at, at + size));
    if (this.#last && fragments.left === 0) {
      this.#fragments = undefined;
      this.#last = false;
      this.#give(fragments.finish());
    }
    return at + size;
  }

  #give(octets: Uint8Array): void {
    for (let at = 0; at < octets.length && !this.#stopped;) {
      const target = this.#to.target();
      const piece = octets.length - at <= target.length
        ? octets.subarray(at)
        : octets.subarray(at, at + target.length);
      target.set(piece);
      at += piece.length;
      this.#to.filled(piece.length);
    }
  }

  /** Moves what has not come whole behind the slack, and fits the region to what one read brings. */
  #keep(start: number, at: number, end: number): void {
    const { arena: { core }, address, size } = this.#region;
    this.#kept = end - at;
    if (at > start && at < end) core.bytes.copyWithin(start, at, end);
    if (end === address + size && size < LARGEST) this.#resize(size * 2);
    else if (end - start > size >> 2 || size === SMALLEST) this.#quiet = 0;
    else if (++this.#quiet === QUIET_READS) this.#resize(size >> 1);
  }

  #resize(size: number): void {
    const old = this.#region;
    const from = old.address + slackOf(old.size);
    const region = this.#memory.allocate(size);
    region.arena.core.bytes.set(
      old.arena.core.bytes.subarray(from, from + this.#kept),
      region.address + slackOf(size),
    );
    this.#memory.release(old);
    this.#region = region;
    this.#quiet = 0;
  }
}

/** Room for what ZMTP's headers are longer: four octets for each frame of more than 260. */
function slackOf(size: number): number {
  return (size >> 6) + 16;
}
