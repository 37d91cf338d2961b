// Publishers and subscribers in tests: wait until subscriptions have arrived, read up to a mark.

import { assertEquals } from "@std/assert";
import { eventually } from "./deadline.ts";

/** What a publisher says of its peers. */
export interface Counting {
  stats(): { readonly peers: readonly { readonly subscriptions: number }[] };
}

/** What can be read in tests. */
export interface Receiving {
  receive(): Promise<Uint8Array[]>;
}

/** What can be sent to in tests. */
export interface Sending {
  send(message: string): Promise<void>;
}

/** The wait for many subscriptions on a busy machine. */
const ARRIVAL_MS = 15_000;

/** How many subscriptions the publisher's peers have together. */
export function subscriptionsOf(publisher: Counting): number {
  return publisher.stats().peers.reduce((sum, { subscriptions }) => sum + subscriptions, 0);
}

/** Waits until the publisher's peers have so many subscriptions together. */
export async function subscribed(publisher: Counting, count: number): Promise<void> {
  await eventually(
    () => subscriptionsOf(publisher) === count,
    ARRIVAL_MS,
    `${count} subscriptions, there are ${subscriptionsOf(publisher)}`,
  );
}

/** Waits until the publisher has so many peers. */
export async function peers(publisher: Counting, count: number): Promise<void> {
  await eventually(
    () => publisher.stats().peers.length === count,
    ARRIVAL_MS,
    `${count} peers`,
  );
}

/** The frames of the next message as texts. */
export async function takeTexts(socket: Receiving): Promise<string[]> {
  return (await socket.receive()).map(String);
}

/** The next `count` messages, the first frame of each as text. */
export async function takeMany(socket: Receiving, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) texts.push(String((await socket.receive())[0]));
  return texts;
}

/** The first frames of what comes before the message `mark`. */
export async function takeUntil(socket: Receiving, mark: string): Promise<string[]> {
  const texts: string[] = [];
  for (;;) {
    const text = String((await socket.receive())[0]);
    if (text === mark) return texts;
    texts.push(text);
  }
}

/** Publishes the texts and then `mark`; the subscriber must get exactly the expected ones before the mark. */
export async function expectOnly(
  publisher: Sending,
  subscriber: Receiving,
  mark: string,
  sent: readonly string[],
  expected: readonly string[],
): Promise<void> {
  for (const text of sent) await publisher.send(text);
  await publisher.send(mark);
  assertEquals(await takeUntil(subscriber, mark), [...expected]);
}

/** The numbers below `count`, as texts. */
export function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}
