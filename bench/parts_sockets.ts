// Which measurement after which: throughput, latency, connections.

import { measureInTurn } from "./in_turn.ts";
import { measureConnect, measureLatency, measureThroughput } from "./measure.ts";
import type { Options } from "./options.ts";
import { formatMegabytes, formatMicroseconds, formatRate, formatSize } from "./format.ts";
import { medianLatency, medianRate, type Results } from "./results.ts";
import type { Row } from "./rows.ts";

const LATENCY_SIZES = [1, 1_000];

/** Measures the parts that the options name. */
export async function measureSockets(
  rows: readonly Row[],
  options: Options,
  results: Results,
): Promise<void> {
  if (options.parts.includes("throughput")) await measureThroughputs(rows, options, results);
  if (options.parts.includes("latency")) await measureLatencies(rows, options, results);
  if (options.parts.includes("connect")) await measureConnections(rows, options, results);
}

async function measureThroughputs(
  rows: readonly Row[],
  { sizes, settings }: Options,
  results: Results,
): Promise<void> {
  for (const size of sizes) {
    const figures = await measureInTurn(results, rows.filter((row) => row.kind !== "bare"), {
      what: `throughput ${formatSize(size)}`,
      measure: (row) => measureThroughput(row, size, settings),
      median: medianRate,
      format: (rate) => `${formatRate(rate)} msg/s`,
    });
    results.throughput.push(...figures.map((figure) => ({ size, ...figure })));
  }
  const figures = await measureInTurn(results, rows.filter((row) => row.kind === "bare"), {
    what: "stream",
    measure: (row) => measureThroughput(row, 0, settings),
    median: medianRate,
    format: formatMegabytes,
  });
  results.stream.push(...figures);
}

async function measureLatencies(
  rows: readonly Row[],
  { settings }: Options,
  results: Results,
): Promise<void> {
  for (const size of LATENCY_SIZES) {
    const figures = await measureInTurn(results, rows, {
      what: `latency ${formatSize(size)}`,
      measure: (row) => measureLatency(row, size, settings),
      median: medianLatency,
      format: ({ medianUs, p99Us }) =>
        `median ${formatMicroseconds(medianUs)}, p99 ${formatMicroseconds(p99Us)}`,
    });
    results.latency.push(...figures.map((figure) => ({ size, ...figure })));
  }
}

async function measureConnections(
  rows: readonly Row[],
  { settings }: Options,
  results: Results,
): Promise<void> {
  const figures = await measureInTurn(results, rows, {
    what: "connect",
    measure: (row) => measureConnect(row, settings),
    median: medianRate,
    format: (rate) => `${formatRate(rate)}/s`,
  });
  results.connect.push(...figures);
}
