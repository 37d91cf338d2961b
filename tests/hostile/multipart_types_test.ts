// The limits of a message hold for every type of socket: whoever goes beyond them loses the connection, nothing of the message
// is delivered, the event names the limit, and the healthy peer of the same socket is served.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  type Context,
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { assertFrames, textsOf } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import type { FakeStream } from "../_util/fake_stream.ts";
import { begun, HostileStage, isOver, repeated, take } from "../_util/hostile_stage.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import { command, frame, message } from "../_util/raw_zmtp.ts";
import { subscribeCommand } from "../_util/raw_subscriptions.ts";

const PARTS = 6;
const SIZE = 1_000;
const LIMITS = { maxMessageParts: PARTS, maxMultipartSize: SIZE } as const;
const MORE = 1;
const cleanup = new Cleanup();

/** A type with what a peer sends before the frames that count, and what the user receives of them. */
interface Kind {
  readonly peer: string;
  readonly open: (context: Context) => Socket;
  /** Frames before the others. */
  readonly before?: readonly string[];
  /** Reads a message; without it the type gives its user none. */
  readonly receives?: (socket: Socket, frames: string[]) => Promise<void>;
}

async function plainly(socket: Socket, frames: string[]): Promise<void> {
  assertFrames(await take(socket), frames);
}

const KINDS: Readonly<Record<string, Kind>> = {
  PULL: { peer: "PUSH", open: (context) => new Pull({ context, ...LIMITS }), receives: plainly },
  DEALER: {
    peer: "DEALER",
    open: (context) => new Dealer({ context, ...LIMITS }),
    receives: plainly,
  },
  PAIR: { peer: "PAIR", open: (context) => new Pair({ context, ...LIMITS }) },
  ROUTER: {
    peer: "DEALER",
    open: (context) => new Router({ context, ...LIMITS }),
    receives: async (socket, frames) => assertFrames((await take(socket)).slice(1), frames),
  },
  REP: {
    peer: "REQ",
    open: (context) => new Reply({ context, ...LIMITS }),
    before: [""],
    receives: async (socket, frames) => {
      assertFrames(await take(socket), frames.slice(1));
      await (socket as Reply).send("answer");
    },
  },
  SUB: {
    peer: "PUB",
    open: (context) => {
      const socket = new Subscriber({ context, ...LIMITS });
      socket.subscribe("");
      return socket;
    },
    receives: plainly,
  },
  XSUB: {
    peer: "PUB",
    open: (context) => new XSubscriber({ context, ...LIMITS }),
    receives: plainly,
  },
  XPUB: {
    peer: "SUB",
    open: (context) => new XPublisher({ context, ...LIMITS }),
    receives: plainly,
  },
  PUB: { peer: "SUB", open: (context) => new Publisher({ context, ...LIMITS }) },
  PUSH: { peer: "PULL", open: (context) => new Push({ context, ...LIMITS }) },
  REQ: { peer: "REP", open: (context) => new Request({ context, ...LIMITS }) },
};

for (const [name, { peer, open, before = [], receives }] of Object.entries(KINDS)) {
  describe(`a ${name} whose peer's message goes too far`, () => {
    afterEach(() => cleanup.run());

    const enough = [...before, ...Array.from({ length: PARTS - before.length }, () => "x")];
    const attacks: Readonly<Record<string, [Uint8Array, RegExp]>> = {
      "by a frame": [message(...before, ...enough, "x"), /\b6\b.*maxMessageParts/s],
      "by an octet": [
        concat(...before.map((text) => frame(text, true)), message("x", pattern(SIZE))),
        /\b1000\b.*maxMultipartSize/s,
      ],
      "by announcing it": [
        concat(frame("x", true), begun(2 ** 31 - 1, 0, MORE)),
        /\b1000\b.*maxMultipartSize/s,
      ],
    };
    for (const [how, [octets, says]] of Object.entries(attacks)) {
      it(`${how} ends that peer, with nothing of it delivered`, async () => {
        const stage = await HostileStage.open(cleanup, peer, open);
        // A PAIR has one peer only.
        const healthy = name === "PAIR" ? undefined : stage.insider();
        const hostile = stage.insider();
        hostile.deliver(octets);
        assert(isOver(hostile));
        await stage.tells("disconnect", "EMSGSIZE", says);
        if (healthy === undefined || receives === undefined) return;
        healthy.deliver(message(...enough));
        await receives(stage.socket, enough);
        assert(!isOver(healthy));
        assertEquals((stage.socket as unknown as Pull).readable, false);
      });
    }
  });
}

