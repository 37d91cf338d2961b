// Which measurement after which: CURVE, and its primitives.

import { formatMicroseconds, formatRate, formatSize } from "./format.ts";
import { measureInTurn } from "./in_turn.ts";
import {
  measureBoxes,
  measureCurveConnect,
  measureCurveLatency,
  measureCurveThroughput,
} from "./measure_curve.ts";
import type { Options } from "./options.ts";
import {
  medianBoxRates,
  medianLatency,
  medianRate,
  medianSecured,
  type Results,
} from "./results.ts";
import { PRIMITIVES, type Row } from "./rows.ts";

const LATENCY_SIZES = [1, 1_000];

/** Measures CURVE if the options name it. */
export async function measureCurve(
  rows: readonly Row[],
  { parts, curveSizes, settings }: Options,
  results: Results,
): Promise<void> {
  if (!parts.includes("curve")) return;
  const sockets = rows.filter((row) => row.kind !== "bare");
  for (const size of curveSizes) {
    const figures = await measureInTurn(results, sockets, {
      what: `curve ${formatSize(size)}`,
      measure: (row) => measureCurveThroughput(row, size, settings),
      median: (runs) => medianSecured(runs, medianRate),
      format: ({ curve, plain }) => `${formatRate(curve)} msg/s, NULL ${formatRate(plain)}`,
    });
    results.curveThroughput.push(...figures.map((figure) => ({ size, ...figure })));
  }
  for (const size of LATENCY_SIZES) {
    const figures = await measureInTurn(results, sockets, {
      what: `curve latency ${formatSize(size)}`,
      measure: (row) => measureCurveLatency(row, size, settings),
      median: (runs) => medianSecured(runs, medianLatency),
      format: ({ curve, plain }) =>
        `median ${formatMicroseconds(curve.medianUs)}, p99 ${formatMicroseconds(curve.p99Us)}, ` +
        `NULL ${formatMicroseconds(plain.medianUs)}`,
    });
    results.curveLatency.push(...figures.map((figure) => ({ size, ...figure })));
  }
  const figures = await measureInTurn(results, sockets, {
    what: "curve connect",
    measure: (row) => measureCurveConnect(row, settings),
    median: (runs) => medianSecured(runs, medianRate),
    format: ({ curve, plain }) => `${formatRate(curve)}/s, NULL ${formatRate(plain)}`,
  });
  results.curveConnect.push(...figures);
}

/** Measures the primitives if the options name them. */
export async function measureCrypto(
  rows: readonly Row[],
  { parts, cryptoSizes, settings }: Options,
  results: Results,
): Promise<void> {
  if (!parts.includes("crypto")) return;
  const primitives = rows.filter(({ kind }) => kind === "wasmq" || PRIMITIVES.includes(kind));
  for (const size of cryptoSizes) {
    const figures = await measureInTurn(results, primitives, {
      what: `crypto ${formatSize(size)}`,
      measure: (row) => measureBoxes(row, size, settings),
      median: medianBoxRates,
      format: ({ sealed, opened }) => `seals ${formatRate(sealed)}/s, opens ${formatRate(opened)}`,
    });
    results.boxes.push(...figures.map((figure) => ({ size, ...figure })));
  }
}
