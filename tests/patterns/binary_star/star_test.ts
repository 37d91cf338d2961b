// One server of a pair, and its clients: options, states on the wire, votes, failing over, closing.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { type Frame, Publisher, Request, Router, Subscriber } from "../../../mod.ts";
import {
  BinaryStar,
  BinaryStarClient,
  type BinaryStarClientOptions,
  type BinaryStarOptions,
} from "../../../src/patterns/binary_star/mod.ts";
import { textsOf } from "../../_util/bytes.ts";
import { eventually, pause, within } from "../../_util/deadline.ts";
import { assertSays, failure, rejection } from "../../_util/rejection.ts";
import { BEATS } from "./beats.ts";

const WAIT_MS = 15_000;
const QUICK = { timeout: 200, settleDelay: 10 } as const;

describe("BinaryStar", () => {
  const opened: { close(): unknown }[] = [];
  const keep = <T extends { close(): unknown }>(part: T): T => {
    opened.push(part);
    return part;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((part) => part.close()));
  });
  const starOf = async (options: BinaryStarOptions): Promise<BinaryStar> => {
    const star = keep(new BinaryStar({ ...BEATS, ...options }));
    await star.bind("tcp://127.0.0.1:*");
    return star;
  };
  const pair = async (): Promise<[BinaryStar, BinaryStar]> => {
    const primary = await starOf({ role: "primary" });
    const backup = await starOf({ role: "backup" });
    primary.connect(backup.endpoint!);
    backup.connect(primary.endpoint!);
    await eventually(() => primary.active && backup.state === "passive", WAIT_MS);
    return [primary, backup];
  };

  it("refuses options that cannot be right", () => {
    const wrong: unknown[] = [{ role: "both" }, { role: "primary", heartbeatInterval: 0 }];
    for (const options of wrong) {
      failure(() => new BinaryStar(options as BinaryStarOptions), "EINVAL");
    }
    for (const options of [{ servers: [] }, { servers: ["tcp://a:1"], retries: -1 }, {}]) {
      failure(() => new BinaryStarClient(options as BinaryStarClientOptions), "EINVAL");
    }
  });

  it("is active as the primary and passive as the backup, and tells both", async () => {
    const told: string[] = [];
    const primary = await starOf({ role: "primary" });
    const backup = await starOf({ role: "backup" });
    primary.events.on("active", ({ was }) => told.push(`primary was ${was}`));
    backup.events.on("passive", ({ was }) => told.push(`backup was ${was}`));
    assertEquals([primary.state, backup.state], ["primary", "backup"]);
    primary.connect(backup.endpoint!);
    backup.connect(primary.endpoint!);
    await eventually(() => told.length === 2, WAIT_MS);
    assertEquals(told.sort(), ["backup was backup", "primary was primary"]);
    assertEquals([primary.active, backup.active], [true, false]);
    assertEquals([primary.accepts(), backup.accepts()], [true, false]);
    assertEquals([primary.stats().accepted, backup.stats().refused], [1, 1]);
    failure(() => primary.connect(backup.endpoint!), "EBUSY");
  });

  it("serves nobody before it is connected to the other, however long that takes", async () => {
    const star = await starOf({ role: "primary", heartbeatInterval: 5, heartbeatLiveness: 2 });
    await pause(50);
    assertEquals(star.accepts(), false);
  });

  it("takes over when the active one is closed and a client asks, not before", async () => {
    const [primary, backup] = await pair();
    await primary.close();
    await pause(BEATS.heartbeatInterval * (BEATS.heartbeatLiveness + 2));
    assertEquals(backup.state, "passive");
    const states: string[] = [];
    backup.events.on("active", () => states.push(backup.state));
    assert(backup.accepts());
    assertEquals(states, ["active"]);
    assertEquals(backup.stats().takeovers, 1);
  });

  it("hands the primary's place to the backup when the primary restarts behind a passive one", async () => {
    const [primary, backup] = await pair();
    const address = primary.endpoint!;
    await primary.close();
    const again = keep(new BinaryStar({ role: "primary", ...BEATS }));
    await again.bind(address);
    again.connect(backup.endpoint!);
    await eventually(() => backup.active && again.state === "passive", WAIT_MS);
  });

  it("speaks the guide's states, and counts what is none", async () => {
    const star = await starOf({ role: "backup" });
    const malformed: string[][] = [];
    star.events.on("malformed", ({ frames }) => malformed.push(textsOf(frames)));
    const other = keep(new Publisher());
    await other.bind("tcp://127.0.0.1:*");
    star.connect(other.lastEndpoint!);
    await eventually(() => other.topicsCount === 1, WAIT_MS);
    const rubbish = [["0"], ["5"], ["x"], [""], ["3", "1"], ["3 -1"], ["3".repeat(99)], ["3 1 "]];
    for (const frames of rubbish) await other.send(frames);
    await eventually(() => malformed.length === rubbish.length, WAIT_MS);
    assertEquals(malformed, rubbish);
    assertEquals([star.state, star.stats().malformed, star.stats().heard], [
      "backup",
      rubbish.length,
      0,
    ]);

    const own = keep(new Subscriber());
    own.subscribe();
    own.connect(star.endpoint!);
    assertEquals(textsOf(await own.receive()), ["2 0"]);
    await other.send("3"); // the guide's programs send no term
    while (textsOf(await own.receive())[0] !== "4 0");
    assertEquals(star.state, "passive");
    await other.send("1 7");
    while (textsOf(await own.receive())[0] !== "3 8");
    assertEquals(star.state, "active");
  });

  it("gives way as an active one to an active one with a higher term, and stays before a lower one", async () => {
    const star = await starOf({ role: "primary" });
    const conflicts: boolean[] = [];
    star.events.on("conflict", ({ both, yields }) => {
      assertEquals(both, "active");
      conflicts.push(yields);
    });
    const other = keep(new Publisher());
    await other.bind("tcp://127.0.0.1:*");
    star.connect(other.lastEndpoint!);
    await eventually(() => other.topicsCount === 1, WAIT_MS);
    await other.send("2 4");
    await eventually(() => star.active, WAIT_MS);
    await other.send("3 5");
    await eventually(() => conflicts.length === 1, WAIT_MS);
    await other.send("3 6");
    await eventually(() => conflicts.length === 2, WAIT_MS);
    assertEquals(conflicts, [false, true], "of equal terms the primary stays");
    assertEquals(star.state, "passive");
  });

  it("is not active after it stood still, until it knows better", async () => {
    const [primary, backup] = await pair();
    standStill();
    assertEquals([primary.state, primary.active, primary.accepts()], ["active", false, false]);
    assertEquals(backup.accepts(), false, "who stood still cannot blame the other for its silence");
    await eventually(() => primary.active, WAIT_MS);
    assertEquals([primary.state, backup.state], ["active", "passive"]);
    await backup.close();
    standStill();
    assertEquals(primary.active, false);
    await eventually(() => primary.accepts(), WAIT_MS, "nobody took over");
  });

  it("tells what a handler of the voter throws, and goes on", async () => {
    const [star] = await pair();
    const router = keep(new Router({ linger: 0 }));
    await router.bind("tcp://127.0.0.1:*");
    const errors: string[] = [];
    star.events.on("error", ({ error }) => errors.push((error as Error).message));
    star.voter(router, ([id, empty, body]: Frame[]) => {
      if (String(body) === "throw") throw new Error("thrown");
      if (String(body) === "reject") return Promise.reject(new Error("rejected"));
      return void router.trySend([id, empty, body]);
    });
    for (const text of ["throw", "reject", "answer"]) {
      const request = keep(new Request({ linger: 0 }));
      request.connect(router.lastEndpoint!);
      await request.send(text);
      if (text === "answer") assertEquals(textsOf(await request.receive()), ["answer"]);
      else await eventually(() => errors.length > 0, WAIT_MS);
    }
    await eventually(() => errors.length === 2, WAIT_MS);
    assertEquals(errors, ["thrown", "rejected"]);
  });

  it("ends by its signal, and all calls after it say so", async () => {
    const ending = new AbortController();
    const star = await starOf({ role: "primary", signal: ending.signal });
    const router = keep(new Router());
    star.voter(router, () => {});
    ending.abort();
    assert(star.closed);
    await within(star.close(), WAIT_MS, "close");
    failure(() => star.connect("tcp://127.0.0.1:1"), "EBADF");
    assertEquals([star.accepts(), router.closed], [false, false]);
  });

  describe("BinaryStarClient", () => {
    const serve = async (answer: (text: string) => string | undefined): Promise<string> => {
      const router = keep(new Router({ linger: 0 }));
      await router.bind("tcp://127.0.0.1:*");
      (async () => {
        for await (const [id, empty, text] of router) {
          const reply = answer(String(text));
          if (reply !== undefined) router.trySend([id, empty, reply]);
        }
      })();
      return router.lastEndpoint!;
    };

    it("goes on to the other server, and stays there", async () => {
      const silent = await serve(() => undefined);
      const server = await serve((text) => text.toUpperCase());
      const client = keep(new BinaryStarClient({ ...QUICK, servers: [silent, server] }));
      const told: unknown[] = [];
      client.events.on("failover", (event) => told.push(event));
      const replies = await Promise.all(["a", "b", "c"].map((text) => client.request(text)));
      assertEquals(replies.map(textsOf), [["A"], ["B"], ["C"]], "one after the other");
      assertEquals(told, [{ from: silent, to: server }]);
      assertEquals(client.server, server);
      assertEquals(client.stats(), { sent: 4, replies: 3, failovers: 1 });
    });

    it("gives up after its tries, and tells what it did", async () => {
      const silent = await serve(() => undefined);
      const client = keep(
        new BinaryStarClient({ ...QUICK, timeout: 20, servers: [silent], retries: 2 }),
      );
      const error = await rejection(client.request("x"), "ETIMEDOUT");
      assertSays(error, "3 tries", "20 ms", silent);
      assertEquals(client.stats().sent, 3);
    });

    it("can be cancelled, alone or by close", async () => {
      const silent = await serve((text) => text === "x" ? undefined : text);
      const client = keep(new BinaryStarClient({ servers: [silent], timeout: 60_000 }));
      const giving = new AbortController();
      const first = client.request("x", { signal: giving.signal });
      const second = client.request("y");
      await pause(10);
      giving.abort(new Error("enough"));
      await assertRejects(() => first, Error, "enough");
      assertEquals(textsOf(await second), ["y"]);
      const third = client.request("x");
      await pause(10);
      await within(client.close(), WAIT_MS, "close");
      await rejection(third, "EBADF");
      await rejection(client.request("x"), "EBADF");
    });
  });
});

/** Nothing else happens in this process for longer than the patience. */
function standStill(): void {
  const until = performance.now() + BEATS.heartbeatInterval * (BEATS.heartbeatLiveness + 1);
  while (performance.now() < until);
}
