// Majordomo's round trips a second: wasmq on each runtime, and the same broker, workers and clients on zeromq.js, in turn.
//
//   deno run -A bench/majordomo/run.ts [--seconds N] [--rounds N] [--json FILE]
//
// Two processes for each row: the broker, and workers and clients together.
// deno-lint-ignore-file no-console -- a program for the terminal

import { findBun, findDeno, findNode, type Found, repositoryPath } from "../toolchain.ts";
import { formatRate } from "../format.ts";

interface Row {
  readonly id: string;
  readonly broker: readonly string[];
  readonly peers: readonly string[];
}

/** Who is there in one scene, and what they do. */
interface Scene {
  readonly title: string;
  /** What wasmq's clients are: `client` matches replies to requests, `pipeline` leaves that to the program. */
  readonly kind: "client" | "pipeline";
  readonly clients: number;
  readonly inFlight: number;
  readonly workers: number;
  /** Requests that the broker gives to a worker at a time. */
  readonly window: number;
}

const SIZE = 10;
/** Milliseconds: the compilers of all runtimes want some seconds. */
const WARMUP = 3000;

const SCENES: readonly Scene[] = [
  scene("1 worker, window 100, 100 requests in flight", "client", 1, 100, 1, 100),
  scene("the same, replies not matched", "pipeline", 1, 100, 1, 100),
  scene("4 clients, 4 workers, window 25, 4 x 100 in flight", "client", 4, 100, 4, 25),
  scene("100 workers, 100 requests in flight, one each", "client", 1, 100, 100, 1),
  scene("1 worker, one request at a time, 100 in flight", "client", 1, 100, 1, 1),
  scene("tripping: 1 client, 1 worker, one at a time", "client", 1, 1, 1, 1),
];

function scene(
  title: string,
  kind: Scene["kind"],
  clients: number,
  inFlight: number,
  workers: number,
  window: number,
): Scene {
  return { title, kind, clients, inFlight, workers, window };
}

function option(name: string): string | undefined {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? undefined : Deno.args[at + 1];
}

async function findRows(): Promise<Row[]> {
  const rows: Row[] = [];
  const here = (name: string) => repositoryPath(`bench/majordomo/${name}`);
  const add = (id: string, found: Found, flags: readonly string[], files: readonly string[]) => {
    if ("missing" in found) return console.error(`${id} is left out: ${found.missing}`);
    const [broker, peers] = files.map((file) => [found.path, ...flags, here(file)]);
    rows.push({ id, broker, peers });
  };
  const ours = ["wasmq_broker.ts", "wasmq_peers.ts"];
  const node = await findNode();
  add("wasmq on Deno", findDeno(), ["run", "-A", "--no-check"], ours);
  add("wasmq on Bun", await findBun(), [], ours);
  add("wasmq on Node", node, [], ours);
  add("zeromq.js on Node", node, [], ["zeromq_broker.mjs", "zeromq_peers.mjs"]);
  return rows;
}

function spawn(command: readonly string[], args: readonly (string | number)[]): Deno.ChildProcess {
  const [program, ...first] = command;
  return new Deno.Command(program, {
    args: [...first, ...args.map(String)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

async function firstLine(child: Deno.ChildProcess): Promise<Record<string, unknown>> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) return JSON.parse(text.slice(0, text.indexOf("\n")));
  }
  throw new Error("ended without a result");
}

async function measure(row: Row, scene: Scene, milliseconds: number): Promise<number> {
  const broker = spawn(row.broker, [scene.window]);
  let peers: Deno.ChildProcess | undefined;
  try {
    const { listening } = await firstLine(broker);
    const { kind, clients, inFlight, workers } = scene;
    peers = spawn(row.peers, [
      String(listening),
      kind,
      clients,
      inFlight,
      workers,
      SIZE,
      WARMUP,
      milliseconds,
    ]);
    const timer = setTimeout(() => peers!.kill("SIGKILL"), WARMUP + milliseconds + 20_000);
    const { count, seconds } = await firstLine(peers);
    clearTimeout(timer);
    return Number(count) / Number(seconds);
  } finally {
    for (const child of [broker, peers]) {
      try {
        child?.kill("SIGKILL");
      } catch {
        // it has ended by itself
      }
      await child?.status;
    }
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

const milliseconds = 1000 * Number(option("seconds") ?? 3);
const rounds = Number(option("rounds") ?? 3);
const only = option("only");
const rows = await findRows();
const results: { scene: string; row: string; median: number; runs: number[]; ratio?: number }[] =
  [];

for (const scene of SCENES.filter(({ title }) => only === undefined || title.includes(only))) {
  const runs = new Map<string, number[]>(rows.map(({ id }) => [id, []]));
  for (let round = 0; round < rounds; round++) {
    for (const row of rows) runs.get(row.id)!.push(await measure(row, scene, milliseconds));
  }
  const reference = runs.get("zeromq.js on Node");
  console.log(`\n${scene.title}`);
  for (const [row, values] of runs) {
    const rate = median(values);
    const ratio = reference && rate / median(reference);
    results.push({ scene: scene.title, row, median: rate, runs: values, ...(ratio && { ratio }) });
    console.log(
      `  ${row.padEnd(18)} ${formatRate(rate).padStart(7)}/s  ${ratio?.toFixed(2) ?? "-"}x`,
    );
  }
}
const file = option("json");
if (file !== undefined) {
  const settings = { seconds: milliseconds / 1000, rounds, size: SIZE };
  await Deno.writeTextFile(file, `${JSON.stringify({ settings, results }, null, 2)}\n`);
}
