// The tables of fan-out, filter, trie and proxy.

import { besideZeromqJs, medianOf, type ResultRow, rowOfKind, rowsWith } from "./figures.ts";
import { formatCount, formatNanoseconds, formatRate, formatSize, withRatio } from "./format.ts";
import { table, wrap } from "./markdown.ts";
import type { Rate } from "./measure.ts";
import type { TrieCost } from "./measure_publish.ts";
import type { Figure, Results, SizedFigure } from "./results.ts";

/** The tables of what was measured, with their explanations. */
export function publishParts(results: Results): string[] {
  return [
    ...fanOutPart(results),
    ...filterPart(results),
    ...triePart(results),
    ...proxyPart(results),
  ];
}

/** Rates of a table's line, each with its multiple of libzmq's. */
function rateCells(
  results: Results,
  columns: readonly ResultRow[],
  figures: readonly (Figure<Rate> | SizedFigure<Rate>)[],
  size?: number,
): string[] {
  const reference = medianOf(figures, rowOfKind(results, "libzmq"), size);
  return columns.map((row) => {
    const rate = medianOf(figures, row, size);
    return row.kind === "libzmq" ? formatRate(rate) : withRatio(formatRate(rate), rate, reference);
  });
}

function formatWindow({ settings: { publishWarmupMs, publishWindowMs } }: Results): string {
  return `counted for ${publishWindowMs / 1000} s after ${publishWarmupMs / 1000} s of warm-up`;
}

function unique(values: readonly number[]): number[] {
  return [...new Set(values)];
}

function fanOutPart(results: Results): string[] {
  const { fanOut } = results;
  const columns = rowsWith(results, fanOut);
  if (columns.length === 0) return [];
  const sizes = unique(fanOut.map((figure) => figure.size));
  const counts = unique(fanOut.map((figure) => figure.subscribers));
  const to = (count: number) => fanOut.filter((figure) => figure.subscribers === count);
  const body = sizes.flatMap((size) =>
    counts.map((count) => [
      formatSize(size),
      `${count}`,
      ...rateCells(results, columns, to(count), size),
    ])
  );
  const shown = counts.includes(100) ? 100 : counts[0];
  const where = `at ${formatSize(sizes[0])} to ${shown}`;
  const beside = besideZeromqJs(results, to(shown), where, sizes[0]);
  return [
    "### Fan-out: one PUB to many SUBs, deliveries a second",
    wrap(
      `What all subscribers together received, ${
        formatWindow(results)
      }. They are in one process; ` +
        "the publisher sends as fast as it can, and what a full subscriber does not get does not " +
        "count.",
    ),
    table(["size", "subscribers", ...columns.map((row) => row.title)], body),
    ...beside ? [beside] : [],
  ];
}

function filterPart(results: Results): string[] {
  const { publisherFilter, subscriberFilter } = results;
  const columns = rowsWith(results, [...publisherFilter, ...subscriberFilter]);
  if (columns.length === 0) return [];
  const lines = [
    ["the publisher, published", publisherFilter],
    ["the subscriber, arrived", subscriberFilter],
  ] as const;
  const besides = [
    besideZeromqJs(results, publisherFilter, "where the publisher filters"),
    besideZeromqJs(results, subscriberFilter, "where the subscriber filters"),
  ].filter((text) => text !== undefined);
  return [
    "### Filtering: one topic in a hundred wanted, messages a second",
    wrap(
      `One PUB to one SUB, 10 B, ${
        formatWindow(results)
      }. Where the subscriber filters, one and the ` +
        "same C program feeds all rows: it sends every topic, whatever is subscribed.",
    ),
    table(
      ["filtered by", ...columns.map((row) => row.title)],
      lines
        .filter(([, figures]) => figures.length > 0)
        .map(([title, figures]) => [title, ...rateCells(results, columns, figures)]),
    ),
    ...besides,
  ];
}

const TRIE_FIGURES: readonly [string, keyof TrieCost][] = [
  ["add", "addNs"],
  ["match", "matchNs"],
  ["miss", "missNs"],
  ["remove", "removeNs"],
  ["memory", "bytes"],
];

function triePart(results: Results): string[] {
  const { trie } = results;
  const columns = rowsWith(results, trie);
  if (columns.length === 0) return [];
  const libzmq = rowOfKind(results, "libzmq");
  const body = unique(trie.map((figure) => figure.subscriptions)).flatMap((count) => {
    const figures = trie.filter((figure) => figure.subscriptions === count);
    return TRIE_FIGURES.map(([title, key]) => {
      const reference = medianOf(figures, libzmq)?.[key];
      const cells = columns.map((row) => {
        const value = medianOf(figures, row)?.[key];
        if (value === undefined) return "-";
        const text = key === "bytes" ? `${Math.round(value)} B` : formatNanoseconds(value);
        return row === libzmq ? text : withRatio(text, value, reference);
      });
      return [formatCount(count), title, ...cells];
    });
  });
  return [
    "### Subscriptions: what each costs a publisher",
    wrap(
      "Topics of 20 B with shared prefixes, `sensors/000000/temp/` and on, added and removed in " +
        "order; messages looked up in random order. A miss differs in its last octet. Less is " +
        "better. libzmq through its public functions, wasmq's core called directly, both less what " +
        "sending costs with a single subscription.",
    ),
    table(["subscriptions", "", ...columns.map((row) => row.title)], body),
  ];
}

function proxyPart(results: Results): string[] {
  const { proxy } = results;
  const columns = rowsWith(results, proxy);
  if (columns.length === 0) return [];
  const sizes = unique(proxy.map((figure) => figure.size));
  const beside = besideZeromqJs(results, proxy, `at ${formatSize(sizes[0])}`, sizes[0]);
  return [
    "### Proxy: PUB to XSUB, XPUB to SUB, deliveries a second",
    wrap(`Publisher, proxy and subscriber are three processes; ${formatWindow(results)}.`),
    table(
      ["size", ...columns.map((row) => row.title)],
      sizes.map((size) => [formatSize(size), ...rateCells(results, columns, proxy, size)]),
    ),
    ...beside ? [beside] : [],
  ];
}
