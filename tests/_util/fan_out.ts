// One publisher, many subscribers, a few of them stalled: does everybody else get every message, in order, and does the
// memory stay flat? The publisher goes at a rate that the receivers can follow.

import { Publisher, Subscriber } from "../../mod.ts";
import { Cleanup } from "./cleanup.ts";
import { eventually, pause } from "./deadline.ts";
import { memory } from "./memory.ts";
import { connectAs } from "./raw_zmtp.ts";
import { subscribeCommand } from "./raw_subscriptions.ts";

/** What to do. */
export interface FanOut {
  readonly subscribers: number;
  /** How many of the subscribers never read. */
  readonly stalled: number;
  readonly seconds: number;
  /** Messages in one go, and the pause after them. */
  readonly burst: number;
  readonly pauseMs: number;
  /** Octets of each message's body. */
  readonly size: number;
  readonly report: (line: string) => void;
}

/** What came of it. */
export interface FanOutResult {
  readonly sent: number;
  /** Messages that those who read received. */
  readonly delivered: number;
  /** What was wrong with a subscriber's messages, one sentence each. */
  readonly faults: readonly string[];
  /** Messages that those who read should have got and did not. */
  readonly missing: number;
  /** Drops of the stalled ones, and of all others. */
  readonly droppedForStalled: number;
  readonly droppedForOthers: number;
  /** Resident memory in octets, once a second; the first when all had started. */
  readonly memory: readonly number[];
  /** By how much memory grew from the middle of the run to its end, in octets. */
  readonly grown: number;
  readonly seconds: number;
}

const BATCH = 50;
const FILL_SIZE = 10_000;
/** So many messages may be under way; well below the mark. */
const WINDOW = 500;
const SAMPLE_MS = 1_000;
const PATIENCE_MS = 60_000;
const MB = 1_000_000;
/** A subscriber that reads and checks that numbers come without a gap. */
class Checked {
  readonly socket: Subscriber = new Subscriber();
  next = 0;
  fault: string | undefined;

  async read(size: number): Promise<void> {
    for await (const [topic, body] of this.socket) {
      const number = Number(String(topic).slice(1));
      if (this.fault !== undefined) continue;
      if (number !== this.next) this.fault = `got ${number} instead of ${this.next}`;
      else if (body.length !== size) this.fault = `got ${body.length} octets instead of ${size}`;
      this.next++;
    }
  }
}

/** The least of some samples: what is held for sure. */
function floor(samples: readonly number[]): number {
  return Math.min(...samples);
}

/** Connects all, fills the stalled ones, publishes for the given time and waits until all is received. */
export async function fanOut(work: FanOut): Promise<FanOutResult> {
  const cleanup = new Cleanup();
  try {
    return await run(work, cleanup);
  } finally {
    await cleanup.run();
  }
}

async function run(work: FanOut, cleanup: Cleanup): Promise<FanOutResult> {
  const publisher = cleanup.add(new Publisher({ backlog: 1_024 }));
  await publisher.bind("tcp://127.0.0.1:*");
  await joinStalled(publisher, cleanup, work.stalled);
  const full = publisher.stats();
  work.report(`${work.stalled} stalled, ${full.dropped} messages dropped for them so far`);
  const stalled = new Set(full.peers.map(({ address }) => address));
  const readers = await joinReaders(publisher, cleanup, work);
  work.report(`${readers.length} read`);

  const samples = [memory()];
  const begin = performance.now();
  const body = new Uint8Array(work.size).fill(0x2e);
  let sent = 0;
  let sampled = begin;
  while (performance.now() - begin < work.seconds * 1_000) {
    for (let i = 0; i < work.burst; i++) await publisher.send([`n${sent++}`, body]);
    await pause(work.pauseMs);
    await eventually(() => slowest(readers) >= sent - WINDOW, PATIENCE_MS, "readers keep up");
    if (performance.now() - sampled >= SAMPLE_MS) {
      sampled += SAMPLE_MS;
      samples.push(memory());
      work.report(progress(begin, sent, readers, publisher, samples.at(-1)!));
    }
  }
  await eventually(() => slowest(readers) >= sent, PATIENCE_MS, "the last message").catch(() => {});
  samples.push(memory());

  const { peers } = publisher.stats();
  const droppedFor = (wanted: boolean): number =>
    peers.filter(({ address }) => stalled.has(address) === wanted)
      .reduce((sum, { dropped }) => sum + dropped, 0);
  const half = samples.length >> 1;
  return {
    sent,
    delivered: readers.reduce((sum, { next }) => sum + next, 0),
    faults: readers.flatMap(({ fault }, i) => fault === undefined ? [] : [`reader ${i} ${fault}`]),
    missing: readers.reduce((sum, { next }) => sum + sent - next, 0),
    droppedForStalled: droppedFor(true),
    droppedForOthers: droppedFor(false),
    memory: samples,
    grown: floor(samples.slice(-3)) - floor(samples.slice(half, half + 3)),
    seconds: (performance.now() - begin) / 1_000,
  };
}

/** Raw subscribers that do not read, filled until the publisher drops for each of them. */
async function joinStalled(publisher: Publisher, cleanup: Cleanup, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const peer = cleanup.add(await connectAs(publisher.lastEndpoint!, "SUB"));
    peer.pause();
    peer.send(subscribeCommand(""));
  }
  await eventually(() => {
    const { peers } = publisher.stats();
    return peers.length === count && peers.every(({ subscriptions }) => subscriptions === 1);
  });
  const filler = new Uint8Array(FILL_SIZE);
  await eventually(async () => {
    for (let i = 0; i < 100; i++) await publisher.send(["fill", filler]);
    return publisher.stats().peers.every(({ dropped }) => dropped > 0);
  }, PATIENCE_MS);
}

async function joinReaders(
  publisher: Publisher,
  cleanup: Cleanup,
  { subscribers, stalled, size }: FanOut,
): Promise<Checked[]> {
  const readers: Checked[] = [];
  while (readers.length < subscribers - stalled) {
    for (let i = 0; i < BATCH && readers.length < subscribers - stalled; i++) {
      const reader = new Checked();
      cleanup.add(reader.socket);
      reader.socket.subscribe("n");
      reader.socket.connect(publisher.lastEndpoint!);
      void reader.read(size);
      readers.push(reader);
    }
    const expected = stalled + readers.length;
    await eventually(() => {
      const { peers } = publisher.stats();
      return peers.length === expected && peers.every(({ subscriptions }) => subscriptions === 1);
    }, PATIENCE_MS);
  }
  return readers;
}

function slowest(readers: readonly Checked[]): number {
  let least = Infinity;
  for (const { next } of readers) if (next < least) least = next;
  return least;
}

function progress(
  begin: number,
  sent: number,
  readers: readonly Checked[],
  publisher: Publisher,
  rss: number,
): string {
  const seconds = Math.round((performance.now() - begin) / 1_000);
  return `${seconds} s: ${sent} published, the slowest reader has ${slowest(readers)}, ` +
    `${publisher.stats().dropped} dropped, ${(rss / MB).toFixed(1)} MB`;
}
