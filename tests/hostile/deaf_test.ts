// Peers that read nothing: what waits for one of them is bounded by the high-water mark and a batch or two, whatever type the
// socket has; and the others get theirs.

import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  type Context,
  Dealer,
  Pair,
  Publisher,
  Push,
  Reply,
  Router,
  type Socket,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause } from "../_util/deadline.ts";
import type { FakeStream } from "../_util/fake_stream.ts";
import { HostileStage, isOver, take } from "../_util/hostile_stage.ts";
import { concat, pattern } from "../_util/octets.ts";
import { subscribeCommand } from "../_util/raw_subscriptions.ts";
import { greeting, message, ready } from "../_util/raw_zmtp.ts";

const MARK = 10;
const COUNT = 3_000;
const BODY = pattern(1_000);
/** A batch that is written, one that is collected, and what the mark allows. */
const MOST = 2 * 256 * 1024 + MARK * (BODY.length + 9);
const OPTIONS = { sendHighWaterMark: MARK, sendTimeout: 0, linger: 0 } as const;
const cleanup = new Cleanup();

/** A type that sends, and how it sends one message to a deaf peer. */
interface Kind {
  readonly peer: string;
  readonly open: (context: Context) => Socket;
  /** What the peer says of itself. */
  readonly says?: Uint8Array;
  readonly send: (socket: Socket, peer: FakeStream) => Promise<void>;
  /** True for those that drop rather than say that there is no room. */
  readonly drops?: boolean;
}

function send(...frames: (string | Uint8Array<ArrayBuffer>)[]): Kind["send"] {
  return (socket) => (socket as Push).send(frames);
}

const KINDS: Readonly<Record<string, Kind>> = {
  PUSH: { peer: "PULL", open: (context) => new Push({ context, ...OPTIONS }), send: send(BODY) },
  DEALER: {
    peer: "DEALER",
    open: (context) => new Dealer({ context, ...OPTIONS }),
    send: send(BODY),
  },
  PAIR: { peer: "PAIR", open: (context) => new Pair({ context, ...OPTIONS }), send: send(BODY) },
  PUB: {
    peer: "SUB",
    open: (context) => new Publisher({ context, ...OPTIONS }),
    says: subscribeCommand(""),
    send: send(BODY),
    drops: true,
  },
  XPUB: {
    peer: "SUB",
    open: (context) => new XPublisher({ context, ...OPTIONS }),
    says: subscribeCommand(""),
    send: send(BODY),
    drops: true,
  },
  XSUB: {
    peer: "PUB",
    open: (context) => new XSubscriber({ context, ...OPTIONS }),
    send: send(BODY),
    drops: true,
  },
  ROUTER: {
    peer: "DEALER",
    open: (context) => new Router({ context, ...OPTIONS }),
    send: send("deaf", BODY),
    drops: true,
  },
  "ROUTER with mandatory": {
    peer: "DEALER",
    open: (context) => new Router({ context, ...OPTIONS, mandatory: true }),
    send: send("deaf", BODY),
  },
  REP: {
    peer: "REQ",
    open: (context) => new Reply({ context, ...OPTIONS, linger: 0 }),
    send: async (socket, peer) => {
      peer.deliver(message("", "question"));
      await take(socket);
      await (socket as Reply).send(BODY);
    },
    drops: true,
  },
};

describe("what waits for a peer that reads nothing", () => {
  afterEach(() => cleanup.run());

  for (
    const [name, { peer, open, says = new Uint8Array(0), send, drops }] of Object.entries(KINDS)
  ) {
    it(`of a ${name} is bounded, and the rest is ${drops ? "dropped" : "refused"}`, async () => {
      const stage = await HostileStage.open(cleanup, peer, open);
      const deaf = stage.stranger({ room: 200 });
      deaf.deliver(concat(greeting(), ready(peer, "deaf"), says));
      let refused = 0;
      for (let i = 0; i < COUNT; i++) {
        await send(stage.socket, deaf).catch((error: { code?: string }) => {
          assertEquals(error.code, "EAGAIN");
          refused++;
        });
      }
      assert(!isOver(deaf));
      if (!drops) assertGreater(refused, COUNT - MOST / BODY.length);
      else assertGreater(stage.socket.stats().dropped, COUNT - MOST / BODY.length);
      let octets = 0;
      // It reads again, and gets what was kept, in whole messages.
      for (let i = 0; i < 50; i++) {
        deaf.drain();
        octets += deaf.takeOutput().length;
        await pause(0);
      }
      assertGreater(octets, MARK * BODY.length);
      assertLessOrEqual(octets, MOST);
      await send(stage.socket, deaf);
      await eventually(() => deaf.takeOutput().length > BODY.length);
    });
  }
});

describe("a peer that says it reads, octet by octet,", () => {
  afterEach(() => cleanup.run());

  it("gets everything in the end, and holds up nobody", async () => {
    const stage = await HostileStage.open(
      cleanup,
      "DEALER",
      (context) => new Router({ context, ...OPTIONS }),
    );
    const slow = stage.stranger({ room: 120 });
    slow.deliver(concat(greeting(), ready("DEALER", "slow")));
    const quick = stage.insider("quick");
    for (let i = 0; i < 5; i++) await stage.socket.send(["slow", utf8(`slow ${i}`)]);
    let got = slow.takeOutput();
    for (let i = 0; i < 200; i++) {
      slow.drain(1);
      got = concat(got, slow.takeOutput());
      if (i % 10 !== 0) continue;
      await stage.socket.send(["quick", "now"]);
      await eventually(() => quick.takeOutput().length > 0);
    }
    const end = concat(...[0, 1, 2, 3, 4].map((i) => message(`slow ${i}`)));
    assertEquals(got.subarray(-end.length), end);
  });
});
