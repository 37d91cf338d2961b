// The runner behind `deno task test`: every test file on Deno, Bun, Node 22 and Node 24.
//
//   deno run -A tests/run.ts [filter...] [--runtime deno|bun|node22|node24] [--jobs N]
//
// A filter is a part of a file's path. `x.deno_test.ts` runs on Deno only, likewise `bun` and
// `node`. Each file gets a process of its own; the counts come from JUnit reports, never from
// what a runtime prints. The last line is always `N passed, N failed`.

import { countReport, type Counts } from "./_util/junit.ts";

type RuntimeName = "deno" | "bun" | "node22" | "node24";

interface Runtime {
  readonly name: RuntimeName;
  readonly binary: string;
  readonly version: string;
}

interface FileResult extends Counts {
  readonly file: string;
  readonly seconds: number;
  /** Why the file counts as failed besides its failed tests. */
  readonly trouble: string | undefined;
  readonly output: string;
}

interface RuntimeResult extends Counts {
  readonly label: string;
  readonly seconds: number;
  readonly files: number;
}

interface Arguments {
  readonly filters: readonly string[];
  readonly runtimes: readonly RuntimeName[];
  readonly jobs: number;
}

class UsageError extends Error {
  constructor(argument: string) {
    super(
      `Cannot understand ${argument}: expected [filter...] [--runtime ${RUNTIMES.join("|")}] ` +
        `[--jobs N]`,
    );
  }
}

const ROOT = new URL("..", import.meta.url).pathname;
const RUNTIMES: readonly RuntimeName[] = ["deno", "bun", "node22", "node24"];
const FILE_TIMEOUT_MS = 300_000;
const KILL_DELAY_MS = 5_000;

const text = new TextDecoder();

function print(line: string): void {
  let bytes = new TextEncoder().encode(`${line}\n`);
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
}

function parseArguments(args: readonly string[]): Arguments {
  const filters: string[] = [];
  const runtimes: RuntimeName[] = [];
  // Many files mostly wait: for processes, and for time to pass.
  let jobs = Math.min(4, navigator.hardwareConcurrency + 2);
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
    } else if (flag.startsWith("-") && flag !== "--") {
      throw new UsageError(flag);
    } else if (flag !== "--") {
      filters.push(args[i]);
    }
  }
  return { filters, runtimes: runtimes.length > 0 ? runtimes : RUNTIMES, jobs };
}

function isRuntimeName(name: string): name is RuntimeName {
  return (RUNTIMES as readonly string[]).includes(name);
}

function findTests(filters: readonly string[]): string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of Deno.readDirSync(ROOT + folder)) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory && entry.name !== "node_modules") visit(path);
      else if (entry.isFile && entry.name.endsWith("_test.ts")) found.push(path);
    }
  };
  visit("tests");
  return found
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .sort();
}

function runsOn(file: string, runtime: RuntimeName): boolean {
  const only = /\.(deno|bun|node)_test\.ts$/.exec(file)?.[1];
  return only === undefined || runtime.startsWith(only);
}

/** The runtime installed in node_modules, else the one on PATH if its major version fits. */
async function findRuntime(name: RuntimeName): Promise<Runtime | undefined> {
  const major = name.startsWith("node") ? name.slice("node".length) : undefined;
  for (const binary of candidates(name)) {
    const version = await versionOf(binary);
    if (version && (major === undefined || version.split(".")[0] === major)) {
      return { name, binary, version };
    }
  }
  return undefined;
}

function candidates(name: RuntimeName): string[] {
  if (name === "deno") return [Deno.execPath()];
  const modules = `${ROOT}node_modules`;
  if (name === "bun") return [`${modules}/.bin/bun`, "bun"];
  const installed = listFolder(modules).filter((entry) => entry.startsWith(`${name}-`));
  return [...installed.map((entry) => `${modules}/${entry}/bin/node`), name, "node"];
}

function listFolder(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map((entry) => entry.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return []; // nothing was installed
    throw error;
  }
}

