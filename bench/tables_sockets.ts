// The tables of throughput, latency and connections.

import { bareRowOf, besideZeromqJs, medianOf, rowOfKind, rowsWith } from "./figures.ts";
import {
  formatMegabytes,
  formatMicroseconds,
  formatRate,
  formatRatio,
  formatSize,
  withRatio,
} from "./format.ts";
import { table, wrap } from "./markdown.ts";
import type { Results } from "./results.ts";

/** The tables of what was measured, with their explanations. */
export function socketParts(results: Results): string[] {
  return [
    ...throughputPart(results),
    ...streamPart(results),
    ...latencyPart(results),
    ...connectPart(results),
  ];
}

function throughputPart(results: Results): string[] {
  const columns = rowsWith(results, results.throughput);
  if (columns.length === 0) return [];
  const sizes = [...new Set(results.throughput.map((figure) => figure.size))];
  const libzmq = rowOfKind(results, "libzmq");
  const body = sizes.map((size) => {
    const reference = medianOf(results.throughput, libzmq, size);
    const cells = columns.map((row) => {
      const rate = medianOf(results.throughput, row, size);
      return row === libzmq ? formatRate(rate) : withRatio(formatRate(rate), rate, reference);
    });
    return [formatSize(size), ...cells];
  });
  const { warmupMs, windowMs } = results.settings;
  const parts = [
    "### Throughput: PUSH to PULL, messages a second",
    wrap(
      `One frame a message; the receiver counts for ${windowMs / 1000} s after ` +
        `${warmupMs / 1000} s of warm-up.`,
    ),
    table(["size", ...columns.map((row) => row.title)], body),
  ];
  const beside = besideZeromqJs(
    results,
    results.throughput,
    `at ${formatSize(sizes[0])}`,
    sizes[0],
  );
  return beside ? [...parts, beside] : parts;
}

function streamPart(results: Results): string[] {
  if (results.stream.length === 0) return [];
  const largest = Math.max(...results.throughput.map((figure) => figure.size));
  const body = rowsWith(results, results.stream).map((bare) => {
    const limit = medianOf(results.stream, bare);
    const wasmq = results.rows.find(({ kind, runtime }) =>
      kind === "wasmq" && runtime === bare.runtime
    );
    const messages = medianOf(results.throughput, wasmq, largest);
    const bytes = messages === undefined ? undefined : messages * largest;
    return [bare.runtime, formatMegabytes(limit), withRatio(formatMegabytes(bytes), bytes, limit)];
  });
  return [
    "### The limit: bytes through the bare runtime's sockets",
    wrap(
      "Writes of 256 KiB without any framing, beside wasmq's largest message (x: of the limit).",
    ),
    table(["runtime", "bare stream", `wasmq at ${formatSize(largest)}`], body),
  ];
}

function latencyPart(results: Results): string[] {
  const rows = rowsWith(results, results.latency);
  if (rows.length === 0) return [];
  const sizes = [...new Set(results.latency.map((figure) => figure.size))];
  const header = sizes.flatMap((
    size,
  ) => [`${formatSize(size)} median`, "p99", "x libzmq", "x bare"]);
  const body = rows.map((row) => {
    const cells = sizes.flatMap((size) => {
      const own = medianOf(results.latency, row, size);
      const libzmq = medianOf(results.latency, rowOfKind(results, "libzmq"), size);
      const bare = medianOf(results.latency, bareRowOf(results, row), size);
      return [
        own ? formatMicroseconds(own.medianUs) : "-",
        own ? formatMicroseconds(own.p99Us) : "-",
        row.kind === "libzmq" ? "" : formatRatio(own?.medianUs, libzmq?.medianUs),
        row.kind === "wasmq" || row.kind === "zeromq.js"
          ? formatRatio(own?.medianUs, bare?.medianUs)
          : "",
      ];
    });
    return [row.title, ...cells];
  });
  return [
    "### Latency: REQ to REP and back",
    wrap(
      `${results.settings.roundTrips} round trips, each timed; less is better. The bare rows send ` +
        "as many bytes as ZMTP would, without framing." + formatPinning(results),
    ),
    table(["", ...header], body),
  ];
}

function connectPart(results: Results): string[] {
  const rows = rowsWith(results, results.connect);
  if (rows.length === 0) return [];
  const libzmq = medianOf(results.connect, rowOfKind(results, "libzmq"));
  const body = rows.map((row) => {
    const rate = medianOf(results.connect, row);
    const bare = medianOf(results.connect, bareRowOf(results, row));
    return [
      row.title,
      formatRate(rate),
      row.kind === "libzmq" ? "" : formatRatio(rate, libzmq),
      row.kind === "wasmq" || row.kind === "zeromq.js" ? formatRatio(rate, bare) : "",
    ];
  });
  return [
    "### Connections: connect, handshake, one round trip, close",
    wrap(
      `${results.settings.connections} one after the other, REQ to one bound REP.` +
        formatPinning(results),
    ),
    table(["", "a second", "x libzmq", "x bare"], body),
  ];
}

function formatPinning({ settings }: Results): string {
  return settings.pinned ? " Each side has a core of its own." : "";
}
