// The runner behind `deno task test`: every test file on Deno, Bun, Node 22 and Node 24.
//
//   deno run -A tests/run.ts [filter...] [--runtime deno|bun|node22|node24] [--jobs N] [--seconds N]
//
// No process may take longer than --seconds (300). A filter is a part of a file's path. `x.deno_test.ts` runs on Deno only, likewise `bun` and
// `node`. Files that do all in memory share processes, each other file has one of its own; the
// counts come from JUnit reports, never from what a runtime prints. The last line is always
// `N passed, N failed`.

import type { Counts } from "./_util/junit.ts";
import {
  type Batch,
  batchesOf,
  type BatchResult,
  findRuntime,
  findTests,
  print,
  runBatches,
  type RunLimits,
  runsOn,
  type Runtime,
  type RuntimeName,
  RUNTIMES,
} from "./_util/test_runner.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What a runtime's tests came to; `seconds` are those of its processes together. */
interface RuntimeResult extends Counts {
  readonly label: string;
  readonly seconds: number;
  readonly files: number;
}

interface Arguments {
  readonly filters: readonly string[];
  readonly runtimes: readonly RuntimeName[];
  readonly limits: RunLimits;
}

class UsageError extends Error {
  constructor(argument: string) {
    super(
      `Cannot understand ${argument}: expected [filter...] [--runtime ${RUNTIMES.join("|")}] ` +
        `[--jobs N] [--seconds N]`,
    );
  }
}

function parseArguments(args: readonly string[]): Arguments {
  const filters: string[] = [];
  const runtimes: RuntimeName[] = [];
  // Many files mostly wait: for processes, and for time to pass.
  let jobs = Math.min(6, navigator.hardwareConcurrency + 4);
  let seconds = 300;
  for (let i = 0; i < args.length; i++) {
    const [flag, inline] = args[i].split("=", 2);
    if (flag === "--runtime") {
      for (const name of (inline ?? args[++i] ?? "").split(",")) {
        if (!isRuntimeName(name)) throw new UsageError(`--runtime ${name}`);
        runtimes.push(name);
      }
    } else if (flag === "--jobs") {
      jobs = Number(inline ?? args[++i]);
      if (!(jobs >= 1)) throw new UsageError("--jobs");
    } else if (flag === "--seconds") {
      seconds = Number(inline ?? args[++i]);
      if (!(seconds >= 1)) throw new UsageError("--seconds");
    } else if (flag.startsWith("-") && flag !== "--") {
      throw new UsageError(flag);
    } else if (flag !== "--") {
      filters.push(args[i]);
    }
  }
  return {
    filters,
    runtimes: runtimes.length > 0 ? runtimes : RUNTIMES,
    limits: { jobs, seconds },
  };
}

function isRuntimeName(name: string): name is RuntimeName {
  return (RUNTIMES as readonly string[]).includes(name);
}

/** Runs on all runtimes: their batches form one queue, so that nobody waits for the last one of a runtime. */
async function runAll(
  runtimes: readonly Runtime[],
  filters: readonly string[],
  limits: RunLimits,
): Promise<RuntimeResult[]> {
  const tests = findTests(filters);
  const batches: Batch[] = [];
  const results = new Map<Runtime, Mutable<RuntimeResult>>();
  for (const runtime of runtimes) {
    const files = tests.filter((file) => runsOn(file, runtime.name, filters.length === 0));
    batches.push(...batchesOf(files, runtime));
    const label = `${runtime.name} ${runtime.version}`;
    const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
    results.set(runtime, { label, files: files.length, seconds: 0, ...counts });
  }
  await runBatches(batches, limits, (result) => {
    const total = results.get(result.batch.runtime)!;
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
    total.seconds += result.seconds;
    printResult(result);
  });
  return [...results.values()];
}

function printResult(result: BatchResult): void {
  const { batch, tests, passed, failed, skipped, seconds, trouble, output } = result;
  const { runtime, label, files } = batch;
  const counts = [`${passed} passed`];
  if (failed > 0) counts.push(`${failed} failed`);
  if (skipped > 0) counts.push(`${skipped} skipped`);
  if (files.length > 1) counts.push(`${files.length} files`);
  const verdict = failed > 0 ? "FAIL" : "ok  ";
  const name = runtime.name.padEnd(6);
  print(`  ${verdict} ${name} ${label}  ${counts.join(", ")}  ${seconds.toFixed(1)} s`);
  if (failed === 0) return;
  print(`---- ${runtime.name} ${runtime.version}: ${label}${trouble ? ` ${trouble}` : ""}`);
  if (files.length > 1) print(`one process ran ${files.join(" ")}`);
  for (const { title, outcome } of tests) if (outcome === "failed") print(`failed: ${title}`);
  print(output.trimEnd());
  print("----");
}

function printTable(results: readonly RuntimeResult[]): void {
  const width = Math.max(...results.map(({ label }) => label.length), "runtime".length);
  const row = (label: string, ...cells: string[]): void =>
    print(label.padEnd(width) + cells.map((cell) => cell.padStart(9)).join(""));
  print("");
  row("runtime", "files", "passed", "failed", "skipped", "seconds");
  for (const { label, files, passed, failed, skipped, seconds } of results) {
    row(label, ...[files, passed, failed, skipped, Math.round(seconds)].map(String));
  }
}

/** A runtime that is not installed: left out, but a failure where everything must be there. */
function missing(name: RuntimeName): RuntimeResult {
  const failed = Deno.env.get("CI") === "true" ? 1 : 0;
  print(`\n${name} is missing: neither in node_modules nor on PATH (run \`npm install\`)`);
  return { label: `${name} (missing)`, files: 0, seconds: 0, passed: 0, failed, skipped: 0 };
}

async function main(): Promise<number> {
  const { filters, runtimes, limits } = parseArguments(Deno.args);
  const found: Runtime[] = [];
  const absent: RuntimeResult[] = [];
  for (const name of runtimes) {
    const runtime = await findRuntime(name);
    if (runtime) found.push(runtime);
    else absent.push(missing(name));
  }
  const results = [...await runAll(found, filters, limits), ...absent];
  printTable(results);
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  print("");
  print(`${passed} passed, ${failed} failed`);
  return passed > 0 && failed === 0 ? 0 : 1;
}

try {
  Deno.exit(await main());
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  print(error.message);
  Deno.exit(2);
}
