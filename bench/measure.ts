// Throughput, latency and connections, each with two peers of one row in separate processes.

import { type PeerProcess, withPeer } from "./peer_process.ts";
import type { Row } from "./rows.ts";

/** How long and how often; part of the results so that the table can say it. */
export interface Settings {
  /** Rounds of each measurement; the median counts. */
  readonly runs: number;
  /** Throughput: left out, counted from the first arrival. */
  readonly warmupMs: number;
  /** Throughput: how long the receiver counts. */
  readonly windowMs: number;
  /** Publish-subscribe: the same two, shorter because there are more figures. */
  readonly publishWarmupMs: number;
  readonly publishWindowMs: number;
  /** inproc and ipc: the same two. */
  readonly localWarmupMs: number;
  readonly localWindowMs: number;
  /** Throughput over WebSocket, and beside it over tcp: how long the receiver counts. */
  readonly webWindowMs: number;
  /** Throughput with CURVE, and beside it without: the same two. */
  readonly curveWarmupMs: number;
  readonly curveWindowMs: number;
  /** The primitives alone, each. */
  readonly cryptoWindowMs: number;
  /** Round trips that are left out, and that are timed. */
  readonly warmupRoundTrips: number;
  readonly roundTrips: number;
  /** Connections that are left out, and that are counted. */
  readonly warmupConnections: number;
  readonly connections: number;
  /** The trie: messages that are looked up. */
  readonly lookups: number;
  /**
   * Latency and connections: each side has a core of its own. Left to the scheduler, both sides
   * sometimes share one, and a round trip without waking another core takes a third of the time.
   */
  readonly pinned: boolean;
}

/** A receiver that counts per time: messages, bytes or connections a second. */
export type Rate = number;

/** Round-trip times in microseconds. */
export interface Latency {
  readonly medianUs: number;
  readonly p99Us: number;
}

/**
 * PUSH to PULL in messages a second; for a bare row, bytes a second. The receiver binds to `bindTo`,
 * or else to a tcp port of the system's choice.
 */
export function measureThroughput(
  row: Row,
  size: number,
  { warmupMs, windowMs }: Settings,
  bindTo?: string,
): Promise<Rate> {
  const options = { timeoutMs: 30_000 + warmupMs + windowMs };
  const args = ["pull", size, warmupMs, windowMs, ...optional(bindTo)];
  return withPeer(row, args, options, async (puller) => {
    const endpoint = await puller.endpoint();
    return await withPeer(
      row,
      ["push", endpoint, size],
      options,
      (pusher) => Promise.race([puller.rate(), pusher.failure()]),
    );
  });
}

/** REQ to REP and back; the replier binds likewise. */
export function measureLatency(
  row: Row,
  size: number,
  settings: Settings,
  bindTo?: string,
): Promise<Latency> {
  const { warmupRoundTrips, roundTrips } = settings;
  return withReplier(
    row,
    ["req", size, warmupRoundTrips, roundTrips],
    settings,
    async (requester) => {
      const { medianUs, p99Us } = await requester.line();
      return { medianUs: Number(medianUs), p99Us: Number(p99Us) };
    },
    bindTo,
  );
}

/** One after the other: connect, first round trip, close; in connections a second. */
export function measureConnect(row: Row, settings: Settings, bindTo?: string): Promise<Rate> {
  const { warmupConnections, connections } = settings;
  return withReplier(
    row,
    ["connect", warmupConnections, connections],
    settings,
    (requester) => requester.rate(),
    bindTo,
  );
}

/** The version that a peer reports of its library. */
export function readVersion(row: Row): Promise<string> {
  return withPeer(
    row,
    ["version"],
    { timeoutMs: 10_000 },
    async (peer) => String((await peer.line()).version),
  );
}

function withReplier<T>(
  row: Row,
  [mode, ...args]: (string | number)[],
  { pinned }: Settings,
  use: (requester: PeerProcess) => Promise<T>,
  bindTo?: string,
): Promise<T> {
  const onCore = (core: number) => ({ timeoutMs: 60_000, core: pinned ? core : undefined });
  return withPeer(row, ["rep", ...optional(bindTo)], onCore(0), async (replier) => {
    const endpoint = await replier.endpoint();
    return await withPeer(
      row,
      [mode, endpoint, ...args],
      onCore(1),
      (requester) => Promise.race([use(requester), replier.failure()]),
    );
  });
}

function optional(endpoint: string | undefined): string[] {
  return endpoint === undefined ? [] : [endpoint];
}
