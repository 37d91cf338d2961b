// What the demo shows: one updating line on a terminal, few plain lines elsewhere, and tables.

const BAR_CELLS = 24;
const PLAIN_INTERVAL_MS = 2_000;
const encoder = new TextEncoder();

/** Writes to stdout. */
export class Screen {
  readonly #live = Deno.stdout.isTerminal();
  #hasLine = false;
  #lastPlainAt = 0;

  /** Prints a line that stays. */
  print(line = ""): void {
    this.#clear();
    write(line + "\n");
  }

  /** Shows how far something is, `done` from 0 to 1. */
  progress(done: number, text: string): void {
    const percent = `${Math.floor(done * 100)}`.padStart(3);
    if (this.#live) {
      const cells = Math.floor(done * BAR_CELLS);
      const bar = "█".repeat(cells) + "░".repeat(BAR_CELLS - cells);
      const line = `${percent} % ${bar} ${text}`;
      write(`\r\x1b[K${line.slice(0, Deno.consoleSize().columns - 1)}`);
      this.#hasLine = true;
    } else if (performance.now() - this.#lastPlainAt >= PLAIN_INTERVAL_MS) {
      this.#lastPlainAt = performance.now();
      write(`${percent} %  ${text}\n`);
    }
  }

  /** Prints a table: the first column to the left, the others to the right. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
    for (const row of rows) {
      const cells = row.map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])
      );
      this.print(`  ${cells.join("   ")}`);
    }
  }

  #clear(): void {
    if (this.#hasLine) write("\r\x1b[K");
    this.#hasLine = false;
  }
}

/** "1,234,567" */
export function formatCount(value: number): string {
  return value.toLocaleString("en-US");
}

/** Bytes as megabytes: "12.3". */
export function formatMegabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** "1 chunk", "2 chunks" */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function write(text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
}
