// What the programs of the simulation need of the runtime: standard input and output, and children. All three runtimes have
// Node's global.

interface Input {
  on(event: "data", listener: (chunk: Uint8Array) => void): void;
  on(event: "end", listener: () => void): void;
}

interface ChildProcess {
  readonly pid?: number;
  readonly stdin: {
    write(text: string): void;
    end(): void;
    on(event: "error", listener: () => void): void;
  };
  readonly stdout: Input;
  kill(signal: string): void;
  on(event: "exit", listener: (code: number | null, signal: string | null) => void): void;
}

interface ProcessGlobal {
  readonly argv: readonly string[];
  readonly execPath: string;
  readonly stdin: Input;
  readonly stdout: { write(text: string): void; readonly isTTY?: boolean };
  exit(code: number): never;
  kill(pid: number, signal: string): void;
  getBuiltinModule(name: "node:child_process"): {
    spawn(command: string, args: readonly string[], options: object): ChildProcess;
  };
}

export const process: ProcessGlobal = (globalThis as unknown as { process: ProcessGlobal }).process;

/** Calls with each line of a stream. */
export function onLine(stream: Input, call: (line: string) => void): void {
  const decoder = new TextDecoder();
  let text = "";
  stream.on("data", (chunk) => {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      call(text.slice(0, end));
      text = text.slice(end + 1);
    }
  });
}

/** For the children: calls with each order, and ends with the parent. */
export function onOrder(call: (order: string) => void): void {
  process.stdin.on("end", () => process.exit(0));
  onLine(process.stdin, call);
}

/** For the children: tells the parent. */
export function report(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** A child process. */
export class Child {
  /** How it ended: a code, or a signal. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;

  /** Starts a program of this folder on the runtime that runs this one. */
  constructor(program: string, args: readonly string[], heard: (value: unknown) => void) {
    const path = new URL(`./${program}`, import.meta.url).pathname;
    const flags = "Deno" in globalThis ? ["run", "-A", "--quiet"] : [];
    const { spawn } = process.getBuiltinModule("node:child_process");
    this.#child = spawn(process.execPath, [...flags, path, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child.stdin.on("error", () => {}); // it has just been killed
    onLine(this.#child.stdout, (line) => heard(JSON.parse(line)));
    this.ended = new Promise((resolve) =>
      this.#child.on("exit", (code, signal) => resolve(String(signal ?? code)))
    );
  }

  /** Gives it an order. */
  order(order: string): void {
    this.#child.stdin.write(`${order}\n`);
  }

  /** Ends it as a crash would. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Stops it as it stands, for a while. */
  freeze(ms: number): void {
    // By its number: in Deno a child takes one signal only from its handle.
    const signal = (name: string): void => {
      try {
        process.kill(this.#child.pid!, name);
      } catch {
        // It has ended meanwhile.
      }
    };
    signal("SIGSTOP");
    setTimeout(() => signal("SIGCONT"), ms);
  }
}

/** Resolves after so many milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
