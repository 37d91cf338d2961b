// Child processes of the package tests, on each runtime. Runs on Deno only.

import { within } from "../_util/deadline.ts";

/** A runtime and how to run a program on it. */
export interface Runtime {
  readonly name: string;
  readonly command: string;
  /** Arguments before the program. */
  readonly args: readonly string[];
}

const ROOT = new URL("../../", import.meta.url);
const MODULES = new URL("node_modules/", ROOT).pathname;
const EXIT_MS = 30_000;

/** Deno, which runs this, and those of the others that are installed here. */
export function findRuntimes(): Runtime[] {
  const denoArgs = ["run", "--no-prompt", "--allow-net"];
  const runtimes: Runtime[] = [{ name: "deno", command: Deno.execPath(), args: denoArgs }];
  const installed = [...Deno.readDirSync(MODULES)].map(({ name }) => name).sort();
  if (installed.includes("bun")) {
    runtimes.push({ name: "bun", command: `${MODULES}.bin/bun`, args: [] });
  }
  for (const name of installed.filter((entry) => /^node\d+-/.test(entry))) {
    const command = `${MODULES}${name}/bin/node`;
    runtimes.push({ name: name.split("-")[0], command, args: [] });
  }
  return runtimes;
}

/** Runs a command to its end; its stdout. Fails with all it has printed unless it succeeds. */
export async function run(
  command: string,
  args: readonly string[],
  cwd: string | URL = ROOT,
): Promise<string> {
  const child = new Program(command, args, cwd);
  await child.succeeds();
  return child.output;
}

/** A child process whose output is collected. */
export class Program {
  /** What it has printed to stdout so far. */
  output = "";
  /** What it has printed to stderr so far. */
  errors = "";
  readonly #name: string;
  readonly #process: Deno.ChildProcess;
  readonly #ended: Promise<Deno.CommandStatus>;
  #printed: () => void = () => {};

  constructor(command: string, args: readonly string[], cwd: string | URL = ROOT) {
    this.#name = `${command} ${args.join(" ")}`;
    this.#process = new Deno.Command(command, {
      args: [...args],
      cwd,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const collected = [
      this.#collect(this.#process.stdout, (text) => this.output += text),
      this.#collect(this.#process.stderr, (text) => this.errors += text),
    ];
    this.#ended = Promise.all(collected).then(() => this.#process.status);
  }

  /** The first line it prints to stdout. */
  async firstLine(): Promise<string> {
    const printed = new Promise<void>((resolve) => {
      this.#printed = () => this.output.includes("\n") && resolve();
      this.#printed();
    });
    await within(Promise.race([printed, this.#ended]), EXIT_MS, `${this.#name}: first line`);
    if (!this.output.includes("\n")) throw new Error(this.#describe("printed nothing"));
    return this.output.split("\n", 1)[0];
  }

  /** Waits for its end and gives the exit code. */
  async ends(): Promise<number> {
    try {
      return (await within(this.#ended, EXIT_MS, this.#describe("did not end"))).code;
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /** Waits for its end and fails unless the exit code is 0. */
  async succeeds(): Promise<void> {
    const code = await this.ends();
    if (code !== 0) throw new Error(this.#describe(`ended with exit code ${code}`));
  }

  /** Ends it if it still runs. */
  async kill(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#ended;
  }

  #describe(what: string): string {
    return `${this.#name} ${what}\n${this.output}${this.errors}`;
  }

  async #collect(stream: ReadableStream<Uint8Array>, add: (text: string) => void): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      add(text);
      this.#printed();
    }
  }
}