describe("a SUB that drops a message by its topic", () => {
  afterEach(() => cleanup.run());

  async function opened(limits: object): Promise<[Subscriber, FakeStream]> {
    const stage = await HostileStage.open(cleanup, "PUB", (context) => {
      const socket = new Subscriber({ context, ...limits });
      socket.subscribe("a");
      return socket;
    });
    return [stage.socket, stage.insider()];
  }

  it("does not count what it drops, however it comes", async () => {
    for (const cut of [Infinity, 1, 7]) {
      const [socket, publisher] = await opened(LIMITS);
      const octets = repeated(500, frame("b, and no end of it", true));
      publisher.deliver(concat(octets, frame("b"), message("a", "wanted")), cut);
      assert(!isOver(publisher));
      assertFrames(await take(socket), ["a", "wanted"]);
      publisher.deliver(message(...Array.from({ length: PARTS + 1 }, () => "a")), cut);
      assert(isOver(publisher));
      await cleanup.run();
    }
  });

  const limits: Readonly<Record<string, object>> = {
    maxMessageSize: { maxMessageSize: SIZE },
    maxMultipartSize: { maxMultipartSize: SIZE },
  };
  for (const [option, options] of Object.entries(limits)) {
    it(`ends a publisher whose frame is above ${option} all the same, however it comes`, async () => {
      const bodies = [message("b", pattern(SIZE + 1)), message(pattern(SIZE + 1))];
      for (const octets of [...bodies, message("b", pattern(100_000)), message("b", "x")]) {
        for (const cut of [Infinity, 100, 1]) {
          const [socket, publisher] = await opened(options);
          publisher.deliver(octets, cut);
          assertEquals(isOver(publisher), octets.length > SIZE, `${octets.length}, cut ${cut}`);
          assertEquals(socket.readable, false);
          await cleanup.run();
        }
      }
    });
  }
});

describe("envelopes of thousands of addresses", () => {
  afterEach(() => cleanup.run());

  it("are carried back by a REP, whole, up to the limit", async () => {
    const stage = await HostileStage.open(cleanup, "REQ", (context) => new Reply({ context }));
    const hops = repeated(65_000, frame("an address", true));
    const client = stage.insider();
    client.deliver(concat(hops, message("", "question")));
    assertFrames(await take(stage.socket), ["question"]);
    await stage.socket.send("answer");
    assertOctets(client.takeOutput(), concat(hops, message("", "answer")));
    client.deliver(concat(hops, hops, message("", "question")));
    assert(isOver(client));
    await stage.tells("disconnect", "EMSGSIZE", /maxMessageParts/);
    // The next request of another one is served.
    const other = stage.insider();
    other.deliver(message("", "next"));
    assertFrames(await take(stage.socket), ["next"]);
  });

  it("without an end do not reach a ROUTER's user, and an empty frame alone does", async () => {
    const stage = await HostileStage.open(cleanup, "DEALER", (context) => new Router({ context }));
    const client = stage.insider("client");
    client.deliver(concat(message(""), repeated(65_536, frame("", true)), message("x")));
    assert(isOver(client));
    assertEquals(textsOf(await take(stage.socket)), ["client", ""]);
    assertEquals(stage.socket.readable, false);
  });
});

describe("conflate", () => {
  afterEach(() => cleanup.run());

  for (const [type, peer] of [[Pull, "PUSH"], [Dealer, "DEALER"], [Subscriber, "PUB"]] as const) {
    it(`on a ${type.name} does not lift the limits, and keeps one message of a flood`, async () => {
      const stage = await HostileStage.open(cleanup, peer, (context) => {
        const socket = new type({ context, conflate: true, ...LIMITS });
        if (socket instanceof Subscriber) socket.subscribe("");
        return socket;
      });
      const hostile = stage.insider();
      for (let i = 0; i < 200; i++) hostile.deliver(repeated(500, message(`round ${i}`, "y")));
      hostile.deliver(repeated(PARTS + 1, frame("never", true)));
      assert(isOver(hostile));
      await stage.tells("disconnect", "EMSGSIZE", /maxMessageParts/);
      assertFrames(await take(stage.socket), ["round 199", "y"]);
      assertEquals(stage.socket.readable, false);
    });
  }
});

describe("an XPUB", () => {
  afterEach(() => cleanup.run());

  it("hears the requests before a message that goes too far, and not those in it", async () => {
    const stage = await HostileStage.open(
      cleanup,
      "SUB",
      (context) => new XPublisher({ context, ...LIMITS }),
    );
    const hostile = stage.insider();
    const frames = ["\x01inside", ...Array.from({ length: PARTS }, () => "x")];
    hostile.deliver(concat(subscribeCommand("before"), command("X"), message(...frames)));
    assert(isOver(hostile));
    // Its end takes back what nobody has read of its beginning.
    assertEquals([stage.socket.readable, stage.socket.topicsCount], [false, 0]);
    const event = await stage.log.next("disconnect");
    assertMatch(event.error!.message, /maxMessageParts/);
  });
});
