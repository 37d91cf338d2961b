// Runs all rows side by side, prints their tables and writes results.json. See README.md.
// deno-lint-ignore-file no-console -- a command's output is its purpose

import { describeMachine, describeVersions } from "./machine.ts";
import { measureConnect, measureLatency, measureThroughput } from "./measure.ts";
import { type Options, readOptions, USAGE } from "./options.ts";
import { killAllPeers } from "./peer_process.ts";
import {
  type Figure,
  medianLatency,
  medianRate,
  type Results,
  type SizedFigure,
  writeResults,
} from "./results.ts";
import { findRows, type Row, type Rows } from "./rows.ts";
import {
  formatMegabytes,
  formatMicroseconds,
  formatRate,
  formatResults,
  formatSize,
} from "./tables.ts";

const LATENCY_SIZES = [1, 1_000];

function selectRows({ rows, missing }: Rows, ids: readonly string[] | undefined): Rows {
  if (!ids) return { rows, missing };
  const known = [...rows, ...missing].map((row) => row.id);
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length > 0) {
    throw new Error(`There is no row "${unknown[0]}": expected ${known.join(", ")}`);
  }
  const isWanted = ({ id }: { id: string }) => ids.includes(id);
  return { rows: rows.filter(isWanted), missing: missing.filter(isWanted) };
}

/** One measurement of several rows, in turn, as often as the settings say. */
async function measureInTurn<T>(
  results: Results,
  rows: readonly Row[],
  what: string,
  measure: (row: Row) => Promise<T>,
  median: (runs: readonly T[]) => T,
  format: (value: T) => string,
): Promise<Figure<T>[]> {
  const runs = new Map<string, T[]>(rows.map((row) => [row.id, []]));
  for (let round = 0; round < results.settings.runs; round++) {
    for (const row of rows) {
      if (results.failures.some((failed) => failed.row === row.id && failed.what === what)) {
        continue;
      }
      try {
        const value = await measure(row);
        runs.get(row.id)?.push(value);
        console.error(`${what.padEnd(18)} ${row.title.padEnd(18)} ${format(value)}`);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        results.failures.push({ row: row.id, what, why });
        console.error(`${what.padEnd(18)} ${row.title.padEnd(18)} failed: ${why}`);
        if (error instanceof Error && error.cause) console.error(error.cause);
      }
    }
  }
  return [...runs]
    .filter(([, values]) => values.length > 0)
    .map(([row, values]) => ({ row, median: median(values), runs: values }));
}

function withSize<T>(figures: Figure<T>[], size: number): SizedFigure<T>[] {
  return figures.map((figure) => ({ size, ...figure }));
}

async function measureAll(rows: readonly Row[], options: Options, results: Results): Promise<void> {
  const { settings, parts } = options;
  const bare = rows.filter((row) => row.kind === "bare");
  const sockets = rows.filter((row) => row.kind !== "bare");

  if (parts.includes("throughput")) {
    for (const size of options.sizes) {
      const figures = await measureInTurn(
        results,
        sockets,
        `throughput ${formatSize(size)}`,
        (row) => measureThroughput(row, size, settings),
        medianRate,
        (rate) => `${formatRate(rate)} msg/s`,
      );
      results.throughput.push(...withSize(figures, size));
    }
    const figures = await measureInTurn(
      results,
      bare,
      "stream",
      (row) => measureThroughput(row, 0, settings),
      medianRate,
      formatMegabytes,
    );
    results.stream.push(...figures);
  }
  if (parts.includes("latency")) {
    for (const size of LATENCY_SIZES) {
      const figures = await measureInTurn(
        results,
        rows,
        `latency ${formatSize(size)}`,
        (row) => measureLatency(row, size, settings),
        medianLatency,
        ({ medianUs, p99Us }) =>
          `median ${formatMicroseconds(medianUs)}, p99 ${formatMicroseconds(p99Us)}`,
      );
      results.latency.push(...withSize(figures, size));
    }
  }
  if (parts.includes("connect")) {
    const figures = await measureInTurn(
      results,
      rows,
      "connect",
      (row) => measureConnect(row, settings),
      medianRate,
      (rate) => `${formatRate(rate)}/s`,
    );
    results.connect.push(...figures);
  }
}

async function main(): Promise<void> {
  const options = await readOptions(Deno.args);
  const { rows, missing } = selectRows(await findRows(), options.rowIds);
  for (const { id, why } of missing) console.error(`${id} is left out: ${why}`);

  const machine = describeMachine();
  if (machine.loadAverage > 0.5) {
    console.error(`The machine is busy (load ${machine.loadAverage.toFixed(1)}): expect noise`);
  }
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    machine,
    versions: await describeVersions(rows),
    settings: options.settings,
    rows: rows.map(({ command: _, ...row }) => row),
    missing,
    failures: [],
    throughput: [],
    stream: [],
    latency: [],
    connect: [],
  };
  await measureAll(rows, options, results);

  console.log("\n" + formatResults(results));
  if (options.json) {
    writeResults(options.json, results);
    console.error(`Results are in ${options.json}`);
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    killAllPeers();
    Deno.exit(130);
  });
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(USAGE);
  Deno.exitCode = 1;
}
