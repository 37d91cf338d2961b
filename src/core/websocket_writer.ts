// The sending half of a WebSocket (RFC 6455, section 5; RFC 45): ZMTP frames become WebSocket frames, a piece at a time, in a
// room that all writers of a core share. A client's are masked, each with a key of its own.

import {
  CONTROL_LIMIT,
  KEYS_SIZE,
  LONG_HEADER,
  MASK_SIZE,
  READ_KEY,
  READ_LEFT,
  READ_NEXT,
  RESULTS,
  SHORT_HEADER,
  WRITE_KEYLESS,
} from "../../wasm/layout.ts";
import type { Core } from "./instance.ts";

/** Room for twice what a link writes at once. */
const ROOM_SIZE = 512 * 1024;
/** Most octets at once that lie elsewhere than in the core. */
const MOST_FOREIGN = 160 * 1024;
/** A body without a mask, elsewhere than in the core, is written from there when so much of it is to come. */
const DIRECT_SIZE = 64 * 1024;

const FIN = 0x80;
const MASKED = 0x80;
const MEDIUM = 126;
const RESULT_WORD = RESULTS >> 2;

/** Where pieces are made. It is there before anything is written: memory that grew would take views away from the link. */
interface Room {
  readonly address: number;
  /** Whose piece is in it. */
  owner: WebSocketWriter | undefined;
}

const rooms = new WeakMap<Core, Room>();

/** Takes ZMTP 3 frames, and makes WebSocket frames of them. */
export class WebSocketWriter {
  readonly #core: Core;
  readonly #masked: boolean;
  readonly #random: (into: Uint8Array) => void;
  readonly #room: Room;
  /** Octets of the body under way that were not taken yet, and their mask key. */
  #left = 0;
  #key = 0;
  /** Octets of the piece; those at its start that belong to a body begun before; what it was made of. */
  #size = 0;
  #lead = 0;
  #plain = 0;
  /** The piece, when it is not in the room. */
  #own: Uint8Array | undefined;

  /**
   * Frames are `masked` on a client, with keys from `random`, which fills octets nobody can foretell.
   *
   * @throws {ZmqError} `ENOBUFS` when there is no memory for the room.
   */
  constructor(core: Core, masked: boolean, random: (into: Uint8Array) => void) {
    this.#core = core;
    this.#masked = masked;
    this.#random = random;
    this.#room = roomOf(core);
  }

  /** Octets that the last `take` took. */
  get plain(): number {
    return this.#plain;
  }

  /** How many they have become. */
  get size(): number {
    return this.#size;
  }

  /** True in the middle of a frame: no control frame may come now. */
  get inside(): boolean {
    return this.#left > 0;
  }

  /**
   * Makes the next piece of ZMTP frames, of as many octets as fit: about 256 KiB. A header lies in one view; a body may go
   * on in the next one. The piece before has left.
   */
  take(octets: Uint8Array): void {
    this.#size = 0;
    this.#own = undefined;
    if (octets.buffer === this.#core.bytes.buffer) {
      this.#enter();
      return this.#translate(octets.byteOffset, octets.length, ROOM_SIZE);
    }
    if (!this.#masked && Math.min(this.#left, octets.length) >= DIRECT_SIZE) {
      return this.#pass(octets);
    }
    this.#enter();
    // They go to the end of the room, and become the piece at its start.
    const foreign = octets.subarray(0, MOST_FOREIGN);
    const at = ROOM_SIZE - foreign.length;
    this.#core.bytes.set(foreign, this.#room.address + at);
    this.#translate(this.#room.address + at, foreign.length, at);
  }

