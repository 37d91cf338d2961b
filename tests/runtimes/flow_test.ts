// Back-pressure: a slow receiver bounds what its sender holds, and nobody starves the event loop.

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Pull, Push, Reply, Request, Router } from "../../mod.ts";
import { anywhere, type Transport } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause, within } from "../_util/deadline.ts";
import { fill } from "../_util/filling.ts";
import { start } from "../_util/process.ts";
import { describeOver, DISTINCT_TRANSPORTS } from "../_util/transports.ts";

/** More than the system's buffers on both sides of a loopback connection take. */
const BUFFERS = 16_000_000;
/** What waits beyond the marks: a batch that is written, one that is collected, one that is read. */
const BATCHES = 3 * 256 * 1024;
const MB = 1_000_000;
const { process } = globalThis as unknown as { process: { memoryUsage(): { rss: number } } };
const cleanup = new Cleanup();

function memory(): number {
  return process.memoryUsage().rss;
}

interface Marks {
  readonly sendHighWaterMark?: number;
  readonly receiveHighWaterMark?: number;
}

async function pipeline(
  transport: Transport,
  { sendHighWaterMark = 1_000, receiveHighWaterMark = 1_000 }: Marks = {},
): Promise<[Push, Pull]> {
  const pull = cleanup.add(new Pull({ receiveTimeout: 5_000, receiveHighWaterMark }));
  await pull.bind(anywhere(transport));
  const push = cleanup.add(new Push({ sendHighWaterMark }));
  push.connect(pull.lastEndpoint!);
  return [push, pull];
}

// How many messages fit over inproc, which has no buffers, stands in inproc_marks_test.ts.
describe("over tcp: a receiver that does not read", () => {
  const transport = "tcp";

  afterEach(() => cleanup.run());

  const cases: readonly [size: number, marks: Marks][] = [
    [10_000, {}],
    [10_000, { sendHighWaterMark: 10, receiveHighWaterMark: 10 }],
    [10_000, { sendHighWaterMark: 1, receiveHighWaterMark: 1 }],
    [1_000_000, { sendHighWaterMark: 5, receiveHighWaterMark: 5 }],
    [100, { sendHighWaterMark: 100, receiveHighWaterMark: 100 }],
  ];
  for (const [size, marks] of cases) {
    const { sendHighWaterMark = 1_000, receiveHighWaterMark = 1_000 } = marks;
    const what = `${size} octets at marks of ${sendHighWaterMark} and ${receiveHighWaterMark}`;
    it(`stops its sender, and loses nothing when it catches up: ${what}`, async () => {
      const [push, pull] = await pipeline(transport, marks);
      const body = new Uint8Array(size);
      const before = memory();
      let sent = 0;
      const numbered = {
        sendTimeout: -1,
        send: async (): Promise<void> => {
          push.sendTimeout = numbered.sendTimeout;
          await push.send([String(sent), body]);
          sent++;
        },
      };
      const taken = await fill(numbered, []);
      assertEquals(taken, sent);
      const held = sendHighWaterMark + receiveHighWaterMark;
      assertGreater(taken, held - 1);
      assertLess(taken, held + (BUFFERS + BATCHES) / size);
      const grown = memory() - before;
      assertLess(grown, 4 * (held * size + BATCHES) + 120 * MB, `${grown / MB} MB`);

      push.sendTimeout = -1;
      const last = push.send([String(sent++), body]);
      for (let i = 0; i < sent; i++) {
        const [number, rest] = await pull.receive();
        assertEquals([String(number), rest.length], [String(i), size]);
      }
      await last;
      assertEquals(pull.readable, false);
    });
  }

  it("again and again, does not make its sender grow", async () => {
    const [push, pull] = await pipeline(transport, {
      sendHighWaterMark: 200,
      receiveHighWaterMark: 200,
    });
    const body = new Uint8Array(10_000);
    let first = 0;
    for (let round = 0; round < 6; round++) {
      const taken = await fill(push, [body]);
      for (let i = 0; i < taken; i++) await pull.receive();
      if (round === 1) first = memory();
    }
    const grown = memory() - first;
    assertLess(grown, 100 * MB, `${grown / MB} MB`);
  });

  it("keeps a DEALER and a ROUTER that floods it within their marks too", async () => {
    const router = cleanup.add(new Router({ mandatory: true, sendHighWaterMark: 10 }));
    await router.bind(anywhere(transport));
    const dealer = cleanup.add(new Dealer({ routingId: "d", receiveHighWaterMark: 10 }));
    dealer.sendHighWaterMark = router.receiveHighWaterMark = 10;
    dealer.connect(router.lastEndpoint!);
    await dealer.send("here");
    await router.receive();
    const body = new Uint8Array(10_000);
    for (const taken of [await fill(router, ["d", body]), await fill(dealer, [body])]) {
      assertGreater(taken, 19);
      assertLess(taken, 20 + (BUFFERS + BATCHES) / body.length);
    }
  });
});

