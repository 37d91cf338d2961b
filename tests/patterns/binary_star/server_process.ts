// Servers in processes of their own, which can be killed and frozen.

import { commandFor, Program } from "../../_util/process.ts";

const { process } = globalThis as unknown as {
  process: { kill(pid: number, signal: "SIGSTOP" | "SIGCONT"): void };
};

/** A process that has printed its number. */
export class ServerProcess {
  readonly #program: Program;

  /** Starts a program; its path is relative to tests/patterns. */
  constructor(path: string, ...args: string[]) {
    this.#program = new Program(commandFor(`../patterns/${path}`, args));
  }

  /** What it has printed. */
  get output(): string {
    return this.#program.output + this.#program.errors;
  }

  /** Waits until it runs. */
  async ready(): Promise<this> {
    await this.prints("pid ");
    return this;
  }

  /** Waits until it has printed a text. */
  prints(text: string): Promise<void> {
    return this.#program.prints(text);
  }

  /** Stops it as it stands. */
  freeze(): void {
    process.kill(this.#pid, "SIGSTOP");
  }

  /** Lets it go on. */
  thaw(): void {
    process.kill(this.#pid, "SIGCONT");
  }

  /** kill -9 */
  kill(): Promise<void> {
    return this.#program.kill();
  }

  get #pid(): number {
    return Number(/pid (\d+)\./.exec(this.#program.output)![1]);
  }
}
