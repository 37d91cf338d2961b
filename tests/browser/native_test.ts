import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ZmqError } from "../../src/errors.ts";
import type { Introduction } from "../../src/link/stream.ts";
import { NativeStream } from "../../src/link/websocket/native.ts";
import { encodeCommand } from "../../src/wire/command.ts";
import { decodeGreeting, encodeGreeting, GREETING_SIZE } from "../../src/wire/greeting.ts";
import { encodeMetadata } from "../../src/wire/metadata.ts";
import { eventually } from "../_util/deadline.ts";
import { CollectingSink, FakeWebSocket, SteadyWebSocket } from "../_util/fake_web_socket.ts";

const READY = encodeCommand("READY", encodeMetadata([["Identity", Uint8Array.of(7)]]));
const MANY = 16 * 1024 * 1024;

/** A stream over a fake, started, with our greeting and READY written as a link would. */
function stand(
  protocol: string,
  socket: FakeWebSocket = new FakeWebSocket(),
  own: Partial<Introduction> = {},
  size?: number,
) {
  const stream = new NativeStream(socket);
  const sink = new CollectingSink(size);
  const introduction: Introduction = {
    type: "DEALER",
    mechanism: "NULL",
    routingId: Uint8Array.of(1, 2),
    ...own,
  };
  stream.introduce(introduction);
  const greeting = encodeGreeting(introduction.mechanism, false);
  assertEquals(stream.write(greeting.subarray(0, 10)), 10);
  stream.start(sink);
  socket.open(protocol);
  const theirs = sink.take();
  stream.write(greeting.subarray(10));
  if (sink.ends.length === 0 && socket.closes.length === 0) stream.write(READY);
  return { socket, stream, sink, greeting: Uint8Array.from(theirs) };
}

/** As `stand`, when both sides have said who they are. */
function talking(socket?: FakeWebSocket, size?: number) {
  const all = stand("ZWS2.0/NULL", socket, {}, size);
  all.socket.sent.length = 0;
  return all;
}

