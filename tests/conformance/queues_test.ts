// The queues between a socket and its peers (RFC 28 to 31), the same questions of every type: whose they are, when they
// come and go, how much they hold, and whose turn it is.

import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Router,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import {
  type AnySocket,
  type OctetPeer,
  PatternStage,
  type PeerOptions,
  receiveAll,
  type SocketClass,
  turn,
} from "../_util/pattern_stage.ts";
import { subscribeCommand } from "../_util/raw_subscriptions.ts";

/** One socket type, and what it calls the rules. */
interface Kind {
  readonly type: SocketClass;
  readonly peer: string;
  /** What a queue without room means: the message waits, goes to another peer, or is dropped. */
  readonly full?: "waits" | "next" | "drops";
  readonly receives: boolean;
  /** From Q1 on. */
  readonly ids: readonly [string, string, string, string, string?];
}

const KINDS: readonly Kind[] = [
  {
    type: Dealer,
    peer: "ROUTER",
    full: "next",
    receives: true,
    ids: ["DEALER-Q1", "DEALER-Q2", "DEALER-Q3", "DEALER-Q4", "DEALER-Q5"],
  },
  {
    type: Router,
    peer: "DEALER",
    full: "drops",
    receives: true,
    ids: ["ROUTER-Q1", "ROUTER-Q2", "ROUTER-Q3", "ROUTER-Q4", "ROUTER-Q5"],
  },
  {
    type: Publisher,
    peer: "SUB",
    full: "drops",
    receives: false,
    ids: ["PUB-Q1", "PUB-Q2", "PUB-Q3", "PUB-Q4"],
  },
  {
    type: XPublisher,
    peer: "SUB",
    full: "drops",
    receives: true,
    ids: ["XPUB-Q1", "XPUB-Q2", "XPUB-Q3", "XPUB-Q4"],
  },
  {
    type: Subscriber,
    peer: "PUB",
    receives: true,
    ids: ["SUB-Q1", "SUB-Q2", "SUB-Q3", "SUB-Q4", "SUB-Q5"],
  },
  {
    type: XSubscriber,
    peer: "PUB",
    full: "drops",
    receives: true,
    ids: ["XSUB-Q1", "XSUB-Q2", "XSUB-Q3", "XSUB-Q4", "XSUB-Q5"],
  },
  {
    type: Push,
    peer: "PULL",
    full: "next",
    receives: false,
    ids: ["PUSH-Q1", "PUSH-Q2", "PUSH-Q3", "PUSH-Q4"],
  },
  {
    type: Pull,
    peer: "PUSH",
    receives: true,
    ids: ["PULL-Q1", "PULL-Q2", "PULL-Q3", "PULL-Q4", "PULL-Q5"],
  },
  {
    type: Pair,
    peer: "PAIR",
    full: "waits",
    receives: true,
    ids: ["PAIR-Q1", "PAIR-Q2", "PAIR-Q3", "PAIR-Q4"],
  },
];

/** More than a batch for a mark of 3: what is behind it waits in the queue. */
const LONG = "x".repeat(1_000);
const MARK = 3;

const stage = new PatternStage();

/** A socket of the kind, ready to be used. */
function prepared({ type }: Kind, socket: AnySocket): AnySocket {
  if (type === Subscriber) (socket as unknown as Subscriber).subscribe();
  return socket;
}

/** What a peer of the kind has to say first. */
function guest({ type }: Kind, id: string, deaf = false): PeerOptions {
  const publishes = type === Publisher || type === XPublisher;
  return { deaf, ...(publishes ? { says: subscribeCommand("") } : type === Router ? { id } : {}) };
}

function join(kind: Kind, socket: AnySocket, id: string, deaf = false): OctetPeer {
  const peer = stage.join(socket, kind.peer, guest(kind, id, deaf));
  if (kind.type === XPublisher) receiveAll(socket);
  return peer;
}

/** Sends a text that names itself before the first blank, to a peer if the type can choose. */
function send({ type }: Kind, socket: AnySocket, to: string, text: string | number): boolean {
  const body = `${text} ${LONG}`;
  return socket.trySend(type === Router ? [to, body] : body);
}

/** What the peer heard since it was asked last. */
function names(peer: OctetPeer): string[] {
  return peer.texts().map((text) => text.split(" ")[0]);
}

/** What was received, without the names that a ROUTER puts before it. */
function bodies({ type }: Kind, socket: AnySocket): string[] {
  return receiveAll(socket).map((text) => type === Router ? text.replace(/^[^|]*\|/, "") : text);
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => String(from + i));
}

