// Runs a small program in a process of its own, on the runtime that runs the test.

import { within } from "./deadline.ts";

interface OutputPipe {
  on(event: "data", listener: (chunk: Uint8Array) => void): void;
}

interface Child {
  readonly stdin: { end(): void; write(text: string): void };
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
  kill(signal: string): boolean;
  on(event: "close", listener: (code: number | null, signal: string | null) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
}

interface ChildProcessModule {
  spawn(command: string, args: readonly string[], options: object): Child;
}

interface ProcessGlobal {
  readonly execPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  getBuiltinModule(name: "node:child_process"): ChildProcessModule;
}

const EXIT_MS = 30_000;
const { Deno, Bun, process } = globalThis as unknown as {
  Deno?: object;
  Bun?: object;
  process: ProcessGlobal;
};

/** The runtime of this test. */
export const runtimeName: "Deno" | "Bun" | "Node" = Deno ? "Deno" : Bun ? "Bun" : "Node";

/**
 * The command that runs a program of this folder on this test's runtime. The program can collect garbage: Node and Deno
 * have `gc()` in it, Bun has `Bun.gc()` always.
 */
export function commandFor(program: string, args: readonly string[] = []): string[] {
  const path = new URL(`./${program}`, import.meta.url).pathname;
  const flags = {
    Deno: ["run", "-A", "--no-check", "--v8-flags=--expose-gc"],
    Bun: [],
    Node: ["--expose-gc"],
  };
  return [process.execPath, ...flags[runtimeName], path, ...args];
}

/** A running program. */
export class Program {
  /** What it has printed to stdout. */
  output = "";
  /** What it has printed to stderr. */
  errors = "";
  readonly #child: Child;
  readonly #exit: Promise<string>;
  readonly #name: string;
  #printed: () => void = () => {};
  #ended = false;

  constructor(command: readonly string[]) {
    this.#name = command.slice(1).join(" ");
    const [path, ...args] = command;
    this.#child = process.getBuiltinModule("node:child_process")
      .spawn(path, args, {
        stdio: ["pipe", "pipe", "pipe"],
        env: { ...process.env, NO_COLOR: "1" },
      });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#exit = promise;
    this.#child.on("error", reject);
    this.#child.on("close", (code, signal) => {
      this.#ended = true;
      this.#printed();
      resolve(String(signal ?? code));
    });
    const decoder = new TextDecoder();
    this.#child.stdout.on("data", (chunk) => {
      this.output += decoder.decode(chunk, { stream: true });
      this.#printed();
    });
    this.#child.stderr.on("data", (chunk) => this.errors += new TextDecoder().decode(chunk));
  }

  /** True when it has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Waits until it has printed the text. */
  async prints(text: string): Promise<void> {
    const printed = new Promise<void>((resolve) => {
      this.#printed = () => (this.output.includes(text) || this.#ended) && resolve();
      this.#printed();
    });
    await within(printed, EXIT_MS, `${this.#name} prints ${text}\n${this.errors}`);
    if (!this.output.includes(text)) throw new Error(this.#describe(`ended without ${text}`));
  }

  /** Waits until it has ended by itself, with success; what it printed. */
  async succeeds(ms: number = EXIT_MS): Promise<string> {
    const status = await within(this.#exit, ms, `${this.#name} ends`).catch((error) => {
      this.#child.kill("SIGKILL");
      throw error;
    });
    if (status !== "0") throw new Error(this.#describe(`ended with ${status}`));
    return this.output;
  }

  /** Ends it if it still runs. */
  async kill(): Promise<void> {
    if (!this.#ended) this.#child.kill("SIGKILL");
    await this.#exit;
  }

  #describe(what: string): string {
    return `${this.#name} ${what}\n${this.output}${this.errors}`;
  }
}

/** Starts a program of this folder on this test's runtime. */
export function start(program: string, ...args: string[]): Program {
  return new Program(commandFor(program, args));
}
