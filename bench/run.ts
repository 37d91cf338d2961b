// Runs all rows side by side, prints their tables and writes results.json. See README.md.
// deno-lint-ignore-file no-console -- a command's output is its purpose

import { measureCrypto, measureCurve } from "./parts_curve.ts";
import { describeMachine, describeVersions } from "./machine.ts";
import { readOptions, USAGE } from "./options.ts";
import { measureLocal } from "./parts_local.ts";
import { measureSockets } from "./parts_sockets.ts";
import { measurePublishSubscribe } from "./parts_publish.ts";
import { measureWeb, weighEntries } from "./parts_web.ts";
import { killAllPeers } from "./peer_process.ts";
import { noFigures, type Results, writeResults } from "./results.ts";
import { findRows, PRIMITIVES, type Rows, WEB_ONLY } from "./rows.ts";
import { formatResults } from "./tables.ts";

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

async function main(): Promise<void> {
  const options = await readOptions(Deno.args);
  const found = await findRows();
  const { rows, missing } = selectRows(found, options.rowIds);
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
    ...noFigures(),
  };
  const peers = rows.filter(({ kind }) => ![...PRIMITIVES, ...WEB_ONLY].includes(kind));
  await measureSockets(peers, options, results);
  await measureLocal(peers, options, results);
  const feeder = found.rows.find((row) => row.kind === "libzmq");
  await measurePublishSubscribe(peers, feeder, options, results);
  await measureCurve(peers, options, results);
  await measureCrypto(rows, options, results);
  await measureWeb(rows, options, results);
  await weighEntries(options, results);

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
