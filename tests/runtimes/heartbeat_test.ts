// Heartbeats on the wire, octet for octet, with peers that are nothing but a connection; and when silence must not end one.

import { assertEquals, assertGreater } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull, Push, type Socket } from "../../mod.ts";
import { assertFrames, toHex, utf8 } from "../_util/bytes.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { concat, pattern } from "../_util/octets.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { dial, type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { oldGreeting } from "../_util/raw_subscriptions.ts";
import {
  command,
  connectAs,
  frame,
  greeting,
  message,
  ping,
  ready,
  shakeHands,
  takeFrame,
  takeMessage,
} from "../_util/raw_zmtp.ts";
import { LEGAL_PEERS } from "../_util/session_pair.ts";
import { vector } from "../_util/vectors.ts";
import { WIRE_CLASSES } from "../_util/wire_classes.ts";

const cleanup = new Cleanup();

/** Our class and the type of a peer for each type of socket. */
const PAIRS: readonly (readonly [new () => Socket, string])[] = Object.entries(WIRE_CLASSES)
  .map(([type, Type]) => [Type, LEGAL_PEERS[type as SocketType][0]]);

/** What makes a live peer look dead quickly, were it not for what the test is about. */
const STRICT = { heartbeatInterval: 40, heartbeatTimeout: 120, receiveTimeout: 5_000 } as const;

const SLICE = 64 * 1024;

/** A bound PULL, its events, and a peer that has shaken hands. */
async function joined(
  options: ConstructorParameters<typeof Pull>[0],
): Promise<{ pull: Pull; log: EventLog; peer: RawConnection }> {
  const pull = cleanup.add(new Pull(options));
  const log = new EventLog(pull);
  await pull.bind(ANY_PORT);
  const peer = cleanup.add(await connectAs(pull.lastEndpoint!, "PUSH"));
  await eventually(() => log.types.includes("handshake"));
  return { pull, log, peer };
}

/** Answers PINGs for as long as the connection is there; how many there were. */
function answer(peer: RawConnection): () => number {
  let count = 0;
  const run = async (): Promise<void> => {
    while (!peer.isClosed) {
      if (peer.available === 0) {
        await pause(2);
        continue;
      }
      const { body, command: isCommand } = await takeFrame(peer);
      if (!isCommand || body[2] !== "I".charCodeAt(0)) continue;
      count++;
      peer.send(command("PONG", body.subarray(7)));
    }
  };
  run().catch(() => {}); // the connection ended within a frame
  return () => count;
}

function pingFor(tenths: number): Uint8Array {
  return command("PING", Uint8Array.of(tenths >> 8, tenths & 255));
}

/** Lets nothing else run for a while. */
function compute(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe("a heartbeat's octets", () => {
  afterEach(() => cleanup.run());

  it("are PING with a time of 0 and no context (GV-C-16)", async () => {
    const { peer } = await joined({ heartbeatInterval: 20, heartbeatTimeout: 0 });
    const expected = vector("GV-C-16");
    for (let i = 0; i < 3; i++) assertEquals(await peer.take(expected.length), expected);
  });

  it("carry heartbeatTimeToLive (GV-C-14)", async () => {
    const { peer } = await joined({
      heartbeatInterval: 20,
      heartbeatTimeout: 0,
      heartbeatTimeToLive: 1_000,
    });
    const [flags, size, ...rest] = vector("GV-C-14").subarray(0, -1); // it has a context of one octet
    assertEquals([...await peer.take(9)], [flags, size - 1, ...rest]);
  });

  it("are sent by every type of socket, in either role", async () => {
    for (const [Type, peerType] of PAIRS) {
      const [binds, connects] = [cleanup.add(new Type()), cleanup.add(new Type())];
      for (const socket of [binds, connects]) socket.heartbeatInterval = 20;
      await binds.bind(ANY_PORT);
      const server = cleanup.add(await RawServer.listen());
      connects.connect(server.endpoint);
      const accepted = await server.accept();
      await shakeHands(accepted, peerType);
      for (const peer of [cleanup.add(await connectAs(binds.lastEndpoint!, peerType)), accepted]) {
        assertEquals(toHex(await peer.take(9)), toHex(vector("GV-C-16")), Type.name);
      }
    }
  });

  for (const [question, expected] of [["14", "15"], ["16", "17"]] as const) {
    it(`answer GV-C-${question} with GV-C-${expected}, whatever the type of socket`, async () => {
      for (const [Type, peerType] of PAIRS) {
        const socket = cleanup.add(new Type());
        await socket.bind(ANY_PORT);
        const peer = cleanup.add(await connectAs(socket.lastEndpoint!, peerType));
        peer.send(vector(`GV-C-${question}`));
        const octets = vector(`GV-C-${expected}`);
        assertEquals(toHex(await peer.take(octets.length)), toHex(octets), Type.name);
      }
    });
  }

  it("answer a context of 16 octets with the same (GV-C-18)", async () => {
    const { peer } = await joined({});
    peer.send(vector("GV-C-18"));
    const expected = command("PONG", utf8("0123456789abcdef"));
    assertEquals(await peer.take(expected.length), expected);
  });

  it("are in order: each PING has its PONG", async () => {
    const { peer } = await joined({});
    const contexts = Array.from({ length: 50 }, (_, i) => pattern(i % 17, i));
    peer.send(...contexts.map((context) => command("PING", concat(Uint8Array.of(0, 0), context))));
    for (const context of contexts) {
      const { body } = await takeFrame(peer);
      assertEquals(toHex(body), toHex(concat(Uint8Array.of(4), utf8("PONG"), context)));
    }
  });

  it("do not come before the end of the handshake", async () => {
    const pull = cleanup.add(new Pull({ ...STRICT, heartbeatInterval: 10 }));
    await pull.bind(ANY_PORT);
    const peer = cleanup.add(await dial(pull.lastEndpoint!));
    peer.send(greeting());
    await peer.take(greeting().length);
    await takeFrame(peer); // its READY
    await pause(100);
    assertEquals(peer.available, 0);
    peer.send(ready("PUSH"));
    assertEquals(await peer.take(9), vector("GV-C-16"));
  });
});

describe("a peer that speaks ZMTP 3.0", () => {
  afterEach(() => cleanup.run());

  /** As `joined`, with a peer of the older version. */
  async function joinedByOld(): Promise<{ pull: Pull; log: EventLog; peer: RawConnection }> {
    const pull = cleanup.add(new Pull({ ...STRICT, heartbeatTimeToLive: 1_000 }));
    const log = new EventLog(pull);
    await pull.bind(ANY_PORT);
    const peer = cleanup.add(await dial(pull.lastEndpoint!));
    peer.send(oldGreeting(), ready("PUSH"));
    await peer.take(greeting().length);
    await takeFrame(peer);
    await eventually(() => log.types.includes("handshake"));
    return { pull, log, peer };
  }

  it("gets no PING, and may be silent", async () => {
    const { pull, log, peer } = await joinedByOld();
    await pause(350);
    assertEquals([peer.available, peer.isClosed], [0, false]);
    peer.send(message("late"));
    assertFrames(await pull.receive(), ["late"]);
    assertEquals(log.of("disconnect"), []);
  });

  it("has its own PINGs answered (ZMTP30-HB-01)", async () => {
    const { peer } = await joinedByOld();
    peer.send(ping("old"));
    assertEquals(await takeFrame(peer).then(({ body }) => toHex(body)), toHex(utf8("\x04PONGold")));
  });
});

describe("a peer is alive", () => {
  afterEach(() => cleanup.run());

  it("when it answers PINGs and says nothing else", async () => {
    const { log, peer } = await joined(STRICT);
    const answered = answer(peer);
    await eventually(() => answered() >= 10);
    assertEquals(log.of("disconnect"), []);
  });

  it("when it answers what was not asked (ZMTP31-HB-13)", async () => {
    const { pull, log, peer } = await joined(STRICT);
    for (let i = 0; i < 15; i++) {
      peer.send(command("PONG", utf8("unknown")));
      await pause(20);
    }
    peer.send(message("still here"));
    assertFrames(await pull.receive(), ["still here"]);
    assertEquals(log.of("disconnect"), []);
  });

  it("when a frame of it comes octet by octet", async () => {
    const { pull, log, peer } = await joined(STRICT);
    for (const octet of frame("fifteen, slowly")) {
      peer.send(Uint8Array.of(octet));
      await pause(20);
    }
    assertFrames(await pull.receive(), ["fifteen, slowly"]);
    assertEquals(log.of("disconnect"), []);
  });

  it("when each of its PINGs comes within the time of the one before", async () => {
    const { log, peer } = await joined({});
    for (let i = 0; i < 8; i++) {
      peer.send(pingFor(2));
      await pause(50);
    }
    assertEquals(log.of("disconnect"), []);
    await peer.untilClosed(); // these were the last
    await eventually(() => log.of("disconnect").length === 1);
  });

  it("while nothing is read because of receiveHighWaterMark", async () => {
    const { pull, log, peer } = await joined({ ...STRICT, receiveHighWaterMark: 1 });
    const answered = answer(peer);
    const body = new Uint8Array(SLICE);
    for (let i = 0; i < 100; i++) peer.send(message(String(i), body));
    peer.send(pingFor(1));
    await eventually(() => log.types.includes("full:receive"));
    const before = answered();
    await pause(400);
    assertGreater(answered(), before + 3); // PINGs went on
    for (let i = 0; i < 100; i++) assertEquals(String((await pull.receive())[0]), String(i));
    assertEquals(log.of("disconnect"), []);
  });

  it("while this program takes its time with each message", async () => {
    const { pull, log, peer } = await joined({ ...STRICT, receiveHighWaterMark: 1 });
    answer(peer);
    const body = new Uint8Array(SLICE);
    for (let i = 0; i < 50; i++) peer.send(message(String(i), body));
    peer.send(pingFor(1));
    for (let i = 0; i < 50; i++) {
      assertEquals(String((await pull.receive())[0]), String(i));
      compute(15);
    }
    assertEquals(log.of("disconnect"), []);
  });
});

describe("a connection that a silent peer ended", () => {
  afterEach(() => cleanup.run());

  it("is dialled again, and its messages go to the next (ZMTP31-HB-10, ZMTP31-HB-08)", async () => {
    const server = cleanup.add(await RawServer.listen());
    const push = cleanup.add(
      new Push({ heartbeatInterval: 30, reconnectInterval: 10, sendTimeout: 5_000 }),
    );
    const log = new EventLog(push);
    push.connect(server.endpoint);
    const silent = await server.accept();
    await shakeHands(silent, "PULL");
    await silent.untilClosed();
    await push.send("kept");
    const next = await server.accept();
    await shakeHands(next, "PULL");
    assertFrames(await takeMessage(next), ["kept"]);
    const { error, address } = log.of("disconnect")[0];
    assertEquals(address, server.endpoint);
    assertEquals((error as Error & { code?: string }).code, "ETIMEDOUT");
    const order = log.types.filter((type) => /^(disconnect|connect:retry)$/.test(type));
    assertEquals(order.slice(0, 2), ["disconnect", "connect:retry"]);
  });

  it("by its time to live is dialled again too (ZMTP31-HB-10, ZMTP31-HB-09)", async () => {
    const server = cleanup.add(await RawServer.listen());
    const pull = cleanup.add(new Pull({ reconnectInterval: 10, receiveTimeout: 5_000 }));
    pull.connect(server.endpoint);
    const silent = await server.accept();
    await shakeHands(silent, "PUSH");
    silent.send(message("before"), pingFor(1));
    assertFrames(await pull.receive(), ["before"]);
    await silent.untilClosed();
    const next = await server.accept();
    await shakeHands(next, "PUSH");
    next.send(message("after"));
    assertFrames(await pull.receive(), ["after"]);
  });

  it("leaves the other peers alone", async () => {
    const { pull, peer: silent } = await joined(STRICT);
    const alive = cleanup.add(await connectAs(pull.lastEndpoint!, "PUSH"));
    const answered = answer(alive);
    await silent.untilClosed();
    await eventually(() => answered() >= 10);
    alive.send(message("alive"));
    assertFrames(await pull.receive(), ["alive"]);
    assertEquals(alive.isClosed, false);
  });
});
