// When a lost or refused connection is tried for again: reconnectInterval, reconnectMaxInterval, reconnectStop.

import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Push } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { pause } from "../_util/deadline.ts";
import { codeOf, EventLog } from "../_util/event_log.ts";
import { fill } from "../_util/filling.ts";
import { freeEndpoint } from "../_util/ports.ts";
import { type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { greeting, shakeHands, takeMessage } from "../_util/raw_zmtp.ts";

const cleanup = new Cleanup();
/** So long nothing happens where nothing may happen. */
const QUIET_MS = 250;
/** What a busy machine may add to a wait, and what a timer may take off each. */
const LATE_MS = 3_000;
const EARLY_MS = 2;

type PushOptions = ConstructorParameters<typeof Push>[0];

function open(options: PushOptions): [Push, EventLog] {
  const push = cleanup.add(new Push(options));
  return [push, new EventLog(push)];
}

/** Fails if the socket makes an attempt within a while. */
async function staysAway(log: EventLog): Promise<void> {
  const attempts = log.of("connect:delay").length;
  await pause(QUIET_MS);
  assertEquals(log.of("connect:delay").length, attempts, log.types.join());
}

describe("reconnectInterval", () => {
  afterEach(() => cleanup.run());

  it("is the least wait between two attempts, and not quite twice as much the longest", async () => {
    const [push, log] = open({ reconnectInterval: 30 });
    const endpoint = await freeEndpoint();
    const start = performance.now();
    push.connect(endpoint);
    await log.nth("connect:delay", 11);
    const retries = log.of("connect:retry").slice(0, 10);
    const intervals = retries.map(({ interval }) => interval);
    for (const interval of intervals) assert(interval >= 30 && interval <= 60, String(intervals));
    assertGreater(new Set(intervals).size, 1, "the waits are not random");
    // All waits together: when a busy process hears of an event, the next wait may be half over.
    let waits = 0;
    for (const [i, { interval }] of retries.entries()) {
      waits += interval;
      const passed = log.of("connect:delay")[i + 1].at - start;
      assertGreaterOrEqual(passed, waits - EARLY_MS * (i + 1));
      assertLess(passed, waits + LATE_MS);
    }
  });

  it("of another length is told and kept as well", async () => {
    const [push, log] = open({ reconnectInterval: 120 });
    const endpoint = await freeEndpoint();
    const start = performance.now();
    push.connect(endpoint);
    const { interval } = await log.nth("connect:retry");
    assert(interval >= 120 && interval <= 240, String(interval));
    const next = await log.nth("connect:delay", 2);
    assertGreaterOrEqual(next.at - start, interval - EARLY_MS);
  });

  it("of -1 gives up after an attempt that failed", async () => {
    const [push, log] = open({ reconnectInterval: -1 });
    push.connect(await freeEndpoint());
    assertEquals(codeOf(await log.nth("close")), "ECONNREFUSED");
    await staysAway(log);
    assertEquals(log.of("connect:retry"), []);
  });

  it("of -1 gives up a peer whose connection was lost", async () => {
    const server = cleanup.add(await RawServer.listen());
    const [push, log] = open({ reconnectInterval: -1 });
    push.connect(server.endpoint);
    const connection = await server.accept();
    await shakeHands(connection, "PULL");
    await log.nth("handshake");
    connection.destroy();
    await log.nth("disconnect");
    await staysAway(log);
    assertEquals([server.count, log.of("connect:retry")], [1, []]);
  });

  it("is waited after a connection was lost, too", async () => {
    const server = cleanup.add(await RawServer.listen());
    const [push, log] = open({ reconnectInterval: 40 });
    push.connect(server.endpoint);
    for (let round = 1; round <= 3; round++) {
      const connection = await server.accept();
      await shakeHands(connection, "PULL");
      await log.nth("handshake", round);
      const start = performance.now();
      connection.destroy();
      const { interval } = await log.nth("connect:retry", round);
      const next = await log.nth("connect:delay", round + 1);
      assertGreaterOrEqual(next.at - start, interval - EARLY_MS);
    }
  });
});

describe("reconnectMaxInterval", () => {
  afterEach(() => cleanup.run());

  it("lets the wait grow with each attempt that fails, and no further", async () => {
    const [push, log] = open({ reconnectInterval: 4, reconnectMaxInterval: 32 });
    push.connect(await freeEndpoint());
    await log.nth("connect:retry", 24, 10_000);
    const intervals = log.of("connect:retry").map(({ interval }) => interval);
    for (const [i, interval] of intervals.entries()) {
      assertGreaterOrEqual(interval, 4);
      assertLessOrEqual(interval, Math.min(32, 4 * 2 ** (i + 1)), `wait ${i}: ${intervals}`);
    }
    assertGreater(Math.max(...intervals), 8, `never grew: ${intervals}`);
  });

  it("starts over once a connection stood", async () => {
    const server = await RawServer.listen();
    const [push, log] = open({ reconnectInterval: 4, reconnectMaxInterval: 1_000 });
    const { endpoint } = server;
    server.close();
    push.connect(endpoint);
    await log.nth("connect:retry", 5, 10_000);
    const again = cleanup.add(await RawServer.listen(endpoint));
    const connection = await again.accept();
    await shakeHands(connection, "PULL");
    await log.nth("handshake");
    const before = log.of("connect:retry").length;
    connection.destroy();
    assertLessOrEqual((await log.nth("connect:retry", before + 1)).interval, 8);
  });

  it("below reconnectInterval does not count", async () => {
    const [push, log] = open({ reconnectInterval: 20, reconnectMaxInterval: 5 });
    push.connect(await freeEndpoint());
    await log.nth("connect:retry", 4);
    for (const { interval } of log.of("connect:retry")) {
      assert(interval >= 20 && interval <= 40, String(interval));
    }
  });
});

/** Something that goes wrong in every handshake. */
const BAD_HANDSHAKES: readonly (readonly [what: string, spoil: (peer: RawConnection) => void])[] = [
  ["closes at once", (peer) => peer.destroy()],
  ["closes after its greeting", (peer) => {
    peer.send(greeting());
    peer.end();
  }],
  ["says nothing until handshakeInterval is over", () => {}],
];

describe("reconnectStop", () => {
  afterEach(() => cleanup.run());

  const quick = { reconnectInterval: 10, handshakeInterval: 60 } as const;

  for (const value of [["refused"], "refused", ["handshakeFailed", "refused"]] as const) {
    it(`of ${JSON.stringify(value)} gives up where nobody listens`, async () => {
      const [push, log] = open({ ...quick, reconnectStop: value as ["refused"] });
      const endpoint = await freeEndpoint();
      push.connect(endpoint);
      assertEquals(codeOf(await log.nth("close")), "ECONNREFUSED");
      const server = cleanup.add(await RawServer.listen(endpoint));
      await staysAway(log);
      assertEquals([server.count, log.of("connect:retry")], [0, []]);
    });
  }

  for (const value of [null, [], ["handshakeFailed"], ["afterDisconnect"]] as const) {
    it(`of ${JSON.stringify(value)} tries again where nobody listens`, async () => {
      const [push, log] = open({ ...quick, reconnectStop: value as null });
      push.connect(await freeEndpoint());
      await log.nth("connect:delay", 4);
    });
  }

  for (const [what, spoil] of BAD_HANDSHAKES) {
    it(`of ["handshakeFailed"] gives a peer up that ${what}`, async () => {
      const server = cleanup.add(await RawServer.listen());
      const [push, log] = open({ ...quick, reconnectStop: ["handshakeFailed"] });
      push.connect(server.endpoint);
      spoil(await server.accept());
      await log.nth("handshake:error:other");
      await staysAway(log);
      assertEquals([server.count, log.of("connect:retry")], [1, []]);
    });

    it(`of ["refused"] tries a peer again that ${what}`, async () => {
      const server = cleanup.add(await RawServer.listen());
      const [push, log] = open({ ...quick, reconnectStop: ["refused"] });
      push.connect(server.endpoint);
      for (let round = 1; round <= 4; round++) {
        spoil(await server.accept());
        await log.nth("handshake:error:other", round);
      }
    });
  }

  it('of ["handshakeFailed"] tries again when a peer is lost later on', async () => {
    const server = cleanup.add(await RawServer.listen());
    const [push, log] = open({ ...quick, reconnectStop: ["handshakeFailed", "refused"] });
    push.connect(server.endpoint);
    for (let round = 1; round <= 3; round++) {
      const connection = await server.accept();
      await shakeHands(connection, "PULL");
      await log.nth("handshake", round);
      connection.destroy();
    }
    assertEquals(log.of("handshake:error:other"), []);
  });

  it('of ["afterDisconnect"] makes no attempt after disconnect', async () => {
    const [push, log] = open({ ...quick, reconnectStop: ["afterDisconnect"] });
    const endpoint = await freeEndpoint();
    push.connect(endpoint);
    await push.send("waits for somebody");
    await log.nth("connect:retry", 3);
    push.disconnect(endpoint);
    const server = cleanup.add(await RawServer.listen(endpoint));
    await staysAway(log);
    assertEquals(server.count, 0);
  });

  for (const value of [null, ["afterDisconnect"]] as const) {
    const does = value === null ? "goes back" : "does not go back";
    it(`of ${JSON.stringify(value)} ${does} with what a peer did not take before disconnect`, async () => {
      const server = cleanup.add(await RawServer.listen());
      const [push, log] = open({ ...quick, reconnectStop: value as null, sendHighWaterMark: 20 });
      push.connect(server.endpoint);
      const deaf = await server.accept();
      await shakeHands(deaf, "PULL");
      deaf.pause();
      await log.nth("handshake");
      await fill(push, ["x", new Uint8Array(100_000)]);
      push.disconnect(server.endpoint);
      deaf.destroy();
      await log.nth("disconnect");
      if (value !== null) {
        await staysAway(log);
        assertEquals(server.count, 1);
        return;
      }
      const next = await server.accept();
      await shakeHands(next, "PULL");
      assertEquals((await takeMessage(next)).map((frame) => frame.length), [1, 100_000]);
    });
  }
});
