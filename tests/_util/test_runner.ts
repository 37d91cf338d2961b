// Runs test files on one runtime, in batches: a process for each, read back by its JUnit report.

import { type Counts, countTests, isWhole, readTests, type TestResult } from "./junit.ts";

/** A runtime that the suite runs on. */
export type RuntimeName = "deno" | "bun" | "node22" | "node24";

/** An installed runtime. */
export interface Runtime {
  readonly name: RuntimeName;
  readonly binary: string;
  readonly version: string;
}

/** Test files that run in one process of a runtime. */
export interface Batch {
  readonly runtime: Runtime;
  readonly label: string;
  readonly files: readonly string[];
}

/** How the tests of a batch ended. */
export interface BatchResult extends Counts {
  readonly batch: Batch;
  readonly tests: readonly TestResult[];
  readonly seconds: number;
  /** Why the batch counts as failed besides its failed tests. */
  readonly trouble: string | undefined;
  readonly output: string;
}

/** Every runtime. */
export const RUNTIMES: readonly RuntimeName[] = ["deno", "bun", "node22", "node24"];

const ROOT = new URL("../..", import.meta.url).pathname;
const KILL_DELAY_MS = 5_000;

// What is computed, or happens in memory on a clock turned by hand. Everything else has a process
// for each file: tests that watch the process (memory, handles, exit) or wait for real time.
const SHARED = new RegExp(
  "^tests/(?:(?:certificates|conformance|core|link|patterns/base|routing|session|sockets|wire)/" +
    "(?:websocket/)?[^/]+|hostile/(?:deaf|multipart|multipart_types|pending|reset|routing_id|self_connection|slow|subscriptions)" +
    "_test\\.ts)$",
);
// A whole run has to end in some minutes. It leaves out what another runtime in it shows as well.
/** How libzmq understands options and mechanisms: nothing of that is a runtime's doing. */
const UNDERSTOOD = new RegExp(
  "^tests/interop/(?:pubsub_(?:options|pairing|requests|wire)|zap_\\w+|plain_\\w+" +
    "|security_(?:authenticator|mismatch|restart)|curve_(?:limits|minor|refusals|wire))_test\\.ts$",
);
/** Handlers and rules, without cryptography of the runtime's own. */
const RULES = /^tests\/security\/(?:authenticator|plain|zap)_/;
/** What a version of Node can do differently: its sockets, its event loop, how a program ends. */
const FOR_NODE_22 = /^tests\/(?:_util|crash|package|runtimes|websocket)\/|^tests\/[^/]+$/;
/** What loads WebAssembly again and again: in one process of Bun that takes up to four times as long. */
const SLOW_TOGETHER = /^tests\/core\//;
/** Few enough that several processes have work, and that a failure's output can be read. */
const LARGEST_BATCH = 8;

const text = new TextDecoder();

