// Peers that break the protocol, on purpose or not: their connection ends, nothing of theirs is delivered in part, and
// everybody else is served as if nothing had happened.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { Pull, Push, Reply, Request, Router } from "../../mod.ts";
import { assertFrames, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause, staysPending, within } from "../_util/deadline.ts";
import { concat } from "../_util/octets.ts";
import { dial, type RawConnection, RawServer } from "../_util/raw_peer.ts";
import {
  command,
  connectAs,
  frame,
  greeting,
  longHeader,
  message,
  ping,
  ready,
  shakeHands,
  takeFrame,
  takeMessage,
} from "../_util/raw_zmtp.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const HANDSHAKE_MS = 150;
const RECEIVES = { receiveTimeout: 5_000 } as const;
const MORE = 1;
const LONG = 2;
const COMMAND = 4;
const { process } = globalThis as unknown as { process: { memoryUsage(): { rss: number } } };
const cleanup = new Cleanup();

let pull: Pull;
let healthy: Push;
let count = 0;

async function openPull(): Promise<void> {
  pull = cleanup.add(new Pull({ ...RECEIVES, handshakeInterval: HANDSHAKE_MS }));
  await pull.bind(ANY_PORT);
  healthy = cleanup.add(new Push());
  healthy.connect(pull.lastEndpoint!);
  await exchange();
}

/** One message of the healthy peer, and nothing else, arrives. */
async function exchange(): Promise<void> {
  const text = `healthy ${count++}`;
  await healthy.send([text, "tail"]);
  assertFrames(await pull.receive(), [text, "tail"]);
}

/** The healthy peer is served until the promise settles, and after that; so is a new one. */
async function servedDuring(attack: Promise<unknown>): Promise<void> {
  let over = false;
  const settled = attack.finally(() => over = true);
  settled.catch(() => {}); // thrown below
  while (!over) {
    await exchange();
    await pause(1);
  }
  await settled;
  for (let i = 0; i < 10; i++) await exchange();
  const fresh = cleanup.add(new Push());
  fresh.connect(pull.lastEndpoint!);
  await fresh.send("fresh");
  assertFrames(await pull.receive(), ["fresh"]);
  assertEquals(pull.readable, false);
}

async function stranger(): Promise<RawConnection> {
  return cleanup.add(await dial(pull.lastEndpoint!));
}

/** A raw PUSH past its handshake. */
async function insider(): Promise<RawConnection> {
  return cleanup.add(await connectAs(pull.lastEndpoint!, "PUSH"));
}

