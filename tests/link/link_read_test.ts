// What a link does with what comes in: messages to the pipe, PONG back, and no more than the high-water mark allows.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { toHex, utf8 } from "../_util/bytes.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { assertMessages, assertOctets, concat, pattern } from "../_util/octets.ts";
import { command, frame, longHeader, message, ping } from "../_util/raw_zmtp.ts";
import { vector } from "../_util/vectors.ts";
import { readStream } from "../core/models/frame_model.ts";

function numbered(count: number, from = 0): Uint8Array {
  return concat(...Array.from({ length: count }, (_, i) => message(String(from + i))));
}

describe("a link that reads", () => {
  it("delivers messages however they are cut, and nothing delivered changes (CONN-01, ZMTP31-SEM-05)", () => {
    const messages = Array.from({ length: 40 }, (_, i) => [pattern(i * 37, i), pattern(i, i)]);
    const octets = concat(...messages.map((frames) => message(...frames)));
    for (const size of [Infinity, 1, 1_000]) {
      const stand = new LinkStand().serve();
      stand.stream.deliver(octets, size);
      stand.stream.deliver(octets, size);
      assertMessages(stand.receiveAll(), [...messages, ...messages]);
    }
  });

  it("tells the host once for a read, however many messages came in it", () => {
    const stand = new LinkStand().serve();
    let told = 0;
    stand.host.onReadable = () => told++;
    stand.stream.deliver(numbered(50));
    assertEquals(told, 1);
    stand.stream.deliver(frame("half", true));
    assertEquals(told, 1);
  });

  it("drops the frames of a message that is cut off (CONN-06)", () => {
    const stand = new LinkStand().serve();
    stand.stream.deliver(concat(message("whole"), frame("half", true), frame("of it", true)));
    stand.stream.end();
    assertMessages(stand.receiveAll(), [[utf8("whole")]]);
    // The next connection of the same pipe begins with a message of its own.
    const next = new LinkStand({ host: stand.host, pipe: stand.pipe }).serve();
    next.stream.deliver(message("next"));
    assertMessages(next.receiveAll(), [[utf8("next")]]);
  });

  const faults: Readonly<Record<string, [Uint8Array, string]>> = {
    "bad flags": [Uint8Array.of(8, 0), "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED"],
    "MORE on a command": [Uint8Array.of(5, 0), "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED"],
    "a body of 2^63 octets": [longHeader(2n ** 63n), "EMSGSIZE"],
    "a body above maxMessageSize": [longHeader(10_001n), "EMSGSIZE"],
    "a command above 64 kB": [longHeader(65_537n, 4), "EMSGSIZE"],
    "a command without a name": [Uint8Array.of(4, 0), "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED"],
    "a PING without its time": [command("PING"), "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED"],
  };
  for (const [what, [octets, code]] of Object.entries(faults)) {
    it(`ends a peer that sends ${what} with ${code}, and keeps what came before`, () => {
      for (const size of [Infinity, 1]) {
        const stand = new LinkStand({ options: { maxMessageSize: 10_000 } }).serve();
        let told = 0;
        stand.host.onReadable = () => told++;
        const before = concat(message("good"), frame("half", true));
        stand.stream.deliver(concat(before, octets, pattern(20)), size);
        assertEquals(stand.calls, ["ready REP", "ended"]);
        assertEquals((stand.error as { code: string }).code, code);
        assertEquals(stand.stream.calls, ["abort"]);
        assertEquals(told, 1);
        assertMessages(stand.receiveAll(), [[utf8("good")]]);
      }
    });
  }
});

