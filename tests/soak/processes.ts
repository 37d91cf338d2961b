// The processes of the soak as their supervisor sees them.

import type { Holdings } from "./holdings.ts";
import type { Order, Place, Report, Setup, Told } from "./protocol.ts";

export type RuntimeName = "deno" | "bun" | "node22" | "node24";

export const RUNTIMES: readonly RuntimeName[] = ["deno", "bun", "node22", "node24"];

const ROOT = new URL("../../", import.meta.url).pathname;
const PROGRAM = new URL("./process.ts", import.meta.url).pathname;
const START_MS = 60_000;
const ANSWER_MS = 60_000;
const EXIT_MS = 10_000;

/** The commands of the runtimes that are installed here. */
export async function findRuntimes(
  names: readonly RuntimeName[],
): Promise<Map<RuntimeName, readonly string[]>> {
  const found = new Map<RuntimeName, readonly string[]>();
  for (const name of names) {
    for (const binary of candidates(name)) {
      if (!await works(binary, name)) continue;
      found.set(name, [binary, ...flagsOf(name)]);
      break;
    }
  }
  return found;
}

function candidates(name: RuntimeName): string[] {
  if (name === "deno") return [Deno.execPath()];
  const modules = `${ROOT}node_modules`;
  if (name === "bun") return [`${modules}/.bin/bun`, "bun"];
  const installed = [...Deno.readDirSync(modules)].filter((entry) =>
    entry.name.startsWith(`${name}-`)
  );
  return [...installed.map((entry) => `${modules}/${entry.name}/bin/node`), "node"];
}

function flagsOf(name: RuntimeName): string[] {
  if (name === "deno") return ["run", "-A", "--no-check", "--v8-flags=--expose-gc"];
  return name === "bun" ? [] : ["--expose-gc"];
}

async function works(binary: string, name: RuntimeName): Promise<boolean> {
  try {
    const { success, stdout } = await new Deno.Command(binary, { args: ["--version"] }).output();
    const version = new TextDecoder().decode(stdout).trim();
    return success && (!name.startsWith("node") || version.startsWith(`v${name.slice(4)}.`));
  } catch {
    return false; // not there
  }
}

/** A process of the soak. */
export class SoakProcess {
  readonly setup: Setup;
  readonly runtime: RuntimeName;
  readonly reports: Report[] = [];
  /** Those from before all was stopped. */
  reportsOfRun: readonly Report[] = [];
  readonly troubles: string[] = [];
  places: readonly Place[] = [];
  before: Holdings | undefined;
  after: Holdings | undefined;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: Map<Told["told"], PromiseWithResolvers<Told>> = new Map();
  #ended = false;
  #errors = "";

  constructor(runtime: RuntimeName, command: readonly string[], setup: Setup) {
    this.setup = setup;
    this.runtime = runtime;
    const [binary, ...args] = command;
    this.#child = new Deno.Command(binary, {
      args: [...args, PROGRAM, JSON.stringify(setup)],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#input.closed.catch(() => {}); // of one that was killed
    void this.#listen();
    void this.#complain();
    void this.#child.status.then(() => {
      this.#ended = true;
      for (const { reject } of this.#answers.values()) reject(this.#failure("ended"));
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Waits until its places are open. */
  async ready(): Promise<void> {
    const told = await this.#answer("ready", START_MS) as Told & { told: "ready" };
    this.places = told.places;
    this.before = told.before;
  }

  async tell(order: Order): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${JSON.stringify(order)}\n`));
  }

  /** Gives an order and waits for what is told then. */
  async ask<T extends Told["told"]>(order: Order, told: T): Promise<Told & { told: T }> {
    const answer = this.#answer(told, ANSWER_MS);
    await this.tell(order);
    return await answer as Told & { told: T };
  }

  /** Waits for its end; false when it has to be killed for that, or was not content. */
  async ends(): Promise<boolean> {
    const timer = setTimeout(() => this.signal("SIGKILL"), EXIT_MS);
    const { code } = await this.#child.status;
    clearTimeout(timer);
    if (code !== 0) this.troubles.push(`ended with ${code}`);
    return code === 0;
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#child.status;
  }

  signal(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    if (this.#ended) return;
    // By its number: a child takes one signal only from its handle.
    try {
      Deno.kill(this.#child.pid, signal);
    } catch {
      // It has just ended.
    }
  }

  #answer(told: Told["told"], ms: number): Promise<Told> {
    const answer = Promise.withResolvers<Told>();
    this.#answers.set(told, answer);
    const timer = setTimeout(() => answer.reject(this.#failure(`did not tell ${told}`)), ms);
    return answer.promise.finally(() => {
      clearTimeout(timer);
      this.#answers.delete(told);
    });
  }

  #failure(what: string): Error {
    return new Error(`${this.setup.name} ${what}\n${this.troubles.join("\n")}${this.#errors}`);
  }

  async #listen(): Promise<void> {
    let text = "";
    for await (const chunk of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
        this.#hear(text.slice(0, end));
        text = text.slice(end + 1);
      }
    }
  }

  #hear(line: string): void {
    let told: Told;
    try {
      told = JSON.parse(line) as Told;
    } catch {
      this.troubles.push(line);
      return;
    }
    if (told.told === "report") this.reports.push(told);
    else if (told.told === "trouble") {
      this.troubles.push(told.text);
      this.#answers.get("ready")?.reject(this.#failure("could not start"));
    } else if (told.told === "closed") this.after = told.after;
    this.#answers.get(told.told)?.resolve(told);
  }

  async #complain(): Promise<void> {
    for await (const chunk of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#errors = `${this.#errors}${chunk}`.slice(-4_000);
    }
  }

  /** What it printed to its error output last. */
  get errors(): string {
    return this.#errors;
  }
}
