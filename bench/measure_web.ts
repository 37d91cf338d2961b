// WebSocket beside tcp.

import {
  type Latency,
  measureConnect,
  measureLatency,
  measureThroughput,
  type Rate,
  type Settings,
} from "./measure.ts";
import type { Row } from "./rows.ts";

/** One row's figure over ws, and over tcp right after it if it has that. */
export interface OverWeb<T> {
  readonly ws: T;
  readonly tcp?: T;
}

/** Any free port, with the path `/`. */
const ANY_PORT = "ws://127.0.0.1:*";

/** PUSH to PULL in messages a second. */
export function measureWebThroughput(
  row: Row,
  size: number,
  settings: Settings,
): Promise<OverWeb<Rate>> {
  const { localWarmupMs: warmupMs, webWindowMs: windowMs } = settings;
  return overBoth(
    row,
    (bindTo) => measureThroughput(row, size, { ...settings, warmupMs, windowMs }, bindTo),
  );
}

/** REQ to REP and back. */
export function measureWebLatency(
  row: Row,
  size: number,
  settings: Settings,
): Promise<OverWeb<Latency>> {
  return overBoth(row, (bindTo) => measureLatency(row, size, settings, bindTo));
}

/** One after the other: connect, both handshakes, first round trip, close; in connections a second. */
export function measureWebConnect(row: Row, settings: Settings): Promise<OverWeb<Rate>> {
  return overBoth(row, (bindTo) => measureConnect(row, settings, bindTo));
}

async function overBoth<T>(
  row: Row,
  measure: (bindTo: string | undefined) => Promise<T>,
): Promise<OverWeb<T>> {
  const ws = await measure(ANY_PORT);
  return row.kind === "jszmq" ? { ws } : { ws, tcp: await measure(undefined) };
}
