// The events of connecting: connect:delay, connect, connect:retry, and close for an attempt that failed.

import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Pull, Push } from "../../mod.ts";
import { anywhere, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { within } from "../_util/deadline.ts";
import { codeOf, EventLog, plain } from "../_util/event_log.ts";
import { freeEndpoint } from "../_util/ports.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { assertSays } from "../_util/rejection.ts";
import { ScriptedRuntime } from "../_util/scripted_runtime.ts";

const ATTEMPTS = 10;
/** Timers of the runtimes may be early by as much. */
const SLACK_MS = 2;
const cleanup = new Cleanup();

function open(options = {}): [Push, EventLog] {
  const push = cleanup.add(new Push({ linger: 0, ...options }));
  return [push, new EventLog(push)];
}

for (const transport of TRANSPORTS) {
  describe(`connecting by ${transport}`, () => {
    afterEach(() => cleanup.run());

    it("is told with the endpoint that was asked for", async () => {
      const pull = cleanup.add(new Pull());
      await pull.bind(anywhere(transport));
      const [push, log] = open();
      const address = pull.lastEndpoint!;
      push.connect(address);
      const event = await log.next("connect");
      assertEquals([event.type, event.address], ["connect", address]);
      await log.next("handshake");
      assertEquals(log.types, ["connect:delay", "connect", "handshake"]);
    });
  });
}

describe("connecting", () => {
  afterEach(() => cleanup.run());

  it("is told with the address of the peer, where names are resolved", async () => {
    const server = cleanup.add(await RawServer.listen());
    const [push, log] = open();
    const address = server.endpoint.replace("127.0.0.1", "localhost");
    push.connect(address);
    assertEquals(plain(await log.next("connect:delay")), { type: "connect:delay", address });
    assertEquals(plain(await log.next("connect")), {
      type: "connect",
      address,
      peerAddress: server.endpoint,
    });
  });

  it("to nobody is told with the wait and the reason, attempt by attempt", async () => {
    const address = await freeEndpoint();
    const [push, log] = open({ reconnectInterval: 30 });
    push.connect(address);
    await log.nth("connect:retry", 3);
    const attempt = ["connect:delay", "close", "connect:retry"];
    assertEquals(log.types.slice(0, 9), [...attempt, ...attempt, ...attempt]);
    assertEquals(plain(log.of("connect:delay")[1]), { type: "connect:delay", address });
    assertEquals(plain(log.of("close")[0]), { type: "close", address, error: "ECONNREFUSED" });
    for (const event of log.of("connect:retry")) {
      const { interval } = event;
      const type = "connect:retry";
      assertEquals(plain(event), { type, address, interval, error: "ECONNREFUSED" });
      assertGreaterOrEqual(interval, 30);
      assertLess(interval, 61, "the interval and as much again at random");
    }
  });

  it("waits as long as it told", async () => {
    const push = cleanup.add(new Push({ reconnectInterval: 50 }));
    const told: [type: string, at: number, interval: number][] = [];
    push.events.on("connect:delay", () => told.push(["delay", performance.now(), 0]));
    push.events.on("connect:retry", ({ interval }) => {
      told.push(["retry", performance.now(), interval]);
    });
    const enough = Promise.withResolvers<void>();
    push.events.on("connect:retry", () => told.length >= 6 && enough.resolve());
    push.connect(await freeEndpoint());
    await within(enough.promise, 5_000, "two waits");
    assertEquals(told.slice(0, 5).map(([type]) => type), [
      "delay",
      "retry",
      "delay",
      "retry",
      "delay",
    ]);
    for (const i of [1, 3]) {
      assertGreaterOrEqual(told[i + 1][1] - told[i][1], told[i][2] - SLACK_MS);
    }
  });

  it("waits longer from attempt to attempt, up to reconnectMaxInterval", async () => {
    const [push, log] = open({ reconnectInterval: 5, reconnectMaxInterval: 80 });
    push.connect(await freeEndpoint());
    await log.nth("connect:retry", ATTEMPTS, 10_000);
    const intervals = log.of("connect:retry").map(({ interval }) => interval);
    for (const [i, interval] of intervals.entries()) {
      assertGreaterOrEqual(interval, 5);
      assert(interval <= Math.min(5 * 2 ** (i + 1), 80), `attempt ${i}: ${interval} ms`);
    }
    // Without the maximum 10 would be the most.
    assertGreater(Math.max(...intervals), 10, intervals.join());
  });

  it("begins with short waits again after it worked", async () => {
    const address = await freeEndpoint();
    const [push, log] = open({ reconnectInterval: 5, reconnectMaxInterval: 2_000 });
    push.connect(address);
    await log.nth("connect:retry", 5, 10_000);
    const pull = cleanup.add(new Pull());
    await pull.bind(address);
    await log.next("handshake", 10_000);
    const { length } = log.of("connect:retry");
    await pull.close();
    const { interval } = await log.nth("connect:retry", length + 1);
    assert(interval <= 10, `${interval} ms`);
  });

  it("tells that the endpoint is given up when reconnectInterval is -1", async () => {
    const address = await freeEndpoint();
    const [push, log] = open({ reconnectInterval: -1 });
    push.connect(address);
    assertEquals(plain(await log.next("close")), { type: "close", address, error: "ECONNREFUSED" });
    await push.close();
    await log.over;
    assertEquals(log.types, ["connect:delay", "close", "end"]);
  });

  it("by ipc to nobody is told with the system's reason", async () => {
    const pull = new Pull();
    await pull.bind("ipc://*");
    const address = pull.lastEndpoint!;
    await pull.close();
    const [push, log] = open({ reconnectInterval: 20 });
    push.connect(address);
    const event = await log.next("connect:retry");
    assertEquals(event.address, address);
    assert(["ENOENT", "ECONNREFUSED"].includes(codeOf(event)!), event.error?.message);
  });

  it("is told no more when it was disconnected", async () => {
    const address = await freeEndpoint();
    const [push, log] = open({ reconnectInterval: 10 });
    push.connect(address);
    await log.next("connect:retry");
    push.disconnect(address);
    await log.next("close"); // the first attempt
    const { length } = log.of("connect:delay");
    await push.close();
    await log.over;
    assertEquals(log.of("connect:delay").length, length);
    assertEquals(log.types.at(-1), "end");
  });
});

describe("the reason why connecting failed", () => {
  afterEach(() => cleanup.run());

  function scripted(options = {}): [Push, EventLog, ScriptedRuntime] {
    const runtime = new ScriptedRuntime();
    const [push, log] = open({
      context: new Context({ runtime }),
      reconnectInterval: 1,
      ...options,
    });
    return [push, log, runtime];
  }

  for (const code of ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EACCES"]) {
    it(`is the system's: ${code}`, async () => {
      const [push, log, runtime] = scripted();
      push.connect("tcp://10.0.0.1:5555");
      await log.next("connect:delay");
      await runtime.attempts[0].fail(code);
      const event = await log.next("connect:retry");
      assertEquals([event.address, codeOf(event)], ["tcp://10.0.0.1:5555", code]);
      assertEquals(codeOf(await log.next("close")), code);
    });
  }

  it("is that the name is unknown", async () => {
    const [push, log] = scripted();
    push.connect("tcp://nowhere.invalid:5555");
    const event = await log.next("connect:retry");
    assertEquals([event.address, codeOf(event)], ["tcp://nowhere.invalid:5555", "EINVAL"]);
    assertSays(event.error!, "Cannot resolve", "nowhere.invalid");
  });

  it("is that it took longer than connectTimeout", async () => {
    const [push, log] = scripted({ connectTimeout: 20 });
    push.connect("tcp://10.0.0.1:5555");
    const event = await log.next("connect:retry");
    assertEquals(codeOf(event), "ETIMEDOUT");
    assertSays(event.error!, "20 ms");
  });

  it("is that the system connected the socket to itself", async () => {
    const [push, log, runtime] = scripted();
    push.connect("tcp://127.0.0.1:5555");
    await log.next("connect:delay");
    const self = { host: "127.0.0.1", port: 5555 };
    await runtime.attempts[0].succeed({ local: self, remote: self });
    const event = await log.next("connect:retry");
    assert(event.error instanceof Error);
    assertEquals(log.of("connect"), [], "that is no connection");
  });
});
