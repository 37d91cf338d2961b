// XSUB: what publishers are told about topics, on which connection, and what else is sent upstream.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ZmqError } from "../../src/errors.ts";
import type { Outgoing } from "../../src/message.ts";
import type { OptionValues } from "../../src/options.ts";
import { XSubPattern } from "../../src/routing/xsub.ts";
import { Span } from "../../src/span.ts";
import { encodeMessage } from "../core/models/frame_model.ts";
import { utf8 } from "../_util/bytes.ts";
import { pattern } from "../_util/octets.ts";
import { memory, texts } from "../_util/pipe_end.ts";
import { failure } from "../_util/rejection.ts";
import { optionsWith, TopicEnd } from "../_util/topic_end.ts";

/** An XSUB with so many publishers. */
function stand(
  options: Partial<OptionValues> = {},
  minors: readonly number[] = [1],
): { xsub: XSubPattern; values: OptionValues; ends: TopicEnd[] } {
  const values = optionsWith(options);
  const xsub = new XSubPattern(values, memory);
  return { xsub, values, ends: minors.map((minor) => new TopicEnd(xsub, values, minor)) };
}

/** Subscribes (`+topic`), unsubscribes (`-topic`), or sends, through `send` as users do. */
function send(xsub: XSubPattern, ...requests: string[]): void {
  for (const request of requests) {
    const kind = { "+": "\x01", "-": "\x00" }[request[0]];
    assert(xsub.send(kind === undefined ? request : kind + request.slice(1)));
  }
}

describe("XSUB", () => {
  it("tells every publisher a new topic, and when it ends (XSUB-04)", () => {
    const { xsub, ends: [a, b] } = stand({}, [1, 1]);
    send(xsub, "+A", "+B", "-A");
    assertEquals([a.told(), b.told()], [["+A", "+B", "-A"], ["+A", "+B", "-A"]]);
  });

  it("tells peers of ZMTP 3.0 by messages, and those of 3.1 by commands (ZMTP30-SUB-04, ZMTP31-SUB-06)", () => {
    const { xsub, ends: [a, b] } = stand({}, [0, 1]);
    send(xsub, "+A", "-A", "+");
    assertEquals(a.told(), ["\x01A", "\x00A", "\x01"]);
    assertEquals(b.told(), ["+A", "-A", "+"]);
  });

  it("counts a topic that is subscribed again, and tells only its first and its last (PUBSUB-X-01, ZMTP31-SUB-05)", () => {
    const { xsub, ends: [a] } = stand();
    send(xsub, "+A", "+A", "-A", "+A", "-A", "-A", "-A", "-never");
    assertEquals(a.told(), ["+A", "-A"]);
    assertEquals(xsub.topics.count, 0);
  });

  it("tells every subscription with verbosity allSubs, and every end with allSubsUnsubs (PUBSUB-X-04)", () => {
    const requests = ["+A", "+A", "-A", "-A", "-A"];
    for (
      const [verbosity, told] of [
        ["allSubs", ["+A", "+A", "-A"]],
        ["allSubsUnsubs", requests],
      ] as const
    ) {
      const { xsub, ends: [a] } = stand({ verbosity });
      send(xsub, ...requests);
      assertEquals(a.told(), [...told]);
    }
  });

  it("tells a publisher that comes later all topics that there are, once each", () => {
    const { xsub, values, ends: [a] } = stand({ verbosity: "allSubsUnsubs" });
    send(xsub, "+A", "+B", "+A", "-B", "+C");
    const b = new TopicEnd(xsub, values, 0);
    assertEquals(b.told().sort(), ["\x01A", "\x01C"]);
    assertEquals(a.told().length, 5);
  });

  it("tells all topics again on each new connection, and nothing that was for the last one (SUB-05)", () => {
    const { xsub, ends: [a] } = stand();
    send(xsub, "+A", "+B", "-A");
    a.lose();
    send(xsub, "+C", "-B", "+D");
    assertEquals(a.connect().told().sort(), ["+C", "+D"]);
    a.lose();
    assertEquals(a.connect(0).told().sort(), ["\x01C", "\x01D"]);
  });

  it("tells the topics before the messages that waited for the connection", () => {
    const { xsub, ends: [a] } = stand();
    a.lose();
    send(xsub, "hello", "+A", "there");
    assertEquals(a.connect().told(), ["+A", "hello", "there"]);
  });

  it("keeps what it sent upstream over a lost connection, half written or not, without the requests", () => {
    for (const minor of [0, 1]) {
      const { xsub, ends: [a] } = stand({}, [minor]);
      send(xsub, "+A", "one", "-A", "+B", "two", "three");
      a.pipe.outbox.take(5);
      a.pipe.outbox.advance(2);
      a.lose();
      const plus = minor === 0 ? "\x01" : "+";
      assertEquals(a.connect().told(), [`${plus}B`, "one", "two", "three"]);
    }
  });

  it("tells topics whatever the high-water mark", () => {
    const { xsub, ends: [a] } = stand({ sendHighWaterMark: 1 });
    for (let i = 0; i < 100; i++) send(xsub, `+${i}`);
    assertEquals(a.told().length, 100);
  });

  it("gives up a publisher that reads no requests, and not before there are very many", () => {
    const { xsub, ends: [a, b] } = stand({}, [1, 1]);
    for (let i = 0; i < 60_000 && a.refusal === undefined; i++) {
      send(xsub, "+A", "-A");
      if (i % 1_000 === 0) b.told();
      if (i === 40_000) assertEquals(a.refusal, undefined);
    }
    assertInstanceOf(a.refusal, ZmqError);
    assertEquals([a.refusal.code, b.refusal], ["ENOBUFS", undefined]);
  });

  it("receives from all publishers in turn whatever they send: it does not filter (XSUB-02)", () => {
    const { xsub, ends: [a, b] } = stand({}, [1, 1]);
    for (const text of ["a1", "a2"]) a.say(text, "");
    for (const text of ["b1", "b2"]) b.say(text);
    const all = Array.from({ length: 4 }, () => texts(xsub.receive())!.join("|"));
    assertEquals(all, ["a1|", "b1", "a2|", "b2"]);
    assertEquals([xsub.receive(), xsub.canReceive], [undefined, false]);
  });

  it("forgets a publisher that is gone", () => {
    const { xsub, ends: [a, b] } = stand({}, [1, 1]);
    a.leave();
    send(xsub, "+A", "x");
    assertEquals([a.pipe.outbox.waiting, b.told()], [0, ["+A", "x"]]);
    assertEquals([...xsub.pipes], [b.pipe]);
  });

  it("has no topics any more when its memory was given back", () => {
    const { xsub } = stand();
    send(xsub, "+A");
    xsub.free();
    assertEquals(xsub.topics.count, 0);
  });
});