function octets(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** Octets that look like nothing in particular. */
function noise(size: number): Uint8Array {
  let state = 12345;
  return Uint8Array.from(
    { length: size },
    () => (state = (state * 1103515245 + 12345) >>> 0) >>> 16,
  );
}

describe("a stranger", () => {
  beforeEach(openPull);
  afterEach(() => cleanup.run());

  const old = greeting().subarray(0, 10);
  const strangers: Readonly<Record<string, Uint8Array>> = {
    "that speaks HTTP": utf8("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "that speaks TLS": octets(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3),
    "that sends zeros": new Uint8Array(1_000),
    "that sends noise": noise(1_000),
    "that sends a megabyte of noise": noise(1_000_000),
    "that speaks ZMTP 1.0 with a name too long": octets(0xff, 0, 0, 0, 0, 0, 0, 1, 44, 0),
    "that speaks ZMTP 1.0 with a frame of no size": octets(1, 0, 0, 0),
    "that speaks ZMTP 2.0 of a type nobody knows": concat(old, octets(1, 99, 0, 0)),
    "that speaks ZMTP 2.0 of the same type": concat(old, octets(1, 7, 0, 0)),
    "that speaks ZMTP 2.0 and sends a command": concat(old, octets(1, 8, 0, 0, COMMAND, 0)),
    "that speaks a ZMTP before all others": concat(old, octets(0, 8, 0, 0)),
    "that wants PLAIN": greeting("PLAIN"),
    "that wants CURVE": greeting("CURVE"),
    "that wants a mechanism nobody knows": greeting("X".repeat(20)),
    "that sends a message instead of READY": concat(greeting(), message("early")),
    "that sends a command instead of READY": concat(greeting(), command("HELLO")),
    "that sends noise after its greeting": concat(greeting(), noise(1_000)),
    "whose READY is 2^63 octets long": concat(greeting(), longHeader(2n ** 63n, COMMAND)),
    "whose READY is 2^31 octets long": concat(greeting(), longHeader(2n ** 31n, COMMAND)),
    "whose READY is 100 kB long": concat(
      greeting(),
      command("READY", new Uint8Array(100_000)),
    ),
    "whose READY ends in the middle of a property": concat(
      greeting(),
      command("READY", concat(octets(11), utf8("Socket-Type"), octets(0, 0, 0, 200, 1))),
    ),
    "whose property is 2^32 - 1 octets long": concat(
      greeting(),
      command("READY", concat(octets(1), utf8("X"), octets(255, 255, 255, 255))),
    ),
    "whose command has no name": concat(greeting(), octets(COMMAND, 0)),
    "whose command's name is longer than it": concat(greeting(), octets(COMMAND, 2, 9, 0x52)),
    "that is of the same type": concat(greeting(), ready("PULL"), message("x")),
    "that is of a type nobody knows": concat(greeting(), ready("NONSENSE"), message("x")),
    "that says ERROR": concat(greeting(), command("ERROR", concat(octets(4), utf8("none")))),
  };
  for (const [what, sent] of Object.entries(strangers)) {
    it(`${what} is thrown out`, async () => {
      await servedDuring((async () => {
        const peer = await stranger();
        peer.send(sent);
        await peer.untilClosed();
      })());
    });
  }

  const stalls: Readonly<Record<string, readonly Uint8Array[]>> = {
    "says nothing": [],
    "says the first octet": [octets(0xff)],
    "sends half a greeting": [greeting().subarray(0, 30)],
    "sends a greeting and no READY": [greeting()],
    "sends half a READY": [greeting(), ready("PUSH").subarray(0, 10)],
  };
  for (const [what, sent] of Object.entries(stalls)) {
    it(`that ${what} is thrown out after handshakeInterval`, async () => {
      const start = performance.now();
      await servedDuring((async () => {
        const peer = await stranger();
        peer.send(...sent);
        await peer.untilClosed();
      })());
      assertGreater(performance.now() - start, HANDSHAKE_MS - 20);
    });

    it(`that ${what} and goes away leaves no trace`, async () => {
      await servedDuring((async () => {
        const peer = await stranger();
        peer.send(...sent);
        await pause(5);
        peer.end();
        await peer.untilClosed();
      })());
    });
  }

  it("that dribbles its greeting is thrown out after handshakeInterval", async () => {
    await servedDuring((async () => {
      const peer = await stranger();
      for (const octet of greeting()) {
        if (peer.isClosed) break;
        peer.send(octets(octet));
        await pause(10);
      }
      await peer.untilClosed();
    })());
  });

  it("that dribbles its greeting in time is welcome", async () => {
    pull.handshakeInterval = 30_000;
    const peer = await stranger();
    for (const octet of concat(greeting(), ready("PUSH"), message("at last"))) {
      peer.send(octets(octet));
      await pause(1);
    }
    assertFrames(await pull.receive(), ["at last"]);
  });

  it("of the wrong type is told so by an ERROR command", async () => {
    const peer = await stranger();
    peer.send(greeting(), ready("SUB"));
    await peer.take(64);
    const answers: string[] = [];
    while (answers.at(-1)?.startsWith("\x05ERROR") !== true) {
      answers.push(new TextDecoder().decode((await takeFrame(peer)).body));
    }
    assert(answers.at(-1)!.includes("Invalid socket type"), answers.at(-1));
    await peer.untilClosed();
    await exchange();
  });

  it("that comes and goes at once, a hundred times, leaves no trace", async () => {
    await servedDuring((async () => {
      for (let i = 0; i < 100; i++) (await dial(pull.lastEndpoint!)).destroy();
    })());
  });

  it("is not alone: two hundred half-open connections do not keep others out", async () => {
    pull.handshakeInterval = 30_000;
    const peers: RawConnection[] = [];
    await servedDuring((async () => {
      for (let i = 0; i < 200; i++) {
        const peer = await stranger();
        if (i % 2 === 0) peer.send(greeting().subarray(0, i % 64));
        peers.push(peer);
      }
    })());
    assert(peers.every((peer) => !peer.isClosed));
  });
});

describe("a peer past its handshake", () => {
  beforeEach(openPull);
  afterEach(() => cleanup.run());

  const faults: Readonly<Record<string, Uint8Array>> = {
    "announces a body of 2^63 octets": longHeader(2n ** 63n),
    "announces a body of 2^64 - 1 octets": longHeader(2n ** 64n - 1n),
    "announces a body of 2^53 octets": longHeader(2n ** 53n),
    "announces a body of 2^31 octets": longHeader(2n ** 31n),
    "announces such a body among other frames": concat(
      frame("first", true),
      longHeader(2n ** 63n, MORE),
    ),
    "sets flags that nobody knows": octets(0x80, 1, 0x78),
    "sets all flags": octets(0xff, 1, 0x78),
    "sends a command with more to come": octets(COMMAND | MORE, 5, 4, 0x50, 0x49, 0x4e, 0x47),
    "sends a command of a megabyte": concat(
      longHeader(1_000_000n, COMMAND),
      new Uint8Array(1_000_000),
    ),
    "sends a command without a name": octets(COMMAND, 0),
    "sends a command whose name is longer than it": octets(COMMAND, 2, 9, 0x50),
    "sends a PING without a time to live": command("PING"),
    "sends a PING with too long a context": ping("x".repeat(17)),
    "sends noise": concat(octets(0x55), noise(5_000)),
  };
  for (const [what, sent] of Object.entries(faults)) {
    it(`that ${what} is thrown out; what it sent before is delivered`, async () => {
      const peer = await insider();
      peer.send(message("good", "one"), sent);
      assertFrames(await pull.receive(), ["good", "one"]);
      await servedDuring(peer.untilClosed());
    });
  }

  const halves: Readonly<Record<string, Uint8Array>> = {
    "within a header": octets(LONG, 0, 0),
    "within a short body": concat(octets(0, 10), utf8("half")),
    "within a long body": concat(longHeader(100_000n), new Uint8Array(50_000)),
    "within a very long body": concat(longHeader(20_000_000n), new Uint8Array(5_000_000)),
    "between two frames of a message": frame("first of two", true),
    "after many frames of a message": concat(
      ...Array.from({ length: 50 }, (_, i) => frame("x".repeat(10 * i), true)),
    ),
    "between a long frame and the next": concat(
      longHeader(100_000n, MORE),
      new Uint8Array(100_000),
    ),
    "within the body of a last frame": concat(frame("first", true), octets(0, 10, 0x78)),
    "within a command": octets(COMMAND, 20, 4, 0x50),
  };
  for (const [where, sent] of Object.entries(halves)) {
    for (const way of ["closes", "resets"] as const) {
      it(`that ${way} ${where} has only its whole messages delivered`, async () => {
        const peer = await insider();
        await peer.flush(concat(message("whole", "one"), message("whole two"), sent));
        assertFrames(await pull.receive(), ["whole", "one"]);
        assertFrames(await pull.receive(), ["whole two"]);
        if (way === "closes") peer.end();
        else peer.destroy();
        await servedDuring(way === "closes" ? peer.untilClosed() : pause(20));
      });
    }
  }

  it("that announces 2^31 - 1 octets takes no more memory than it sends", async () => {
    const peer = await insider();
    const before = process.memoryUsage().rss;
    peer.send(longHeader(2n ** 31n - 1n), new Uint8Array(100_000));
    await servedDuring(pause(50));
    assertLess(process.memoryUsage().rss - before, 200_000_000);
    peer.destroy();
    await exchange();
  });

  it("that sends a frame above maxMessageSize is thrown out, and the one before is delivered", async () => {
    pull.maxMessageSize = 1_000;
    const peer = await insider();
    const largest = new Uint8Array(1_000);
    peer.send(message(largest), message("ok", largest), message(new Uint8Array(1_001)));
    assertFrames(await pull.receive(), [largest]);
    assertFrames(await pull.receive(), ["ok", largest]);
    await servedDuring(peer.untilClosed());
  });

  it("may send commands that nobody knows", async () => {
    const peer = await insider();
    peer.send(command("X"), command("SUBSCRIBE", utf8("a")), command("PONG", utf8("x")));
    peer.send(ready("PUSH"), message("fine"));
    assertFrames(await pull.receive(), ["fine"]);
    await servedDuring(pause(5));
    assert(!peer.isClosed);
  });

  it("has its PINGs answered, also between the frames of a message", async () => {
    const peer = await insider();
    peer.send(ping("a"), frame("1", true), ping("sixteen octets !"), frame("2"), ping(""));
    assertFrames(await pull.receive(), ["1", "2"]);
    for (const context of ["a", "sixteen octets !", ""]) {
      const { body, command: isCommand } = await takeFrame(peer);
      assert(isCommand);
      assertFrames([body], [`\x04PONG${context}`]);
    }
  });

  it("that floods PINGs and reads no answer takes no memory, and does not stop the others", async () => {
    const peer = await insider();
    peer.pause();
    const pings = concat(...Array.from({ length: 5_000 }, (_, i) => ping(String(i))));
    const before = process.memoryUsage().rss;
    await servedDuring((async () => {
      for (let i = 0; i < 100; i++) {
        // It may be stopped from sending; that is as good.
        await Promise.race([peer.flush(pings), pause(100)]);
        if (peer.isClosed) break;
      }
    })());
    assertLess(process.memoryUsage().rss - before, 200_000_000);
  });

  it("that sends a message without an end does not stop the others", async () => {
    const peer = await insider();
    const frames = concat(...Array.from({ length: 1_000 }, () => frame("x".repeat(50), true)));
    await servedDuring((async () => {
      for (let i = 0; i < 50; i++) await peer.flush(frames);
    })());
    peer.destroy();
    await servedDuring(pause(5));
  });

  it("that sends to a PUSH is not listened to, and gets its messages all the same", async () => {
    const push = cleanup.add(new Push());
    await push.bind(ANY_PORT);
    const peer = cleanup.add(await connectAs(push.lastEndpoint!, "PULL"));
    const before = process.memoryUsage().rss;
    const junk = concat(...Array.from({ length: 100 }, () => message(new Uint8Array(10_000))));
    for (let i = 0; i < 100; i++) await within(peer.flush(junk), 5_000, `junk ${i}`);
    await push.send("for you");
    assertFrames(await takeMessage(peer), ["for you"]);
    assertLess(process.memoryUsage().rss - before, 150_000_000);
  });

  it("that closes its side has everything delivered that it sent", async () => {
    const peer = await insider();
    for (let i = 0; i < 100; i++) peer.send(message(String(i), new Uint8Array(10_000)));
    peer.end();
    for (let i = 0; i < 100; i++) {
      const [number, body] = await pull.receive();
      assertEquals([String(number), body.length], [String(i), 10_000]);
    }
    await servedDuring(peer.untilClosed());
  });
});

describe("a ROUTER", () => {
  afterEach(() => cleanup.run());

  it("throws a peer out whose routing id is too long", async () => {
    const router = cleanup.add(new Router(RECEIVES));
    await router.bind(ANY_PORT);
    const peer = cleanup.add(await dial(router.lastEndpoint!));
    peer.send(greeting(), ready("DEALER", "x".repeat(256)), message("no"));
    await peer.untilClosed();
    const other = cleanup.add(await connectAs(router.lastEndpoint!, "DEALER", "y".repeat(255)));
    other.send(message("yes"));
    assertFrames(await router.receive(), ["y".repeat(255), "yes"]);
  });
});

describe("a REP", () => {
  afterEach(() => cleanup.run());

  it("serves the next request when a requester dies in the middle of one", async () => {
    const reply = cleanup.add(new Reply(RECEIVES));
    await reply.bind(ANY_PORT);
    const peer = cleanup.add(await connectAs(reply.lastEndpoint!, "REQ"));
    await peer.flush(concat(frame("", true), frame("half", true)));
    peer.destroy();
    const request = cleanup.add(new Request(RECEIVES));
    request.connect(reply.lastEndpoint!);
    await request.send("whole");
    assertFrames(await reply.receive(), ["whole"]);
    await reply.send("answer");
    assertFrames(await request.receive(), ["answer"]);
  });
});

describe("a server", () => {
  afterEach(() => cleanup.run());

  /** A PUSH with a hostile peer, connected first, and a healthy one. */
  async function openPush(server: RawServer): Promise<void> {
    pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind(ANY_PORT);
    healthy = cleanup.add(
      new Push({ reconnectInterval: 10, handshakeInterval: HANDSHAKE_MS, immediate: true }),
    );
    healthy.connect(server.endpoint);
    healthy.connect(pull.lastEndpoint!);
  }

  const servers: Readonly<Record<string, Uint8Array>> = {
    "speaks HTTP": utf8("HTTP/1.1 400 Bad Request\r\n\r\n"),
    "sends noise": noise(1_000),
    "is of the wrong type": concat(greeting(), ready("PUSH")),
    "sends an ERROR": concat(greeting(), command("ERROR", concat(octets(2), utf8("no")))),
  };
  for (const [what, sent] of Object.entries(servers)) {
    it(`that ${what} is given up for good, and the others get the messages`, async () => {
      const server = cleanup.add(await RawServer.listen());
      await openPush(server);
      const connection = await server.accept();
      connection.send(sent);
      await connection.untilClosed();
      for (let i = 0; i < 20; i++) await exchange();
      await pause(50);
      assertEquals(server.count, 1);
    });
  }

  it("that breaks the protocol leaves what it was to get to the others", async () => {
    const server = cleanup.add(await RawServer.listen());
    const push = cleanup.add(new Push());
    push.connect(server.endpoint);
    for (let i = 0; i < 10; i++) await push.send(String(i));
    (await server.accept()).send(utf8("HTTP/1.1 400 Bad Request\r\n\r\n"));
    pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind(ANY_PORT);
    push.connect(pull.lastEndpoint!);
    const texts: string[] = [];
    while (texts.length < 10) texts.push(String((await pull.receive())[0]));
    assertEquals(texts.sort(), Array.from({ length: 10 }, (_, i) => String(i)));
  });

  it("that stalls is left after handshakeInterval and tried again", async () => {
    const server = cleanup.add(await RawServer.listen());
    await openPush(server);
    const first = await server.accept();
    await first.untilClosed();
    const second = await server.accept();
    second.send(greeting().subarray(0, 20));
    await second.untilClosed();
    for (let i = 0; i < 20; i++) await exchange();
    const third = await server.accept();
    await shakeHands(third, "PULL");
    const sending = healthy.send("round");
    await healthy.send("robin");
    await sending;
    assertEquals((await takeMessage(third)).length, 1);
  });

  it("that closes at once is tried again and again", async () => {
    const server = cleanup.add(await RawServer.listen());
    await openPush(server);
    for (let i = 0; i < 5; i++) (await server.accept()).destroy();
    await exchange();
    await eventually(() => server.count > 5);
  });

  it("that closes in the middle of a message has it dropped", async () => {
    const server = cleanup.add(await RawServer.listen());
    pull = cleanup.add(new Pull({ reconnectInterval: 10, ...RECEIVES }));
    pull.connect(server.endpoint);
    const first = await server.accept();
    await shakeHands(first, "PUSH");
    await first.flush(concat(message("whole"), frame("half", true)));
    assertFrames(await pull.receive(), ["whole"]);
    first.destroy();
    const second = await server.accept();
    await shakeHands(second, "PUSH");
    const receiving = pull.receive();
    await staysPending(receiving, 30, "a receive without a message");
    second.send(message("next"));
    assertFrames(await receiving, ["next"]);
  });
});
