// Which measurement after which: inproc, ipc.

import { formatMicroseconds, formatNanoseconds, formatRate, formatSize } from "./format.ts";
import { measureInTurn } from "./in_turn.ts";
import {
  measureInprocLatency,
  measureInprocLent,
  measureInprocThroughput,
  measureInprocWorkers,
  measureIpcLatency,
  measureIpcThroughput,
} from "./measure_local.ts";
import type { Rate } from "./measure.ts";
import type { Options } from "./options.ts";
import { medianLatency, medianRate, type Results, type SizedFigure } from "./results.ts";
import type { Row } from "./rows.ts";

const LATENCY_SIZES = [1, 1_000];
/** Where the loops try first, too. */
const TRIED_SIZES = [1, 30, 1_000];
/** Where libzmq is lent the body, too. */
const LENT_SIZES = [1_000, 100_000];
const WORKER_SIZE = 30;
const IPC_LATENCY_SIZES = [1, 1_000];

/** Measures the parts that the options name. */
export async function measureLocal(
  rows: readonly Row[],
  options: Options,
  results: Results,
): Promise<void> {
  const sockets = rows.filter((row) => row.kind !== "bare");
  if (options.parts.includes("inproc")) await measureInproc(sockets, options, results);
  if (options.parts.includes("ipc")) await measureIpc(sockets, options, results);
}

async function measureInproc(
  rows: readonly Row[],
  { inprocSizes, workers, settings }: Options,
  results: Results,
): Promise<void> {
  const wasmq = rows.filter((row) => row.kind === "wasmq");
  const libzmq = rows.filter((row) => row.kind === "libzmq");
  for (const size of inprocSizes) {
    const what = `inproc ${formatSize(size)}`;
    const awaited = (row: Row) => measureInprocThroughput(row, size, settings);
    const tried = (row: Row) => measureInprocThroughput(row, size, settings, "tried-first");
    const lent = (row: Row) => measureInprocLent(row, size, settings);
    results.inprocThroughput.push(...await measureRates(results, rows, what, size, awaited));
    if (TRIED_SIZES.includes(size)) {
      results.inprocTried.push(
        ...await measureRates(results, wasmq, `${what}, tried`, size, tried),
      );
    }
    if (LENT_SIZES.includes(size)) {
      results.inprocLent.push(...await measureRates(results, libzmq, `${what}, lent`, size, lent));
    }
  }
  for (const size of LATENCY_SIZES) {
    const figures = await measureInTurn(results, rows, {
      what: `inproc latency ${formatSize(size)}`,
      measure: (row) => measureInprocLatency(row, size, settings),
      median: medianRate,
      format: formatNanoseconds,
    });
    results.inprocLatency.push(...figures.map((figure) => ({ size, ...figure })));
  }
  for (const count of workers) {
    for (const loop of ["awaited", "tried-first"] as const) {
      const figures = await measureRates(
        results,
        loop === "awaited" ? rows : wasmq,
        `inproc ${count} workers${loop === "awaited" ? "" : ", tried"}`,
        WORKER_SIZE,
        (row) => measureInprocWorkers(row, count, WORKER_SIZE, settings, loop),
      );
      const list = loop === "awaited" ? results.inprocWorkers : results.inprocWorkersTried;
      list.push(...figures.map((figure) => ({ workers: count, ...figure })));
    }
  }
}

async function measureIpc(
  rows: readonly Row[],
  { ipcSizes, settings }: Options,
  results: Results,
): Promise<void> {
  for (const size of ipcSizes) {
    results.ipcThroughput.push(
      ...await measureRates(
        results,
        rows,
        `ipc ${formatSize(size)}`,
        size,
        (row) => measureIpcThroughput(row, size, settings),
      ),
    );
  }
  for (const size of IPC_LATENCY_SIZES) {
    const figures = await measureInTurn(results, rows, {
      what: `ipc latency ${formatSize(size)}`,
      measure: (row) => measureIpcLatency(row, size, settings),
      median: medianLatency,
      format: ({ medianUs, p99Us }) =>
        `median ${formatMicroseconds(medianUs)}, p99 ${formatMicroseconds(p99Us)}`,
    });
    results.ipcLatency.push(...figures.map((figure) => ({ size, ...figure })));
  }
}

async function measureRates(
  results: Results,
  rows: readonly Row[],
  what: string,
  size: number,
  measure: (row: Row) => Promise<Rate>,
): Promise<SizedFigure<Rate>[]> {
  const figures = await measureInTurn(results, rows, {
    what,
    measure,
    median: medianRate,
    format: (rate) => `${formatRate(rate)} msg/s`,
  });
  return figures.map((figure) => ({ size, ...figure }));
}
