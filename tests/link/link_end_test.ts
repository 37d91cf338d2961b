// The end of a link: one tear-down in one order, whatever began it, and however often.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ZmqError } from "../../src/errors.ts";
import { utf8 } from "../_util/bytes.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { assertMessages, assertOctets, concat } from "../_util/octets.ts";
import { message, ping } from "../_util/raw_zmtp.ts";
import { encodeMessage } from "../core/models/frame_model.ts";

const CLOSE_TIME = 1_000;

/** Everything that ends a link, and what its owner is told. */
const ENDINGS: Readonly<Record<string, [(stand: LinkStand) => void, "close" | "abort" | "none"]>> =
  {
    "close()": [(stand) => stand.link.close(), "close"],
    "finish() with nothing to send": [(stand) => stand.link.finish(), "close"],
    "refuse()": [(stand) => stand.link.refuse(new ZmqError("EADDRINUSE", "no")), "abort"],
    "a fault of the peer": [(stand) => stand.stream.deliver(Uint8Array.of(0xff, 0)), "abort"],
    "the peer's end": [(stand) => stand.stream.end(), "close"],
    "a broken connection": [(stand) => stand.stream.end(new Error("reset")), "abort"],
  };

describe("the end of a link", () => {
  for (const [name, [end, how]] of Object.entries(ENDINGS)) {
    it(`by ${name} comes once, in its order: stream, pipe, owner`, () => {
      const stand = new LinkStand({ stream: { late: true } }).serve();
      stand.stream.drain();
      let seen: unknown;
      stand.ended = (_link, error) => {
        stand.calls.push("ended");
        stand.error = error;
        seen = {
          stream: [...stand.stream.calls],
          link: stand.pipe.link,
          inFlight: stand.pipe.outbox.inFlight,
          ready: stand.link.ready,
        };
      };
      end(stand);
      assertEquals(stand.calls, ["ready REP", "ended"]);
      assertEquals(seen, {
        stream: how === "none" ? [] : [how],
        link: undefined,
        inFlight: false,
        ready: false,
      });
      assertEquals(stand.error === undefined, how === "close");

      for (const [again] of Object.values(ENDINGS)) again(stand);
      stand.link.finish();
      assertEquals(stand.calls, ["ready REP", "ended"]);
      assertEquals(stand.stream.calls, [how]);
    });
  }

  it("tells the owner why", () => {
    const reason = new ZmqError("EADDRINUSE", "no");
    const refused = new LinkStand().serve();
    refused.link.refuse(reason);
    assertStrictEquals(refused.error, reason);
    const broken = new LinkStand().serve();
    broken.stream.end(reason);
    assertStrictEquals(broken.error, reason);
  });

  it("waits a second for the peer to close, then drops it", () => {
    const stand = new LinkStand().serve();
    stand.link.close();
    stand.host.clock.advance(CLOSE_TIME - 1);
    assertEquals(stand.stream.calls, ["close"]);
    stand.host.clock.advance(1);
    assertEquals(stand.stream.calls, ["close", "abort"]);
    stand.stream.end();
    assertEquals(stand.host.clock.delays, []);
  });

  it("leaves no timer when the peer closes in time", () => {
    const stand = new LinkStand().serve();
    stand.link.close();
    stand.stream.end();
    assertEquals(stand.host.clock.delays, []);
    stand.host.clock.advance(10 * CLOSE_TIME);
    assertEquals(stand.stream.calls, ["close"]);
  });

  it("still gives the stream somewhere to read to, and drops that", () => {
    const stand = new LinkStand().serve();
    stand.link.close();
    stand.stream.deliver(concat(message("late"), Uint8Array.of(0xff, 0), ping("x")));
    assertEquals([stand.receiveAll(), stand.stream.writes], [[], []]);
    assertEquals(stand.calls, ["ready REP", "ended"]);
  });

  it("lets nothing be written afterwards", () => {
    const stand = new LinkStand({ stream: { room: 96 } }).serve();
    stand.pipe.send("blocked");
    stand.link.close();
    const { length } = stand.stream.writes;
    stand.pipe.send("more");
    stand.stream.drain();
    stand.host.clock.settle();
    stand.link.resume();
    assertEquals(stand.stream.writes.length, length);
    assertEquals(stand.stream.calls, ["close"]);
  });

  it("has the messages that did not leave whole wait in the pipe, first frame first", () => {
    const stand = new LinkStand({ stream: { room: 100 } }).serve();
    stand.pipe.send(["first", "of two"]);
    stand.pipe.send("second");
    stand.host.clock.settle();
    stand.stream.end(new Error("reset"));
    assertEquals(stand.pipe.outbox.waiting, 2);
    assertMessages(stand.pipe.outbox.drain(), [
      [utf8("first"), utf8("of two")],
      [utf8("second")],
    ]);
  });

  it("during the handshake is the end too", () => {
    for (const end of ["close", "finish"] as const) {
      const stand = new LinkStand();
      stand.link.start();
      stand.stream.deliver(Uint8Array.of(0xff));
      stand.link[end]();
      assertEquals(stand.calls, ["ended"]);
      assertEquals(stand.stream.calls, ["start", "close"]);
      stand.stream.deliver(stand.peerHandshake);
      assertEquals(stand.calls, ["ended"]);
    }
  });
});

describe("Link.finish()", () => {
  it("ends the link when all that waits is written", () => {
    const stand = new LinkStand({ stream: { room: 100 } }).serve();
    for (let i = 0; i < 50; i++) stand.pipe.send(`message ${i}`);
    stand.link.finish();
    assertEquals(stand.calls, ["ready REP"]);
    stand.stream.drain(300);
    assertEquals(stand.calls, ["ready REP"]);
    stand.stream.drain();
    assertEquals([stand.calls, stand.error], [["ready REP", "ended"], undefined]);
    assertEquals(stand.stream.calls, ["close"]);
    assertEquals(stand.sentMessages().length, 50);
  });

  it("does not wait for the end of the turn", () => {
    const stand = new LinkStand().serve();
    for (let i = 0; i < 50; i++) stand.pipe.send("m");
    stand.link.finish();
    assertEquals(stand.sentMessages().length, 50);
    assertEquals(stand.calls, ["ready REP", "ended"]);
  });

  it("still receives and answers PING while it waits", () => {
    const stand = new LinkStand({ stream: { room: 96 } }).serve();
    stand.pipe.send("blocked");
    stand.link.finish();
    stand.stream.deliver(concat(message("in"), ping("x")));
    assertMessages(stand.receiveAll(), [[utf8("in")]]);
    stand.stream.drain();
    const expected = concat(
      encodeMessage([utf8("blocked")]),
      Uint8Array.of(4, 6, 4),
      utf8("PONGx"),
    );
    assertOctets(stand.stream.takeOutput(), expected);
    assertEquals(stand.calls, ["ready REP", "ended"]);
  });

  it("ends with the error when the connection breaks first", () => {
    const stand = new LinkStand({ stream: { room: 96 } }).serve();
    stand.pipe.send("blocked");
    stand.link.finish();
    const reason = new Error("reset");
    stand.stream.end(reason);
    assertStrictEquals(stand.error, reason);
    assertEquals(stand.pipe.outbox.waiting, 1);
  });
});
