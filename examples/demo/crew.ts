// The worker processes: started, heard over the control channel, watched, and ended by their pid.

import type { Reply } from "../../mod.ts";
import type { Addresses, Order, Report } from "./protocol.ts";
import type { Launch } from "./runtimes.ts";

const READY_TIMEOUT_MS = 20_000;
const GRACE_MS = 2_000;

/** One worker process. */
export interface Member {
  readonly launch: Launch;
  readonly process: Deno.ChildProcess;
  /** The end of what it wrote to stderr, kept for the report of its death. */
  readonly stderr: Promise<string>;
  state: "starting" | "working" | "ended";
  /** Chunks that it says it has counted. */
  chunks: number;
}

/** All worker processes of one run. */
export class Crew {
  readonly members: Member[];
  readonly #onDeath: (member: Member, reason: string) => void;
  readonly #exits: Promise<void>[];
  #order: Order = "work";
  #changed: () => void = () => {};

  /** Starts the workers. `onDeath` hears of each one that ends before it was told to. */
  constructor(
    launches: readonly Launch[],
    addresses: Addresses,
    onDeath: (member: Member, reason: string) => void,
  ) {
    this.#onDeath = onDeath;
    this.members = launches.map((launch) => start(launch, addresses));
    this.#exits = this.members.map((member) => this.#watch(member));
    // Whatever ends this process, the workers do not outlive it.
    addEventListener("unload", () => this.alive.forEach((member) => kill(member, "SIGKILL")));
  }

  /** The members that have not ended. */
  get alive(): Member[] {
    return this.members.filter((member) => member.state !== "ended");
  }

  /** Serves the control channel until it is closed. */
  async serve(control: Reply): Promise<void> {
    for await (const [frame] of control) {
      const report = JSON.parse(frame.toString()) as Report;
      const member = this.alive.find((each) => each.launch.name === report.worker);
      if (member) {
        member.chunks = report.chunks;
        if (member.state === "starting") {
          member.state = "working";
          this.#changed();
        }
      }
      await control.send(this.#order);
    }
  }

  /** Waits until every worker has announced itself or ended. */
  async ready(signal: AbortSignal): Promise<void> {
    const deadline = AbortSignal.timeout(READY_TIMEOUT_MS);
    while (this.#starting().length > 0 && !deadline.aborted) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
        for (const each of [signal, deadline]) {
          each.addEventListener("abort", () => resolve(), { once: true });
        }
      });
    }
    for (const member of this.#starting()) kill(member, "SIGKILL");
    signal.throwIfAborted();
  }

  /** Tells the workers to stop, and ends those that do not. Returns the names of the latter. */
  async stop(): Promise<string[]> {
    this.#order = "stop";
    const forced: string[] = [];
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (await settledWithin(this.#exits, GRACE_MS)) return forced;
      for (const member of this.alive) {
        if (signal === "SIGTERM") forced.push(member.launch.name);
        kill(member, signal);
      }
    }
    await Promise.all(this.#exits);
    return forced;
  }

  #starting(): Member[] {
    return this.members.filter((member) => member.state === "starting");
  }

  async #watch(member: Member): Promise<void> {
    const status = await member.process.status;
    const stderr = (await member.stderr).trim();
    member.state = "ended";
    this.#changed();
    if (this.#order === "stop") return;
    const cause = status.signal ? `by ${status.signal}` : `with exit code ${status.code}`;
    this.#onDeath(member, stderr === "" ? cause : `${cause}: ${stderr}`);
  }
}

function start(launch: Launch, addresses: Addresses): Member {
  const { tasks, results, control } = addresses;
  const process = new Deno.Command(launch.command, {
    args: [...launch.args, launch.name, tasks, results, control],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  return { launch, process, stderr: tail(process.stderr), state: "starting", chunks: 0 };
}

/** The last 2 000 characters of a stream. */
async function tail(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text = (text + part).slice(-2_000);
  }
  return text;
}

function kill(member: Member, signal: Deno.Signal): void {
  try {
    member.process.kill(signal);
  } catch {
    // It has just ended by itself.
  }
}

async function settledWithin(promises: Promise<void>[], ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const settled = await Promise.race([Promise.all(promises).then(() => true), late]);
  clearTimeout(timer);
  return settled;
}
