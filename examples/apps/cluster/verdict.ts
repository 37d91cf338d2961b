// How it went: figures, and whether that is good.

import type { Cluster } from "./cluster.ts";
import { Histogram } from "./histogram.ts";
import type { Options } from "./options.ts";
import { quantiles } from "./screen.ts";

const TASKS = ["clients", "broker", "worker"] as const;

/** What was counted when the counting began and when it ended. */
export interface Mark {
  readonly time: number;
  /** For each cluster how many requests were answered, and when its clients said so. */
  readonly answered: readonly number[];
  readonly heardAt: readonly number[];
  /** Processor time, in microseconds, of all processes that have the task. */
  readonly cpu: readonly number[];
}

/** The moments that count. */
export interface Marks {
  /** Before the first request. */
  readonly begin: Mark;
  /** When the counting begins, */
  readonly from: Mark;
  /** and when it is over. */
  readonly to: Mark;
  /** When all is answered. */
  readonly end: Mark;
}

export function markOf(clusters: readonly Cluster[]): Mark {
  return {
    time: performance.now(),
    answered: clusters.map(({ clients }) => clients?.answered ?? 0),
    heardAt: clusters.map(({ heardAt }) => heardAt),
    cpu: TASKS.map((task) => clusters.reduce((sum, cluster) => sum + cluster.cpuOf(task), 0)),
  };
}

/** The report's lines, and what is wrong. */
export function judge(
  clusters: readonly Cluster[],
  options: Options,
  { begin, from, to, end }: Marks,
): { readonly lines: readonly string[]; readonly faults: readonly string[] } {
  const lines: string[] = [];
  const faults: string[] = [];
  const goal = options.clients * options.rate;
  const all = new Histogram();
  let total = 0;
  for (const [i, cluster] of clusters.entries()) {
    const { name, broker, clients, latencies, crashes } = cluster;
    const answered = to.answered[i] - from.answered[i];
    const rate = answered / Math.max(1, to.heardAt[i] - from.heardAt[i]) * 1_000;
    total += rate;
    const { requests, lost, wrong, retried, late } = clients!;
    const unanswered = requests - clients!.answered - lost;
    lines.push(
      `${name}: ${rate.toFixed(0)} requests/s of ${goal}; ${describe(latencies)}`,
      `  done here ${broker!.local}, by other clusters ${broker!.cloudOut}, for other clusters ` +
        `${broker!.cloudIn}; ${crashes} crashes of workers, ${broker!.retried} requests given anew`,
      `  ${requests} asked, ${clients!.answered} answered, ${lost + unanswered} lost, ` +
        `${wrong} wrong, ${late} answered late, ${retried} asked again by clients`,
    );
    all.merge(latencies.take());
    if (rate < goal * options.sustained) faults.push(`${name} did not sustain ${goal} requests/s`);
    if (lost + unanswered > 0) faults.push(`${name} lost ${lost + unanswered} requests`);
    if (wrong > 0) faults.push(`${wrong} replies of ${name} are not to the request`);
    if (broker!.dropped > 0) faults.push(`${name}'s broker dropped ${broker!.dropped} requests`);
  }
  // Of the whole time: what was begun on a machine that has too much to do is done later.
  const done = sum(end.answered) - sum(begin.answered);
  const cpus = end.cpu.map((cpu, i) => cpu - begin.cpu[i]);
  const parts = TASKS.map((task, i) => `${task} ${(cpus[i] / done).toFixed(1)}`);
  const busy = sum(cpus) / (end.time - begin.time) / 1_000;
  lines.push(
    `all: ${total.toFixed(0)} requests/s of ${goal * clusters.length}; ${describe(all)}`,
    `  ${(sum(cpus) / done).toFixed(1)} µs of processor time for each request (${
      parts.join(", ")
    }), ` +
      `${busy.toFixed(2)} processors busy`,
  );
  return { lines, faults };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function describe(latencies: Histogram): string {
  const [p50, p90, p99, p999] = quantiles(latencies);
  return `p50 ${p50}, p90 ${p90}, p99 ${p99}, p99.9 ${p999}`;
}
