// Which measurement after which: fan-out, filter, trie, proxy.

import { formatNanoseconds, formatRate, formatSize } from "./format.ts";
import { measureInTurn } from "./in_turn.ts";
import {
  measureFanOut,
  measureProxy,
  measurePublisherFilter,
  measureSubscriberFilter,
  measureTrie,
} from "./measure_publish.ts";
import type { Options } from "./options.ts";
import { medianRate, medianTrieCost, type Results } from "./results.ts";
import type { Row } from "./rows.ts";

const perSecond = (rate: number) => `${formatRate(rate)} msg/s`;

/** Measures the parts that the options name. Every row is fed by `feeder` where the subscriber filters. */
export async function measurePublishSubscribe(
  rows: readonly Row[],
  feeder: Row | undefined,
  options: Options,
  results: Results,
): Promise<void> {
  const sockets = rows.filter((row) => row.kind !== "bare");
  if (options.parts.includes("fanout")) await measureFanOuts(sockets, options, results);
  if (options.parts.includes("filter")) await measureFilters(sockets, feeder, options, results);
  if (options.parts.includes("trie")) await measureTries(sockets, options, results);
  if (options.parts.includes("proxy")) await measureProxies(sockets, options, results);
}

async function measureFanOuts(
  rows: readonly Row[],
  { publishSizes, subscribers, settings }: Options,
  results: Results,
): Promise<void> {
  for (const size of publishSizes) {
    for (const count of subscribers) {
      const figures = await measureInTurn(results, rows, {
        what: `fan-out ${count} x ${formatSize(size)}`,
        measure: (row) => measureFanOut(row, count, size, settings),
        median: medianRate,
        format: perSecond,
      });
      results.fanOut.push(...figures.map((figure) => ({ subscribers: count, size, ...figure })));
    }
  }
}

async function measureFilters(
  rows: readonly Row[],
  feeder: Row | undefined,
  { settings }: Options,
  results: Results,
): Promise<void> {
  const atPublisher = await measureInTurn(results, rows, {
    what: "filter, publisher",
    measure: (row) => measurePublisherFilter(row, settings),
    median: medianRate,
    format: perSecond,
  });
  results.publisherFilter.push(...atPublisher);
  if (!feeder) {
    results.missing.push({ id: "Filtering at the subscriber", why: "its feeder is a C program" });
    return;
  }
  const atSubscriber = await measureInTurn(results, rows, {
    what: "filter, subscriber",
    measure: (row) => measureSubscriberFilter(row, feeder, settings),
    median: medianRate,
    format: perSecond,
  });
  results.subscriberFilter.push(...atSubscriber);
}

async function measureTries(
  rows: readonly Row[],
  { subscriptions, settings }: Options,
  results: Results,
): Promise<void> {
  // zeromq.js has libzmq's own.
  const tries = rows.filter((row) => row.kind !== "zeromq.js");
  for (const count of subscriptions) {
    const figures = await measureInTurn(results, tries, {
      what: `trie ${formatRate(count)}`,
      measure: (row) => measureTrie(row, count, settings),
      median: medianTrieCost,
      format: ({ addNs, matchNs, missNs, removeNs, bytes }) =>
        `add ${formatNanoseconds(addNs)}, match ${formatNanoseconds(matchNs)}, miss ${
          formatNanoseconds(missNs)
        }, remove ${formatNanoseconds(removeNs)}, ${Math.round(bytes)} B`,
    });
    results.trie.push(...figures.map((figure) => ({ subscriptions: count, ...figure })));
  }
}

async function measureProxies(
  rows: readonly Row[],
  { publishSizes, settings }: Options,
  results: Results,
): Promise<void> {
  for (const size of publishSizes) {
    const figures = await measureInTurn(results, rows, {
      what: `proxy ${formatSize(size)}`,
      measure: (row) => measureProxy(row, size, settings),
      median: medianRate,
      format: perSecond,
    });
    results.proxy.push(...figures.map((figure) => ({ size, ...figure })));
  }
}
