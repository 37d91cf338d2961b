// Within one machine: inproc, where all ends are in one process, and ipc.

import {
  type Latency,
  measureLatency,
  measureThroughput,
  type Rate,
  type Settings,
} from "./measure.ts";
import { withPeer } from "./peer_process.ts";
import type { Row } from "./rows.ts";

/** How a loop sends and receives: it awaits each operation, or only those that have to wait. */
export type Loop = "awaited" | "tried-first";

/** PAIR to PAIR in one process; messages a second. */
export function measureInprocThroughput(
  row: Row,
  size: number,
  settings: Settings,
  loop: Loop = "awaited",
): Promise<Rate> {
  return measureRate(row, ["inproc-throughput", size], settings, loop);
}

/** The same with a body that libzmq is lent and never copies nor frees. */
export function measureInprocLent(row: Row, size: number, settings: Settings): Promise<Rate> {
  return measureRate(row, ["inproc-lent", size], settings);
}

/** PAIR to PAIR and back in one process; half of the mean round trip in nanoseconds. */
export async function measureInprocLatency(
  row: Row,
  size: number,
  settings: Settings,
): Promise<number> {
  return 1e9 / await measureRate(row, ["inproc-latency", size], settings) / 2;
}

/** PUSH to so many PULLs in one process; messages a second, of all of them together. */
export function measureInprocWorkers(
  row: Row,
  workers: number,
  size: number,
  settings: Settings,
  loop: Loop = "awaited",
): Promise<Rate> {
  return measureRate(row, ["inproc-workers", workers, size], settings, loop);
}

/** PUSH to PULL over a socket in the file system; messages a second. */
export function measureIpcThroughput(row: Row, size: number, settings: Settings): Promise<Rate> {
  const { localWarmupMs: warmupMs, localWindowMs: windowMs } = settings;
  return withIpcEndpoint((endpoint) =>
    measureThroughput(row, size, { ...settings, warmupMs, windowMs }, endpoint)
  );
}

/** REQ to REP and back, likewise. */
export function measureIpcLatency(row: Row, size: number, settings: Settings): Promise<Latency> {
  return withIpcEndpoint((endpoint) => measureLatency(row, size, settings, endpoint));
}

function measureRate(
  row: Row,
  job: readonly (string | number)[],
  { localWarmupMs, localWindowMs }: Settings,
  loop: Loop = "awaited",
): Promise<Rate> {
  return withPeer(
    row,
    [...job, localWarmupMs, localWindowMs, ...loop === "awaited" ? [] : [loop]],
    { timeoutMs: 30_000 + localWarmupMs + localWindowMs },
    (peer) => peer.rate(),
  );
}

/** A fresh path each time: peers are killed, so their files stay until the folder goes. */
async function withIpcEndpoint<T>(use: (endpoint: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "bench-" });
  try {
    return await use(`ipc://${folder}/socket`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
