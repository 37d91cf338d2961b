// Proxies that refuse, stall, break off or talk nonsense: the attempt ends with an error, and is made again.

import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertNotEquals,
} from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull, Push } from "../../mod.ts";
import { assertFrames, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, within } from "../_util/deadline.ts";
import { codeOf, EventLog } from "../_util/event_log.ts";
import { ANY_PORT, freeEndpoint } from "../_util/ports.ts";
import { type SocksOptions, SocksServer } from "../_util/socks_server.ts";

const cleanup = new Cleanup();

async function openPull(): Promise<Pull> {
  const pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
  await pull.bind(ANY_PORT);
  return pull;
}

interface Stage {
  readonly proxy: SocksServer;
  readonly push: Push;
  readonly log: EventLog;
}

async function through(
  options: SocksOptions,
  endpoint: string,
  more: ConstructorParameters<typeof Push>[0] = {},
): Promise<Stage> {
  const proxy = cleanup.add(await SocksServer.listen(options));
  const push = cleanup.add(
    new Push({ reconnectInterval: 10, sendTimeout: 5_000, socksProxy: proxy.address, ...more }),
  );
  const log = new EventLog(push);
  push.connect(endpoint);
  return { proxy, push, log };
}

describe("a proxy that refuses", () => {
  afterEach(() => cleanup.run());

  const codes: readonly (readonly [code: number, what: string])[] = [
    [1, "a general failure"],
    [2, "its rules"],
    [3, "an unreachable network"],
    [4, "an unreachable host"],
    [5, "a refused connection"],
    [6, "an expired time to live"],
    [7, "an unknown command"],
    [8, "an unknown kind of address"],
    [99, "a code that nobody knows"],
  ];
  for (const [refuseWith, what] of codes) {
    it(`because of ${what} is asked again`, async () => {
      const { proxy, log } = await through({ refuseWith }, "tcp://192.0.2.1:5555");
      const { error } = await log.nth("connect:retry", 2);
      assertInstanceOf(error, Error);
      assertEquals(log.of("handshake"), []);
      assertEquals(proxy.requests[0].target, { kind: "ipv4", host: "192.0.2.1", port: 5555 });
    });
  }

  it("because nobody listens there is asked until somebody does", async () => {
    const endpoint = await freeEndpoint();
    const { push, log } = await through({}, endpoint);
    await push.send("waits");
    await log.nth("connect:retry", 3);
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
    await pull.bind(endpoint);
    assertFrames(await pull.receive(), ["waits"]);
  });

  it("a target is given up with reconnectStop refused, as if it had refused itself", async () => {
    const { proxy, log } = await through({ refuseWith: 5 }, "tcp://192.0.2.1:5555", {
      reconnectStop: ["refused"],
    });
    assertEquals(codeOf(await log.nth("close")), "ECONNREFUSED");
    assertEquals([proxy.requests.length, log.of("connect:retry")], [1, []]);
  });

  it("does so with a reconnectInterval of -1 once", async () => {
    const { proxy, log } = await through({ refuseWith: 1 }, "tcp://192.0.2.1:5555", {
      reconnectInterval: -1,
    });
    await log.nth("close");
    assertEquals([proxy.requests.length, log.of("connect:retry")], [1, []]);
  });

  it("a name that it does not know is asked again", async () => {
    const { proxy, log } = await through({}, "tcp://unknown.example:5555");
    await log.nth("connect:retry", 2);
    assertEquals(proxy.requests[1].target?.host, "unknown.example");
  });
});

