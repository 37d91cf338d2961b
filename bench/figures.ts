// Finds figures in results.

import { formatRatio } from "./format.ts";
import { wrap } from "./markdown.ts";
import type { Rate } from "./measure.ts";
import type { Figure, Results, SizedFigure } from "./results.ts";
import type { RowKind } from "./rows.ts";

/** A row as the results name it. */
export type ResultRow = Results["rows"][number];

/** The rows that have some of these figures. */
export function rowsWith(results: Results, figures: readonly Figure<unknown>[]): ResultRow[] {
  const measured = new Set(figures.map((figure) => figure.row));
  return results.rows.filter((row) => measured.has(row.id));
}

/** The first row of a kind. */
export function rowOfKind(results: Results, kind: RowKind): ResultRow | undefined {
  return results.rows.find((row) => row.kind === kind);
}

/** The row that is the limit of another. */
export function bareRowOf(results: Results, row: ResultRow): ResultRow | undefined {
  return results.rows.find(({ kind, runtime }) => kind === "bare" && runtime === row.runtime);
}

/** The median of a row, among figures with sizes for one of them. */
export function medianOf<T>(
  figures: readonly (Figure<T> | SizedFigure<T>)[],
  row: ResultRow | undefined,
  size?: number,
): T | undefined {
  return figures.find((figure) =>
    figure.row === row?.id && ("size" in figure ? figure.size : undefined) === size
  )?.median;
}

/** wasmq's rates as multiples of zeromq.js; undefined when one of them is not there. */
export function besideZeromqJs(
  results: Results,
  figures: readonly (Figure<Rate> | SizedFigure<Rate>)[],
  where: string,
  size?: number,
): string | undefined {
  const reference = medianOf(figures, rowOfKind(results, "zeromq.js"), size);
  const ratios = rowsWith(results, figures)
    .filter((row) => row.kind === "wasmq")
    .map((row) => `${formatRatio(medianOf(figures, row, size), reference)} (${row.title})`);
  if (reference === undefined || ratios.length === 0) return undefined;
  return wrap(`As multiples of zeromq.js ${where}: ${ratios.join(", ")}.`);
}
