// heartbeatInterval, heartbeatTimeout and heartbeatTimeToLive, watched by a peer that is nothing but a connection.

import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull, Push, Stream } from "../../mod.ts";
import { assertFrames, textOf } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { pause, within } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { concat } from "../_util/octets.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { dial, type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { command, connectAs, message, shakeHands, takeFrame } from "../_util/raw_zmtp.ts";

const cleanup = new Cleanup();

interface Ping {
  /** Tenths of a second. */
  readonly timeToLive: number;
  readonly context: Uint8Array;
}

async function takePing(peer: RawConnection): Promise<Ping> {
  const { body, command } = await takeFrame(peer);
  assertEquals([command, textOf(body.subarray(1, 5)), body[0]], [true, "PING", 4]);
  return { timeToLive: body[5] * 256 + body[6], context: body.slice(7) };
}

function pong(peer: RawConnection, { context }: Ping): void {
  peer.send(command("PONG", context));
}

async function joined(options: ConstructorParameters<typeof Pull>[0]) {
  const pull = cleanup.add(new Pull({ receiveTimeout: 5_000, ...options }));
  const log = new EventLog(pull);
  await pull.bind(ANY_PORT);
  const start = performance.now();
  const peer = cleanup.add(await connectAs(pull.lastEndpoint!, "PUSH"));
  await log.nth("handshake");
  return { pull, log, peer, start };
}

describe("heartbeatInterval", () => {
  afterEach(() => cleanup.run());

  it("of 0 sends nothing", async () => {
    const { peer } = await joined({});
    await pause(300);
    assertEquals(peer.available, 0);
  });

  it("sends a PING so often, with a context that may be sent back", async () => {
    const { peer, log, start } = await joined({ heartbeatInterval: 50, heartbeatTimeout: 5_000 });
    for (let i = 0; i < 5; i++) {
      const ping = await takePing(peer);
      assert(ping.context.length <= 16);
      assertEquals(ping.timeToLive, 0);
      pong(peer, ping);
    }
    const took = performance.now() - start;
    assert(took >= 245 && took < 3_000, `${took} ms for five`);
    assertEquals(log.of("disconnect"), []);
  });

  it("of a socket that connects does the same", async () => {
    const server = cleanup.add(await RawServer.listen());
    const push = cleanup.add(new Push({ heartbeatInterval: 30, heartbeatTimeout: 5_000 }));
    push.connect(server.endpoint);
    const peer = await server.accept();
    await shakeHands(peer, "PULL");
    for (let i = 0; i < 3; i++) pong(peer, await takePing(peer));
  });
});

describe("heartbeats and handshakes", () => {
  afterEach(() => cleanup.run());

  it("are nothing to a STREAM: it sends nothing by itself, and waits for nothing", async () => {
    const stream = cleanup.add(
      new Stream({ heartbeatInterval: 20, heartbeatTimeout: 20, handshakeInterval: 20 }),
    );
    const log = new EventLog(stream);
    await stream.bind(ANY_PORT);
    const peer = cleanup.add(await dial(stream.lastEndpoint!));
    await log.nth("accept");
    await pause(250);
    assertEquals([peer.available, peer.isClosed, log.of("disconnect").length], [0, false, 0]);
  });

  it("are nothing to inproc: messages go as ever", async () => {
    const options = { heartbeatInterval: 10, heartbeatTimeout: 10, handshakeInterval: 10 };
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000, ...options }));
    const log = new EventLog(pull);
    await pull.bind("inproc://heartbeat");
    const push = cleanup.add(new Push(options));
    push.connect("inproc://heartbeat");
    await push.send("1");
    await pause(150);
    await push.send("2");
    assertFrames(await pull.receive(), ["1"]);
    assertFrames(await pull.receive(), ["2"]);
    assertEquals(log.of("disconnect"), []);
  });

  it("go on over ipc", async () => {
    const options = { heartbeatInterval: 15, heartbeatTimeout: 2_000 };
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000, ...options }));
    const log = new EventLog(pull);
    await pull.bind("ipc://*");
    const push = cleanup.add(new Push({ ...options, heartbeatTimeToLive: 2_000 }));
    push.connect(pull.lastEndpoint!);
    await push.send("1");
    assertFrames(await pull.receive(), ["1"]);
    const [{ bytesIn }] = pull.stats().peers;
    await pause(600);
    assertGreaterOrEqual(pull.stats().peers[0].bytesIn, bytesIn + 10 * 7);
    assertEquals(log.of("disconnect"), []);
  });
});

describe("heartbeatTimeToLive", () => {
  afterEach(() => cleanup.run());

  for (const [set, sent] of [[0, 0], [99, 0], [100, 1], [1_299, 12], [65_500, 655]] as const) {
    it(`of ${set} ms is sent as ${sent} tenths of a second`, async () => {
      const { peer } = await joined({
        heartbeatInterval: 20,
        heartbeatTimeout: 5_000,
        heartbeatTimeToLive: set,
      });
      assertEquals((await takePing(peer)).timeToLive, sent);
    });
  }

  it("of a peer ends its connection when it is silent for longer", async () => {
    const { peer, log } = await joined({});
    const start = performance.now();
    peer.send(command("PING", Uint8Array.of(0, 2)));
    await peer.untilClosed();
    const took = performance.now() - start;
    assert(took >= 195 && took < 3_000, `${took} ms`);
    assert((await log.nth("disconnect")).error instanceof Error);
  });

  it("of a peer is over with its next sign of life", async () => {
    const { pull, peer, log } = await joined({});
    peer.send(concat(command("PING", Uint8Array.of(0, 1)), message("alive")));
    assertFrames(await pull.receive(), ["alive"]);
    await pause(300);
    assertEquals([peer.isClosed, log.of("disconnect").length], [false, 0]);
  });
});

describe("heartbeatTimeout", () => {
  afterEach(() => cleanup.run());

  for (
    const [timeout, least, most] of [[-1, 95, 2_000], [300, 345, 3_000]] as const
  ) {
    it(`of ${timeout} ends the connection of a peer that does not answer`, async () => {
      const options = { heartbeatInterval: 50, heartbeatTimeout: timeout };
      const { peer, log, start } = await joined(options);
      await peer.untilClosed();
      const lost = await log.nth("disconnect");
      assertGreaterOrEqual(lost.at - start, least);
      assertLess(lost.at - start, most);
      assert(lost.error instanceof Error);
    });
  }

  it("is not reached while anything comes, be it no PONG", async () => {
    const { pull, peer, log } = await joined({ heartbeatInterval: 40, heartbeatTimeout: 500 });
    const until = performance.now() + 1_200;
    while (performance.now() < until) {
      peer.send(message("busy"));
      assertFrames(await pull.receive(), ["busy"]);
      await pause(20);
    }
    assertEquals([peer.isClosed, log.of("disconnect").length], [false, 0]);
  });

  it("ends a connection that is then made again", async () => {
    const server = cleanup.add(await RawServer.listen());
    const push = cleanup.add(
      new Push({ heartbeatInterval: 30, heartbeatTimeout: 60, reconnectInterval: 10 }),
    );
    push.connect(server.endpoint);
    const silent = await server.accept();
    await shakeHands(silent, "PULL");
    const next = await within(server.accept(), 2_000, "the second connection");
    await shakeHands(next, "PULL");
    assert(silent.isClosed);
  });
});
