// What the simulation is told on its command line.

export interface Options {
  /** How long requests are made and counted, in seconds. */
  readonly seconds: number;
  /** Seconds before that, in which nothing is counted. */
  readonly warmUp: number;
  /** Clients of each cluster. */
  readonly clients: number;
  /** Requests a second of each client, on average. */
  readonly rate: number;
  /** The longest body, in octets. */
  readonly bodies: number;
  /** Processes of workers of each cluster. */
  readonly workers: number;
  /** Requests that such a process has at once. */
  readonly concurrency: number;
  /** Seconds between two crashes. */
  readonly crashes: number;
  /** So much of the rate has to be answered in the time that is counted, from 0 to 1. */
  readonly sustained: number;
  /** How clients reach their broker: over inproc, in its process, or from one of their own. */
  readonly transport: "inproc" | "ipc" | "tcp";
}

const TRANSPORTS: readonly string[] = ["inproc", "ipc", "tcp"];

const DEFAULTS: Options = {
  seconds: 30,
  warmUp: 3,
  clients: 1_000,
  rate: 10,
  bodies: 1_000,
  workers: 2,
  concurrency: 200,
  crashes: 3,
  sustained: 0.97,
  transport: "inproc",
};

export const USAGE: string = Object.entries(DEFAULTS)
  .map(([name, value]) => `[--${dashed(name)} ${value}]`).join(" ");

/** @throws {Error} What is wrong, for the user. */
export function parseOptions(args: readonly string[]): Options {
  const options: Record<string, number | string> = { ...DEFAULTS };
  for (let i = 0; i < args.length; i++) {
    const [flag, inline] = args[i].split("=", 2);
    const name = Object.keys(DEFAULTS).find((name) => `--${dashed(name)}` === flag);
    if (name === undefined) throw new Error(`Cannot understand ${args[i]}: expected ${USAGE}`);
    options[name] = parseValue(flag, DEFAULTS[name as keyof Options], inline ?? args[++i]);
  }
  return options as unknown as Options;
}

function parseValue(flag: string, standard: number | string, text = ""): number | string {
  if (typeof standard === "string") {
    if (TRANSPORTS.includes(text)) return text;
    throw new Error(
      `${flag} must be one of ${TRANSPORTS.join(", ")}, not ${JSON.stringify(text)}`,
    );
  }
  const value = Number(text);
  if (text !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new Error(`${flag} must be a number, not ${JSON.stringify(text)}`);
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
