// A link up to its traffic: what it says first, how long it waits, whom it refuses, and what comes along with READY.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStrictEquals,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ProtocolError, ZmqError } from "../../src/errors.ts";
import { assertFrames, toHex, utf8 } from "../_util/bytes.ts";
import { LinkStand, messagesAfterHandshake } from "../_util/link_stand.ts";
import { assertMessages, concat, pattern } from "../_util/octets.ts";
import { frame, greeting, longHeader, message, ready } from "../_util/raw_zmtp.ts";
import { vector } from "../_util/vectors.ts";

const INTERVAL = 30_000;

function codeOf(stand: LinkStand): string | undefined {
  return (stand.error as ZmqError | undefined)?.code;
}

describe("a link's handshake", () => {
  it("begins with the signature, and waits for the peer's (ZMTP31-GREETING-12)", () => {
    const stand = new LinkStand();
    stand.link.start();
    assertEquals(stand.stream.writes.map(toHex), [toHex(vector("GV-G-06").subarray(0, 10))]);
    assertEquals(stand.stream.calls, ["start"]);
    assertEquals(stand.link.ready, false);
  });

  it("works in any segmentation, also of what is sent (CONN-01)", () => {
    for (const stream of [{}, { late: true }, { gulp: 1 }, { gulp: 7, late: true }]) {
      for (const size of [Infinity, 1, 2, 63, 65]) {
        const stand = new LinkStand({ stream });
        stand.link.start();
        stand.stream.deliver(stand.peerHandshake, size);
        stand.stream.flow();
        assertEquals([stand.calls, stand.error], [["ready REP"], undefined]);
        assertEquals(stand.link.ready, true);
        const expected = concat(greeting(), ready("DEALER"));
        assertEquals(toHex(stand.stream.takeOutput()), toHex(expected));
      }
    }
  });

  it("is over with the first octet that follows READY (CONN-02)", () => {
    const first = [utf8("one"), pattern(300)];
    const octets = concat(message(...first), message("two"), frame("half", true));
    for (const size of [Infinity, 1, 100]) {
      const stand = new LinkStand();
      let announced = 0;
      stand.host.onReadable = () => announced++;
      stand.link.start();
      stand.stream.deliver(concat(stand.peerHandshake, octets), size);
      assertMessages(stand.receiveAll(), [first, [utf8("two")]]);
      assert(announced > 0);
    }
  });

  it("lets messages wait that were sent before it (CONN-05, ZMTP31-NULL-05)", () => {
    const stand = new LinkStand();
    stand.pipe.send("early");
    stand.link.start();
    stand.stream.deliver(greeting());
    stand.host.clock.settle();
    assertEquals(messagesAfterHandshake(stand.stream.takeOutput()), []);
    stand.stream.deliver(ready("ROUTER"));
    assertFrames(stand.sentMessages()[0], ["early"]);
  });

  it("tells the host that there is room when it is done", () => {
    const stand = new LinkStand();
    let told = 0;
    stand.host.onWritable = (pipe) => {
      assertStrictEquals(pipe, stand.pipe);
      told++;
    };
    stand.serve();
    assert(told > 0);
  });

  it("announces itself to a ROUTER before anything else with probeRouter (ROUTER-11)", () => {
    const stand = new LinkStand({ options: { probeRouter: true } });
    stand.pipe.send("early");
    stand.link.start();
    stand.stream.deliver(greeting());
    stand.stream.takeOutput();
    stand.stream.deliver(ready("ROUTER"));
    assertMessages(stand.sentMessages(), [[utf8("")], [utf8("early")]]);
  });
});

describe("a link's handshake deadline", () => {
  it("ends a peer that says nothing (CONN-03)", () => {
    const stand = new LinkStand();
    stand.link.start();
    stand.host.clock.advance(INTERVAL - 1);
    assertEquals(stand.calls, []);
    stand.host.clock.advance(1);
    assertEquals(codeOf(stand), "ETIMEDOUT");
    assertEquals(stand.stream.calls, ["start", "abort"]);
  });

  it("ends a peer that stalls at any place, however slowly it goes on (CONN-03)", () => {
    const octets = new LinkStand().peerHandshake;
    for (let count = 1; count < octets.length; count += 7) {
      const stand = new LinkStand();
      stand.link.start();
      for (const octet of octets.subarray(0, count)) {
        stand.stream.deliver(Uint8Array.of(octet));
        stand.host.clock.advance(INTERVAL / count);
      }
      stand.host.clock.advance(1);
      assertEquals([stand.calls, codeOf(stand)], [["ended"], "ETIMEDOUT"]);
    }
  });

  it("is off once the handshake is done (CONN-03)", () => {
    const stand = new LinkStand().serve();
    assertEquals(stand.host.clock.delays, []);
    stand.host.clock.advance(10 * INTERVAL);
    assertEquals(stand.calls, ["ready REP"]);
  });

  it("is as long as handshakeInterval says, and 0 means none (CONN-03)", () => {
    const short = new LinkStand({ options: { handshakeInterval: 5 } });
    short.link.start();
    short.host.clock.advance(5);
    assertEquals(codeOf(short), "ETIMEDOUT");
    const none = new LinkStand({ options: { handshakeInterval: 0 } });
    none.link.start();
    none.host.clock.advance(1e9);
    assertEquals(none.calls, []);
  });

  it("is given up with the link", () => {
    const stand = new LinkStand();
    stand.link.start();
    stand.stream.end();
    assertEquals(stand.host.clock.delays, []);
  });
});

