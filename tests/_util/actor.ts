// A process with one part of a pattern, on this test's runtime: to be killed, frozen and started again.

import { eventually, within } from "./deadline.ts";
import { commandFor } from "./process.ts";

interface Child {
  readonly pid?: number;
  readonly stdin: { on(event: "error", listener: () => void): void };
  readonly stdout: { on(event: "data", listener: (chunk: Uint8Array) => void): void };
  readonly stderr: { on(event: "data", listener: (chunk: Uint8Array) => void): void };
  on(event: "exit", listener: () => void): void;
}

const { process } = globalThis as unknown as {
  process: {
    kill(pid: number, signal: string): void;
    getBuiltinModule(name: "node:child_process"): {
      spawn(command: string, args: readonly string[], options: object): Child;
    };
  };
};
const WAIT_MS = 30_000;

/** One process. */
export class Actor {
  /** What it has printed. */
  output = "";
  #errors = "";
  readonly #child: Child;
  readonly #what: string;
  readonly #exited: Promise<void>;
  #ended = false;

  /** Runs a program, named as seen from this folder. */
  constructor(program: string, ...args: string[]) {
    this.#what = args.join(" ");
    const [command, ...rest] = commandFor(program, args);
    const { spawn } = process.getBuiltinModule("node:child_process");
    this.#child = spawn(command, rest, { stdio: "pipe" });
    this.#child.stdin.on("error", () => {});
    const decoder = new TextDecoder();
    this.#child.stdout.on("data", (chunk) => {
      this.output += decoder.decode(chunk, { stream: true });
    });
    this.#child.stderr.on("data", (chunk) => this.#errors += new TextDecoder().decode(chunk));
    this.#exited = new Promise((resolve) => {
      this.#child.on("exit", () => {
        this.#ended = true;
        resolve();
      });
    });
  }

  /** How often it has printed the text, in whole lines. */
  count(text: string): number {
    return this.output.slice(0, this.output.lastIndexOf("\n") + 1).split(text).length - 1;
  }

  /** Waits until it has printed the text so many times. */
  async prints(text: string, times = 1): Promise<void> {
    await eventually(() => this.#ended || this.count(text) >= times, WAIT_MS, this.#tell(text));
    if (this.count(text) < times) throw new Error(this.#tell(text));
  }

  /** The address that it prints after a word. */
  async address(word: string): Promise<string> {
    await this.prints(`${word} tcp://`);
    return new RegExp(`^${word} (.*)$`, "m").exec(this.output)![1];
  }

  /** Stops the process as it stands. */
  freeze(): void {
    this.#signal("SIGSTOP");
  }

  /** Lets a frozen process go on. */
  thaw(): void {
    this.#signal("SIGCONT");
  }

  /** Ends the process as a crash would. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await within(this.#exited, WAIT_MS, "end of a killed process");
  }

  #signal(signal: string): void {
    if (this.#ended || this.#child.pid === undefined) return;
    try {
      process.kill(this.#child.pid, signal);
    } catch {
      // It has just ended.
    }
  }

  #tell(text: string): string {
    return `${this.#what} prints ${text}: ${this.output}${this.#errors}`.slice(-2000);
  }
}