describe("the queues of each peer", () => {
  afterEach(() => stage.close());

  for (const kind of KINDS) {
    const { type, full, receives, ids: [id] } = kind;
    if (full !== undefined && full !== "waits") {
      it(`${id}: ${type.name} keeps what is for one peer apart from what is for others`, async () => {
        const socket = await stage.bound(type, { sendHighWaterMark: MARK });
        const [slow, quick] = [join(kind, socket, "slow", true), join(kind, socket, "quick")];
        const sent: string[] = numbers(0, 20);
        const heard: string[] = [];
        for (const name of sent) {
          if (type === Router) assert(send(kind, socket, "slow", name));
          assert(send(kind, socket, "quick", name), "one full queue must not hold up the other");
          await turn();
          heard.push(...names(quick));
        }
        assertEquals(names(slow), []);
        const kept = names(slow.listen());
        assertEquals(kept.length, MARK + 1, "the mark, behind the one that is being written");
        if (full === "drops") {
          assertEquals([kept, heard], [sent.slice(0, MARK + 1), sent]);
        } else {
          assertEquals([...kept, ...heard].sort(), sent.toSorted());
          for (const list of [kept, heard]) {
            assertEquals(
              list,
              sent.filter((x) => list.includes(x)),
            );
          }
        }
      });
    }
    if (receives && full !== "waits") {
      it(`${id}: ${type.name} keeps what came from one peer apart from what came from others`, async () => {
        const socket = prepared(kind, await stage.bound(type, { receiveHighWaterMark: MARK }));
        const [flood, quiet] = [join(kind, socket, "flood"), join(kind, socket, "quiet")];
        for (const name of numbers(0, MARK)) flood.say(`flood ${name}`);
        assertEquals([flood.ignored, quiet.ignored], [true, false]);
        quiet.say("quiet 0");
        const all = bodies(kind, socket);
        assertEquals(all.filter((text) => text.startsWith("f")), ["flood 0", "flood 1", "flood 2"]);
        assertEquals([all.length, flood.ignored], [MARK + 1, false]);
      });
    }
    if (full === "waits") {
      it(`${id}: ${type.name} keeps what it sends apart from what it receives`, async () => {
        const marks = { sendHighWaterMark: MARK, receiveHighWaterMark: MARK };
        const socket = await stage.bound(type, marks);
        const peer = join(kind, socket, "", true);
        const taken = numbers(0, 20).filter((name) => send(kind, socket, "", name));
        assertEquals(taken, numbers(0, MARK + 1));
        for (const name of numbers(0, MARK)) peer.say(name);
        assertEquals([peer.ignored, names(peer.listen())], [true, taken]);
        assert(send(kind, socket, "", "more"), "what is unread must not hold up what is sent");
        await turn();
        assertEquals([names(peer), bodies(kind, socket)], [["more"], numbers(0, MARK)]);
      });
    }
  }
});

describe("the queues of a connect", () => {
  afterEach(() => stage.close());

  for (const kind of KINDS) {
    const { type, peer: other, full, receives, ids: [, id] } = kind;
    it(`${id}: ${type.name} has them from the start, and while there is no connection`, async () => {
      const socket = prepared(kind, stage.open(type));
      const named = type === Router ? { routingId: "there" } : undefined;
      socket.connect("tcp://127.0.0.1:5555", named);
      const there = (): boolean[] => socket.stats().peers.map(({ connected }) => connected);
      assertEquals(there(), [false]);
      const publishes = type === Publisher || type === XPublisher;
      const early = full !== undefined && !publishes;
      if (early) { for (const name of ["1", "2"]) assert(send(kind, socket, "there", name)); }
      await (await stage.dialled()).fail();
      assertEquals(there(), [false]);

      const first = await stage.answer(other, guest(kind, "its own name"));
      assertEquals([there(), names(first)], [[true], early ? ["1", "2"] : []]);
      first.say("a", "b").begin("never whole");
      first.leave();
      assertEquals(there(), [false]);
      if (early) assert(send(kind, socket, "there", "3"));

      // It reads nothing: what is for it waits, and outlives it.
      const second = await stage.answer(other, guest(kind, "its own name", true));
      if (full !== undefined) assert(send(kind, socket, "there", "4"));
      second.say("c").leave();
      const third = await stage.answer(other, publishes ? {} : guest(kind, "its own name"));
      assertEquals(names(third), early ? ["3", "4"] : full !== undefined ? ["4"] : []);
      if (full !== undefined) assert(send(kind, socket, "there", "5"));
      await turn();
      // Topics are a peer's own: they were over with its connection.
      assertEquals(names(third), early ? ["5"] : []);
      if (!receives) return;
      const all = bodies(kind, socket).filter((text) => text > "\x01");
      assertEquals(all, ["a|b", "c"], "unread messages outlive their connection");
    });
  }
});

