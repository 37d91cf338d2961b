// The tables of inproc and ipc.

import { medianOf, type ResultRow, rowOfKind, rowsWith } from "./figures.ts";
import {
  formatMicroseconds,
  formatNanoseconds,
  formatRate,
  formatRatio,
  formatSize,
  withRatio,
} from "./format.ts";
import { table, wrap } from "./markdown.ts";
import type { Rate } from "./measure.ts";
import type { Results, SizedFigure, WorkersFigure } from "./results.ts";

/** The tables of what was measured, with their explanations. */
export function localParts(results: Results): string[] {
  return [
    ...inprocThroughputPart(results),
    ...inprocWorkersPart(results),
    ...inprocLatencyPart(results),
    ...ipcThroughputPart(results),
    ...ipcLatencyPart(results),
  ];
}

/** A line of figures of one size, each with its multiple of libzmq's. */
function cells(
  results: Results,
  columns: readonly ResultRow[],
  figures: readonly SizedFigure<number>[],
  size: number,
  format: (value: number) => string,
  references: readonly SizedFigure<number>[] = figures,
): string[] {
  const libzmq = rowOfKind(results, "libzmq");
  const reference = medianOf(references, libzmq, size);
  return columns.map((row) => {
    const value = medianOf(figures, row, size);
    if (value === undefined) return "-";
    return row === libzmq ? format(value) : withRatio(format(value), value, reference);
  });
}

function sizeTable(
  results: Results,
  figures: readonly SizedFigure<number>[],
  format: (value: number) => string,
  tried: readonly SizedFigure<number>[] = [],
): string {
  const columns = rowsWith(results, figures);
  return table(
    ["size", ...columns.map((row) => row.title)],
    [
      ...sizesOf(figures).map((size) => [
        formatSize(size),
        ...cells(results, columns, figures, size, format),
      ]),
      ...sizesOf(tried).map((size) => [
        `${formatSize(size)}, tried first`,
        ...cells(results, columns, tried, size, format, figures),
      ]),
    ],
  );
}

function sizesOf(figures: readonly SizedFigure<unknown>[]): number[] {
  return [...new Set(figures.map((figure) => figure.size))];
}

function formatWindow({ settings: { localWarmupMs, localWindowMs } }: Results): string {
  return `counted for ${localWindowMs / 1000} s after ${localWarmupMs / 1000} s of warm-up`;
}

function inprocThroughputPart(results: Results): string[] {
  const { inprocThroughput } = results;
  if (inprocThroughput.length === 0) return [];
  return [
    "### inproc: PAIR to PAIR, messages a second",
    wrap(
      `One process; ${formatWindow(results)}. libzmq has a thread for each end and makes each ` +
        "message with `zmq_msg_init_size`, as its own inproc_thr does; in JavaScript both ends are " +
        "loops of one thread, and the sender sends the same `Uint8Array` each time. Nobody copies " +
        `a long body.${
          formatLent(results)
        } The loops are those of \`await send\` and \`for await\`; ` +
        "those that are tried first call `trySend` and `tryReceive`, and await only what has to wait.",
    ),
    sizeTable(results, inprocThroughput, formatRate, results.inprocTried),
  ];
}

function formatLent(results: Results): string {
  const libzmq = rowOfKind(results, "libzmq");
  const figures = results.inprocLent.map(({ size }) =>
    `${formatRate(medianOf(results.inprocLent, libzmq, size))} at ${formatSize(size)}`
  );
  if (figures.length === 0) return "";
  return " Lent a constant body instead (`zmq_msg_init_data`), libzmq does " +
    `${figures.join(" and ")}.`;
}

function inprocWorkersPart(results: Results): string[] {
  const { inprocWorkers } = results;
  const columns = rowsWith(results, inprocWorkers);
  if (columns.length === 0) return [];
  const counts = [...new Set(inprocWorkers.map((figure) => figure.workers))];
  const size = inprocWorkers[0].size;
  const to = (count: number, figures: readonly WorkersFigure[]): SizedFigure<Rate>[] =>
    figures.filter((figure) => figure.workers === count);
  const line = (count: number, title: string, figures: readonly WorkersFigure[]): string[] => {
    const own = to(count, figures);
    const references = to(count, inprocWorkers);
    return [title, ...cells(results, columns, own, size, formatRate, references)];
  };
  const tried = results.inprocWorkersTried;
  return [
    "### inproc: one PUSH to many PULLs, messages a second",
    wrap(
      `What all workers together received, ${formatSize(size)}; ${formatWindow(results)}. In ` +
        "libzmq each worker is a thread of its own, in JavaScript a loop.",
    ),
    table(
      ["workers", ...columns.map((row) => row.title)],
      [
        ...counts.map((count) => line(count, `${count}`, inprocWorkers)),
        ...counts.filter((count) => to(count, tried).length > 0)
          .map((count) => line(count, `${count}, tried first`, tried)),
      ],
    ),
  ];
}

function inprocLatencyPart(results: Results): string[] {
  const { inprocLatency } = results;
  if (inprocLatency.length === 0) return [];
  return [
    "### inproc: PAIR to PAIR and back",
    wrap(
      `Half of the mean round trip, ${formatWindow(results)}; less is better. libzmq's ends are ` +
        "two threads that wake each other, as in its own inproc_lat.",
    ),
    sizeTable(results, inprocLatency, formatNanoseconds),
  ];
}

function ipcThroughputPart(results: Results): string[] {
  const { ipcThroughput } = results;
  if (ipcThroughput.length === 0) return [];
  return [
    "### ipc: PUSH to PULL, messages a second",
    wrap(`Two processes; ${formatWindow(results)}.`),
    sizeTable(results, ipcThroughput, formatRate),
  ];
}

function ipcLatencyPart(results: Results): string[] {
  const { ipcLatency, settings } = results;
  const rows = rowsWith(results, ipcLatency);
  if (rows.length === 0) return [];
  const sizes = sizesOf(ipcLatency);
  const body = rows.map((row) => [
    row.title,
    ...sizes.flatMap((size) => {
      const own = medianOf(ipcLatency, row, size);
      const libzmq = medianOf(ipcLatency, rowOfKind(results, "libzmq"), size);
      return [
        own ? formatMicroseconds(own.medianUs) : "-",
        own ? formatMicroseconds(own.p99Us) : "-",
        row.kind === "libzmq" ? "" : formatRatio(own?.medianUs, libzmq?.medianUs),
      ];
    }),
  ]);
  return [
    "### ipc: REQ to REP and back",
    wrap(
      `${settings.roundTrips} round trips, each timed; less is better.` +
        (settings.pinned ? " Each side has a core of its own." : ""),
    ),
    table(
      ["", ...sizes.flatMap((size) => [`${formatSize(size)} median`, "p99", "x libzmq"])],
      body,
    ),
  ];
}
