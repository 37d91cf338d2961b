// Figures that hold at any time, whatever happens to the connections: nothing is counted twice, nothing is forgotten.

import { assert, assertEquals } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Push } from "../../mod.ts";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { greeting, ready } from "../_util/raw_zmtp.ts";
import { describeOver, reserve } from "../_util/transports.ts";

const RUNS = 12;
const SIZES = [0, 1, 300, 9_000, 40_000, 200_000] as const;
const cleanup = new Cleanup();

type Step =
  | { readonly do: "send"; readonly size: number; readonly count: number }
  | { readonly do: "pause" | "resume" | "kill" | "turn" };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: sends() },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom("pause" as const, "resume" as const) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("kill" as const, "turn" as const) }) },
  ),
  { minLength: 5, maxLength: 30 },
);

function sends(): fc.Arbitrary<Step> {
  return fc.record({
    do: fc.constant("send" as const),
    size: fc.constantFrom(...SIZES),
    count: fc.integer({ min: 1, max: 20 }),
  });
}

describeOver(SYSTEM_TRANSPORTS, "the figures of a socket", (transport) => {
  afterEach(() => cleanup.run());

  it("account for every message at any time", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const server = cleanup.add(await RawServer.listen(await reserve(transport)));
        const push = cleanup.add(
          new Push({ sendHighWaterMark: 0, linger: 0, reconnectInterval: 1 }),
        );
        push.connect(server.endpoint);
        let connection: RawConnection | undefined;
        const accept = async (): Promise<void> => {
          connection = await server.accept();
          connection.send(greeting(), ready("PULL"));
        };
        await accept();
        let sent = 0;
        let last = push.stats();
        for (const step of list) {
          if (step.do === "send") {
            for (let i = 0; i < step.count; i++) await push.send(new Uint8Array(step.size));
            sent += step.count;
          }
          if (step.do === "pause") connection!.pause();
          if (step.do === "resume") connection!.resume();
          if (step.do === "kill") {
            connection!.destroy();
            await accept();
          }
          if (step.do === "turn") await new Promise((resolve) => setTimeout(resolve, 1));
          const stats = push.stats();
          assertEquals(stats.messagesOut + stats.queued, sent, `${step.do}`);
          assertEquals([stats.messagesIn, stats.dropped], [0, 0]);
          for (const name of ["messagesOut", "bytesIn", "bytesOut", "reconnects"] as const) {
            assert(stats[name] >= last[name], `${name} went back`);
          }
          last = stats;
        }
        await cleanup.run();
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false },
    );
  });
});
