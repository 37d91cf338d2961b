// One measurement of several rows, in turn, as often as the settings say.
// deno-lint-ignore-file no-console -- progress is for whoever waits

import type { Figure, Results } from "./results.ts";
import type { Row } from "./rows.ts";

/** A measurement, and what to make of its values. */
export interface Measurement<T> {
  readonly what: string;
  readonly measure: (row: Row) => Promise<T>;
  readonly median: (runs: readonly T[]) => T;
  readonly format: (value: T) => string;
}

/** Measures every row in every round; a row that fails is noted and left out of the later rounds. */
export async function measureInTurn<T>(
  results: Results,
  rows: readonly Row[],
  { what, measure, median, format }: Measurement<T>,
): Promise<Figure<T>[]> {
  const runs = new Map<string, T[]>(rows.map((row) => [row.id, []]));
  const print = (row: Row, text: string) =>
    console.error(`${what.padEnd(20)} ${row.title.padEnd(18)} ${text}`);
  for (let round = 0; round < results.settings.runs; round++) {
    for (const row of rows) {
      if (results.failures.some((failed) => failed.row === row.id && failed.what === what)) {
        continue;
      }
      try {
        const value = await measure(row);
        runs.get(row.id)?.push(value);
        print(row, format(value));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        results.failures.push({ row: row.id, what, why });
        print(row, `failed: ${why}`);
        if (error instanceof Error && error.cause) console.error(error.cause);
      }
    }
  }
  return [...runs]
    .filter(([, values]) => values.length > 0)
    .map(([row, values]) => ({ row, median: median(values), runs: values }));
}