async function versionOf(binary: string): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(binary, {
      args: ["--version"],
      stderr: "null",
    }).output();
    return success ? /\d+\.\d+\.\d+\S*/.exec(text.decode(stdout))?.[0] : undefined;
  } catch {
    return undefined; // not there, or not executable here
  }
}

function commandFor(runtime: Runtime, file: string, report: string): string[] {
  switch (runtime.name) {
    case "deno":
      // Tests of memory collect the garbage before they look.
      return [
        "test",
        "-A",
        "--no-check",
        "--v8-flags=--expose-gc",
        `--junit-path=${report}`,
        file,
      ];
    case "bun":
      return ["test", "--reporter=junit", `--reporter-outfile=${report}`, `./${file}`];
    default:
      return [
        "--expose-gc",
        "--test",
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
        "--test-reporter=junit",
        `--test-reporter-destination=${report}`,
        file,
      ];
  }
}

async function runFile(runtime: Runtime, file: string, reports: string): Promise<FileResult> {
  const report = `${reports}/${runtime.name}-${file.replaceAll("/", "-")}.xml`;
  const start = performance.now();
  const child = new Deno.Command(runtime.binary, {
    args: commandFor(runtime, file, report),
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stopWatchdog = startWatchdog(child);
  const { code, signal, stdout, stderr } = await child.output();
  const timedOut = stopWatchdog();
  const counts = countReport(await readReport(report));
  const tests = counts.passed + counts.failed + counts.skipped;
  let trouble: string | undefined;
  if (timedOut) trouble = `was ended after ${FILE_TIMEOUT_MS / 1000} s`;
  else if (code !== 0 && counts.failed === 0) trouble = `ended with ${signal ?? `code ${code}`}`;
  else if (tests === 0) trouble = "has no tests";
  if (trouble) counts.failed++;
  const seconds = (performance.now() - start) / 1000;
  return { file, seconds, trouble, output: text.decode(stdout) + text.decode(stderr), ...counts };
}

/** Ends a process that takes too long; the returned function tells whether that happened. */
function startWatchdog(child: Deno.ChildProcess): () => boolean {
  let timedOut = false;
  let timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGTERM");
    timer = setTimeout(() => child.kill("SIGKILL"), KILL_DELAY_MS);
  }, FILE_TIMEOUT_MS);
  return () => {
    clearTimeout(timer);
    return timedOut;
  };
}

async function readReport(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return ""; // it died before it could report
    throw error;
  }
}

async function runRuntime(
  runtime: Runtime,
  files: readonly string[],
  jobs: number,
  reports: string,
): Promise<RuntimeResult> {
  const label = `${runtime.name} ${runtime.version}`;
  print(`\n${label}`);
  const start = performance.now();
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const queue = [...files];
  const work = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const result = await runFile(runtime, file, reports);
      total.passed += result.passed;
      total.failed += result.failed;
      total.skipped += result.skipped;
      printFile(label, result);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return { label, files: files.length, seconds: (performance.now() - start) / 1000, ...total };
}

function printFile(label: string, result: FileResult): void {
  const { file, passed, failed, skipped, seconds, trouble, output } = result;
  const counts = [`${passed} passed`];
  if (failed > 0) counts.push(`${failed} failed`);
  if (skipped > 0) counts.push(`${skipped} skipped`);
  const verdict = failed > 0 ? "FAIL" : "ok  ";
  print(`  ${verdict} ${file}  ${counts.join(", ")}  ${seconds.toFixed(1)} s`);
  if (failed === 0) return;
  print(`---- ${label}: ${file}${trouble ? ` ${trouble}` : ""}`);
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
  const { filters, runtimes, jobs } = parseArguments(Deno.args);
  const tests = findTests(filters);
  const reports = await Deno.makeTempDir({ prefix: "wasmq-tests-" });
  const results: RuntimeResult[] = [];
  try {
    for (const name of runtimes) {
      const files = tests.filter((file) => runsOn(file, name));
      const runtime = await findRuntime(name);
      results.push(runtime ? await runRuntime(runtime, files, jobs, reports) : missing(name));
    }
  } finally {
    await Deno.remove(reports, { recursive: true });
  }
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
