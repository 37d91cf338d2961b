// How messages go between every legal pair of socket types (publish-subscribe apart), whosever sockets they are.

import { assertFrames } from "./bytes.ts";
import { eventually } from "./deadline.ts";
import type { MessageSpec, PeerOptions } from "./peer.ts";
import type { End, SecureType } from "./security_stage.ts";

/** A legal pair of types. */
export interface TypePair {
  readonly left: SecureType;
  readonly right: SecureType;
  readonly leftOptions?: PeerOptions;
  readonly rightOptions?: PeerOptions;
  /** Moves the messages of `spec` and checks every octet where they end. */
  readonly run: (left: End, right: End, spec: MessageSpec) => Promise<unknown>;
}

// A ROUTER or REP drops what its peer has no room for; here nothing may be dropped.
const UNLIMITED = { sendHighWaterMark: 0 } as const;

const bothWays = (left: End, right: End, spec: MessageSpec): Promise<unknown> =>
  Promise.all([
    left.sendMany(spec),
    right.receiveMany(spec),
    right.sendMany({ ...spec, seed: 9 }),
    left.receiveMany({ ...spec, seed: 9 }),
  ]);

const lockStep = (left: End, right: End, spec: MessageSpec): Promise<unknown> =>
  Promise.all([left.exchange(spec), right.echo(spec.count)]);

const echoed = (...prefix: string[]) => (left: End, right: End, spec: MessageSpec) =>
  Promise.all([
    left.sendMany(spec, ...prefix),
    right.echo(spec.count),
    left.receiveMany(spec, prefix.length),
  ]);

export const TYPE_PAIRS: readonly TypePair[] = [
  { left: "Request", right: "Reply", run: lockStep },
  { left: "Request", right: "Router", run: lockStep },
  { left: "Dealer", right: "Reply", rightOptions: UNLIMITED, run: echoed("hop", "") },
  { left: "Dealer", right: "Router", rightOptions: UNLIMITED, run: echoed() },
  { left: "Dealer", right: "Dealer", run: bothWays },
  {
    left: "Router",
    right: "Router",
    leftOptions: { ...UNLIMITED, mandatory: true, routingId: "left" },
    rightOptions: { ...UNLIMITED, mandatory: true, routingId: "right" },
    run: async (left, right, spec) => {
      const greets = (): Promise<boolean> =>
        left.send("right", "hello").then(() => true, () => false);
      await eventually(greets, 15_000, "a ROUTER that knows its peer");
      assertFrames(await right.receive(), ["left", "hello"]);
      await Promise.all([
        left.sendMany(spec, "right"),
        right.echo(spec.count),
        left.receiveMany(spec, 1),
      ]);
    },
  },
  {
    left: "Push",
    right: "Pull",
    run: (left, right, spec) => Promise.all([left.sendMany(spec), right.receiveMany(spec)]),
  },
  { left: "Pair", right: "Pair", run: bothWays },
];

/** Around the borders of short and long frames, plain and sealed, and of what is done in one call; in parts of all kinds. */
export const SOME_SIZES: MessageSpec = {
  seed: 5,
  count: 48,
  sizes: [0, 1, 221, 222, 223, 255, 256, 480, 4_096, 32_768, 65_536, 140_000],
  parts: [1, 4],
};

/** Two thousand short messages. */
export const SHORT_ONES: MessageSpec = {
  seed: 6,
  count: 2_000,
  sizes: [0, 1, 5, 31, 100, 222, 223, 254, 255, 256, 480, 1_000],
  parts: [1, 3],
};

/** Some seconds' worth of messages in many parts, for heartbeats to come between. */
export const BEATING_SPEC: MessageSpec = {
  seed: 71,
  count: 1_500,
  sizes: [0, 100, 40_000, 5, 300, 9_000],
  parts: [1, 6],
};
