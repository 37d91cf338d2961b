// A message that comes in several WebSocket frames (RFC 6455, section 5.4): it is collected, because its size is not known
// before the last one, and becomes one ZMTP frame.

import {
  BODY_LIMIT,
  COMMAND_LIMIT,
  FLAG_COMMAND,
  FLAG_LONG,
  LONG_HEADER,
  SHORT_HEADER,
  ZWS_COMMAND,
} from "../../wasm/layout.ts";
import { orMost } from "./frame_faults.ts";
import { badEmpty, badFlags, tooLong } from "./websocket_faults.ts";

/** Before the payload there is room for a header, whose last octet takes the place of the flags. */
const LEAD = LONG_HEADER - 1;
const SMALLEST = 256;

/** What of a fragmented message has come. */
export class Fragments {
  readonly #limit: number;
  readonly #commands: boolean;
  #memory: Uint8Array = new Uint8Array(SMALLEST);
  #end = LEAD;
  /** Octets of the frame under way that have not come. */
  #left = 0;

  /** Refuses bodies above `limit` octets (negative: none), and commands unless they are allowed. */
  constructor(limit: number, commands: boolean) {
    this.#limit = limit;
    this.#commands = commands;
  }

  /** Octets of the frame under way that have not come. */
  get left(): number {
    return this.#left;
  }

  /**
   * A frame of so many octets begins; memory is taken when they come.
   *
   * @throws {WebSocketFault} The message becomes too long.
   */
  announce(size: number): void {
    this.#left = size;
    this.#check();
  }

  /**
   * Octets of the frame under way have come.
   *
   * @throws {WebSocketFault} The flags are wrong, or the message is too long for them.
   */
  add(piece: Uint8Array): void {
    const end = this.#end + piece.length;
    if (end > this.#memory.length) {
      const larger = new Uint8Array(
        Math.min(Math.max(end, 2 * this.#memory.length), Math.max(end, LEAD + 1 + this.#most)),
      );
      larger.set(this.#memory.subarray(0, this.#end));
      this.#memory = larger;
    }
    this.#memory.set(piece, this.#end);
    const begins = this.#end === LEAD;
    this.#end = end;
    this.#left -= piece.length;
    if (!begins) return;
    const flags = this.#memory[LEAD];
    if (flags > ZWS_COMMAND || (flags === ZWS_COMMAND && !this.#commands)) throw badFlags(flags);
    this.#check();
  }

  /**
   * The message as a ZMTP frame.
   *
   * @throws {WebSocketFault} It is empty.
   */
  finish(): Uint8Array {
    const size = this.#end - LONG_HEADER;
    if (size < 0) throw badEmpty();
    const memory = this.#memory;
    const flags = memory[LEAD] === ZWS_COMMAND ? FLAG_COMMAND : memory[LEAD];
    const start = size > 255 ? 0 : LONG_HEADER - SHORT_HEADER;
    if (size > 255) {
      memory[0] = flags | FLAG_LONG;
      new DataView(memory.buffer, memory.byteOffset).setBigUint64(1, BigInt(size));
    } else {
      memory[start] = flags;
      memory[start + 1] = size;
    }
    return memory.subarray(start, this.#end);
  }

  /** The most octets of the body, as far as its flags are known. */
  get #most(): number {
    const most = orMost(this.#limit);
    if (this.#end > LEAD) return this.#memory[LEAD] === ZWS_COMMAND ? COMMAND_LIMIT : most;
    return this.#commands ? Math.max(most, COMMAND_LIMIT) : most;
  }

  #check(): void {
    const size = this.#end - LEAD + this.#left - 1;
    if (size > Math.min(this.#most, BODY_LIMIT)) throw tooLong(size, this.#limit);
  }
}