  /** The piece, from an offset on; good until the core is used again. */
  wire(from: number): Uint8Array {
    if (this.#own !== undefined) return from === 0 ? this.#own : this.#own.subarray(from);
    const { address } = this.#room;
    return this.#core.bytes.subarray(address + from, address + this.#size);
  }

  /** How many of the octets taken belong to frames of which the first `count` octets of the piece hold all. */
  left(count: number): number {
    if (count >= this.#size) return this.#plain;
    if (count <= this.#lead) return count;
    const wire = this.wire(0);
    let at = this.#lead;
    let plain = this.#lead;
    for (;;) {
      const body = bodySize(wire, at);
      at += (body < 125 ? 3 : body < 65535 ? 5 : 11) + (this.#masked ? MASK_SIZE : 0) + body;
      if (at > count) return plain;
      // Only the last frame of a piece may have had a header longer than need be.
      plain += (body > 255 ? LONG_HEADER : SHORT_HEADER) + body;
    }
  }

  /** The piece has left whole: the room is free for others, who would otherwise keep what is in it. */
  done(): void {
    if (this.#room.owner === this) this.#room.owner = undefined;
  }

  /** A control frame with at most 125 octets; only between the others. */
  control(opcode: number, payload: Uint8Array): Uint8Array {
    const size = Math.min(payload.length, CONTROL_LIMIT);
    const start = this.#masked ? 2 + MASK_SIZE : 2;
    const frame = new Uint8Array(start + size);
    frame[0] = FIN | opcode;
    frame[1] = size;
    frame.set(payload.subarray(0, size), start);
    if (!this.#masked) return frame;
    frame[1] |= MASKED;
    const key = frame.subarray(2, start);
    this.#random(key);
    for (let i = 0; i < size; i++) frame[start + i] ^= key[i & 3];
    return frame;
  }

  /** Nothing more is written. */
  free(): void {
    this.done();
    this.#own = undefined;
  }

  /** Takes the room; a piece of somebody else that is still there moves out. */
  #enter(): void {
    const { owner } = this.#room;
    if (owner !== undefined && owner !== this) owner.#own = owner.wire(0).slice();
    this.#room.owner = this;
  }

  #translate(at: number, length: number, room: number): void {
    const { exports, words } = this.#core;
    const { address } = this.#room;
    const end = at + length;
    this.#lead = Math.min(this.#left, length, room);
    let next = at;
    let keyless: boolean;
    do {
      this.#size += exports.webSocketWrite(
        next,
        end,
        address + this.#size,
        room - this.#size,
        this.#left,
        this.#key,
        this.#masked ? 1 : 0,
      );
      next = words[RESULT_WORD + READ_NEXT];
      this.#left = words[RESULT_WORD + READ_LEFT];
      this.#key = words[RESULT_WORD + READ_KEY];
      keyless = words[RESULT_WORD + WRITE_KEYLESS] === 1;
      if (keyless) this.#refill();
    } while (keyless);
    this.#plain = next - at;
    if (this.#plain === 0) throw new RangeError("A ZMTP header must lie in one view");
  }

  #refill(): void {
    const { exports, bytes } = this.#core;
    const keys = exports.webSocketKeys(0);
    this.#random(bytes.subarray(keys, keys + KEYS_SIZE));
    exports.webSocketKeys(1);
  }

  /** What is there of the body is the piece. */
  #pass(octets: Uint8Array): void {
    this.done();
    this.#own = octets.length > this.#left ? octets.subarray(0, this.#left) : octets;
    this.#size = this.#own.length;
    this.#plain = this.#size;
    this.#lead = this.#size;
    this.#left -= this.#size;
  }
}

function roomOf(core: Core): Room {
  const known = rooms.get(core);
  if (known !== undefined) return known;
  const room = { address: core.block(ROOM_SIZE, "write to a WebSocket"), owner: undefined };
  rooms.set(core, room);
  return room;
}

/** Octets of the ZMTP body in the WebSocket frame there. */
function bodySize(wire: Uint8Array, at: number): number {
  const code = wire[at + 1] & ~MASKED;
  if (code < MEDIUM) return code - 1;
  if (code === MEDIUM) return (wire[at + 2] << 8 | wire[at + 3]) - 1;
  return new DataView(wire.buffer, wire.byteOffset + at).getUint32(6) - 1;
}