describe("XSUB's messages upstream", () => {
  /** What reaches a publisher of messages with these frames. */
  function upstream(options: Partial<OptionValues>, ...messages: Outgoing[]): string[] {
    const { xsub, ends: [a] } = stand(options);
    for (const message of messages) assert(xsub.send(message));
    return a.told();
  }

  it("go to all publishers as they are (XSUB-03)", () => {
    const long = "x".repeat(40_000);
    const { xsub, ends } = stand({}, [0, 1]);
    xsub.send(["a", "", long]);
    xsub.send("");
    for (const end of ends) assertEquals(end.told(), [`a||${long}`, ""]);
  });

  it("lose the frames that are requests, wherever these stand", () => {
    assertEquals(upstream({}, ["x", "\x01A", "y"], ["\x00A", "\x01B"], ["\x02", "z"]), [
      "+A",
      "x|y",
      "-A",
      "+B",
      "\x02|z",
    ]);
  });

  it("are left whole by onlyFirstSubscribe, unless the first frame is a request", () => {
    const options = { onlyFirstSubscribe: true };
    assertEquals(upstream(options, ["x", "\x01A"], ["\x01B", "\x01C", "y"], "\x00B"), [
      "x|\x01A",
      "+B",
      "+C",
      "y",
      "-B",
    ]);
  });

  it("may be octets or spans of the wire, also with requests in them", () => {
    const wire = encodeMessage([utf8("x"), utf8("\x01A"), utf8("y")]);
    const span = new Span(wire, 0, wire.length);
    assertEquals(upstream({}, span, utf8("\x01B"), utf8("z")), ["+A", "x|y", "+B", "z"]);
    assertEquals(upstream({ onlyFirstSubscribe: true }, span), ["x|\x01A|y"]);
  });

  it("are dropped and counted for publishers that are full, and reach the others (XSUB-03)", () => {
    const { xsub, ends: [a, b] } = stand({ sendHighWaterMark: 1 }, [1, 1]);
    const body = "x".repeat(200);
    for (let i = 0; i < 5; i++) {
      assert(xsub.canSend);
      send(xsub, body);
      assertEquals(b.told(), [body]);
    }
    assertEquals(a.told(), [body]);
    assertEquals([a.pipe.outbox.dropped, b.pipe.outbox.dropped], [4, 0]);
  });

  it("with a topic that fits into no command are refused, and nothing changes", () => {
    const { xsub, ends: [a] } = stand();
    for (const kind of [0, 1]) {
      const message = pattern(65_528).fill(kind, 0, 1);
      assertEquals((failure(() => xsub.send(message), "EINVAL") as Error).name, "RangeError");
      assert(xsub.send(message.subarray(0, 65_527)));
    }
    assertEquals([xsub.topics.count, a.pipe.outbox.waiting], [1, 1]);
  });
});