describe("a link with a peer that breaks the handshake", () => {
  const faults: Readonly<Record<string, [Uint8Array, string]>> = {
    "that speaks HTTP": [utf8("GET / HTTP/1.1\r\n\r\n"), "ERR_ZMTP_UNSPECIFIED"],
    "that speaks a ZMTP that nobody knows": [
      concat(greeting().subarray(0, 10), Uint8Array.of(0, 5)),
      "ERR_ZMTP_UNSPECIFIED",
    ],
    "with another mechanism": [greeting("CURVE"), "ERR_ZMTP_MECHANISM_MISMATCH"],
    "that sends a message first": [concat(greeting(), frame("hi")), "ERR_ZMTP_UNEXPECTED_COMMAND"],
    "that announces a command of 1 MB": [
      concat(greeting(), longHeader(1_048_576n, 4)),
      "EMSGSIZE",
    ],
    "that sends ERROR": [concat(greeting(), vector("GV-C-08")), "ERR_ZMTP_UNSPECIFIED"],
  };
  for (const [who, [octets, code]] of Object.entries(faults)) {
    it(`ends the one ${who} with ${code} (ZMTP31-NULL-04)`, () => {
      for (const size of [Infinity, 1]) {
        const stand = new LinkStand();
        stand.link.start();
        stand.stream.deliver(octets, size);
        assertInstanceOf(stand.error, ProtocolError);
        assertEquals([stand.calls, codeOf(stand)], [["ended"], code]);
        // Its own READY may still be on its way when all came in one read: then it leaves.
        assertMatch(stand.stream.calls.join(), /^start,(abort|close)$/);
        assertEquals(stand.pipe.link, undefined);
      }
    });
  }

  it("tells a wrong socket type before it closes (ZMTP31-SOCKTYPE-03)", () => {
    const stand = new LinkStand({ type: "REQ" });
    stand.link.start();
    stand.stream.deliver(greeting());
    stand.stream.takeOutput();
    stand.stream.deliver(ready("PUSH"));
    assertEquals(toHex(stand.stream.takeOutput()), toHex(vector("GV-C-08")));
    assertEquals([stand.calls, codeOf(stand)], [["ended"], "ERR_ZMTP_INVALID_METADATA"]);
    assertEquals(stand.stream.calls, ["start", "close"]);
    // A peer that does not close after that is dropped.
    stand.host.clock.advance(1_000);
    assertEquals(stand.stream.calls, ["start", "close", "abort"]);
  });

  it("drops a peer of the wrong socket type that does not read what it is told", () => {
    for (const room of [5, 10, 30]) {
      const stand = new LinkStand({ stream: { room } });
      stand.link.start();
      stand.stream.deliver(concat(greeting(), ready("PUSH")));
      assertEquals(stand.stream.calls, ["start"]);
      stand.host.clock.advance(1_000);
      assertEquals(stand.stream.calls, ["start", "abort"]);
      assertEquals(stand.calls, ["ended"]);
    }
  });

  it("tells it all the same when the greeting leaves octet by octet", () => {
    for (const late of [false, true]) {
      const stand = new LinkStand({ type: "REQ", stream: { gulp: 1, late } });
      stand.link.start();
      stand.stream.deliver(concat(greeting(), ready("PUSH")));
      assertEquals(stand.calls, ["ended"]);
      stand.stream.flow();
      const said = toHex(stand.stream.takeOutput());
      assert(said.endsWith(toHex(vector("GV-C-08"))), said);
      assertEquals(stand.stream.calls, ["start", "close"]);
    }
  });

  it("passes on why its owner refuses the peer, and tells that by closing alone (ZMTP31-ERR-02)", () => {
    const stand = new LinkStand();
    stand.refusal = new ZmqError("EBUSY", "no");
    stand.link.start();
    stand.stream.deliver(stand.peerHandshake);
    assertStrictEquals(stand.error, stand.refusal);
    assertEquals(stand.calls, ["ready REP", "ended"]);
    assertEquals(stand.link.ready, false);
    assertEquals(toHex(stand.stream.takeOutput()), toHex(concat(greeting(), ready("DEALER"))));
  });

  it("delivers the messages before a fault, also when all came with READY (CONN-02)", () => {
    for (const size of [Infinity, 1]) {
      const stand = new LinkStand();
      let announced = 0;
      stand.host.onReadable = () => announced++;
      stand.link.start();
      const octets = concat(stand.peerHandshake, message("good"), Uint8Array.of(0xff, 0, 0));
      stand.stream.deliver(octets, size);
      assertEquals(codeOf(stand), "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED");
      assertEquals(announced, 1, `reads of ${size}`);
      assertMessages(stand.receiveAll(), [[utf8("good")]]);
    }
  });
});
