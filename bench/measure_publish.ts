// The publish-subscribe measurements. Publisher, proxy and subscribers are processes of their own.

import type { Rate, Settings } from "./measure.ts";
import { type PeerProcess, withPeer } from "./peer_process.ts";
import type { Row } from "./rows.ts";

/** What one subscription costs in a publisher, in nanoseconds and octets. */
export interface TrieCost {
  readonly addNs: number;
  /** A message that one subscription wants. */
  readonly matchNs: number;
  /** A message that differs from a subscription in the last octet only. */
  readonly missNs: number;
  readonly removeNs: number;
  readonly bytes: number;
}

/** One topic in a hundred is wanted. */
const WANTED_SHARE = 0.01;

/** One PUB, many SUBs in one process; deliveries a second, of all of them together. */
export function measureFanOut(
  row: Row,
  subscribers: number,
  size: number,
  settings: Settings,
): Promise<Rate> {
  return withPeer(row, ["publish", size], publisherOptions(settings), async (publisher) => {
    const endpoint = await publisher.endpoint();
    return await countDeliveries(row, endpoint, subscribers, size, publisher, settings);
  });
}

/** PUB to SUB through a forwarder; deliveries a second. */
export function measureProxy(row: Row, size: number, settings: Settings): Promise<Rate> {
  return withPeer(row, ["proxy"], options(settings), async (proxy) => {
    const { frontEnd, backEnd } = await proxy.endpoints();
    return await withPeer(
      row,
      ["publish", size, frontEnd],
      publisherOptions(settings),
      (publisher) =>
        Promise.race([
          countDeliveries(row, backEnd, 1, size, publisher, settings),
          proxy.failure(),
        ]),
    );
  });
}

/** A hundred topics, one of them wanted, and the publisher knows; messages published a second. */
export function measurePublisherFilter(row: Row, settings: Settings): Promise<Rate> {
  return withSubscriber(row, settings, async (subscriber) => {
    const endpoint = await subscriber.endpoint();
    const args = ["publish-topics", endpoint, ...windowOf(settings)];
    return await withPeer(row, args, options(settings), async (publisher) => {
      const [published, delivered] = await Promise.all([publisher.rate(), subscriber.rate()]);
      const share = delivered / published;
      if (Math.abs(share / WANTED_SHARE - 1) > 0.5) {
        throw new Error(
          `The subscriber got ${(share * 100).toFixed(2)} % of the messages, not 1 %`,
        );
      }
      return published;
    });
  });
}

/** The same topics from a feeder that sends all of them; messages that arrive a second. */
export function measureSubscriberFilter(row: Row, feeder: Row, settings: Settings): Promise<Rate> {
  return withSubscriber(row, settings, async (subscriber) => {
    const endpoint = await subscriber.endpoint();
    return await withPeer(
      feeder,
      ["feed", endpoint],
      options(settings),
      async (peer) => await Promise.race([subscriber.rate(), peer.failure()]) / WANTED_SHARE,
    );
  });
}

/** Subscriptions of 20 octets with shared prefixes at one publisher. */
export function measureTrie(
  row: Row,
  subscriptions: number,
  { lookups }: Settings,
): Promise<TrieCost> {
  return withPeer(
    row,
    ["trie", subscriptions, lookups],
    { timeoutMs: 60_000 },
    async (peer) => {
      const { addNs, matchNs, missNs, removeNs, bytes } = await peer.line();
      return {
        addNs: Number(addNs),
        matchNs: Number(matchNs),
        missNs: Number(missNs),
        removeNs: Number(removeNs),
        bytes: Number(bytes),
      };
    },
  );
}

/** The publisher sends now and then until all are reached, so that nobody connects under full load. */
function countDeliveries(
  row: Row,
  endpoint: string,
  subscribers: number,
  size: number,
  publisher: PeerProcess,
  settings: Settings,
): Promise<Rate> {
  const args = ["subscribe", endpoint, subscribers, size, ...windowOf(settings)];
  return withPeer(row, args, options(settings), async (subscriber) => {
    await subscriber.line(); // all are reached
    await publisher.go();
    return await Promise.race([subscriber.rate(), publisher.failure()]);
  });
}

function withSubscriber(
  row: Row,
  settings: Settings,
  use: (subscriber: PeerProcess) => Promise<Rate>,
): Promise<Rate> {
  return withPeer(row, ["subscribe-topic", ...windowOf(settings)], options(settings), use);
}

function windowOf({ publishWarmupMs, publishWindowMs }: Settings): [number, number] {
  return [publishWarmupMs, publishWindowMs];
}

function options({ publishWarmupMs, publishWindowMs }: Settings): { timeoutMs: number } {
  return { timeoutMs: 30_000 + publishWarmupMs + publishWindowMs };
}

function publisherOptions(settings: Settings): { timeoutMs: number; waitsForGo: true } {
  return { ...options(settings), waitsForGo: true };
}
