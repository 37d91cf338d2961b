// The fuzzer: random and broken octets, calls and peers against every part that a peer can reach.
//
//   deno task fuzz [--seconds N] [--seed S] [--target NAME...] [--cases N]
//       [--tape HEX | --case S | --path P]
//
// The time is shared between the targets. A finding is made as simple as it can be and printed with the command that plays it
// again; then the exit code is 1. It also runs on Bun and Node: `bun tests/fuzz/main.ts`.

import { chosen } from "./rounds.ts";
import { readSettings, type Settings, USAGE, UsageError } from "./settings.ts";
import type { Finding } from "./slice.ts";
import { TARGETS } from "./targets.ts";

interface Thread {
  on(event: "message", listener: (message: Report) => void): void;
  on(event: "error", listener: (error: unknown) => void): void;
}

type Report =
  | { readonly text: string }
  | { readonly finding: Finding }
  | { readonly findings: number };

const { process } = globalThis as unknown as {
  process: {
    readonly argv: readonly string[];
    readonly stdout: { write(text: string): void };
    getBuiltinModule(name: "node:worker_threads"): {
      readonly Worker: new (file: URL, options: { readonly workerData: unknown }) => Thread;
    };
    exit(code: number): never;
  };
};

/** No case takes so long; a finding that is being made simpler begins a new one each time. */
const HANG_MS = 60_000;
const LOOK_MS = 1_000;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function tell({ target, error, input, replay }: Finding): void {
  say(`FOUND in ${target}: ${error}`);
  say(`  input: ${input}`);
  say(`  replay: deno task fuzz ${replay}`);
}

/** Runs the cases in a thread, and looks on; the exit code. */
function run(settings: Settings): Promise<number> {
  const targets = chosen(TARGETS, settings.targets);
  if (targets.length === 0) throw new UsageError(`No target is called ${settings.targets}`);
  const shared = new SharedArrayBuffer(12);
  const progress = new Uint32Array(shared);
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  const thread = new Worker(new URL("./worker.ts", import.meta.url), {
    workerData: { settings, shared },
  });
  return new Promise((resolve, reject) => {
    let count = 0;
    let since = performance.now();
    const watch = setInterval(() => {
      if (progress[0] !== count) {
        count = progress[0];
        since = performance.now();
      } else if (performance.now() - since > HANG_MS) {
        const { name, arbitrary } = targets[progress[1]];
        const flag = arbitrary === undefined ? "--case" : "--seed";
        say(`FOUND in ${name}: a case does not end`);
        say(`  replay: deno task fuzz --target ${name} ${flag} ${progress[2]}`);
        resolve(1);
      }
    }, LOOK_MS);
    thread.on("message", (report) => {
      if ("text" in report) return say(report.text);
      if ("finding" in report) return tell(report.finding);
      clearInterval(watch);
      resolve(report.findings > 0 ? 1 : 0);
    });
    thread.on("error", reject);
  });
}

try {
  const settings = readSettings(process.argv.slice(2));
  say(`fuzz: seed ${settings.seed}`);
  process.exit(await run(settings));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  say(`${error.message}\n${USAGE}`);
  process.exit(2);
}
