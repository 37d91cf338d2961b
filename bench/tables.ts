// Results as Markdown: printed at the end of a run and kept in README.md.

import type { Latency, Rate } from "./measure.ts";
import type { Figure, Results, SizedFigure } from "./results.ts";
import type { RowKind } from "./rows.ts";

type ResultRow = Results["rows"][number];

/** The width that `deno fmt` wraps prose at. */
const LINE_WIDTH = 100;

/** All tables with their explanations. */
export function formatResults(results: Results): string {
  const parts = [
    formatSetting(results),
    ...throughputPart(results),
    ...streamPart(results),
    ...latencyPart(results),
    ...connectPart(results),
    ...missingPart(results),
  ];
  return parts.join("\n\n") + "\n";
}

function formatSetting(results: Results): string {
  const { machine, date } = results;
  const versions = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`);
  return wrap(
    `Measured on ${date}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ` +
      `${machine.system}; ${versions.join(", ")}. Sender and receiver are two processes on ` +
      `loopback TCP with default socket options. All rows of a table ran in turn in one run; each ` +
      `figure is the median of ${results.settings.runs}. "x" is the multiple of libzmq's figure in ` +
      `the same run, unless it says otherwise.`,
  );
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
  const beside = besideZeromqJs(results, sizes[0]);
  return beside ? [...parts, beside] : parts;
}

/** wasmq's rates at the smallest size as multiples of zeromq.js. */
function besideZeromqJs(results: Results, size: number): string | undefined {
  const reference = medianOf(results.throughput, rowOfKind(results, "zeromq.js"), size);
  const ratios = rowsWith(results, results.throughput)
    .filter((row) => row.kind === "wasmq")
    .map((row) =>
      `${formatRatio(medianOf(results.throughput, row, size), reference)} (${row.title})`
    );
  if (reference === undefined || ratios.length === 0) return undefined;
  return wrap(`As multiples of zeromq.js at ${formatSize(size)}: ${ratios.join(", ")}.`);
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

function missingPart(results: Results): string[] {
  const missing = results.missing.map(({ id, why }) => `${id} was not measured: ${why}.`);
  const failed = new Map<string, string[]>();
  for (const { row, what } of results.failures) {
    failed.set(row, [...failed.get(row) ?? [], what]);
  }
  const failures = [...failed].map(([row, what]) => `${row} failed at ${what.join(", ")}.`);
  const items = [...missing, ...failures].map((text) => wrap(`- ${text}`, "  "));
  return items.length === 0 ? [] : [items.join("\n")];
}

function rowsWith(results: Results, figures: readonly Figure<unknown>[]): ResultRow[] {
  const measured = new Set(figures.map((figure) => figure.row));
  return results.rows.filter((row) => measured.has(row.id));
}

function rowOfKind(results: Results, kind: RowKind): ResultRow | undefined {
  return results.rows.find((row) => row.kind === kind);
}

function bareRowOf(results: Results, row: ResultRow): ResultRow | undefined {
  return results.rows.find(({ kind, runtime }) => kind === "bare" && runtime === row.runtime);
}

function medianOf<T extends Rate | Latency>(
  figures: readonly (Figure<T> | SizedFigure<T>)[],
  row: ResultRow | undefined,
  size?: number,
): T | undefined {
  return figures.find((figure) =>
    figure.row === row?.id && ("size" in figure ? figure.size : undefined) === size
  )?.median;
}

/** 1 -> "1 B", 10000 -> "10 kB". */
export function formatSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${bytes / 1000} kB` : `${bytes / 1_000_000} MB`;
}

/** 8412345 -> "8.41 M". */
export function formatRate(rate: number | undefined): string {
  if (rate === undefined) return "-";
  if (rate >= 1e6) return `${(rate / 1e6).toPrecision(3)} M`;
  if (rate >= 1e5) return `${Math.round(rate / 1e3)} k`;
  return rate >= 1e3 ? `${(rate / 1e3).toPrecision(3)} k` : rate.toPrecision(3);
}

/** 3123456789 -> "3123 MB/s". */
export function formatMegabytes(rate: number | undefined): string {
  return rate === undefined ? "-" : `${Math.round(rate / 1e6)} MB/s`;
}

/** 70.1234 -> "70 us". */
export function formatMicroseconds(us: number): string {
  return `${Math.round(us)} us`;
}

function formatRatio(value: number | undefined, reference: number | undefined): string {
  if (value === undefined || reference === undefined) return "-";
  const ratio = value / reference;
  return `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)}x`;
}

function withRatio(
  text: string,
  value: number | undefined,
  reference: number | undefined,
): string {
  const ratio = formatRatio(value, reference);
  return ratio === "-" ? text : `${text} (${ratio})`;
}

/** A table padded as `deno fmt` pads it. */
function table(header: string[], body: string[][]): string {
  const lines = [header, ...body];
  const widths = header.map((_, column) =>
    Math.max(3, ...lines.map((cells) => cells[column].length))
  );
  const format = (cells: string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [format(header), rule, ...body.map(format)].join("\n");
}

/** Prose filled to the line width as `deno fmt` fills it. */
function wrap(text: string, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line && line.length + 1 + word.length > LINE_WIDTH) {
      lines.push(line);
      line = indent + word;
    } else {
      line = line ? `${line} ${word}` : word;
    }
  }
  return [...lines, line].join("\n");
}