describe("the queues of an accepted peer", () => {
  afterEach(() => stage.close());

  for (const kind of KINDS) {
    const { type, full, receives, ids: [, , id] } = kind;
    it(`${id}: ${type.name} makes them when the peer comes, and they end with it`, async () => {
      const marks = full === undefined ? {} : { sendHighWaterMark: MARK };
      const socket = prepared(kind, await stage.bound(type, marks));
      const count = (): number => socket.stats().peers.length;
      assertEquals(count(), 0);
      const first = join(kind, socket, "same", true);
      assertEquals(count(), 1);
      if (full !== undefined) {
        for (const name of numbers(0, MARK)) assert(send(kind, socket, "same", name));
      }
      first.say("whole").begin("never whole");
      first.leave();
      assertEquals(count(), 0);

      const second = join(kind, socket, "same");
      assertEquals(count(), 1);
      await turn();
      // Where nobody else has the message, it is not lost but goes to the next peer.
      const owed = full === "drops" || full === undefined ? [] : numbers(0, MARK);
      assertEquals(names(second), owed);
      second.say("next");
      if (receives && type !== XPublisher) assertEquals(bodies(kind, socket), ["whole", "next"]);
      if (full !== undefined) {
        assert(send(kind, socket, "same", "new"));
        await turn();
        assertEquals(names(second), ["new"]);
      }
    });
  }

  it("XPUB-Q3: XPublisher tells what came whole, and that the subscription is over", async () => {
    const socket = await stage.bound(XPublisher);
    const peer = stage.join(socket, "SUB", { says: subscribeCommand("A") });
    peer.say("whole").begin("never whole");
    assertEquals(socket.tryReceive()?.length, 1);
    peer.leave();
    assertEquals(receiveAll(socket), ["whole", "\x00A"]);
  });
});

describe("the high-water marks", () => {
  afterEach(() => stage.close());

  for (const kind of KINDS) {
    const { type, full, receives, ids: [, , , id] } = kind;
    if (full !== undefined) {
      it(`${id}: ${type.name} has no more than sendHighWaterMark messages wait for a peer`, async () => {
        for (const sendHighWaterMark of [1, 5]) {
          const socket = await stage.bound(type, { sendHighWaterMark });
          const peer = join(kind, socket, "a", true);
          const taken = numbers(0, 20).filter((name) => send(kind, socket, "a", name)).length;
          const { queued, dropped } = socket.stats();
          assertEquals(queued, sendHighWaterMark + 1, "one of them is being written");
          assertEquals(full === "drops" ? [taken, dropped] : [taken, 0], [
            full === "drops" ? 20 : queued,
            full === "drops" ? 20 - queued : 0,
          ]);
          // The mark may be changed while the socket is in use.
          Object.assign(socket, { sendHighWaterMark: 8 });
          for (const name of numbers(0, 20)) send(kind, socket, "a", name);
          assertEquals(names(peer.listen()).length, 9);
        }
      });
    }
    if (receives) {
      it(`${id}: ${type.name} stops reading a peer of whom receiveHighWaterMark messages are unread`, async () => {
        for (const receiveHighWaterMark of [1, 5]) {
          const socket = prepared(kind, await stage.bound(type, { receiveHighWaterMark }));
          const peer = join(kind, socket, "a");
          for (const name of numbers(0, receiveHighWaterMark)) {
            assert(!peer.ignored);
            peer.say(name);
          }
          assert(peer.ignored);
          Object.assign(socket, { receiveHighWaterMark: 2 * receiveHighWaterMark + 2 });
          assert(!peer.ignored, "the mark may be changed while the socket is in use");
          assertEquals(bodies(kind, socket), numbers(0, receiveHighWaterMark));
        }
      });
    }
  }
});

describe("turns", () => {
  afterEach(() => stage.close());

  for (const kind of KINDS) {
    const { type, ids: [, , , , id] } = kind;
    if (id === undefined) continue;
    it(`${id}: ${type.name} takes one message of each peer in turn`, async () => {
      const socket = prepared(kind, await stage.bound(type));
      const peers = ["a", "b", "c"].map((id) => join(kind, socket, id));
      for (const number of [1, 2, 3]) peers[0].say(`a${number}`);
      for (const number of [1, 2]) peers[1].say(`b${number}`);
      peers[2].say("c1");
      const all = bodies(kind, socket);
      for (const round of [all.slice(0, 3), all.slice(3, 5), all.slice(5)]) {
        assertEquals(new Set(round.map((text) => text[0])).size, round.length);
      }
      for (const [i, name] of ["a", "b", "c"].entries()) {
        const own = all.filter((text) => text.startsWith(name));
        assertEquals(own, [1, 2, 3].slice(0, 3 - i).map((number) => name + number));
      }
    });
  }

  it("XPUB-Q5: XPublisher keeps nobody waiting behind more of a flood than the mark", async () => {
    const socket = await stage.bound(XPublisher, { receiveHighWaterMark: 4 });
    const [flood, quiet] = ["flood", "quiet"].map(() => stage.join(socket, "SUB"));
    for (let round = 0; round < 20; round++) {
      let sent = 0;
      while (!flood.ignored && sent++ < 5) flood.say("flood");
      assertLess(sent, 5);
      quiet.say(`quiet ${round}`);
      const waited: string[] = [];
      for (let frames = socket.tryReceive(); frames; frames = socket.tryReceive()) {
        waited.push(String(frames[0]));
        if (waited.at(-1) === `quiet ${round}`) break;
      }
      assertEquals(waited.at(-1), `quiet ${round}`);
      assertLess(waited.length, 6);
      assertGreaterOrEqual(waited.length, 1);
    }
  });
});
