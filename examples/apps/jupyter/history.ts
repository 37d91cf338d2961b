// What was run, for clients that ask.

/** An entry as clients get it: session, number of the cell, input, or input and output. */
export type HistoryItem = readonly [
  session: number,
  line: number,
  text: string | readonly [input: string, output: string | null],
];

/** The content of a `history_request`; anything may be missing or wrong. */
export type HistoryRequest = Readonly<Record<string, unknown>>;

interface Entry {
  readonly line: number;
  readonly input: string;
  output: string | null;
}

/** So many cells are remembered. */
const LIMIT = 10_000;
/** Histories do not outlive the kernel. */
const SESSION = 1;

/** The cells of this session. */
export class History {
  readonly #entries: Entry[] = [];
  readonly #limit: number;

  constructor(limit: number = LIMIT) {
    this.#limit = limit;
  }

  /** Notes a cell. */
  add(line: number, input: string): void {
    this.#entries.push({ line, input, output: null });
    if (this.#entries.length > this.#limit) this.#entries.shift();
  }

  /** Notes what the last cell gave. */
  setOutput(output: string): void {
    const last = this.#entries.at(-1);
    if (last !== undefined) last.output = output;
  }

  /** Answers a request; nothing for one that is not understood. */
  find(request: HistoryRequest): HistoryItem[] {
    const withOutput = request.output === true;
    return this.#select(request).map(({ line, input, output }) =>
      [SESSION, line, withOutput ? [input, output] : input] as const
    );
  }

  #select(request: HistoryRequest): Entry[] {
    const count = typeof request.n === "number" ? Math.max(0, Math.floor(request.n)) : undefined;
    switch (request.hist_access_type) {
      case "tail":
        return lastOf(this.#entries, count);
      case "range":
        return this.#range(request);
      case "search":
        return lastOf(this.#search(request), count);
      default:
        return [];
    }
  }

  #range(request: HistoryRequest): Entry[] {
    // 0 is the present session, and there is no other.
    if (![undefined, null, 0, SESSION].includes(request.session as number)) return [];
    const start = typeof request.start === "number" ? request.start : 0;
    const stop = typeof request.stop === "number" ? request.stop : Infinity;
    return this.#entries.filter(({ line }) => line >= start && line < stop);
  }

  #search(request: HistoryRequest): Entry[] {
    const matches = glob(typeof request.pattern === "string" ? request.pattern : "*");
    const found = this.#entries.filter(({ input }) => matches(input));
    if (request.unique !== true) return found;
    const last = new Map(found.map((entry) => [entry.input, entry]));
    return found.filter((entry) => last.get(entry.input) === entry);
  }
}

function lastOf<T>(items: readonly T[], count: number | undefined): T[] {
  return count === undefined ? [...items] : items.slice(Math.max(0, items.length - count));
}

/** `*` is any text, `?` any character. Goes back to the last star only, so no pattern takes long. */
function glob(pattern: string): (text: string) => boolean {
  const wanted = [...pattern];
  return (input) => {
    const text = [...input];
    let at = 0;
    let star = -1;
    let resume = 0;
    for (let i = 0; i < text.length;) {
      if (wanted[at] === "*") {
        star = at++;
        resume = i;
      } else if (wanted[at] === "?" || wanted[at] === text[i]) {
        at++;
        i++;
      } else if (star >= 0) {
        at = star + 1;
        i = ++resume;
      } else {
        return false;
      }
    }
    while (wanted[at] === "*") at++;
    return at === wanted.length;
  };
}