describe("a proxy that", () => {
  afterEach(() => cleanup.run());

  const credentials = { username: "u", password: "p" };
  const signedIn = { socksUsername: "u", socksPassword: "p" };
  const nonsense: readonly (readonly [what: string, octets: Uint8Array])[] = [
    ["SOCKS4", Uint8Array.of(0, 90, 0, 0, 0, 0, 0, 0)],
    ["version 4", Uint8Array.of(4, 0, 0, 1, 0, 0, 0, 0, 0, 0)],
    ["HTTP", utf8("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["zeros", new Uint8Array(300)],
    ["the highest octets", new Uint8Array(300).fill(0xff)],
  ];
  for (const instead of ["method", "password", "reply"] as const) {
    for (const [what, octets] of nonsense) {
      it(`answers with ${what} instead of its ${instead} is left and tried again`, async () => {
        const pull = await openPull();
        const { log, proxy } = await through(
          { garbage: { instead, octets }, credentials },
          pull.lastEndpoint!,
          { ...signedIn, connectTimeout: 2_000 },
        );
        const retry = await log.nth("connect:retry", 2);
        assertInstanceOf(retry.error, Error);
        assertNotEquals(codeOf(retry), "ETIMEDOUT", "it was not understood but waited for");
        assertEquals(log.of("handshake"), []);
        await eventually(() => proxy.open <= 1, 2_000, "the old connections are closed");
      });
    }

    it(`closes instead of sending its ${instead} is tried again`, async () => {
      const { log } = await through(
        { closesBefore: instead, credentials },
        (await openPull()).lastEndpoint!,
        signedIn,
      );
      await log.nth("connect:retry", 3);
      assertEquals(log.of("handshake"), []);
    });
  }

  it("chooses a method that was not offered is left", async () => {
    const octets = Uint8Array.of(5, 2);
    const { log } = await through(
      { garbage: { instead: "method", octets } },
      "tcp://192.0.2.1:5555",
      { connectTimeout: 2_000 },
    );
    assertNotEquals(codeOf(await log.nth("connect:retry", 2)), "ETIMEDOUT");
  });

  it("says nothing is left after connectTimeout", async () => {
    const start = performance.now();
    const { log, proxy } = await through({ silent: true }, "tcp://192.0.2.1:5555", {
      connectTimeout: 120,
    });
    const retry = await log.nth("connect:retry");
    assertEquals(codeOf(retry), "ETIMEDOUT");
    assertGreaterOrEqual(retry.at - start, 115);
    await log.nth("connect:retry", 3);
    await eventually(() => proxy.open <= 1, 2_000, "the old connections are closed");
  });

  it("is slower than connectTimeout is not waited for", async () => {
    const pull = await openPull();
    const { log } = await through({ delayMs: 400 }, pull.lastEndpoint!, { connectTimeout: 100 });
    assertEquals(codeOf(await log.nth("connect:retry", 2)), "ETIMEDOUT");
    assertEquals([log.of("handshake"), pull.readable], [[], false]);
  });

  it("is not there is tried for like any peer", async () => {
    const { push, log, proxy } = await through({}, "tcp://192.0.2.1:5555");
    proxy.close();
    const away = cleanup.add(new Push({ reconnectInterval: 10, socksProxy: proxy.address }));
    const theirs = new EventLog(away);
    away.connect("tcp://192.0.2.1:5555");
    assertEquals(codeOf(await theirs.nth("connect:retry", 2)), "ECONNREFUSED");
    await push.close();
    assert(log.of("handshake").length === 0);
  });

  it("says nothing does not hold up a close or a disconnect", async () => {
    const { push, proxy } = await through({ silent: true }, "tcp://192.0.2.1:5555", {
      linger: 0,
    });
    await eventually(() => proxy.open === 1);
    push.disconnect("tcp://192.0.2.1:5555");
    await eventually(() => proxy.open === 0, 2_000, "disconnect ends the attempt");
    push.connect("tcp://192.0.2.1:5556");
    await eventually(() => proxy.open === 1);
    await within(push.close(), 1_000, "close");
    await eventually(() => proxy.open === 0, 2_000, "close ends the attempt");
  });

  it("is no proxy at all but a ZeroMQ socket is left", async () => {
    const [other, pull] = [await openPull(), await openPull()];
    const socksProxy = other.lastEndpoint!.replace("tcp://", "");
    const push = cleanup.add(
      new Push({ reconnectInterval: 10, connectTimeout: 500, socksProxy }),
    );
    const log = new EventLog(push);
    push.connect(pull.lastEndpoint!);
    await log.nth("connect:retry", 2);
    assertEquals([log.of("handshake"), other.readable, pull.readable], [[], false, false]);
  });
});