describe("a link's PONG", () => {
  it("goes out at once (ZMTP31-HB-03)", () => {
    const stand = new LinkStand().serve();
    stand.stream.deliver(vector("GV-C-14"));
    assertEquals(toHex(stand.stream.takeOutput()), toHex(vector("GV-C-15")));
  });

  it("follows a PING between the frames of a message (ZMTP31-CMD-06)", () => {
    const stand = new LinkStand().serve();
    stand.stream.deliver(concat(frame("a", true), ping("x"), frame("b")));
    assertMessages(stand.receiveAll(), [[utf8("a"), utf8("b")]]);
    assertEquals(toHex(stand.stream.takeOutput()), toHex(command("PONG", utf8("x"))));
  });

  it("never stands between the frames of a message (ZMTP31-CMD-06)", () => {
    const frames = [pattern(50), pattern(60), pattern(70)];
    const wire = message(...frames);
    for (let written = 1; written < wire.length; written += 13) {
      const stand = new LinkStand({ stream: { room: 0 } });
      stand.stream.drain(94 + written);
      stand.link.start();
      stand.stream.deliver(stand.peerHandshake);
      stand.stream.takeOutput();
      stand.pipe.send(frames);
      assert(stand.stream.busy);
      stand.stream.deliver(ping("x"));
      stand.stream.drain();
      assertOctets(stand.stream.takeOutput(), concat(wire, command("PONG", utf8("x"))));
    }
  });

  it("is not owed without limit to a peer that does not read", () => {
    const stand = new LinkStand({ stream: { room: 94 } }).serve();
    for (let i = 0; i < 100; i++) {
      stand.stream.deliver(concat(...Array.from({ length: 100 }, () => ping("0123456789abcdef"))));
    }
    stand.stream.drain();
    const { commands, fault } = readStream(stand.stream.takeOutput());
    assertEquals(fault, undefined);
    assert(commands.length > 0 && commands.length <= 200, `${commands.length} PONGs`);
    // Once the peer reads again it gets its answers again.
    stand.stream.deliver(ping("y"));
    assertEquals(toHex(stand.stream.takeOutput()), toHex(command("PONG", utf8("y"))));
  });

  it("does not take the other commands for a question (ZMTP31-CMD-04, ZMTP31-CMD-05)", () => {
    const stand = new LinkStand().serve();
    for (const id of ["GV-C-01", "GV-C-08", "GV-C-10", "GV-C-15", "GV-C-19"]) {
      stand.stream.deliver(vector(id));
    }
    assertEquals([stand.stream.takeOutput().length, stand.link.ready], [0, true]);
  });
});

describe("a link's receive high-water mark", () => {
  it("stops reading when it is reached and goes on at half of it", () => {
    const stand = new LinkStand({ options: { receiveHighWaterMark: 10 } }).serve();
    stand.stream.deliver(numbered(9));
    assertEquals(stand.stream.calls, []);
    stand.stream.deliver(numbered(1));
    assertEquals(stand.stream.calls, ["pause"]);
    for (let i = 0; i < 4; i++) stand.pipe.receive();
    assertEquals(stand.stream.calls, ["pause"]);
    stand.pipe.receive();
    assertEquals(stand.stream.calls, ["pause", "resume"]);
    for (let i = 0; i < 5; i++) stand.pipe.receive();
    assertEquals(stand.stream.calls, ["pause", "resume"]);
  });

  it("loses nothing of what was on its way when reading stopped", () => {
    const stand = new LinkStand({ options: { receiveHighWaterMark: 3 } }).serve();
    stand.stream.deliver(numbered(50));
    stand.stream.deliver(numbered(50, 50));
    assertEquals(stand.stream.calls, ["pause"]);
    assertMessages(stand.receiveAll(), Array.from({ length: 100 }, (_, i) => [utf8(String(i))]));
    assertEquals(stand.stream.calls, ["pause", "resume"]);
  });

  it("of 1 lets every message through one after the other", () => {
    const stand = new LinkStand({ options: { receiveHighWaterMark: 1 } }).serve();
    for (let i = 0; i < 3; i++) {
      stand.stream.deliver(message("m"));
      assertEquals(stand.stream.paused, true);
      stand.pipe.receive();
      assertEquals(stand.stream.paused, false);
    }
  });

  it("of 0 never stops reading", () => {
    const stand = new LinkStand({ options: { receiveHighWaterMark: 0 } }).serve();
    stand.stream.deliver(numbered(5_000));
    assertEquals(stand.stream.calls, []);
  });

  it("does not count frames, only whole messages", () => {
    const stand = new LinkStand({ options: { receiveHighWaterMark: 2 } }).serve();
    stand.stream.deliver(concat(...Array.from({ length: 100 }, () => frame("x", true))));
    assertEquals(stand.stream.calls, []);
    stand.stream.deliver(concat(frame("end"), message("two")));
    assertEquals(stand.stream.calls, ["pause"]);
  });

  it("counts what came with READY", () => {
    const stand = new LinkStand({ options: { receiveHighWaterMark: 2 } });
    stand.link.start();
    stand.stream.deliver(concat(stand.peerHandshake, numbered(2)));
    assertEquals(stand.stream.calls, ["start", "pause"]);
  });

  it("is forgotten with the connection: the next one reads", () => {
    const stand = new LinkStand({ options: { receiveHighWaterMark: 2 } }).serve();
    stand.stream.deliver(numbered(2));
    stand.stream.end();
    const next = new LinkStand({ host: stand.host, pipe: stand.pipe }).serve();
    assertEquals(next.stream.paused, true, "what waits already counts");
    next.receiveAll();
    assertEquals(next.stream.paused, false);
    next.stream.deliver(numbered(2, 2));
    assertEquals(next.stream.paused, true);
    next.receiveAll();
    assertEquals(next.stream.paused, false);
  });
});