/** The test files whose paths contain one of the filters; all without filters. */
export function findTests(filters: readonly string[]): string[] {
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

/** Whether a file is meant for a runtime; in a whole run Deno runs all, and the engine of Node is Deno's. */
export function runsOn(file: string, runtime: RuntimeName, whole: boolean): boolean {
  if (whole) {
    if (runtime !== "deno" && UNDERSTOOD.test(file)) return false;
    if (runtime === "node24" && (SHARED.test(file) || RULES.test(file))) return false;
    if (runtime === "node22" && !FOR_NODE_22.test(file)) return false;
  }
  const only = /\.(deno|bun|node)_test\.ts$/.exec(file)?.[1];
  return only === undefined || runtime.startsWith(only);
}

/** The runtime installed in node_modules, else the one on PATH if its major version fits. */
export async function findRuntime(name: RuntimeName): Promise<Runtime | undefined> {
  const major = name.startsWith("node") ? name.slice("node".length) : undefined;
  for (const binary of candidates(name)) {
    const version = await versionOf(binary);
    if (version && (major === undefined || version.split(".")[0] === major)) {
      return { name, binary, version };
    }
  }
  return undefined;
}

/** Puts files that may share a process together, folder by folder. */
export function batchesOf(files: readonly string[], runtime: Runtime): Batch[] {
  const batches: Batch[] = [];
  const shared = new Map<string, string[]>();
  for (const file of files) {
    const folder = file.slice(0, file.lastIndexOf("/"));
    if (!SHARED.test(file) || (runtime.name === "bun" && SLOW_TOGETHER.test(file))) {
      batches.push({ runtime, label: file, files: [file] });
    } else if (shared.has(folder)) shared.get(folder)!.push(file);
    else shared.set(folder, [file]);
  }
  for (const [folder, together] of shared) {
    const count = Math.ceil(together.length / LARGEST_BATCH);
    for (let i = 0; i < count; i++) {
      // Every n-th file: neighbours by name are often alike in what they cost.
      const part = together.filter((_, at) => at % count === i);
      const number = count === 1 ? "" : ` ${i + 1}/${count}`;
      const label = part.length === 1 ? part[0] : folder + number;
      batches.push({ runtime, label, files: part });
    }
  }
  return batches;
}

/** What running batches may cost. */
export interface RunLimits {
  /** Processes at a time. */
  readonly jobs: number;
  /**
   * How long one may take.
   * @default {300}
   */
  readonly seconds?: number;
}

/** Runs batches, several at a time, and tells of each as it ends. */
export async function runBatches(
  batches: readonly Batch[],
  { jobs, seconds = 300 }: RunLimits,
  onResult: (result: BatchResult) => void,
): Promise<void> {
  const reports = await Deno.makeTempDir({ prefix: "wasmq-tests-" });
  const queue = [...batches.entries()];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, batch] = next;
      onResult(await runBatch(batch, seconds, reports, `${reports}/${index}.xml`));
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, work));
  } finally {
    await Deno.remove(reports, { recursive: true });
  }
}

async function runBatch(
  batch: Batch,
  limit: number,
  cache: string,
  report: string,
): Promise<BatchResult> {
  const { runtime } = batch;
  const start = performance.now();
  const child = new Deno.Command(runtime.binary, {
    args: commandFor(runtime, batch.files, report),
    cwd: ROOT,
    // Node compiles the sources once, not for each process.
    env: { NO_COLOR: "1", NODE_COMPILE_CACHE: `${cache}/compiled` },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stopWatchdog = startWatchdog(child, limit);
  const { code, signal, stdout, stderr } = await child.output();
  const timedOut = stopWatchdog();
  const xml = await readReport(report);
  const tests = readTests(xml);
  const counts = countTests(tests);
  let trouble: string | undefined;
  if (timedOut) trouble = `was ended after ${limit} s`;
  else if (code !== 0 && counts.failed === 0) trouble = `ended with ${signal ?? `code ${code}`}`;
  else if (tests.length === 0) trouble = "has no tests";
  else if (!isWhole(xml)) trouble = "ended before its report";
  if (trouble) counts.failed++;
  const seconds = (performance.now() - start) / 1000;
  const output = text.decode(stdout) + text.decode(stderr);
  return { batch, tests, seconds, trouble, output, ...counts };
}

function commandFor(runtime: Runtime, files: readonly string[], report: string): string[] {
  switch (runtime.name) {
    case "deno":
      // Tests of memory collect the garbage before they look.
      return [
        "test",
        "-A",
        "--no-check",
        "--v8-flags=--expose-gc",
        `--junit-path=${report}`,
        ...files,
      ];
    case "bun": {
      const paths = files.map((file) => `./${file}`);
      return ["test", "--reporter=junit", `--reporter-outfile=${report}`, ...paths];
    }
    default:
      return [
        "--expose-gc",
        "--test",
        NO_ISOLATION[runtime.name],
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
        "--test-reporter=junit",
        `--test-reporter-destination=${report}`,
        ...files,
      ];
  }
}

const NO_ISOLATION = {
  node22: "--experimental-test-isolation=none",
  node24: "--test-isolation=none",
} as const;

/** Ends a process that takes too long; the returned function tells whether that happened. */
function startWatchdog(child: Deno.ChildProcess, seconds: number): () => boolean {
  let timedOut = false;
  let timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGTERM");
    timer = setTimeout(() => child.kill("SIGKILL"), KILL_DELAY_MS);
  }, seconds * 1000);
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

/** Writes a line to the standard output, whole. */
export function print(line: string): void {
  let bytes = new TextEncoder().encode(`${line}\n`);
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
}
