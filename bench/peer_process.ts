// One peer as a child process: its lines of JSON, and its certain end.

import type { Row } from "./rows.ts";

/** A line that a peer printed. */
export type PeerLine = Record<string, unknown>;

const running = new Set<PeerProcess>();

/** Ends every peer that still runs: for a runner that is interrupted. */
export function killAllPeers(): void {
  for (const peer of running) peer.kill();
}

/** How a peer is run. */
export interface PeerOptions {
  /** How long it may take to print its next line. */
  readonly timeoutMs: number;
  /** The only core it may use; any without it. */
  readonly core?: number | undefined;
  /** It begins its work when `go` is called. */
  readonly waitsForGo?: boolean;
}

/** Runs a peer for as long as it is used. */
export async function withPeer<T>(
  row: Row,
  args: readonly (string | number)[],
  options: PeerOptions,
  use: (peer: PeerProcess) => Promise<T>,
): Promise<T> {
  const peer = new PeerProcess(row, args, options);
  try {
    return await use(peer);
  } finally {
    await peer.end();
  }
}

/** A running peer. */
export class PeerProcess {
  #title: string;
  #child: Deno.ChildProcess;
  #lines: ReadableStreamDefaultReader<string>;
  #errors: Promise<string>;
  #timeoutMs: number;
  #waitsForGo: boolean;

  /** Starts a row's peer. */
  constructor(row: Row, args: readonly (string | number)[], options: PeerOptions) {
    const pinning = options.core === undefined ? [] : ["taskset", "-c", `${options.core}`];
    const [program, ...first] = [...pinning, ...row.command];
    this.#title = `${row.id} ${args[0]}`;
    this.#timeoutMs = options.timeoutMs;
    this.#waitsForGo = options.waitsForGo ?? false;
    this.#child = new Deno.Command(program, {
      args: [...first, ...args.map(String)],
      env: { NO_COLOR: "1" },
      stdin: options.waitsForGo ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#lines = this.#child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(lineSplitter())
      .getReader();
    this.#errors = new Response(this.#child.stderr).text();
    running.add(this);
  }

  /** The next line; rejects when the peer ends or stays silent for too long. */
  async line(): Promise<PeerLine> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_, reject) => {
      const text = `${this.#title} printed nothing for ${this.#timeoutMs / 1000} s`;
      timer = setTimeout(() => reject(new Error(text)), this.#timeoutMs);
    });
    try {
      const { value, done } = await Promise.race([this.#lines.read(), silence]);
      if (!done) return JSON.parse(value);
    } finally {
      clearTimeout(timer);
    }
    throw await this.#endedEarly();
  }

  /** The endpoint from a binding peer's first line. */
  async endpoint(): Promise<string> {
    return endpointIn(await this.line(), "listening", this.#title);
  }

  /** Both endpoints of a proxy. */
  async endpoints(): Promise<{ frontEnd: string; backEnd: string }> {
    const line = await this.line();
    return {
      frontEnd: endpointIn(line, "listening", this.#title),
      backEnd: endpointIn(line, "backEnd", this.#title),
    };
  }

  /** What a peer counted, for each second. */
  async rate(): Promise<number> {
    const { count, seconds } = await this.line();
    return Number(count) / Number(seconds);
  }

  /** Tells a peer that waits for it to begin. */
  async go(): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("go\n"));
    writer.releaseLock();
  }

  /** Rejects as soon as the peer ends: for one that should go on until it is killed. */
  async failure(): Promise<never> {
    while (!(await this.#lines.read()).done);
    throw await this.#endedEarly();
  }

  /** Kills the peer if it still runs, without waiting. */
  kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended by itself
    }
  }

  /** Kills the peer and waits until it is gone, so that it takes no time from the next one. */
  async end(): Promise<void> {
    this.kill();
    if (this.#waitsForGo) await this.#child.stdin.abort().catch(() => {}); // it may be gone already
    await this.#lines.cancel();
    await this.#child.status;
    await this.#errors;
    running.delete(this);
  }

  async #endedEarly(): Promise<Error> {
    const errors = (await this.#errors).trim();
    const lines = errors.split("\n");
    const line = lines.find((text) => /error|panic/i.test(text)) ?? lines[0];
    // The whole text may be long and full of local paths: it is for the terminal only.
    return new Error(`${this.#title} ended early: ${line || "no message"}`, { cause: errors });
  }
}

function endpointIn(line: PeerLine, name: string, title: string): string {
  const endpoint = line[name];
  if (typeof endpoint !== "string") throw new Error(`${title} did not say where it listens`);
  return endpoint;
}

function lineSplitter(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(text, controller) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) controller.enqueue(line);
    },
  });
}
