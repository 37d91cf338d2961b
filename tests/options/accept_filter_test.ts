// tcpAcceptFilter: who may connect, told by address.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull, Push, Stream } from "../../mod.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { EventLog } from "../_util/event_log.ts";
import { ANY_PORT, portOf } from "../_util/ports.ts";
import { dial } from "../_util/raw_peer.ts";
import { hasIpv6 } from "../_util/system.ts";

type Filter = string | readonly string[] | null;

const cleanup = new Cleanup();

async function bound(filter: Filter, address: string = ANY_PORT, ipv6 = false) {
  const pull = cleanup.add(
    new Pull({ receiveTimeout: 5_000, tcpAcceptFilter: filter as string, ipv6 }),
  );
  const log = new EventLog(pull);
  await pull.bind(address);
  return { pull, log };
}

function connectFrom(source: string, endpoint: string): [Push, EventLog] {
  const push = cleanup.add(new Push({ reconnectInterval: 20, linger: 0 }));
  const log = new EventLog(push);
  push.connect(endpoint.replace("tcp://", `tcp://${source}:0;`));
  return [push, log];
}

/** A peer of that address is let in. */
async function accepted(pull: Pull, source: string, endpoint = pull.lastEndpoint!): Promise<void> {
  const [push] = connectFrom(source, endpoint);
  await push.send(source);
  assertFrames(await pull.receive(), [source]);
  await push.close();
}

/** A peer of that address is not, however often it tries. */
async function refused(
  pull: Pull,
  log: EventLog,
  source: string,
  endpoint = pull.lastEndpoint!,
): Promise<void> {
  const [push, theirs] = connectFrom(source, endpoint);
  const before = log.of("accept:error").length;
  const refusal = await log.nth("accept:error", before + 2);
  assertInstanceOf(refusal.error, Error);
  assertEquals(refusal.address, pull.lastEndpoint);
  await push.close();
  assertEquals([theirs.of("handshake"), pull.readable], [[], false]);
}

describe("tcpAcceptFilter", () => {
  afterEach(() => cleanup.run());

  const cases: readonly [filter: Filter, lets: readonly string[], others: readonly string[]][] = [
    [null, ["127.0.0.1", "127.0.0.2"], []],
    ["127.0.0.2", ["127.0.0.2"], ["127.0.0.1", "127.0.0.3"]],
    ["127.0.0.2/32", ["127.0.0.2"], ["127.0.0.1"]],
    ["127.0.0.0/30", ["127.0.0.1", "127.0.0.3"], ["127.0.0.4"]],
    ["127.0.0.3/30", ["127.0.0.1"], ["127.0.0.4"]],
    ["127.128.0.0/9", ["127.200.1.1"], ["127.0.0.1"]],
    ["0.0.0.0/0", ["127.0.0.1", "127.0.0.2"], []],
    ["10.0.0.0/8", [], ["127.0.0.1"]],
    ["::/0", [], ["127.0.0.1"]],
    [["127.0.0.2", "127.0.0.4/31"], ["127.0.0.2", "127.0.0.4", "127.0.0.5"], ["127.0.0.6"]],
    [["10.0.0.0/8", "::1", "127.0.0.1"], ["127.0.0.1"], ["127.0.0.2"]],
  ];
  for (const [filter, lets, others] of cases) {
    it(`of ${JSON.stringify(filter)} lets ${lets.join(" and ") || "nobody"} in`, async () => {
      const { pull, log } = await bound(filter);
      for (const source of lets) await accepted(pull, source);
      for (const source of others) await refused(pull, log, source);
      assertEquals(log.of("accept:error").length > 0, others.length > 0);
      if (lets.length > 0) await accepted(pull, lets[0]);
    });
  }

  it("closes the connections of others without a word", async () => {
    const { pull } = await bound("127.0.0.2");
    const stranger = cleanup.add(await dial(pull.lastEndpoint!));
    await stranger.untilClosed();
    assertEquals(stranger.available, 0);
  });

  it("sees the IPv4 address of a peer at a socket for both families", {
    ignore: !hasIpv6(),
  }, async () => {
    const { pull, log } = await bound("127.0.0.2/31", "tcp://*:*", true);
    const port = portOf(pull.lastEndpoint);
    await accepted(pull, "127.0.0.2", `tcp://127.0.0.1:${port}`);
    await refused(pull, log, "127.0.0.1", `tcp://127.0.0.1:${port}`);
    await refused(pull, log, "[::1]", `tcp://[::1]:${port}`);
  });

  it("takes networks of IPv6", { ignore: !hasIpv6() }, async () => {
    for (const filter of ["::1", "::/0", "::/127", ["fe80::/10", "::1/128"]]) {
      const { pull } = await bound(filter, "tcp://[::1]:*");
      await accepted(pull, "[::1]");
    }
    for (const filter of ["fe80::/10", "::2/127", "0.0.0.0/0", "1::/16"]) {
      const { pull, log } = await bound(filter, "tcp://[::1]:*");
      await refused(pull, log, "[::1]");
    }
  });

  it("counts for a STREAM too", async () => {
    const stream = cleanup.add(new Stream({ tcpAcceptFilter: "127.0.0.2", receiveTimeout: 5_000 }));
    const log = new EventLog(stream);
    await stream.bind(ANY_PORT);
    const stranger = cleanup.add(await dial(stream.lastEndpoint!));
    await stranger.untilClosed();
    await log.nth("accept:error");
    const friend = cleanup.add(new Stream());
    friend.connect(stream.lastEndpoint!.replace("tcp://", "tcp://127.0.0.2:0;"));
    assertEquals((await stream.receive())[1].length, 0);
    await log.nth("accept");
    assertEquals([stream.readable, log.of("accept").length], [false, 1]);
  });

  it("is cleared by null, for the next bind", async () => {
    const { pull, log } = await bound("10.0.0.0/8");
    await refused(pull, log, "127.0.0.1");
    await pull.unbind(pull.lastEndpoint!);
    pull.tcpAcceptFilter = null;
    await pull.bind(ANY_PORT);
    await accepted(pull, "127.0.0.1");
  });

  it("does not concern peers that the socket itself connects to", async () => {
    const { pull } = await bound(null);
    const push = cleanup.add(new Push({ tcpAcceptFilter: "10.0.0.0/8" }));
    push.connect(pull.lastEndpoint!);
    await push.send("x");
    assertFrames(await pull.receive(), ["x"]);
  });

  it("does not concern ipc and inproc", async () => {
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000, tcpAcceptFilter: "10.0.0.0/8" }));
    for (const address of ["ipc://*", "inproc://accept-filter"]) {
      await pull.bind(address);
      const push = cleanup.add(new Push());
      push.connect(pull.lastEndpoint!);
      await push.send(address);
      assertFrames(await pull.receive(), [address]);
    }
    assert(!pull.readable);
  });
});
