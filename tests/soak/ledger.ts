// Who sent what: every message of the soak has a source and a number, and every receiver keeps a ledger of them.

/** What was wrong with the messages of a process so far. */
export interface Faults {
  lost: number;
  repeated: number;
  reordered: number;
  /** Messages whose body is not what it was. */
  damaged: number;
}

/** The numbers of one source that came. */
export interface Account {
  first: number;
  next: number;
}

/** How many late messages of a source are told from repeated ones. */
const REMEMBERED = 10_000;
const SIZES = [0, 1, 30, 30, 30, 250, 255, 256, 1_000, 1_000, 8_192, 40_000] as const;
const pool = new Uint8Array(65_536).map((_, i) => i * 31 + (i >> 8));

/** The body of a message: neither its length nor its octets need be sent along to be known. */
export function bodyOf(number: number): Uint8Array {
  return pool.subarray(number % 1_024, number % 1_024 + SIZES[number % SIZES.length]);
}

function isWhole(body: Uint8Array, number: number): boolean {
  const expected = bodyOf(number);
  return body.length === expected.length && body[0] === expected[0] &&
    body.at(-1) === expected.at(-1) && body[body.length >> 1] === expected[body.length >> 1];
}

/** The sources that a process receives from. */
export class Ledger {
  readonly faults: Faults = { lost: 0, repeated: 0, reordered: 0, damaged: 0 };
  /** The first few faults, in words. */
  readonly stories: string[] = [];
  received = 0;
  readonly #accounts: Map<string, Account> = new Map();
  readonly #missing: Map<string, Set<number>> = new Map();

  /** All sources that were not forgotten. */
  get accounts(): Readonly<Record<string, Account>> {
    return Object.fromEntries(this.#accounts);
  }

  /** Enters a message. With `gaps`, numbers may be left out: those that died with a peer. */
  take(source: string, number: number, body: Uint8Array, gaps = false): void {
    this.received++;
    if (!isWhole(body, number)) this.#fault("damaged", source, number, `${body.length} octets`);
    const account = this.#accounts.get(source);
    if (account === undefined) {
      this.#accounts.set(source, { first: number, next: number + 1 });
    } else if (number >= account.next) {
      if (number > account.next && !gaps) this.#skip(source, account.next, number);
      account.next = number + 1;
    } else if (this.#missing.get(source)?.delete(number)) {
      this.faults.lost--;
      this.#fault("reordered", source, number, `after ${account.next - 1}`);
    } else {
      this.#fault("repeated", source, number, `after ${account.next - 1}`);
    }
  }

  /** Enters something that should have come and did not. */
  miss(source: string, what: string): void {
    this.#fault("lost", source, -1, what);
  }

  /** Closes the account of a source that says how many messages it had. */
  settle(source: string, count: number): void {
    const account = this.#accounts.get(source);
    if (account === undefined || account.first !== 0 || account.next !== count) {
      const came = account === undefined ? "nothing" : `${account.first} to ${account.next - 1}`;
      this.faults.lost += Math.max(0, count - (account?.next ?? 0) + (account?.first ?? 0) - 1);
      this.#fault("lost", source, count, `${came} came of ${count}`);
    }
    this.#accounts.delete(source);
    this.#missing.delete(source);
  }

  #skip(source: string, from: number, to: number): void {
    const missing = this.#missing.get(source) ?? new Set();
    this.#missing.set(source, missing);
    for (let i = from; i < to && missing.size < REMEMBERED; i++) missing.add(i);
    this.faults.lost += to - from - 1;
    this.#fault("lost", source, from, `then ${to} came`);
  }

  #fault(kind: keyof Faults, source: string, number: number, what: string): void {
    this.faults[kind]++;
    if (this.stories.length < 20) this.stories.push(`${kind}: ${source} ${number}, ${what}`);
  }
}
