// What every forwarder must do, whosever proxy it is.

import { assertMessages, pattern } from "./octets.ts";
import { type Channel, octetsOf } from "./pubsub_ends.ts";

/** Subscribes, publishes and unsubscribes through whatever lies between the two ends. */
export async function expectForwarding(channel: Channel): Promise<void> {
  const { sub } = channel;
  await sub.subscribe("a", "abc", Uint8Array.of(0, 255));
  await channel.sync();
  const messages = [
    ["a", "1"].map(octetsOf),
    ["b", "2"].map(octetsOf),
    ["abcd", "", "3"].map(octetsOf),
    [Uint8Array.of(0, 255, 7), pattern(40_000)],
    [octetsOf("a"), pattern(1_000_000)],
    [Uint8Array.of(0)],
  ];
  assertMessages(await channel.deliver(messages), [0, 2, 3, 4].map((i) => messages[i]));
  await sub.unsubscribe("a", Uint8Array.of(0, 255));
  await channel.sync();
  assertMessages(await channel.deliver(messages), [messages[2]]);
}
