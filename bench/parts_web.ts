// Which measurement after which: WebSocket, and how large the entries are.

import { measureEntries } from "./entries.ts";
import { formatKilobytes, formatMicroseconds, formatRate, formatSize } from "./format.ts";
import { measureInTurn } from "./in_turn.ts";
import { measureWebConnect, measureWebLatency, measureWebThroughput } from "./measure_web.ts";
import type { Options } from "./options.ts";
import { medianLatency, medianOverWeb, medianRate, type Results } from "./results.ts";
import type { Row } from "./rows.ts";

const LATENCY_SIZES = [1, 1_000];

/** Measures WebSocket if the options name it. */
export async function measureWeb(
  rows: readonly Row[],
  { parts, webSizes, settings }: Options,
  results: Results,
): Promise<void> {
  if (!parts.includes("ws")) return;
  const sockets = rows.filter((row) => row.kind === "wasmq" || row.kind === "jszmq");
  for (const size of webSizes) {
    const figures = await measureInTurn(results, sockets, {
      what: `ws ${formatSize(size)}`,
      measure: (row) => measureWebThroughput(row, size, settings),
      median: (runs) => medianOverWeb(runs, medianRate),
      format: ({ ws, tcp }) => `${formatRate(ws)} msg/s, tcp ${formatRate(tcp)}`,
    });
    results.webThroughput.push(...figures.map((figure) => ({ size, ...figure })));
  }
  for (const size of LATENCY_SIZES) {
    const figures = await measureInTurn(results, sockets, {
      what: `ws latency ${formatSize(size)}`,
      measure: (row) => measureWebLatency(row, size, settings),
      median: (runs) => medianOverWeb(runs, medianLatency),
      format: ({ ws, tcp }) =>
        `median ${formatMicroseconds(ws.medianUs)}, p99 ${formatMicroseconds(ws.p99Us)}` +
        (tcp ? `, tcp ${formatMicroseconds(tcp.medianUs)}` : ""),
    });
    results.webLatency.push(...figures.map((figure) => ({ size, ...figure })));
  }
  const figures = await measureInTurn(results, sockets, {
    what: "ws connect",
    measure: (row) => measureWebConnect(row, settings),
    median: (runs) => medianOverWeb(runs, medianRate),
    format: ({ ws, tcp }) => `${formatRate(ws)}/s, tcp ${formatRate(tcp)}`,
  });
  results.webConnect.push(...figures);
}

/** Builds the entries and weighs them if the options name that. */
export async function weighEntries({ parts }: Options, results: Results): Promise<void> {
  if (!parts.includes("bytes")) return;
  results.entries.push(...await measureEntries());
  for (const { entry, minified, gzipped } of results.entries) {
    // deno-lint-ignore no-console -- progress is for whoever waits
    console.error(
      `bytes ${entry.padEnd(14)} ${formatKilobytes(minified)}, gzipped ${formatKilobytes(gzipped)}`,
    );
  }
}
