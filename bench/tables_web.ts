// The tables of WebSocket, and of what the entries weigh.

import { medianOf, rowOfKind, rowsWith } from "./figures.ts";
import {
  formatKilobytes,
  formatMicroseconds,
  formatRate,
  formatRatio,
  formatSize,
} from "./format.ts";
import { table, wrap } from "./markdown.ts";
import type { Results, SizedFigure } from "./results.ts";

/** The tables of what was measured, with their explanations. */
export function webParts(results: Results): string[] {
  return [
    ...throughputPart(results),
    ...latencyPart(results),
    ...connectPart(results),
    ...entriesPart(results),
  ];
}

function sizesOf(figures: readonly SizedFigure<unknown>[]): number[] {
  return [...new Set(figures.map((figure) => figure.size))];
}

function throughputPart(results: Results): string[] {
  const { webThroughput, settings } = results;
  const columns = rowsWith(results, webThroughput);
  if (columns.length === 0) return [];
  const jszmq = rowOfKind(results, "jszmq");
  const body = sizesOf(webThroughput).map((size) => {
    const reference = medianOf(webThroughput, jszmq, size)?.ws;
    return [
      formatSize(size),
      ...columns.map((row) => {
        const own = medianOf(webThroughput, row, size);
        if (own === undefined) return "-";
        const ratios = [
          ...own.tcp === undefined ? [] : [`${formatRatio(own.ws, own.tcp)} tcp`],
          ...row === jszmq || !reference ? [] : [`${formatRatio(own.ws, reference)} jszmq`],
        ];
        return formatRate(own.ws) + (ratios.length > 0 ? ` (${ratios.join(", ")})` : "");
      }),
    ];
  });
  return [
    "### ws: PUSH to PULL, messages a second",
    wrap(
      `Over WebSocket, without TLS; the client masks what it sends. The receiver counts for ${
        settings.webWindowMs / 1000
      } s after ${settings.localWarmupMs / 1000} s of warm-up. "tcp" is the same sockets over ` +
        `tcp, measured in turn with it. jszmq has no high-water mark: it sends whenever less than ` +
        `1 MiB waits.`,
    ),
    table(["size", ...columns.map((row) => row.title)], body),
  ];
}

function latencyPart(results: Results): string[] {
  const { webLatency, settings } = results;
  const rows = rowsWith(results, webLatency);
  if (rows.length === 0) return [];
  const sizes = sizesOf(webLatency);
  const jszmq = rowOfKind(results, "jszmq");
  const body = rows.map((row) => [
    row.title,
    ...sizes.flatMap((size) => {
      const own = medianOf(webLatency, row, size);
      if (own === undefined) return ["-", "-", "-", "-"];
      const reference = medianOf(webLatency, jszmq, size)?.ws.medianUs;
      return [
        formatMicroseconds(own.ws.medianUs),
        formatMicroseconds(own.ws.p99Us),
        formatRatio(own.ws.medianUs, own.tcp?.medianUs),
        row === jszmq ? "" : formatRatio(own.ws.medianUs, reference),
      ];
    }),
  ]);
  return [
    "### ws: REQ to REP and back",
    wrap(`${settings.roundTrips} round trips, each timed; less is better.`),
    table(
      ["", ...sizes.flatMap((size) => [`${formatSize(size)} median`, "p99", "x tcp", "x jszmq"])],
      body,
    ),
  ];
}

function connectPart(results: Results): string[] {
  const { webConnect, settings } = results;
  const rows = rowsWith(results, webConnect);
  if (rows.length === 0) return [];
  const jszmq = rowOfKind(results, "jszmq");
  const reference = medianOf(webConnect, jszmq)?.ws;
  const body = rows.map((row) => {
    const own = medianOf(webConnect, row);
    return [
      row.title,
      formatRate(own?.ws),
      formatRatio(own?.ws, own?.tcp),
      row === jszmq ? "" : formatRatio(own?.ws, reference),
    ];
  });
  return [
    "### ws: connect, handshakes, one round trip, close",
    wrap(`${settings.connections} one after the other, REQ to one bound REP.`),
    table(["", "a second", "x tcp", "x jszmq"], body),
  ];
}

function entriesPart({ entries }: Results): string[] {
  if (entries.length === 0) return [];
  return [
    "### The size of each entry",
    wrap(
      "All of it, with the WebAssembly core, bundled and minified by esbuild; gzip at level 9.",
    ),
    table(
      ["entry", "minified", "gzipped"],
      entries.map(({ entry, minified, gzipped }) => [
        `\`${entry}\``,
        formatKilobytes(minified),
        formatKilobytes(gzipped),
      ]),
    ),
  ];
}
