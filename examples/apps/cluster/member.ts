// A process of the simulation, from the main process's side.

import type { Order, Task, Told } from "./messages.ts";

interface OutputPipe {
  on(event: "data", listener: (chunk: Uint8Array) => void): void;
}

interface ChildProcess {
  readonly stdin: {
    write(text: string): void;
    end(): void;
    on(event: "error", listener: () => void): void;
  };
  readonly stdout: OutputPipe;
  kill(signal: string): boolean;
  on(event: "close", listener: () => void): void;
}

const { process, Deno } = globalThis as unknown as {
  process: {
    readonly execPath: string;
    getBuiltinModule(name: "node:child_process"): {
      spawn(command: string, args: readonly string[], options: object): ChildProcess;
    };
  };
  Deno?: object;
};

const END_MS = 5_000;

type Ready = Told & { told: "ready" };
export type Figures = Told & { told: "figures" };

export class Member {
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  readonly #ready = Promise.withResolvers<Ready>();
  readonly #done = Promise.withResolvers<void>();
  #ending = false;

  /** `ended` is called when it ends without being told to. */
  constructor(task: Task, figures: (told: Figures) => void, ended: () => void) {
    const path = new URL("./process.ts", import.meta.url).pathname;
    const args = [...(Deno ? ["run", "-A"] : []), path, JSON.stringify(task)];
    this.#child = process.getBuiltinModule("node:child_process")
      .spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#closed = new Promise((resolve) => this.#child.on("close", resolve));
    this.#closed.then(() => {
      this.#ready.reject(new Error(`The process of ${task.cluster}'s ${task.task} has ended`));
      this.#done.resolve();
      if (!this.#ending) ended();
    });
    this.#ready.promise.catch(() => {});
    // It may be gone already.
    this.#child.stdin.on("error", () => {});
    this.#listen((told) => {
      if (told.told === "ready") this.#ready.resolve(told);
      else if (told.told === "done") this.#done.resolve();
      else figures(told);
    });
  }

  /** Resolves when it is at work. */
  get ready(): Promise<Ready> {
    return this.#ready.promise;
  }

  /** Resolves when it has done the last of what it was told. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  say(order: Order): void {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
  }

  /** Crashes it: kill -9. */
  crash(): void {
    this.#child.kill("SIGKILL");
  }

  /** Lets it close what it has, within reason. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#child.stdin.end();
    const timer = setTimeout(() => this.crash(), END_MS);
    await this.#closed;
    clearTimeout(timer);
  }

  #listen(hear: (told: Told) => void): void {
    const decoder = new TextDecoder();
    let text = "";
    this.#child.stdout.on("data", (chunk) => {
      text += decoder.decode(chunk, { stream: true });
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) hear(JSON.parse(line));
    });
  }
}
