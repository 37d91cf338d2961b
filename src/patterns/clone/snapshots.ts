// Sends snapshots to clients, each as fast as that client reads and no faster (RFC 12: KVSYNC, KTHXBAI).

import type { Frame, MessageLike, Router } from "../../../mod.ts";
import { checkCount } from "../base/checks.ts";
import { keyOf, octetsOf } from "../base/octets.ts";
import { after, type Cancel, now } from "../base/time.ts";
import { encodeKeyValue, KTHXBAI, NONE, UUIDS } from "./message.ts";
import type { Entry } from "./store.ts";

/** What a client is sent. */
export interface Snapshot {
  readonly entries: readonly Entry[];
  readonly sequence: number;
  readonly subtree: string;
  /** Between servers: with UUIDs and properties, and with the UUIDs of what was published, in pieces. */
  readonly uuids?: readonly Uint8Array[] | undefined;
}

interface Job extends Snapshot {
  readonly client: Frame;
  /** How many entries are sent. */
  at: number;
  /** When one was sent last. */
  time: number;
}

const BATCH = 200;
const BLOCKED_MS = 5;

/** The snapshots that are under way on a ROUTER with `mandatory`. */
export class SnapshotSender {
  readonly #router: Router;
  readonly #patience: number;
  readonly #most: number;
  readonly #jobs: Map<string, Job> = new Map();
  #timer: Cancel | undefined;
  /** Snapshots that were sent to their end. */
  sent = 0;
  /** Snapshots that were given up: the client was gone, or read nothing for too long. */
  abandoned = 0;

  constructor(
    router: Router,
    patience: number,
    { maxSnapshots = 100 }: { readonly maxSnapshots?: number | undefined },
  ) {
    this.#router = router;
    this.#patience = patience;
    this.#most = checkCount("maxSnapshots", maxSnapshots, 1);
  }

  /** False when the client has one under way, or too many have. */
  canSend(client: Frame): boolean {
    return this.#jobs.size < this.#most && !this.#jobs.has(keyOf(client));
  }

  /** Sends a snapshot, in the background as far as necessary. */
  send(client: Frame, snapshot: Snapshot): void {
    const job: Job = { ...snapshot, client, at: 0, time: now() };
    this.#jobs.set(keyOf(client), job);
    if (this.#timer === undefined) this.#go();
  }

  /** Gives all up. */
  stop(): void {
    this.abandoned += this.#jobs.size;
    this.#jobs.clear();
    this.#timer?.();
    this.#timer = undefined;
  }

  #go(): void {
    this.#timer = undefined;
    const time = now();
    let moved = false;
    for (const [key, job] of this.#jobs) {
      const before = job.at;
      const ended = this.#advance(job);
      if (job.at > before) {
        moved = true;
        job.time = time;
      }
      if (ended || time - job.time >= this.#patience) {
        this.#jobs.delete(key);
        if (ended && job.at > lengthOf(job)) this.sent++;
        else this.abandoned++;
      }
    }
    if (this.#jobs.size > 0) {
      this.#timer = after(moved ? 0 : BLOCKED_MS, () => this.#go());
    }
  }

  /** Sends some; true when it has come to its end. */
  #advance(job: Job): boolean {
    try {
      for (let i = 0; i < BATCH; i++) {
        if (!this.#router.trySend(this.#frames(job))) return false;
        if (job.at++ === lengthOf(job)) return true;
      }
      return false;
    } catch {
      // EHOSTUNREACH: the client is gone. EBADF: the server is.
      return true;
    }
  }

  /**
   * Each KVSYNC has the number of the whole snapshot, its own has no meaning: so KTHXBAI has the highest of them also where
   * the newest update deleted a key or was made in another subtree.
   */
  #frames({ client, at, entries, sequence, subtree, uuids }: Job): MessageLike[] {
    const plain = { sequence, uuid: NONE, properties: {} };
    if (at < entries.length) {
      const { key, value, ...rest } = entries[at];
      const more = uuids && withRemaining(rest);
      return [client, ...encodeKeyValue({ ...plain, key, value, ...more })];
    }
    const piece = uuids?.[at - entries.length];
    const [key, value] = piece ? [UUIDS, piece] : [KTHXBAI, octetsOf(subtree)];
    return [client, ...encodeKeyValue({ ...plain, key, value })];
  }
}

function lengthOf({ entries, uuids }: Job): number {
  return entries.length + (uuids?.length ?? 0);
}

/** The ttl is what is left of it. */
function withRemaining(
  { uuid, properties, expires }: Pick<Entry, "uuid" | "properties" | "expires">,
): Pick<Entry, "uuid" | "properties"> {
  if (expires === 0) return { uuid, properties };
  const ttl = String(Math.max(1, Math.ceil((expires - now()) / 1000)));
  return { uuid, properties: { ...properties, ttl } };
}
