// One run: ventilator, sink and control channel in this process, the workers in theirs.

import { Pull, Push, Reply } from "../../mod.ts";
import { Crew } from "./crew.ts";
import { Ledger } from "./ledger.ts";
import type { Launch } from "./runtimes.ts";
import { formatCount, formatMegabytes, plural, type Screen } from "./screen.ts";
import { textOf, ventilate, type Work } from "./ventilator.ts";

const PROGRESS_INTERVAL_MS = 100;
const GIVE_UP_MS = 30_000;

/** What a run yields. */
export interface Outcome {
  readonly ledger: Ledger;
  readonly seconds: number;
  readonly sentAgain: number;
}

/** Runs the ventilator, the sink and the control channel until every chunk is counted. */
export async function divideAndConquer(
  launches: readonly Launch[],
  work: Work,
  screen: Screen,
  stop: AbortController,
): Promise<Outcome> {
  // A short queue for each worker: the fast ones get more, and little is lost with one that dies.
  const ventilator = new Push({ sendHighWaterMark: 2, linger: 0 });
  const sink = new Pull();
  const control = new Reply({ linger: 0 });
  const sockets = [ventilator, sink, control];
  await Promise.all(sockets.map((socket) => socket.bind("tcp://127.0.0.1:*")));
  const [tasks, results, orders] = sockets.map((socket) => socket.lastEndpoint!);

  const ledger = new Ledger(work.total);
  const crew = new Crew(launches, { tasks, results, control: orders }, (member, reason) => {
    if (stop.signal.aborted) return;
    screen.print(`  ${member.launch.name.padEnd(8)} ended early ${reason}`);
    if (crew.alive.length === 0) stop.abort(new Error("All workers have ended: nobody can count"));
  });
  const background = [crew.serve(control), collect(sink, ledger, work)];
  for (const each of background) each.catch((error) => stop.abort(error));

  let ticker: ReturnType<typeof setInterval> | undefined;
  try {
    await crew.ready(stop.signal);
    introduce(crew, screen);
    const started = performance.now();
    ledger.lastResultAt = started;
    ticker = setInterval(() => {
      showProgress(crew, ledger, work, performance.now() - started, screen);
      if (performance.now() - ledger.lastResultAt > GIVE_UP_MS) {
        stop.abort(new Error(`No worker has sent a result for ${GIVE_UP_MS / 1_000} s`));
      }
    }, PROGRESS_INTERVAL_MS);
    const sentAgain = await ventilate(ventilator, work, ledger, stop.signal);
    return { ledger, seconds: (performance.now() - started) / 1_000, sentAgain };
  } finally {
    clearInterval(ticker);
    if (stop.signal.aborted) {
      screen.print(
        `stopped after ${formatCount(ledger.counted)} of ${plural(work.total, "chunk")}`,
      );
    }
    const forced = await crew.stop();
    if (forced.length > 0) screen.print(`  ended by force: ${forced.join(", ")}`);
    await Promise.all(sockets.map((socket) => socket.close()));
    await Promise.allSettled(background);
  }
}

/** The sink: enters every result in the ledger. */
async function collect(sink: Pull, ledger: Ledger, work: Work): Promise<void> {
  for await (const [idFrame, worker, counts] of sink) {
    const id = Number(idFrame.toString());
    const entries = counts.json() as [string, number][];
    ledger.enter(id, textOf(work, id).length, worker.toString(), entries);
  }
}

function introduce(crew: Crew, screen: Screen): void {
  for (const { launch, process } of crew.alive) {
    screen.print(`  ${launch.name.padEnd(8)} ready: ${launch.label}, pid ${process.pid}`);
  }
  screen.print();
}

function showProgress(
  crew: Crew,
  ledger: Ledger,
  work: Work,
  elapsedMs: number,
  screen: Screen,
): void {
  const done = `${formatCount(ledger.counted)}/${formatCount(work.total)} chunks`;
  const rate = `${formatMegabytes(1_000 * ledger.bytes / elapsedMs)} MB/s`;
  const workers = crew.alive.map(({ launch, chunks }) => `${launch.name} ${formatCount(chunks)}`);
  screen.progress(ledger.counted / work.total, [done, rate, ...workers].join("  "));
}