describeOver(DISTINCT_TRANSPORTS, "a receiver that reads slowly", (transport) => {
  afterEach(() => cleanup.run());

  it("gets everything from a sender that is faster", async () => {
    const [push, pull] = await pipeline(transport, {
      sendHighWaterMark: 10,
      receiveHighWaterMark: 10,
    });
    const count = 3_000;
    const body = new Uint8Array(10_000);
    const sending = (async () => {
      for (let i = 0; i < count; i++) await push.send([String(i), body]);
    })();
    for (let i = 0; i < count; i++) {
      const [number] = await pull.receive();
      assertEquals(String(number), String(i));
      if (i % 300 === 0) await pause(5);
    }
    await sending;
  });

  it("does not slow down the other peers of its sender", async () => {
    const push = cleanup.add(new Push({ sendHighWaterMark: 10 }));
    await push.bind(anywhere(transport));
    const deaf = cleanup.add(new Pull({ receiveHighWaterMark: 10 }));
    const eager = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
    deaf.connect(push.lastEndpoint!);
    await eventually(() => push.writable);
    await fill(push, [new Uint8Array(10_000)]);
    eager.connect(push.lastEndpoint!);
    for (let i = 0; i < 2_000; i++) {
      await within(push.send(String(i)), 5_000, `send ${i}`);
      assertEquals(String((await eager.receive())[0]), String(i));
    }
  });
});

const TICK_MS = 10;
const TICKS = 30;
const TRIPS = 20;
/** Twice as long as a busy machine needs; a loop that starves timers never gets there. */
const MOST_MS = 2_000;

/** Runs the loop until a timer of 10 ms has fired often enough; it is told when to stop. */
async function expectTicks(loop: (running: () => boolean) => Promise<void>): Promise<void> {
  let ticks = 0;
  const timer = setInterval(() => ticks++, TICK_MS);
  const end = performance.now() + MOST_MS;
  try {
    await loop(() => ticks < TICKS && performance.now() < end);
  } finally {
    clearInterval(timer);
  }
  assertGreater(ticks, TICKS - 1);
}

describeOver(DISTINCT_TRANSPORTS, "the event loop", (transport) => {
  afterEach(() => cleanup.run());

  it("turns during a loop of send to a fast reader", async () => {
    const [push, pull] = await pipeline(transport);
    // On a busy machine it takes some of the time to connect.
    await push.send("first");
    await pull.receive();
    let received = 0;
    const reading = (async () => {
      for await (const _ of pull) received++;
    })();
    await expectTicks(async (running) => {
      while (running()) await push.send("x");
    });
    assertGreater(received, 100);
    push.linger = 0;
    await Promise.all([push.close(), pull.close(), reading]);
  });

  it("serves other sockets during a loop of send", async () => {
    const [push, pull] = await pipeline(transport);
    const reply = cleanup.add(new Reply());
    await reply.bind(anywhere(transport));
    const request = cleanup.add(new Request());
    request.connect(reply.lastEndpoint!);
    void (async () => {
      for await (const frames of reply) await reply.send(frames);
    })();
    void (async () => {
      for await (const _ of pull);
    })();
    let trips = 0;
    let asking = true;
    const asked = (async () => {
      for (; asking; trips++) {
        await request.send("?");
        await request.receive();
      }
    })();
    const end = performance.now() + MOST_MS;
    while (trips < TRIPS && performance.now() < end) await push.send("x");
    asking = false;
    await within(asked, 5_000, "the last reply");
    assertGreater(trips, TRIPS - 1);
  });
});

describe("the event loop", () => {
  afterEach(() => cleanup.run());

  it("turns during a loop of send that never has to wait", async () => {
    const router = cleanup.add(new Router());
    await expectTicks(async (running) => {
      while (running()) await router.send(["nobody", "x"]);
    });
  });

  const readers: Readonly<
    Record<string, (pull: Pull, running: () => boolean) => Promise<number>>
  > = {
    "receive": async (pull, running) => {
      let count = 0;
      for (; running(); count++) await pull.receive();
      return count;
    },
    "receive with a signal": async (pull, running) => {
      const options = { signal: new AbortController().signal };
      let count = 0;
      for (; running(); count++) await pull.receive(options);
      return count;
    },
    "for await": async (pull, running) => {
      let count = 0;
      for await (const _ of pull) {
        count++;
        if (!running()) break;
      }
      return count;
    },
  };
  for (const [what, read] of Object.entries(readers)) {
    it(`turns during a loop of ${what} in a flood from another process`, async () => {
      const pull = cleanup.add(new Pull({ receiveTimeout: 10_000 }));
      await pull.bind(anywhere("tcp"));
      cleanup.add(start("flooder.ts", pull.lastEndpoint!));
      await pull.receive();
      let count = 0;
      await expectTicks(async (running) => {
        count = await read(pull, running);
      });
      assertGreater(count, 1_000);
    });

    it(`turns during a loop of ${what} in a flood over inproc`, async () => {
      const [push, pull] = await pipeline("inproc");
      let flooding = true;
      const flood = (async () => {
        while (flooding) await push.send("x");
      })();
      let count = 0;
      await expectTicks(async (running) => {
        count = await read(pull, running);
      });
      assertGreater(count, 1_000);
      flooding = false;
      await Promise.all([push.close(), flood.catch(() => {})]);
    });
  }
});
