// CURVE beside NULL, and the primitives alone.

import {
  type Latency,
  measureConnect,
  measureLatency,
  measureThroughput,
  type Rate,
  type Settings,
} from "./measure.ts";
import { withPeer } from "./peer_process.ts";
import type { Row } from "./rows.ts";

/** One row's figure with CURVE, and with NULL right after it. */
export interface Secured<T> {
  readonly curve: T;
  readonly plain: T;
}

/** Texts a second that a box is made of, or opened; the core has frames as well. */
export interface BoxRates {
  readonly sealed: Rate;
  readonly opened: Rate;
  readonly sealedFrames?: Rate;
  readonly openedFrames?: Rate;
}

/** PUSH to PULL in messages a second. */
export function measureCurveThroughput(
  row: Row,
  size: number,
  settings: Settings,
): Promise<Secured<Rate>> {
  const { curveWarmupMs: warmupMs, curveWindowMs: windowMs } = settings;
  return inBothWays(
    row,
    (row) => measureThroughput(row, size, { ...settings, warmupMs, windowMs }),
  );
}

/** REQ to REP and back. */
export function measureCurveLatency(
  row: Row,
  size: number,
  settings: Settings,
): Promise<Secured<Latency>> {
  return inBothWays(row, (row) => measureLatency(row, size, settings));
}

/** One after the other: connect, handshake, first round trip, close; in connections a second. */
export function measureCurveConnect(row: Row, settings: Settings): Promise<Secured<Rate>> {
  return inBothWays(row, (row) => measureConnect(row, settings));
}

/** NaCl's box without a socket, in texts a second. */
export function measureBoxes(
  row: Row,
  size: number,
  { cryptoWindowMs }: Settings,
): Promise<BoxRates> {
  return withPeer(
    row,
    ["boxes", size, cryptoWindowMs],
    { timeoutMs: 30_000 },
    async (peer) => await peer.line() as unknown as BoxRates,
  );
}

/** A peer takes the word "curve" before its job. */
async function inBothWays<T>(row: Row, measure: (row: Row) => Promise<T>): Promise<Secured<T>> {
  const curve = await measure({ ...row, command: [...row.command, "curve"] });
  return { curve, plain: await measure(row) };
}
