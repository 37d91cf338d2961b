/**
 * A simulation of three clusters of a federation.
 *
 * Each cluster has a broker, 1 000 clients that make 10 requests a second each, at random times,
 * and workers that crash (kill -9) and come back. For a while all workers of the first cluster are
 * gone: its work flows to the other two. In the end no request may be lost.
 *
 *   deno run -A examples/apps/cluster/main.ts [--seconds 30] [--clients 1000] [--rate 10] …
 *
 * or the same with `bun` or `node`.
 *
 * @module
 */

import { Cluster } from "./cluster.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { Screen } from "./screen.ts";
import { judge, markOf, type Marks } from "./verdict.ts";

const { process } = globalThis as unknown as {
  process: {
    readonly argv: readonly string[];
    exit(code: number): never;
  };
};

const NAMES = ["oslo", "rome", "lima"];
const LOOK_MS = 1_000;
/** The first cluster has no workers from here to there of the time. */
const DARK_FROM = 0.4;
const DARK_FOR = 0.2;
/** Figures come every half second. */
const FIGURES_MS = 700;

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Kills workers until the time is over. */
async function disturb(
  clusters: readonly Cluster[],
  { seconds, crashes }: Options,
  screen: Screen,
): Promise<void> {
  const time = seconds * 1_000;
  const [first] = clusters;
  const crashing = setInterval(() => {
    clusters[Math.floor(Math.random() * clusters.length)].crashOne();
  }, crashes * 1_000);
  await sleep(time * DARK_FROM);
  screen.say(`All workers of ${first.name} crash; its work goes to the other clusters.`);
  first.crashAll(time * DARK_FOR);
  await sleep(time * DARK_FOR);
  screen.say(`The workers of ${first.name} come back.`);
  await sleep(time * (1 - DARK_FROM - DARK_FOR));
  clearInterval(crashing);
}

async function simulate(
  clusters: readonly Cluster[],
  options: Options,
  screen: Screen,
): Promise<Marks> {
  // One after the other: processes that start take all of a small machine.
  const peers = [];
  for (const cluster of clusters) peers.push(await cluster.start());
  for (const cluster of clusters) cluster.join(peers);
  await sleep(FIGURES_MS);
  const begin = markOf(clusters);
  for (const cluster of clusters) cluster.begin();
  await sleep(options.warmUp * 1_000);
  for (const cluster of clusters) cluster.count();
  const from = markOf(clusters);
  const start = performance.now();
  const drawing = setInterval(() => screen.draw((performance.now() - start) / 1_000), LOOK_MS);
  await disturb(clusters, options, screen);
  const to = markOf(clusters);
  await Promise.all(clusters.map((cluster) => cluster.drain()));
  clearInterval(drawing);
  await sleep(FIGURES_MS);
  return { begin, from, to, end: markOf(clusters) };
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  const { clients, rate, bodies, seconds } = options;
  const clusters = NAMES.map((name) => new Cluster(name, options));
  const screen = new Screen(clusters);
  screen.say(
    `${NAMES.length} clusters, each of ${clients} clients with ${rate} requests a second of up to ` +
      `${bodies} octets, for ${seconds} s`,
  );
  try {
    const marks = await simulate(clusters, options, screen);
    const { lines, faults } = judge(clusters, options, marks);
    for (const line of lines) screen.say(line);
    for (const fault of faults) screen.say(`BAD: ${fault}`);
    if (faults.length === 0) screen.say("GOOD: every request was answered, and once");
    return faults.length === 0 ? 0 : 1;
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.end()));
  }
}

try {
  process.exit(await main());
} catch (error) {
  console.error(`${(error as Error).message}\nUsage: main.ts ${USAGE}`);
  process.exit(2);
}
