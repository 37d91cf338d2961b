// Which updates were published, and which wait for the active server of a pair to publish them. By UUID.

import { keyOf } from "../base/octets.ts";
import { type KeyValue, UUID_LENGTH } from "./message.ts";

/** So many times what may be held is remembered of what was published. */
const REMEMBER = 10;
const PIECE = 65_536;

interface Held {
  readonly message: KeyValue;
  readonly time: number;
}

/** What a server of a pair remembers of the clients' updates. */
export class Memory {
  readonly #mostHeld: number;
  readonly #published: Set<string> = new Set();
  readonly #held: Map<string, Held> = new Map();
  /** Updates that were held and had to go, for newer ones or because they were too old. */
  dropped = 0;

  constructor(mostHeld: number) {
    this.#mostHeld = mostHeld;
  }

  /** How many are held. */
  get size(): number {
    return this.#held.size;
  }

  /** True for an update that was published before. */
  knows({ uuid }: KeyValue): boolean {
    return uuid.length > 0 && this.#published.has(keyOf(uuid));
  }

  /** An update was published, by this server or the other. */
  publish({ uuid }: Pick<KeyValue, "uuid">): void {
    if (uuid.length === 0) return;
    const key = keyOf(uuid);
    this.#held.delete(key);
    this.#published.add(key);
    if (this.#published.size > this.#mostHeld * REMEMBER) {
      for (const oldest of this.#published) {
        this.#published.delete(oldest);
        break;
      }
    }
  }

  /** Keeps an update until it is known to be published. Without a UUID nobody could tell. */
  hold(message: KeyValue, time: number): void {
    if (message.uuid.length === 0) this.dropped++;
    if (message.uuid.length === 0 || this.knows(message)) return;
    this.#held.set(keyOf(message.uuid), { message, time });
    if (this.#held.size <= this.#mostHeld) return;
    for (const oldest of this.#held.keys()) {
      this.#held.delete(oldest);
      this.dropped++;
      break;
    }
  }

  /** The UUIDs of what was published, one after the other, in pieces of so many octets at most. */
  uuids(most: number): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    const perPiece = Math.floor(Math.min(most, PIECE) / UUID_LENGTH);
    if (perPiece === 0) return pieces;
    let at = 0;
    for (const uuid of this.#published) {
      if (at % perPiece === 0) {
        const left = Math.min(perPiece, this.#published.size - at);
        pieces.push(new Uint8Array(left * UUID_LENGTH));
      }
      const start = at++ % perPiece * UUID_LENGTH;
      for (let i = 0; i < UUID_LENGTH; i++) pieces.at(-1)![start + i] = uuid.charCodeAt(i);
    }
    return pieces;
  }

  /** Takes over what another server has published. */
  learn(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      for (let at = 0; at + UUID_LENGTH <= piece.length; at += UUID_LENGTH) {
        this.publish({ uuid: piece.subarray(at, at + UUID_LENGTH) });
      }
    }
  }

  /** Forgets what came before this time. */
  forgetBefore(time: number): void {
    for (const [key, held] of this.#held) {
      if (held.time >= time) return;
      this.#held.delete(key);
      this.dropped++;
    }
  }

  /** Hands over all that is held, in the order in which it came. */
  release(): KeyValue[] {
    const all = Array.from(this.#held.values(), ({ message }) => message);
    this.#held.clear();
    return all;
  }
}
