// Connections that have not finished their handshake. Peers that never finish it may be many: they must not keep the others
// out, and those of one party not those of another. Who was refused counts as long as the connection stands, and goes first.

import { partyOf } from "../networks.ts";

/** A connection, and the host that it comes from. */
interface Ending {
  readonly peerHost: string;
  /** Ends the connection, also for a peer that has yet to close. */
  evict(reason: Error): void;
}

export class Pending<C extends Ending> {
  readonly #parties: Map<string, Set<C>> = new Map();
  /** Refused, and not closed by the peer yet. */
  readonly #refused: Set<C> = new Set();
  #size = 0;

  get size(): number {
    return this.#size + this.#refused.size;
  }

  add(connection: C): void {
    const party = partyOf(connection.peerHost);
    const others = this.#parties.get(party);
    if (others === undefined) this.#parties.set(party, new Set([connection]));
    else others.add(connection);
    this.#size++;
  }

  /** It is over, and waits for the peer to close. */
  refused(connection: C): void {
    if (this.#forget(connection)) this.#refused.add(connection);
  }

  delete(connection: C): void {
    if (!this.#refused.delete(connection)) this.#forget(connection);
  }

  #forget(connection: C): boolean {
    const party = partyOf(connection.peerHost);
    const others = this.#parties.get(party);
    if (others?.delete(connection) !== true) return false;
    if (others.size === 0) this.#parties.delete(party);
    this.#size--;
    return true;
  }

  /** Ends the oldest of those that were refused, or else of the party that has most. */
  evict(reason: Error): void {
    let most = this.#refused;
    if (most.size === 0) {
      for (const others of this.#parties.values()) if (others.size > most.size) most = others;
    }
    for (const oldest of most) {
      this.delete(oldest);
      return oldest.evict(reason);
    }
  }
}
