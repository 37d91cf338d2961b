// What the server is told on its command line.

import { LEAST_SIZE, MOST_RATE, MOST_SIZE } from "./commands.ts";

export interface Options {
  /** The address to listen at. Whoever can reach it can watch, and change the load. */
  readonly host: string;
  /** The port to listen at; 0 for a free one. */
  readonly port: number;
  /** Threads of workers. */
  readonly workers: number;
  /** Tasks a second at the start. */
  readonly rate: number;
  /** Octets of a task at the start. */
  readonly size: number;
}

const DEFAULTS: Options = { host: "127.0.0.1", port: 8700, workers: 3, rate: 2_000, size: 256 };

/** What numbers may be. */
const BOUNDS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  port: [0, 65_535],
  workers: [1, 16],
  rate: [0, MOST_RATE],
  size: [LEAST_SIZE, MOST_SIZE],
};

export const USAGE: string = Object.entries(DEFAULTS)
  .map(([name, value]) => `[--${name} ${value}]`).join(" ");

/** @throws {Error} What is wrong, for the user. */
export function parseOptions(args: readonly string[]): Options {
  const options: Record<string, number | string> = { ...DEFAULTS };
  for (let i = 0; i < args.length; i++) {
    const [flag, inline] = args[i].split("=", 2);
    const name = flag.slice(2);
    if (!flag.startsWith("--") || !Object.hasOwn(DEFAULTS, name)) {
      throw new Error(`Cannot understand ${args[i]}: expected ${USAGE}`);
    }
    const text = inline ?? args[++i] ?? "";
    options[name] = name === "host" ? text : parseNumber(flag, text, BOUNDS[name]);
  }
  return options as unknown as Options;
}

function parseNumber(flag: string, text: string, [least, most]: readonly [number, number]): number {
  const value = Number(text);
  if (text !== "" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(
    `${flag} must be a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`,
  );
}
