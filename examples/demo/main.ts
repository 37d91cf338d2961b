/**
 * Divide and conquer across runtimes: a ventilator pushes the text files of a folder to workers on
 * Deno, Bun, Node and libzmq; they count words and push the counts to a sink. A REQ/REP channel
 * carries their progress and the order to stop.
 *
 * Run it with `deno task demo [FOLDER] [--repeat N]`.
 *
 * @module
 */

import { compare, countAlone } from "./check.ts";
import { type Input, readInput, splitIntoChunks } from "./input.ts";
import { showShares, showWords } from "./report.ts";
import { divideAndConquer } from "./run.ts";
import { findWorkers, type Launch, pathOf } from "./runtimes.ts";
import { formatCount, formatMegabytes, plural, Screen } from "./screen.ts";
import type { Work } from "./ventilator.ts";

const USAGE = `Usage: deno task demo [FOLDER] [--repeat N]

  FOLDER       count the words of its text files (default: this project)
  --repeat N   send the files N times (default: until 128 MB are reached)`;

const DEFAULT_BYTES = 128e6;
const INTERRUPTED = 130;
// One Ctrl-C comes twice, from the terminal and from the task runner.
const SAME_SIGNAL_MS = 1_000;

const screen = new Screen();

async function main(stop: AbortController): Promise<void> {
  const { folder, repeat } = parseArguments();
  const input = await readInput(folder, stop.signal);
  const chunks = splitIntoChunks(input.files);
  const rounds = repeat ?? Math.ceil(DEFAULT_BYTES / input.bytes);
  const work: Work = { chunks, total: chunks.length * rounds };
  introduce(folder, input, work, rounds);

  const launches: Launch[] = [];
  for (const worker of await findWorkers()) {
    if ("command" in worker) launches.push(worker);
    else screen.print(`  ${worker.name.padEnd(8)} missing: ${worker.reason}`);
  }
  const outcome = await divideAndConquer(launches, work, screen, stop);
  const alone = await countAlone(input, rounds, screen, stop.signal);
  showShares(screen, launches, outcome, alone.seconds);
  showWords(screen, outcome.ledger.words);
  compare(outcome.ledger.words, alone.words);
  screen.print("matches the single-process count");
}

function parseArguments(): { folder: string; repeat: number | undefined } {
  const folders: string[] = [];
  let repeat: number | undefined;
  for (let i = 0; i < Deno.args.length; i++) {
    const [name, value] = Deno.args[i].split("=", 2);
    if (name === "--repeat") {
      repeat = parseRepeat(value ?? Deno.args[++i]);
    } else if (name === "--help" || name === "-h") {
      screen.print(USAGE);
      Deno.exit(0);
    } else if (name.startsWith("-")) {
      throw new Error(`Unknown option ${name}\n\n${USAGE}`);
    } else {
      folders.push(Deno.args[i]);
    }
  }
  if (folders.length > 1) throw new Error(`Expected one folder, got ${folders.length}\n\n${USAGE}`);
  return { folder: findFolder(folders[0]), repeat };
}

function parseRepeat(value: string | undefined): number {
  const repeat = Number(value);
  if (Number.isSafeInteger(repeat) && repeat > 0) return repeat;
  throw new Error(`Expected a whole number above 0 after --repeat, got ${value ?? "nothing"}`);
}

function findFolder(name: string | undefined): string {
  if (name === undefined) return Deno.realPathSync(pathOf(new URL("../..", import.meta.url)));
  // A task runs in the project's folder; INIT_CWD is where the user called it.
  const base = Deno.env.get("INIT_CWD") ?? Deno.cwd();
  const path = /^([/\\]|[A-Za-z]:)/.test(name) ? name : `${base}/${name}`;
  try {
    if (Deno.statSync(path).isDirectory) return Deno.realPathSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`There is no folder ${path}`);
  }
  throw new Error(`${path} is not a folder`);
}

function introduce(folder: string, input: Input, work: Work, rounds: number): void {
  const files = `${plural(input.files.length, "text file")}, ${formatMegabytes(input.bytes)} MB`;
  const skipped = input.skipped > 0 ? ` (${formatCount(input.skipped)} others skipped)` : "";
  screen.print(`${folder}: ${files}${skipped}`);
  const bytes = formatMegabytes(input.bytes * rounds);
  screen.print(`${plural(work.total, "chunk")}, ${bytes} MB: the files ${plural(rounds, "time")}`);
  screen.print();
}

/** Ctrl-C ends the run in order; if that takes too long, a later one ends it at once. */
function stopOnSignals(stop: AbortController): void {
  const signals: Deno.Signal[] = ["SIGINT", Deno.build.os === "windows" ? "SIGBREAK" : "SIGTERM"];
  let stoppedAt = 0;
  const onSignal = () => {
    if (!stop.signal.aborted) {
      stoppedAt = performance.now();
      stop.abort(new DOMException("Stopped", "AbortError"));
    } else if (performance.now() - stoppedAt > SAME_SIGNAL_MS) {
      Deno.exit(INTERRUPTED);
    }
  };
  for (const signal of signals) Deno.addSignalListener(signal, onSignal);
}

const stop = new AbortController();
stopOnSignals(stop);
try {
  await main(stop);
  Deno.exit(0);
} catch (error) {
  // What ended the run comes first: closing its sockets makes others fail.
  const cause: unknown = stop.signal.aborted ? stop.signal.reason : error;
  if (cause instanceof DOMException && cause.name === "AbortError") {
    screen.print("stopped");
    Deno.exit(INTERRUPTED);
  }
  screen.print(`demo: ${cause instanceof Error ? cause.message : cause}`);
  Deno.exit(1);
}
