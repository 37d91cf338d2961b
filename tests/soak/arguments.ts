// The arguments of `deno task soak`.

import { type RuntimeName, RUNTIMES } from "./processes.ts";

export class UsageError extends Error {}

export interface Arguments {
  readonly seconds: number;
  readonly runtimes: readonly RuntimeName[];
}

const DEFAULT_SECONDS = 120;

export function parseArguments(args: readonly string[]): Arguments {
  let seconds = DEFAULT_SECONDS;
  let runtimes = RUNTIMES;
  const rest = args.flatMap((arg) => arg.split("=", 2));
  for (let i = 0; i < rest.length; i += 2) {
    const [flag, value = ""] = rest.slice(i, i + 2);
    if (flag === "--") i--;
    else if (flag === "--seconds" && Number(value) > 0) seconds = Number(value);
    else if (flag === "--runtimes" && value.split(",").every(isRuntime)) {
      runtimes = value.split(",").filter(isRuntime);
    } else {
      throw new UsageError(
        `Cannot understand ${flag} ${value}: expected [--seconds N] [--runtimes ${
          RUNTIMES.join(",")
        }]`,
      );
    }
  }
  return { seconds, runtimes };
}

function isRuntime(name: string): name is RuntimeName {
  return (RUNTIMES as readonly string[]).includes(name);
}
