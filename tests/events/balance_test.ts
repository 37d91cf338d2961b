// Whatever peers do, the events add up: each connection begins once, is told to be one thing or the other, and ends once.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { type EventType, Pull, Push } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { BROKEN_HANDSHAKES } from "../_util/handshakes.ts";
import { concat } from "../_util/octets.ts";
import { dial, type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { greeting, message, ready } from "../_util/raw_zmtp.ts";
import { describeOver, reserve } from "../_util/transports.ts";

const RUNS = 8;
/** One after the other in a run. */
const PEERS = 6;
const cleanup = new Cleanup();

const handshake = concat(greeting(), ready("PUSH"));
const faults = Object.values(BROKEN_HANDSHAKES).map(({ octets }) => octets);

/** What a peer sends, how much of it, and how it leaves. */
interface Behaviour {
  readonly octets: Uint8Array;
  readonly share: number;
  readonly leaves: "at once" | "at the end" | "never";
}

const behaviours: fc.Arbitrary<Behaviour[]> = fc.array(
  fc.record({
    octets: fc.oneof(
      fc.constantFrom(...faults),
      fc.constant(handshake),
      fc.constant(concat(handshake, message("a message"))),
      fc.constant(concat(handshake, Uint8Array.of(0x88, 1, 0))),
      fc.uint8Array({ maxLength: 100 }),
    ),
    share: fc.constantFrom(0, 0.5, 1, 1, 1),
    leaves: fc.constantFrom("at once" as const, "at the end" as const, "never" as const),
  }),
  { minLength: 1, maxLength: PEERS },
);

function behave(connection: RawConnection, { octets, share, leaves }: Behaviour): void {
  const part = octets.subarray(0, Math.floor(octets.length * share));
  if (part.length > 0) connection.send(part);
  if (leaves === "at once") connection.destroy();
  if (leaves === "at the end") connection.end();
}

function assertBalanced(log: EventLog, begins: EventType): void {
  const count = (...types: EventType[]): number =>
    types.reduce((sum, type) => sum + log.of(type).length, 0);
  const all = log.types.join(" ");
  const failed = count("handshake:error:protocol", "handshake:error:other");
  assertEquals(count("disconnect"), count(begins), all);
  assert(count("handshake") + failed <= count(begins), all);
  assertEquals(log.types.at(-1), "end");
  // A handshake that failed is over: its connection cannot be told to have had a good one.
  assertEquals(count("end"), 1);
}

describeOver(SYSTEM_TRANSPORTS, "the events of random peers", (transport) => {
  afterEach(() => cleanup.run());

  it("add up on the side that binds", async () => {
    await fc.assert(
      fc.asyncProperty(behaviours, async (list) => {
        const pull = cleanup.add(new Pull({ handshakeInterval: 30 }));
        const log = new EventLog(pull);
        await pull.bind(anywhere(transport));
        for (const behaviour of list) {
          behave(cleanup.add(await dial(pull.lastEndpoint!)), behaviour);
        }
        await log.nth("accept", list.length);
        const settled = (): boolean =>
          log.of("handshake").length + log.of("handshake:error:protocol").length +
              log.of("handshake:error:other").length === list.length;
        await eventually(settled);
        await pull.close();
        await log.over;
        assertBalanced(log, "accept");
        await cleanup.run();
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false },
    );
  });

  it("add up on the side that connects", async () => {
    await fc.assert(
      fc.asyncProperty(behaviours, async (list) => {
        const server = cleanup.add(await RawServer.listen(await reserve(transport)));
        const pull = cleanup.add(new Pull({ handshakeInterval: 30, reconnectInterval: 1 }));
        const log = new EventLog(pull);
        pull.connect(server.endpoint);
        // It ends with the first that breaks the protocol, and stays with the first that is well.
        for (const behaviour of list) {
          await Promise.race([server.accept().then((c) => behave(c, behaviour)), quiet(log)]);
        }
        await pull.close();
        await log.over;
        assertBalanced(log, "connect");
        const retries = log.of("connect:retry").length;
        const delays = log.of("connect:delay").length;
        assert(delays === retries || delays === retries + 1, log.types.join(" "));
        await cleanup.run();
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false },
    );
  });

  /** Resolves when nothing new will happen for a while. */
  async function quiet(log: EventLog): Promise<void> {
    for (let before = -1; before !== log.all.length;) {
      before = log.all.length;
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  }
});

describe("the events of sockets that come and go", () => {
  afterEach(() => cleanup.run());

  it("add up on both sides", async () => {
    const pull = cleanup.add(new Pull());
    const log = new EventLog(pull);
    for (const transport of SYSTEM_TRANSPORTS) await pull.bind(anywhere(transport));
    const endpoints = log.of("bind").map(({ address }) => address);
    const logs: EventLog[] = [];
    for (let i = 0; i < 40; i++) {
      const push = cleanup.add(new Push({ linger: 0 }));
      logs.push(new EventLog(push));
      for (const endpoint of endpoints) push.connect(endpoint);
      if (i % 3 === 0) await logs[i].nth("handshake", 2);
      if (i % 3 === 1) push.disconnect(endpoints[0]);
      await push.close();
    }
    await Promise.all(logs.map((each) => each.over));
    await pull.close();
    await log.over;
    assertBalanced(log, "accept");
    for (const each of logs) assertBalanced(each, "connect");
  });
});
