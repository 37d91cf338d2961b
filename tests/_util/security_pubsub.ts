// What every legal pair of publisher and subscriber is asked of a mechanism, with libzmq as the peer, whoever is the server
// and whoever binds: subscriptions arrive, and so do the messages that they are for, and no others.

import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { startPeer } from "./peer.ts";
import { assertMessages, concat, pattern } from "./octets.ts";
import {
  Channel,
  type End,
  octetsOf,
  openOurs,
  OurEnd,
  PAIRS,
  type PubSubPair,
} from "./pubsub_ends.ts";
import { type MechanismName, ROLES, zapRule } from "./security_options.ts";
import { LibzmqStage, OurStage } from "./security_stage.ts";
import { SHORT_ONES, SOME_SIZES } from "./security_traffic.ts";

const UNLIMITED = { sendHighWaterMark: 0 } as const;
const UNLIMITED_TOO = { receiveHighWaterMark: 0 } as const;
/** The longest topic that we take: it fills a command. */
const LONGEST = 65_526;
/** Around the borders of a subscription's frame, open (10 octets of its own) and sealed (43). */
const TOPIC_SIZES = [1, 2, 211, 212, 213, 244, 245, 246, 253, 254, 255, 256, 257, 1_000, LONGEST];

/** Asks it of all pairs. */
export function testSecurePubSub(mechanism: MechanismName): void {
  for (const pair of PAIRS) {
    describe(`${mechanism}: ${pair.name}`, () => {
      for (const role of ["server", "client"] as const) {
        describe(`we are the ${role}`, () => testPair(mechanism, pair, role));
      }
    });
  }
}

function testPair(mechanism: MechanismName, pair: PubSubPair, role: "server" | "client"): void {
  let ours: OurStage;
  let theirs: LibzmqStage;
  let channel: Channel;
  before(async () => {
    ours = new OurStage();
    theirs = new LibzmqStage(startPeer());
    for (const stage of [ours, theirs]) await stage.handleZap(zapRule());
  });
  after(async () => {
    await Promise.all([ours.stop(), theirs.stop()]);
  });
  afterEach(async () => {
    await Promise.all([channel.pub.close(), channel.sub.close()]);
  });

  const open = async (): Promise<void> => {
    const other = role === "server" ? "client" : "server";
    const isPub = pair.ours === "pub";
    const marks = (pubs: boolean): object => pubs ? UNLIMITED : UNLIMITED_TOO;
    const we: End = new OurEnd(
      openOurs(isPub ? pair.pub : pair.sub, {
        linger: 0,
        ...marks(isPub),
        ...(isPub && { maxTopicLength: LONGEST }),
        ...ROLES[mechanism][role],
        context: ours.context,
      }),
    );
    const they: End = await theirs.peer.open(isPub ? pair.sub : pair.pub, {
      ...marks(!isPub),
      ...ROLES[mechanism][other],
    });
    const [binder, connecter] = pair.binds === "we" ? [we, they] : [they, we];
    await connecter.connect(await binder.bind());
    channel = isPub ? new Channel(we, they) : new Channel(they, we);
  };

  it("moves messages of all sizes in parts, and many short ones", async () => {
    await open();
    await channel.sub.subscribe("wanted");
    await channel.sync();
    await channel.deliver([]); // what synchronising left behind
    for (const spec of [SOME_SIZES, SHORT_ONES]) {
      await Promise.all([
        channel.pub.sendMany(spec, "wanted"),
        channel.sub.receiveMany(spec, 1),
      ]);
    }
  });

  it("knows topics of every size, and forgets them", async () => {
    await open();
    const topics = TOPIC_SIZES.map((size, i) => concat(Uint8Array.of(65 + i), pattern(size - 1)));
    const messages = topics.flatMap((topic) => [
      [concat(topic, octetsOf("and more")), octetsOf("body")],
      [topic.subarray(0, -1), octetsOf("too short a topic")],
    ]);
    await channel.sub.subscribe(...topics);
    await channel.sync();
    assertMessages(await channel.deliver(messages), messages.filter((_, i) => i % 2 === 0));
    await channel.sub.unsubscribe(...topics.slice(1));
    await channel.sync();
    assertMessages(await channel.deliver(messages), messages.slice(0, 1));
  });
}
