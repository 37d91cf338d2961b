// The questions of every pair of sockets, asked of publishers and subscribers.

import { testPairing } from "../_util/pairing.ts";
import { Channel, openOurs, OurEnd, type OurPubSub, PAIRS } from "../_util/pubsub_ends.ts";
import type { MessageSpec } from "../_util/peer.ts";

const TOPIC = "topic";
// A publisher drops what its peer has no room for; here nothing may be dropped.
const UNLIMITED = { sendHighWaterMark: 0 } as const;

// Who binds is among the questions.
for (const { name, ours, pub, sub } of PAIRS.filter(({ binds }) => binds === "we")) {
  testPairing(name.replace(/, .*/, ""), {
    ours: (): OurPubSub => ours === "pub" ? openOurs(pub, UNLIMITED) : openOurs(sub),
    theirs: ours === "pub" ? sub : pub,
    theirOptions: ours === "pub" ? {} : UNLIMITED,
    traffic: (socket, theirs, spec) => {
      const end = new OurEnd(socket);
      return publish(ours === "pub" ? new Channel(end, theirs) : new Channel(theirs, end), spec);
    },
  });
}

async function publish(channel: Channel, spec: MessageSpec): Promise<void> {
  await channel.sub.subscribe(TOPIC);
  await channel.sync();
  await channel.deliver([]); // passes over the marks that are under way
  await Promise.all([channel.pub.sendMany(spec, TOPIC), channel.sub.receiveMany(spec, 1)]);
}
