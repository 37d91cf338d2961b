// linger where it is told late, and where it bounds more than a close. The close itself: see reconnect_test.ts of runtimes.

import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Push } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, staysPending, within } from "../_util/deadline.ts";
import { fill } from "../_util/filling.ts";
import { ANY_PORT, freeEndpoint } from "../_util/ports.ts";
import type { RawConnection } from "../_util/raw_peer.ts";
import { connectAs } from "../_util/raw_zmtp.ts";

const cleanup = new Cleanup();

/** A bound socket that is full, because its only peer does not read. */
async function stalled(linger: number): Promise<[Push, RawConnection]> {
  const push = cleanup.add(new Push({ linger, sendHighWaterMark: 5 }));
  await push.bind(ANY_PORT);
  const peer = cleanup.add(await connectAs(push.lastEndpoint!, "PULL"));
  peer.pause();
  await eventually(() => push.writable);
  await fill(push, [new Uint8Array(100_000)]);
  return [push, peer];
}

async function took(promise: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await within(promise, 5_000, "the end of linger");
  return performance.now() - start;
}

describe("linger", () => {
  afterEach(() => cleanup.run());

  it("that is set after connecting and sending counts", async () => {
    const push = cleanup.add(new Push({ linger: -1 }));
    push.connect(await freeEndpoint());
    await push.send("waits");
    push.linger = 150;
    const ms = await took(push.close());
    assertGreaterOrEqual(ms, 145);
    assertLess(ms, 3_000);
  });

  it("bounds how long peers of an endpoint are served after unbind", async () => {
    for (const [linger, least, most] of [[0, 0, 2_000], [250, 245, 3_000]]) {
      const [push, peer] = await stalled(linger);
      const start = performance.now();
      await push.unbind(push.lastEndpoint!);
      // A connection that is given up has its octets cut off, which a peer that reads on notices.
      await eventually(() => !push.stats().peers.some(({ connected }) => connected), 5_000);
      const ms = performance.now() - start;
      assert(ms >= least && ms < most, `${ms} ms with linger ${linger}`);
      peer.destroy();
    }
  });

  it("of -1 serves the peers of an endpoint to the end after unbind", async () => {
    const [push, peer] = await stalled(-1);
    const closing = push.unbind(push.lastEndpoint!).then(() => push.close());
    await staysPending(closing, 200, "a close with messages left");
    peer.resume();
    await within(peer.closed, 5_000, "everything is sent");
    assert(peer.available > 500_000);
    peer.destroy();
    await within(closing, 5_000, "close");
    assertEquals(push.closed, true);
  });
});
