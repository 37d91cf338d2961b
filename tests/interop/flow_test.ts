// Back-pressure and linger against libzmq: full queues block, nothing accepted is lost.

import { assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { after, afterEach, before, it } from "@std/testing/bdd";
import { Pull, Push, Reply, ZmqError } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { pause, staysPending, within } from "../_util/deadline.ts";
import { RECEIVES, SENDS } from "../_util/pairing.ts";
import { type Peer, startPeer } from "../_util/peer.ts";
import { Opened, receiveSequence, sendSequence } from "../_util/traffic.ts";
import { describeOver, reserve } from "../_util/transports.ts";

const BODY = 10_000;

describeOver(SYSTEM_TRANSPORTS, "flow", (transport) => {
  const opened = new Opened();
  let peer: Peer;
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(() => opened.close());

  for (const role of ["bind", "connect"] as const) {
    it(`PUSH is full when libzmq's PULL does not read, and loses nothing, we ${role}`, async () => {
      const push = opened.add(new Push({ sendHighWaterMark: 50, sendTimeout: 0 }));
      const pull = await peer.open("Pull", { receiveHighWaterMark: 1 });
      if (role === "connect") push.connect(await pull.bind(await reserve(transport)));
      else {
        await push.bind(anywhere(transport));
        await pull.connect(push.lastEndpoint!);
      }
      let accepted = 0;
      let refusals = 0;
      while (refusals < 10) {
        try {
          await sendSequence(push, accepted, accepted + 1, BODY);
          accepted++;
          refusals = 0;
        } catch (error) {
          if (!(error instanceof ZmqError) || error.code !== "EAGAIN") throw error;
          refusals++;
          await pause(20);
        }
        assertLess(accepted, 3_000); // 30 MB: far beyond what the system buffers
      }
      assertGreaterOrEqual(accepted, 50);
      assertEquals(await pull.receiveSequence(accepted), [[0, accepted - 1]]);
    });

    it(`libzmq's PUSH waits when PULL does not read, we ${role}`, async () => {
      const pull = opened.add(new Pull({ ...RECEIVES, receiveHighWaterMark: 10 }));
      const push = await peer.open("Push", { sendHighWaterMark: 10 });
      if (role === "connect") pull.connect(await push.bind(await reserve(transport)));
      else {
        await pull.bind(anywhere(transport));
        await push.connect(pull.lastEndpoint!);
      }
      const sending = push.sendSequence(0, 5_000, BODY);
      assertEquals(await receiveSequence(pull, 1), [[0, 0]]);
      await staysPending(sending, 300, "sending 50 MB to a PULL that does not read");
      assertEquals(await receiveSequence(pull, 4_999), [[1, 4_999]]);
      await sending;
    });
  }

  it("several sends may wait for room and keep their order", async () => {
    const push = opened.add(new Push({ ...SENDS, sendHighWaterMark: 1 }));
    const pull = await peer.open("Pull", { receiveHighWaterMark: 1 });
    await push.bind(anywhere(transport));
    const body = new Uint8Array(100_000);
    const sending = Promise.all(
      Array.from({ length: 300 }, (_, i) => push.send([String(i), body])),
    );
    await pull.connect(push.lastEndpoint!);
    assertEquals(await pull.receiveSequence(300), [[0, 299]]);
    await sending;
  });

  it("close() first sends what was accepted", async () => {
    const push = opened.add(new Push(SENDS));
    const pull = await peer.open("Pull");
    push.connect(await pull.bind(await reserve(transport)));
    const receiving = pull.receiveSequence(5_000);
    await sendSequence(push, 0, 5_000, 1_000);
    await within(push.close(), 20_000, "close() with a reading peer");
    assertEquals(await receiving, [[0, 4_999]]);
  });

  it("close() loses nothing for a peer that stands still for a while", async () => {
    const mortal = startPeer();
    try {
      const pull = await mortal.open("Pull", { receiveHighWaterMark: 0 });
      const push = opened.add(new Push(SENDS));
      push.connect(await pull.bind(await reserve(transport)));
      await sendSequence(push, 0, 1);
      await pull.receiveSequence(1);
      mortal.freeze();
      await sendSequence(push, 1, 100, 10_000);
      const closing = push.close();
      await pause(1_200); // longer than a peer may take that has nothing left to read
      mortal.thaw();
      assertEquals(await pull.receiveSequence(99), [[1, 99]]);
      await closing;
    } finally {
      await mortal.kill();
    }
  });

  it("close() waits for a listener that comes later", async () => {
    const endpoint = await reserve(transport);
    const push = opened.add(new Push({ ...SENDS, reconnectInterval: 20 }));
    push.connect(endpoint);
    await sendSequence(push, 0, 100, 1_000);
    const closing = push.close();
    await staysPending(closing, 100, "close() without a listener");
    const pull = await peer.open("Pull");
    await pull.bind(endpoint);
    assertEquals(await pull.receiveSequence(100), [[0, 99]]);
    await within(closing, 5_000, "close() once everything was sent");
  });

  it("close() sends the last reply", async () => {
    const request = await peer.open("Request");
    const reply = opened.add(new Reply());
    await reply.bind(anywhere(transport));
    await request.connect(reply.lastEndpoint!);
    await request.send("question");
    await reply.receive();
    await reply.send(new Uint8Array(1_000_000));
    const [[answer]] = await Promise.all([request.receive(), reply.close()]);
    assertEquals(answer.length, 1_000_000);
  });
});
