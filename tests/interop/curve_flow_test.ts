// Long runs of messages, and many clients at once.

import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import type { MessageSpec } from "../_util/peer.ts";
import { type End, inShort } from "../_util/security_stage.ts";
import { describeSides } from "../_util/security_sides.ts";

const THOUSANDS: MessageSpec = {
  seed: 41,
  count: 15_000,
  sizes: [0, 1, 5, 31, 100, 189, 222, 223, 254, 255, 256, 300],
  parts: [1, 3],
};
const FEW: MessageSpec = { ...THOUSANDS, count: 40, sizes: [0, 1, 222, 223, 300, 9_000] };
const CLIENTS = 40;

for (const mechanism of ["CURVE", "PLAIN"] as const) {
  describeSides(mechanism, "traffic", (sides, role) => {
    it("15 000 short messages each way at once", async () => {
      const ours = await sides.openOurs("Dealer");
      const theirs = await sides.openTheirs("Dealer");
      await ours.connect(await theirs.bind());
      const back = { ...THOUSANDS, seed: 42 };
      await Promise.all([
        ours.sendMany(THOUSANDS),
        theirs.receiveMany(THOUSANDS),
        theirs.sendMany(back),
        ours.receiveMany(back),
      ]);
    });

    it("15 000 numbers in order, whoever sends", async () => {
      for (const sender of ["ours", "theirs"] as const) {
        const push = sender === "ours"
          ? await sides.openOurs("Push")
          : await sides.openTheirs("Push");
        const pull = sender === "ours"
          ? await sides.openTheirs("Pull")
          : await sides.openOurs("Pull");
        await pull.connect(await push.bind());
        const [runs] = await Promise.all([
          pull.receiveSequence(15_000),
          push.sendSequence(0, 15_000, 30),
        ]);
        assertEquals(runs, [[0, 14_999]]);
      }
    });

    it(`${CLIENTS} clients at once, each with its own messages`, async () => {
      const open = (side: "server" | "client", ...args: Parameters<typeof sides.openOurs>) =>
        side === role ? sides.openOurs(...args) : sides.openTheirs(...args);
      const router = await open("server", "Router", { sendHighWaterMark: 0 });
      const endpoint = await router.bind();
      const echoing = router.echo(CLIENTS * FEW.count);
      const clients: End[] = await Promise.all(
        Array.from({ length: CLIENTS }, () => open("client", "Dealer")),
      );
      await Promise.all(clients.map((client) => client.connect(endpoint)));
      await Promise.all(clients.map((client, i) => {
        const spec = { ...FEW, seed: 50 + i };
        return Promise.all([client.sendMany(spec), client.receiveMany(spec)]);
      }));
      await echoing;
      const told = (await router.eventLog()).map(inShort);
      assertEquals(told.filter((event) => event === "handshake").length, CLIENTS);
      assertEquals(told.filter((event) => event.includes("error")), []);
    });

    it("a server that connects to many clients that bind", async () => {
      const open = (side: "server" | "client", ...args: Parameters<typeof sides.openOurs>) =>
        side === role ? sides.openOurs(...args) : sides.openTheirs(...args);
      const pull = await open("server", "Pull");
      const pushes = await Promise.all(Array.from({ length: 8 }, () => open("client", "Push")));
      for (const push of pushes) await pull.connect(await push.bind());
      await Promise.all([
        ...pushes.map((push) => push.sendSequence(0, 200)),
        pull.receiveSequence(8 * 200),
      ]);
    });
  });
}