function microtasks(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

describe("A native WebSocket's opening", () => {
  it("is a greeting of ZMTP 3.0 to the link, and ours is not sent", () => {
    const { greeting, socket } = stand("ZWS2.0/NULL");
    assertEquals(greeting.length, GREETING_SIZE);
    const { major, minor, mechanism } = decodeGreeting(greeting);
    assertEquals([major, minor, mechanism], [3, 0, "NULL"]);
    assertEquals(socket.binaryType, "arraybuffer");
    assertEquals(socket.sent, [Uint8Array.of(2, ...READY.subarray(2))]);
  });

  it("shows the version as the protocol", () => {
    assertEquals(stand("ZWS2.0-NULL").stream.protocol, "ZWS2.0");
    assertEquals(stand("ZWS1.0").stream.protocol, "ZWS1.0");
  });

  it("says the routing ids without a mechanism (ZWS2-NONE-01, ZWS1-02)", () => {
    for (const protocol of ["ZWS2.0", "ZWS1.0"]) {
      const { socket, sink } = stand(protocol);
      assertEquals(socket.sent, [Uint8Array.of(0, 1, 2)]);
      socket.message(0, 65);
      const ready = encodeCommand(
        "READY",
        encodeMetadata([["Identity", Uint8Array.of(65)]]),
      );
      assertEquals(Uint8Array.from(sink.take()), ready);
      socket.message(1, 66);
      assertEquals(sink.take(), [1, 1, 66]);
    }
  });

  it("takes an empty routing id (ZWS2-NONE-01)", () => {
    const { socket, sink } = stand("ZWS2.0");
    socket.message(0);
    const ready = encodeCommand("READY", encodeMetadata([["Identity", new Uint8Array(0)]]));
    assertEquals(Uint8Array.from(sink.take()), ready);
  });

  for (
    const [protocol, mechanism] of [["ZWS2.0", "CURVE"], ["ZWS2.0/PLAIN", "NULL"], ["", "NULL"]]
  ) {
    it(`fails for ${protocol || "no subprotocol"} with ${mechanism} (ZWS2-HS-04)`, async () => {
      const { socket, sink } = stand(protocol, undefined, {
        mechanism: mechanism as Introduction["mechanism"],
      });
      assertEquals(socket.closes[0][0], 4008);
      await microtasks();
      assertEquals((sink.ends[0] as ZmqError).code, "ERR_WS_SUBPROTOCOL");
    });
  }

  it("waits for a WebSocket that connects, and takes one that is open", async () => {
    const socket = new FakeWebSocket();
    socket.open("ZWS2.0/NULL");
    const stream = new NativeStream(socket);
    stream.introduce({ type: "PULL", mechanism: "NULL", routingId: new Uint8Array(0) });
    socket.message(0, 9);
    const sink = new CollectingSink();
    stream.start(sink);
    assertEquals(sink.take(), []);
    await microtasks();
    assertEquals(sink.take().slice(GREETING_SIZE), [0, 1, 9]);
  });
});

describe("A native WebSocket's messages", () => {
  it("are the peer's frames (ZWS2-FRAME-02)", () => {
    const { socket, sink } = talking();
    socket.message(0);
    socket.message(1, 65);
    socket.message(2, 5, 6);
    assertEquals(sink.take(), [0, 0, 1, 1, 65, 4, 2, 5, 6]);
    socket.message(1, ...new Array(255).fill(3));
    assertEquals(sink.take().slice(0, 3), [1, 255, 3]);
    socket.message(1, ...new Array(256).fill(3));
    assertEquals(sink.take().slice(0, 10), [3, 0, 0, 0, 0, 0, 0, 1, 0, 3]);
  });

  it("go on where the link's memory ends", () => {
    const { socket, sink } = talking(undefined, 8);
    socket.message(0, ...new Array(300).fill(4));
    const octets = sink.take();
    assertEquals(octets.slice(0, 10), [2, 0, 0, 0, 0, 0, 0, 1, 44, 4]);
    assertEquals(octets.length, 309);
  });

  it("are made of our frames, wherever a body is cut", () => {
    const { socket, stream } = talking();
    const long = new Uint8Array(300).fill(8);
    const frames = Uint8Array.of(1, 2, 65, 66, 0, 0, 4, 1, 5, 2, 0, 0, 0, 0, 0, 0, 1, 44, ...long);
    for (const cut of [18, 19, 100, frames.length - 1]) {
      socket.sent.length = 0;
      assertEquals(stream.write(frames.subarray(0, cut)), cut);
      assertEquals(stream.write(frames.subarray(cut)), frames.length - cut);
      assertEquals(socket.sent.map((message) => [...message.subarray(0, 3)]), [
        [1, 65, 66],
        [0],
        [2, 5],
        [0, 8, 8],
      ]);
      assertEquals(socket.sent[3].length, 301);
    }
  });

  it("are not in memory that is used again", () => {
    const { socket, stream } = talking();
    const frame = Uint8Array.of(0, 1, 65);
    stream.write(frame);
    frame[2] = 66;
    stream.write(frame);
    assertEquals(socket.sent, [Uint8Array.of(0, 65), Uint8Array.of(0, 66)]);
  });

  const faults: Readonly<Record<string, [unknown, number, string]>> = {
    "text (ZWS2-FRAME-01)": ["hello", 4003, "a text message"],
    "one that is a Blob": [{ size: 3 }, 4003, "not binary"],
    "one without a flag octet (ZWS2-FRAME-02)": [new ArrayBuffer(0), 4002, "without a flag octet"],
    "one with an unknown flag": [Uint8Array.of(3, 1).buffer, 4002, "flag octet 3"],
  };
  for (const [what, [data, code, text]] of Object.entries(faults)) {
    it(`end it with ${what}`, async () => {
      const { socket, sink } = talking();
      socket.message(0, 1);
      socket.tell("message", { data });
      socket.message(0, 2);
      await microtasks();
      assertEquals(sink.octets, [0, 1, 1]);
      assertEquals(socket.closes.map(([code]) => code), [code]);
      assertStringIncludes(socket.closes[0][1]!, text);
      const [error] = sink.ends as ZmqError[];
      assertEquals([sink.ends.length, error.code], [1, "ERR_WS_FRAME"]);
      assertStringIncludes(error.message, text);
    });
  }

  it("end it with a command without a mechanism (ZWS2-NONE-02)", async () => {
    const { socket, sink } = stand("ZWS2.0");
    socket.message(0);
    sink.take();
    socket.message(2, 1, 65);
    await microtasks();
    assertEquals((sink.ends[0] as ZmqError).code, "ERR_WS_FRAME");
  });

  it("end it when the first is no routing id (ZWS2-NONE-01)", async () => {
    for (const first of [[1, 65], [0, ...new Array(256).fill(1)]]) {
      const { socket, sink } = stand("ZWS2.0");
      socket.message(...first);
      await microtasks();
      assertEquals((sink.ends[0] as ZmqError).code, "ERR_WS_FRAME");
      assertEquals(socket.closes[0][0], 4002);
    }
  });
});

describe("A native WebSocket's flow", () => {
  it("keeps what comes while the link does not want it, in order", async () => {
    const { socket, stream, sink } = talking();
    sink.onFilled = () => sink.octets.length >= 6 && stream.pause();
    stream.pause();
    for (let i = 1; i <= 4; i++) socket.message(0, i);
    assertEquals(sink.octets, []);
    stream.resume();
    assertEquals(sink.octets, []);
    await microtasks();
    assertEquals(sink.octets, [0, 1, 1, 0, 1, 2]);
    sink.onFilled = () => {};
    stream.resume();
    await microtasks();
    socket.message(0, 5);
    assertEquals(sink.octets.slice(6), [0, 1, 3, 0, 1, 4, 0, 1, 5]);
  });

  it("ends with ENOBUFS when more waits than is kept", async () => {
    const { socket, stream, sink } = talking();
    stream.pause();
    socket.tell("message", { data: new ArrayBuffer(MANY) });
    socket.message(0, 1);
    assertEquals(socket.closes, []);
    socket.message(0, 2);
    await microtasks();
    assertEquals((sink.ends[0] as ZmqError).code, "ENOBUFS");
    assertStringIncludes((sink.ends[0] as Error).message, "16777218 octets");
    assertEquals(socket.closes, [[4008, ""]]);
  });

  it("tells a WebSocket that can wait to do so, and then keeps what still comes", async () => {
    const socket = new SteadyWebSocket();
    const { stream, sink } = talking(socket);
    stream.pause();
    assert(socket.paused);
    socket.tell("message", { data: new ArrayBuffer(MANY) });
    socket.message(0, 1);
    socket.message(0, 2);
    assertEquals([socket.closes.length, sink.ends.length], [0, 0]);
    stream.resume();
    await microtasks();
    assert(!socket.paused);
  });

  it("gives the WebSocket no more than it sends, and goes on when it tells", () => {
    const { socket, stream, sink } = talking();
    const frame = Uint8Array.of(0, 1, 65);
    socket.bufferedAmount = 1024 * 1024 + 1;
    assertEquals(stream.write(frame), 0);
    socket.tell("drain");
    assertEquals(sink.rooms, 0);
    socket.bufferedAmount = 0;
    socket.tell("drain");
    assertEquals(sink.rooms, 1);
    assertEquals(stream.write(frame), 3);
    assertEquals(socket.sent.length, 1);
  });

  it("looks by itself whether there is room again", async () => {
    const { socket, stream, sink } = talking();
    socket.bufferedAmount = 2 ** 24;
    assertEquals(stream.write(Uint8Array.of(0, 1, 65)), 0);
    socket.bufferedAmount = 0;
    await eventually(() => sink.rooms === 1, 10_000);
  });

  it("asks for signs of life only where it can (ZWS2-HB-01)", () => {
    assertEquals(talking().stream.ping, undefined);
    const socket = new SteadyWebSocket();
    const { stream, sink } = talking(socket);
    let taken = 0;
    stream.ping!(() => taken++);
    socket.tell("pong");
    assertEquals([socket.pings, taken, sink.signs], [1, 1, 1]);
  });
});

describe("A native WebSocket's end", () => {
  for (const code of [1000, 1001, 1005]) {
    it(`is in peace when the peer closes with ${code}`, async () => {
      const { socket, sink } = talking();
      socket.end(code);
      await microtasks();
      assertEquals(sink.ends, [undefined]);
    });
  }

  it("is an error when the peer says one, or is lost", async () => {
    for (const [code, text] of [[1008, `1008 "no entry"`], [1006, "lost"]] as const) {
      const { socket, sink } = talking();
      socket.end(code, code === 1006 ? "" : "no entry");
      await microtasks();
      assert(sink.ends[0] instanceof ZmqError);
      assertEquals(sink.ends[0].code, "ECONNRESET");
      assertStringIncludes(sink.ends[0].message, text);
    }
  });

  it("waits for the peer when this side closes, and drops what still comes", async () => {
    const { socket, stream, sink } = talking();
    stream.close();
    assertEquals(socket.closes, [[1000, ""]]);
    socket.message(0, 1);
    await microtasks();
    assertEquals([sink.octets, sink.ends], [[], []]);
    assertEquals(stream.write(Uint8Array.of(0, 1, 2)), 0);
    socket.end(1006);
    await microtasks();
    assertEquals(sink.ends, [undefined]);
  });

  it("is told once when this side gives up", async () => {
    const { socket, stream, sink } = talking();
    stream.abort(new ZmqError("ETIMEDOUT", "a secret of this side"));
    stream.abort();
    socket.end(1006);
    await microtasks();
    assertEquals(sink.ends, [undefined]);
    assertEquals(socket.closes, [[4008, ""]]);
  });
});
