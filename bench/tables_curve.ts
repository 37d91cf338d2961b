// The tables of CURVE, and of its primitives.

import { type ResultRow, rowOfKind, rowsWith } from "./figures.ts";
import { formatMicroseconds, formatRate, formatRatio, formatSize, withRatio } from "./format.ts";
import { table, wrap } from "./markdown.ts";
import type { BoxRates } from "./measure_curve.ts";
import type { Figure, Results, SizedFigure } from "./results.ts";

/** The tables of what was measured, with their explanations. */
export function curveParts(results: Results): string[] {
  return [
    ...throughputPart(results),
    ...latencyPart(results),
    ...connectPart(results),
    ...boxesPart(results),
  ];
}

function sizesOf(figures: readonly SizedFigure<unknown>[]): number[] {
  return [...new Set(figures.map((figure) => figure.size))];
}

function find<T>(figures: readonly Figure<T>[], row: ResultRow | undefined): T | undefined {
  return figures.find((figure) => figure.row === row?.id)?.median;
}

function throughputPart(results: Results): string[] {
  const columns = rowsWith(results, results.curveThroughput);
  if (columns.length === 0) return [];
  const libzmq = rowOfKind(results, "libzmq");
  const rates: string[][] = [];
  const shares: string[][] = [];
  for (const size of sizesOf(results.curveThroughput)) {
    const figures = results.curveThroughput.filter((figure) => figure.size === size);
    const reference = find(figures, libzmq)?.curve;
    const medians = columns.map((row) => ({ row, median: find(figures, row) }));
    rates.push([
      formatSize(size),
      ...medians.map(({ row, median }) => {
        const text = formatRate(median?.curve);
        return row === libzmq ? text : withRatio(text, median?.curve, reference);
      }),
    ]);
    shares.push([
      formatSize(size),
      ...medians.map(({ median }) => formatRatio(median?.curve, median?.plain)),
    ]);
  }
  const header = ["size", ...columns.map((row) => row.title)];
  const { curveWarmupMs, curveWindowMs } = results.settings;
  return [
    "### CURVE: PUSH to PULL, messages a second",
    wrap(
      `Encrypted and authenticated; libzmq does it with libsodium, wasmq in WebAssembly. The ` +
        `receiver counts for ${curveWindowMs / 1000} s after ${curveWarmupMs / 1000} s of warm-up.`,
    ),
    table(header, rates),
    "The same as parts of what each does with NULL, measured in turn with it:",
    table(header, shares),
  ];
}

function latencyPart(results: Results): string[] {
  const rows = rowsWith(results, results.curveLatency);
  if (rows.length === 0) return [];
  const sizes = sizesOf(results.curveLatency);
  const header = sizes.flatMap((
    size,
  ) => [`${formatSize(size)} median`, "p99", "x libzmq", "x NULL"]);
  const libzmq = rowOfKind(results, "libzmq");
  const body = rows.map((row) => {
    const cells = sizes.flatMap((size) => {
      const figures = results.curveLatency.filter((figure) => figure.size === size);
      const own = find(figures, row);
      const reference = find(figures, libzmq);
      return [
        own ? formatMicroseconds(own.curve.medianUs) : "-",
        own ? formatMicroseconds(own.curve.p99Us) : "-",
        row === libzmq ? "" : formatRatio(own?.curve.medianUs, reference?.curve.medianUs),
        formatRatio(own?.curve.medianUs, own?.plain.medianUs),
      ];
    });
    return [row.title, ...cells];
  });
  return [
    "### CURVE: REQ to REP and back",
    wrap(`${results.settings.roundTrips} round trips, each timed; less is better.`),
    table(["", ...header], body),
  ];
}

function connectPart(results: Results): string[] {
  const rows = rowsWith(results, results.curveConnect);
  if (rows.length === 0) return [];
  const libzmq = rowOfKind(results, "libzmq");
  const reference = find(results.curveConnect, libzmq)?.curve;
  const body = rows.map((row) => {
    const own = find(results.curveConnect, row);
    return [
      row.title,
      formatRate(own?.curve),
      row === libzmq ? "" : formatRatio(own?.curve, reference),
      formatRatio(own?.curve, own?.plain),
    ];
  });
  return [
    "### CURVE: connect, handshake, one round trip, close",
    wrap(
      `${results.settings.connections} one after the other, REQ to one bound REP. Both sides make ` +
        `a pair of keys and compute three shared secrets for each.`,
    ),
    table(["", "a second", "x libzmq", "x NULL"], body),
  ];
}

function boxesPart(results: Results): string[] {
  const columns = rowsWith(results, results.boxes);
  if (columns.length === 0) return [];
  const libsodium = rowOfKind(results, "libsodium");
  const lines = (text: keyof BoxRates, frames: keyof BoxRates) =>
    sizesOf(results.boxes).flatMap((size) => {
      const figures = results.boxes.filter((figure) => figure.size === size);
      const reference = find(figures, libsodium)?.[text];
      const line = (rate: keyof BoxRates) =>
        columns.map((row) => {
          const own = find(figures, row)?.[rate];
          return row === libsodium ? formatRate(own) : withRatio(formatRate(own), own, reference);
        });
      const whole = line(frames);
      return [
        [formatSize(size), ...line(text)],
        ...whole.some((cell) => cell !== "-") ? [[`${formatSize(size)}, frames`, ...whole]] : [],
      ];
    });
  const header = ["size", ...columns.map((row) => row.title)];
  return [
    "### XSalsa20-Poly1305 alone",
    wrap(
      `NaCl's box with a key that is there already, texts of 256 kB in turn, a second (x: of ` +
        `libsodium). "Frames" are CURVE's messages as a connection has them: one call of the core ` +
        `for all of them, headers and nonces included. Sealing:`,
    ),
    table(header, lines("sealed", "sealedFrames")),
    "Opening:",
    table(header, lines("opened", "openedFrames")),
  ];
}
