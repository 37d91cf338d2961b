// The runner behind `deno task faults`: the behaviour suite over the real runtime with faults, on Deno.
//
//   deno run -A tests/faults/run.ts [--seed S] [--rounds N] [--jobs N] [filter...]
//
// Pieces of any size, short writes, delays: nothing that may change the outcome of a test. Each test has a schedule of its
// own, from the seed and its name; round i runs with the seed S + i. A filter is a part of a file's path; without one it is
// all of tests/runtimes and tests/options, and tests/interop where a filter names it. Conversations over connections that
// break are in schedules.ts.

import { freshSeed } from "../_util/faulty_random.ts";
import { EXCLUDED_FILES, EXCLUDED_TESTS } from "./exclusions.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const FOLDERS = ["tests/runtimes", "tests/options"];
const FILE_TIMEOUT_MS = 600_000;
const text = new TextDecoder();

// deno-lint-ignore no-console
const say = (line: string): void => console.log(line);

interface Result {
  readonly good: boolean;
  readonly schedules: number;
}

function findTests(filters: readonly string[]): string[] {
  const folders = filters.some((filter) => filter.includes("interop"))
    ? [...FOLDERS, "tests/interop"]
    : FOLDERS;
  return folders
    .flatMap((folder) =>
      [...Deno.readDirSync(ROOT + folder)].map(({ name }) => `${folder}/${name}`)
    )
    .filter((path) => path.endsWith("_test.ts") && !/\.(bun|node)_test\.ts$/.test(path))
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .filter((path) => !(path in EXCLUDED_FILES))
    .sort();
}

async function runFile(file: string, seed: number): Promise<Result> {
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "-A", "--no-check", "--v8-flags=--expose-gc"],
      ...["--import-map=tests/faults/import_map.json", file],
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1", FAULT_SEED: String(seed) },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(FILE_TIMEOUT_MS),
  }).spawn();
  const { success, stdout, stderr } = await child.output();
  const output = text.decode(stdout) + text.decode(stderr);
  const schedules = Number(/^schedules: (\d+)$/m.exec(output)?.[1] ?? 0);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const verdict = success ? "ok  " : "FAIL";
  say(`${verdict} ${file}  --seed ${seed}  ${schedules} schedules  ${seconds} s`);
  if (!success) say(output.trimEnd());
  return { good: success, schedules };
}

async function main(args: readonly string[]): Promise<number> {
  const filters: string[] = [];
  const options = { seed: freshSeed() >>> 1, rounds: 1, jobs: 2 };
  for (let i = 0; i < args.length; i++) {
    const name = args[i].slice(2) as keyof typeof options;
    if (!args[i].startsWith("--")) filters.push(args[i]);
    else if (name in options) options[name] = Number(args[++i]);
    else throw new Error(`Cannot understand ${args[i]}: there is --seed, --rounds and --jobs`);
  }
  const files = findTests(filters);
  say(`--seed ${options.seed} --rounds ${options.rounds}, ${files.length} files`);
  for (const [what, why] of Object.entries({ ...EXCLUDED_FILES, ...EXCLUDED_TESTS })) {
    say(`left out: ${what}: ${why}`);
  }
  const queue = Array.from({ length: options.rounds }, (_, round) => round)
    .flatMap((round) => files.map((file) => ({ file, seed: options.seed + round })));
  const results: Result[] = [];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      results.push(await runFile(next.file, next.seed));
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  const schedules = results.reduce((sum, result) => sum + result.schedules, 0);
  const failed = results.filter(({ good }) => !good).length;
  say(`${results.length} runs of files, ${schedules} random schedules, ${failed} failed`);
  return results.length > 0 && failed === 0 ? 0 : 1;
}

Deno.exit(await main(Deno.args));
