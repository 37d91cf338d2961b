// Every legal pair of socket types, publish-subscribe among them, and how messages go between two driven sockets of it.

import { assertEquals } from "@std/assert";
import type { MessageSpec, Peer, PeerOptions, PeerSocket, PeerSocketType } from "./peer.ts";
import { Channel } from "./pubsub_ends.ts";
import type { End } from "./security_stage.ts";
import type { DrivenEvent } from "./ws_ends.ts";
import { TYPE_PAIRS } from "./security_traffic.ts";

/** A pair and which of the two binds. */
export interface DirectedPair {
  readonly binder: PeerSocketType;
  readonly connecter: PeerSocketType;
  readonly binderOptions: PeerOptions;
  readonly connecterOptions: PeerOptions;
  /** Moves the messages of `spec` and checks every octet where they end. */
  readonly run: (binder: PeerSocket, connecter: PeerSocket, spec: MessageSpec) => Promise<unknown>;
}

type Run = DirectedPair["run"];

/** Two hundred messages around the borders of frames of ZMTP and of WebSocket, in parts of all kinds. */
export const TWO_HUNDRED: MessageSpec = {
  seed: 12,
  count: 200,
  sizes: [0, 1, 5, 100, 123, 124, 125, 126, 254, 255, 256, 1_000, 65_533, 65_534, 65_535, 65_536],
  parts: [1, 4],
};

/** What PUSH and PUB drop or keep is not the question here. */
const UNLIMITED = { sendHighWaterMark: 0, receiveHighWaterMark: 0 } as const;
/** Of these, options of a mark that the type does not have are left out. */
const SENDS_ONLY: readonly PeerSocketType[] = ["Push", "Publisher"];
const RECEIVES_ONLY: readonly PeerSocketType[] = ["Pull", "Subscriber"];

/** Wanted messages arrive, and no others, whole and in order. */
const publish: Run = async (publisher, subscriber, spec) => {
  const channel = new Channel(publisher, subscriber);
  await channel.sub.subscribe("wanted");
  await channel.sync();
  assertEquals(await channel.deliver([["unwanted", "never asked for"]]), []);
  await Promise.all([publisher.sendMany(spec, "wanted"), subscriber.receiveMany(spec, 1)]);
  await subscriber.unsubscribe("wanted");
  await channel.sync();
  assertEquals(await channel.deliver([["wanted", "not any more"]]), []);
};

const PUBLISH: readonly Omit<DirectedPair, "binderOptions" | "connecterOptions">[] =
  (["Publisher", "XPublisher"] as const).flatMap((binder) =>
    (["Subscriber", "XSubscriber"] as const)
      .map((connecter) => ({ binder, connecter, run: publish }))
  );

const UNDIRECTED: readonly DirectedPair[] = [
  ...TYPE_PAIRS.map(({ left, right, leftOptions = {}, rightOptions = {}, run }) => ({
    binder: left,
    connecter: right,
    binderOptions: leftOptions,
    connecterOptions: rightOptions,
    run: ((one, other, spec) => run(asEnd(one), asEnd(other), spec)) as Run,
  })),
  ...PUBLISH.map((pair) => ({ ...pair, binderOptions: {}, connecterOptions: {} })),
];

/** All of them, each with either type binding. */
export const DIRECTED_PAIRS: readonly DirectedPair[] = UNDIRECTED.flatMap((pair) => {
  const { binder, connecter, binderOptions, connecterOptions, run } = pair;
  const turned: DirectedPair = {
    binder: connecter,
    connecter: binder,
    binderOptions: connecterOptions,
    connecterOptions: binderOptions,
    run: (one, other, spec) => run(other, one, spec),
  };
  return binder === connecter ? [pair] : [pair, turned];
});

/** Opens both sockets of a pair, joins them by the address, and moves the messages; what their handshakes agreed on. */
export async function meet(
  pair: DirectedPair,
  [listening, connecting]: readonly [Peer, Peer],
  [server, client]: readonly [PeerOptions, PeerOptions],
  spec: MessageSpec = TWO_HUNDRED,
  address: string = "ws://127.0.0.1:*",
): Promise<readonly (string | undefined)[]> {
  const binder = await open(listening, pair.binder, { ...pair.binderOptions, ...server });
  const connecter = await open(connecting, pair.connecter, { ...pair.connecterOptions, ...client });
  try {
    await connecter.connect(await binder.bind(address));
    await pair.run(binder, connecter, spec);
    return [await protocolOf(binder), await protocolOf(connecter)];
  } finally {
    await Promise.allSettled([binder.close(), connecter.close()]);
  }
}

function open(peer: Peer, type: PeerSocketType, options: PeerOptions): Promise<PeerSocket> {
  const { sendHighWaterMark, receiveHighWaterMark } = UNLIMITED;
  return peer.open(type, {
    ...(!RECEIVES_ONLY.includes(type) && { sendHighWaterMark }),
    ...(!SENDS_ONLY.includes(type) && { receiveHighWaterMark }),
    ...options,
  });
}

/** What the first handshake agreed on. */
async function protocolOf(socket: PeerSocket): Promise<string | undefined> {
  const events = await socket.eventLog() as readonly DrivenEvent[];
  return events.find(({ type }) => type === "handshake")?.protocol;
}

/** A driven socket may stand for either library's. */
function asEnd(socket: PeerSocket): End {
  return Object.assign(socket, { library: "wasmq" } as const);
}
