// Sockets that accept a connection of Deno's own.

import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Dealer, Push, Router } from "../../mod.ts";
import { SENDS, SENDS_AND_RECEIVES } from "../_util/pairing.ts";
import { startPeer } from "../_util/peer.ts";
import { echo, exchange, GRID, MANY, sendMany } from "../_util/traffic.ts";

describe("Socket.accept() of Deno's connections", () => {
  it("serves who connects to a listener of the program's own", async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const router = new Router(SENDS_AND_RECEIVES);
    const addresses: string[] = [];
    router.events.on("accept", ({ peerAddress }) => addresses.push(peerAddress));
    const dealer = new Dealer(SENDS_AND_RECEIVES);
    dealer.connect(`tcp://127.0.0.1:${port}`);
    const over = router.accept(await listener.accept());
    for (const spec of [MANY, GRID]) {
      await Promise.all([echo(router, spec.count), exchange(dealer, spec)]);
    }
    assertMatch(addresses[0], /^tcp:\/\/127\.0\.0\.1:\d+$/);
    await dealer.close();
    await over;
    await router.close();
    listener.close();
  });

  it("is a peer of libzmq that the program connected to", async () => {
    const peer = startPeer();
    const pull = await peer.open("Pull");
    const port = Number((await pull.bind()).split(":").at(-1));
    const push = new Push(SENDS);
    const over = push.accept(await Deno.connect({ hostname: "127.0.0.1", port }));
    await Promise.all([sendMany(push, MANY), pull.receiveMany(MANY)]);
    await push.close();
    await over;
    assertEquals(push.stats().messagesOut, MANY.count);
    await peer.stop();
  });
});
