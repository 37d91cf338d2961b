// What `deno task fuzz` is asked for on its command line.

/** A run of the fuzzer. */
export interface Settings {
  readonly seconds: number;
  readonly seed: number;
  /** Parts of names of targets; none for all. */
  readonly targets: readonly string[];
  /** So many cases of each target, in place of a time. */
  readonly cases: number | undefined;
  /** Plays one case again. */
  readonly tape: string | undefined;
  readonly case: number | undefined;
  readonly path: string | undefined;
}

export const USAGE: string =
  "deno task fuzz [--seconds N] [--seed S] [--target NAME...] [--cases N] " +
  "[--tape HEX | --case S | --path P]";

/** Wrong words on the command line. */
export class UsageError extends Error {}

const SEEDS = 2 ** 32;

/** Reads the command line. */
export function readSettings(args: readonly string[]): Settings {
  const values: Record<string, string[]> = {};
  let flag = "";
  for (const arg of args) {
    if (arg === "--") continue;
    if (/^--(?:seconds|seed|target|cases|tape|case|path)$/.test(arg)) values[flag = arg] ??= [];
    else if (flag === "" || arg.startsWith("--")) throw new UsageError(`Unknown: ${arg}`);
    else values[flag].push(arg);
  }
  const number = (name: string, least: number, most: number): number | undefined => {
    if (values[name] === undefined) return undefined;
    const value = Number(values[name][0]);
    if (value >= least && value <= most) return value;
    throw new UsageError(`${name} takes a number from ${least} to ${most}`);
  };
  return {
    seconds: number("--seconds", 0.1, 1e6) ?? 60,
    seed: Math.floor(number("--seed", 0, SEEDS - 1) ?? Math.random() * SEEDS),
    targets: values["--target"] ?? [],
    cases: number("--cases", 1, Number.MAX_SAFE_INTEGER),
    tape: values["--tape"] && values["--tape"].join(""),
    case: number("--case", 0, SEEDS - 1),
    path: values["--path"]?.[0],
  };
}
