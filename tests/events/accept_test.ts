// The events of a connection that comes in: accept, and accept:error.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  type Accepted,
  Context,
  type HostPort,
  type Listener,
  type ListenOptions,
  Pull,
  Push,
} from "../../mod.ts";
import { anywhere, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { EventLog, plain } from "../_util/event_log.ts";
import { freeEndpoint } from "../_util/ports.ts";
import { dial } from "../_util/raw_peer.ts";
import { connectAs } from "../_util/raw_zmtp.ts";
import { assertSays } from "../_util/rejection.ts";
import { ScriptedRuntime, systemError } from "../_util/scripted_runtime.ts";

const cleanup = new Cleanup();

async function openPull(address: string, options = {}): Promise<[Pull, EventLog, string]> {
  const pull = cleanup.add(new Pull(options));
  const log = new EventLog(pull);
  await pull.bind(address);
  return [pull, log, pull.lastEndpoint!];
}

for (const transport of TRANSPORTS) {
  describe(`a connection that comes in by ${transport}`, () => {
    afterEach(() => cleanup.run());

    it("is told with the endpoint that it came to, once for each", async () => {
      const [pull, log, first] = await openPull(anywhere(transport));
      await pull.bind(anywhere(transport));
      const second = pull.lastEndpoint!;
      for (const endpoint of [first, second, second]) {
        cleanup.add(new Push()).connect(endpoint);
        const event = await log.next("accept");
        assertEquals([event.type, event.address], ["accept", endpoint]);
      }
      assertEquals(log.of("accept").length, 3);
    });
  });
}

describe("a connection that comes in", () => {
  afterEach(() => cleanup.run());

  it("is told with the address of its other end", async () => {
    const [, log, address] = await openPull("tcp://127.0.0.1:*");
    const source = await freeEndpoint();
    const push = cleanup.add(new Push());
    push.connect(address.replace("tcp://", `${source};`));
    const expected = { type: "accept", address, peerAddress: source };
    assertEquals(plain(await log.next("accept")), expected);
  });

  it("is told before it has said anything", async () => {
    const [, log, address] = await openPull("tcp://127.0.0.1:*");
    cleanup.add(await dial(address));
    assertEquals((await log.next("accept")).address, address);
    assertEquals(log.types, ["bind", "accept"]);
  });

  it("has an address of its own for each", async () => {
    const [, log, address] = await openPull("tcp://127.0.0.1:*");
    cleanup.add(await dial(address));
    cleanup.add(await dial(address));
    const [one, other] = [await log.next("accept"), await log.next("accept")];
    for (const { peerAddress } of [one, other]) {
      assert(/^tcp:\/\/127\.0\.0\.1:\d+$/.test(peerAddress), peerAddress);
      assertNotEquals(peerAddress, address);
    }
    assertNotEquals(one.peerAddress, other.peerAddress);
  });

  it("is told as an error when tcpAcceptFilter does not let it in", async () => {
    const [pull, log, address] = await openPull("tcp://127.0.0.1:*", {
      tcpAcceptFilter: ["10.0.0.0/8", "192.168.1.1"],
    });
    const connection = cleanup.add(await dial(address));
    await connection.untilClosed();
    const event = await log.next("accept:error");
    assertEquals(event.address, address);
    assert(event.error instanceof Error);
    assertEquals(plain(event).error, "EACCES");
    assertSays(event.error, "tcpAcceptFilter");
    assert(/^tcp:\/\/127\.0\.0\.1:\d+$/.test(event.peerAddress!), event.peerAddress);
    assertEquals(log.types, ["bind", "accept:error"]);

    pull.tcpAcceptFilter = ["10.0.0.0/8", "127.0.0.0/8"];
    await pull.bind("tcp://127.0.0.1:*");
    cleanup.add(await connectAs(pull.lastEndpoint!, "PUSH"));
    await log.next("handshake");
    assertEquals(log.of("accept:error").length, 1);
  });
});

/** A runtime that tells of connections it could not accept when the test says so. */
class FailingRuntime extends ScriptedRuntime {
  fail: (error: unknown) => void = () => {};

  override listen(
    at: HostPort,
    options: ListenOptions,
    accepted: Accepted,
    failed: (error: unknown) => void = () => {},
  ): Promise<Listener> {
    this.fail = failed;
    return super.listen(at, options, accepted);
  }
}

describe("a connection that the system cannot give us", () => {
  afterEach(() => cleanup.run());

  it("is told as an error, and the next one is taken", async () => {
    const runtime = new FailingRuntime();
    const pull = cleanup.add(new Pull({ context: new Context({ runtime }) }));
    const log = new EventLog(pull);
    await pull.bind("tcp://127.0.0.1:5555");
    runtime.fail(systemError("EMFILE"));
    assertEquals(plain(await log.next("accept:error")), {
      type: "accept:error",
      address: "tcp://127.0.0.1:5555",
      error: "EMFILE",
    });
    runtime.listeners[0].accept().end();
    await log.next("accept");
    assertEquals(log.types.slice(0, 3), ["bind", "accept:error", "accept"]);
  });
});
