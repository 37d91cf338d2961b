// Many clients that go no further than HELLO, or not even so far: each costs the server a bounded amount of work and memory,
// and none keeps others out.

import { assert, assertGreater, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Cleanup } from "../_util/cleanup.ts";
import { commandFrame, curveGreeting, keyPair, properties } from "../_util/curve_commands.ts";
import { CurveClient } from "../_util/curve_oracle.ts";
import { asClient, greet, takeCommand } from "../_util/curve_raw.ts";
import { CLIENT, CurveStage, SERVER } from "../_util/curve_stage.ts";
import { pause } from "../_util/deadline.ts";
import { memory } from "../_util/memory.ts";
import { concat } from "../_util/octets.ts";
import type { RawConnection } from "../_util/raw_peer.ts";
import { longHeader } from "../_util/raw_zmtp.ts";

const MB = 1_000_000;
const PUSH = properties(["Socket-Type", "PUSH"]);
const AT_ONCE = 25;
const cleanup = new Cleanup();

const client = new CurveClient({ serverKey: SERVER.publicKey, keys: CLIENT, metadata: PUSH });
const HELLO = commandFrame(client.hello());
const BAD_HELLO = commandFrame(
  new CurveClient({ serverKey: keyPair().publicKey }).hello({ nonce: 1n }),
);

/** Runs as many visits as there are, some of them at once. */
async function visit(count: number, each: () => Promise<void>): Promise<void> {
  for (let done = 0; done < count; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, each));
  }
}

describe("a flood of HELLOs", () => {
  afterEach(() => cleanup.run());

  const floods: Readonly<Record<string, (connection: RawConnection) => Promise<void>>> = {
    "that are answered": async (connection) => {
      await greet(connection);
      connection.send(HELLO);
      await takeCommand(connection);
      connection.destroy();
    },
    "that are bad": async (connection) => {
      connection.send(curveGreeting(), BAD_HELLO);
      await connection.untilClosed();
    },
    "whose senders do not wait": async (connection) => {
      // Only for being accepted: more than the system keeps for the listener would have to come again a second later.
      await greet(connection);
      await connection.flush(HELLO);
      connection.destroy();
    },
  };
  for (const [what, flood] of Object.entries(floods)) {
    it(`${what} leaves nothing behind, and the others are served`, async () => {
      const stage = await CurveStage.open("server", cleanup);
      const round = async (): Promise<void> => {
        await stage.servedDuring(visit(300, async () => await flood(await stage.stranger())));
        // What the test itself keeps.
        stage.log.all.length = 0;
      };
      await round();
      await round();
      const before = memory();
      await round();
      await stage.newcomer();
      await round();
      // Node collects its garbage when it likes.
      assertLess(memory() - before, 80 * MB);
      await stage.newcomer();
    });
  }

  it("of which each is left open keeps nobody out, and holds little memory", async () => {
    const stage = await CurveStage.open("server", cleanup, { handshakeInterval: 60_000 });
    const before = memory();
    const open: RawConnection[] = [];
    await stage.servedDuring(visit(500, async () => {
      const connection = await stage.stranger();
      open.push(connection);
      await greet(connection);
      connection.send(HELLO);
      await takeCommand(connection);
    }));
    // Both ends of 500 connections are in this process.
    assertLess(memory() - before, 60 * MB);
    await stage.newcomer();
    assert(open.every((connection) => !connection.isClosed));
  });

  it("in one connection ends with the second", async () => {
    const stage = await CurveStage.open("server", cleanup);
    const hellos = concat(...Array.from({ length: 10_000 }, () => HELLO));
    const before = memory();
    await stage.servedDuring((async () => {
      const connection = await stage.stranger();
      connection.send(curveGreeting(), hellos);
      await connection.untilClosed();
    })());
    assertLess(memory() - before, 30 * MB);
  });

  it("does not have the server take in what comes behind", async () => {
    const stage = await CurveStage.open("server", cleanup);
    const junk = new Uint8Array(30 * MB);
    const before = memory();
    await stage.servedDuring((async () => {
      const connection = await stage.stranger();
      connection.send(curveGreeting(), HELLO, junk);
      await connection.untilClosed();
    })());
    // The sender holds what it sends once more.
    assertLess(memory() - before, 70 * MB);
  });
});

describe("a HELLO", () => {
  afterEach(() => cleanup.run());

  const INTERVAL = 200;
  const slow: Readonly<Record<string, (connection: RawConnection) => Promise<void>>> = {
    "that does not come": async () => {},
    "of which a part does not come": async (connection) => {
      await connection.flush(HELLO.subarray(0, -1));
    },
    "that comes octet by octet": async (connection) => {
      for (const octet of HELLO) {
        if (connection.isClosed) break;
        connection.send(Uint8Array.of(octet));
        await pause(5);
      }
    },
    "after which nothing comes": async (connection) => {
      await connection.flush(HELLO);
    },
  };
  for (const [what, does] of Object.entries(slow)) {
    it(`${what} ends the connection after handshakeInterval`, async () => {
      const stage = await CurveStage.open("server", cleanup, { handshakeInterval: INTERVAL });
      const start = performance.now();
      await stage.servedDuring((async () => {
        const connection = await stage.stranger();
        await greet(connection);
        await does(connection);
        await connection.untilClosed();
      })());
      assertGreater(performance.now() - start, INTERVAL - 20);
      await stage.newcomer();
    });
  }

  it("that announces more than it may have is not waited for", async () => {
    const stage = await CurveStage.open("server", cleanup, { handshakeInterval: 60_000 });
    for (const size of [9_000n, 2n ** 31n, 2n ** 63n, 2n ** 64n - 1n]) {
      await stage.servedDuring((async () => {
        const connection = await stage.stranger();
        connection.send(curveGreeting(), longHeader(size, 4));
        await connection.untilClosed();
      })());
    }
  });

  it("that is the same as another's is answered with a cookie of its own", async () => {
    const stage = await CurveStage.open("server", cleanup);
    const welcomes: string[] = [];
    for (let i = 0; i < 3; i++) {
      const connection = await stage.stranger();
      await greet(connection);
      connection.send(HELLO);
      welcomes.push(String((await takeCommand(connection)).body));
    }
    assert(new Set(welcomes).size === 3);
    const again = await asClient(await stage.stranger(), {
      serverKey: SERVER.publicKey,
      keys: CLIENT,
      metadata: PUSH,
      transient: client.transient,
    });
    again.say("welcome");
    assert(String(await stage.pull.receive()) === "welcome");
  });
});
