// What docs/patterns/binary_star.md guarantees, with servers that are killed and frozen, and networks that go silent.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Router } from "../../../mod.ts";
import {
  BinaryStar,
  BinaryStarClient,
  type BinaryStarRole,
} from "../../../src/patterns/binary_star/mod.ts";
import { eventually, pause } from "../../_util/deadline.ts";
import { freeEndpoint } from "../../_util/ports.ts";
import { SilentRelay } from "../../_util/silent_relay.ts";
import { RUNS } from "../../_util/runs.ts";
import { BEATS, PATIENCE } from "./beats.ts";
import { ServerProcess } from "./server_process.ts";

const WAIT_MS = 30_000;

interface Place {
  readonly local: string;
  readonly service: string;
}

describe("a Binary Star pair keeps what it promises", () => {
  const opened: { close(): unknown }[] = [];
  const processes: ServerProcess[] = [];
  const keep = <T extends { close(): unknown }>(part: T): T => {
    opened.push(part);
    return part;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((part) => part.close()));
    await Promise.all(processes.splice(0).map((server) => server.kill()));
  });

  const place = async (): Promise<Place> => ({
    local: await ownEndpoint(),
    service: await ownEndpoint(),
  });
  const start = (role: BinaryStarRole, own: Place, other: Place): Promise<ServerProcess> => {
    const args = [role, own.local, other.local, own.service];
    const server = new ServerProcess("binary_star/programs/server.ts", ...args);
    processes.push(server);
    return server.ready();
  };
  const clientOf = (...places: readonly Place[]): BinaryStarClient =>
    keep(
      new BinaryStarClient({
        servers: places.map(({ service }) => service),
        timeout: 300,
        settleDelay: 50,
        retries: 100,
      }),
    );
  const ask = async (client: BinaryStarClient, text: string): Promise<string> => {
    const reply = await client.request(text);
    assertEquals(String(reply[1]), text);
    return String(reply[0]);
  };
  const startPair = async (a: Place, b: Place): Promise<[ServerProcess, ServerProcess]> => {
    const pair = await Promise.all([start("primary", a, b), start("backup", b, a)]);
    await pair[0].prints("active from primary");
    await pair[1].prints("passive from backup");
    return pair;
  };

  for (let run = 1; run <= RUNS; run++) {
    it(`kill -9 of the active one: the other serves; who comes back stands by${nth(run)}`, async () => {
      const [a, b] = [await place(), await place()];
      const [primary, backup] = await startPair(a, b);
      const client = clientOf(a, b);
      assertEquals(await ask(client, "1"), "primary");
      await primary.kill();
      assertEquals(await ask(client, "2"), "backup");
      const again = await start("primary", a, b);
      await again.prints("passive from primary");
      assertEquals(await ask(clientOf(a, b), "3"), "backup", "it does not take its place back");
      await backup.kill();
      assertEquals(await ask(client, "4"), "primary");
    });

    it(`kill -9 of both: they serve again when both are back${nth(run)}`, async () => {
      const [a, b] = [await place(), await place()];
      const pair = await startPair(a, b);
      const client = clientOf(a, b);
      assertEquals(await ask(client, "1"), "primary");
      await Promise.all(pair.map((server) => server.kill()));
      const reply = ask(client, "2");
      await startPair(a, b);
      assertEquals(await reply, "primary");
    });

    it(`the active one is frozen: after the thaw it gives way unheard${nth(run)}`, async () => {
      const [a, b] = [await place(), await place()];
      const [primary, backup] = await startPair(a, b);
      const client = clientOf(a, b);
      assertEquals(await ask(client, "1"), "primary");
      primary.freeze();
      // What waits at a frozen server must not be served by it later, behind the other's back.
      const waiting = keep(new Dealer({ linger: 0 }));
      waiting.connect(a.service);
      await waiting.send(["", "stale"]);
      assertEquals(await ask(client, "2"), "backup");
      primary.thaw();
      await primary.prints("passive from active");
      assertEquals(await ask(clientOf(a, b), "3"), "backup");
      assert(!primary.output.includes("serves stale"), primary.output);
      assert(!backup.output.includes("passive from active"), backup.output);
      await backup.kill();
      assertEquals(await ask(client, "4"), "primary");
    });

    it(`the network between the two is silent, clients reach the active one${nth(run)}`, async () => {
      const { primary, backup, routers, cut } = await pairWithRelays();
      const client = keep(
        new BinaryStarClient({ servers: [routers[0].lastEndpoint!], timeout: 5_000 }),
      );
      cut(true);
      const until = performance.now() + 1.5 * PATIENCE;
      while (performance.now() < until) {
        assertEquals(String(await client.request("?")), "primary");
        assertEquals([primary.state, backup.state], ["active", "passive"]);
        await pause(20);
      }
      cut(false);
      const heard = backup.stats().heard;
      await eventually(() => backup.stats().heard > heard, WAIT_MS);
      assertEquals([primary.state, backup.state], ["active", "passive"]);
      assertEquals([primary.stats().conflicts, backup.stats().conflicts], [0, 0]);
    });

    it(`both serve while the network between them is silent: the later one stays${nth(run)}`, async () => {
      const { primary, backup, routers, cut } = await pairWithRelays();
      const client = keep(
        new BinaryStarClient({
          servers: [routers[1].lastEndpoint!],
          timeout: 200,
          settleDelay: 20,
          retries: 100,
        }),
      );
      cut(true);
      assertEquals(String(await client.request("?")), "backup");
      assertEquals(backup.state, "active");
      cut(false);
      await eventually(() => primary.state === "passive", WAIT_MS, "the primary gives way");
      assertEquals(String(await client.request("?")), "backup");
      assertEquals([primary.state, backup.state], ["passive", "active"]);
      assert(primary.stats().conflicts >= 1);
    });
  }

  const pairWithRelays = async () => {
    const stars = (["primary", "backup"] as const)
      .map((role) => keep(new BinaryStar({ role, ...BEATS })));
    const routers: Router[] = [];
    for (const star of stars) {
      const router = keep(new Router({ linger: 0 }));
      await router.bind("tcp://127.0.0.1:*");
      star.voter(router, ([id, empty]) => void router.trySend([id, empty, star.role]));
      await star.bind("tcp://127.0.0.1:*");
      routers.push(router);
    }
    const relays = [
      await SilentRelay.to(stars[0].endpoint!),
      await SilentRelay.to(stars[1].endpoint!),
    ];
    opened.push(...relays);
    stars[0].connect(relays[1].endpoint);
    stars[1].connect(relays[0].endpoint);
    await eventually(() => stars[0].state === "active" && stars[1].state === "passive", WAIT_MS);
    const cut = (silent: boolean): void => {
      for (const relay of relays) relay.silent = silent;
    };
    return { primary: stars[0], backup: stars[1], routers, cut };
  };
});

/** In the title of a repeated run. */
function nth(run: number): string {
  return run === 1 ? "" : `, run ${run}`;
}

const given: Set<string> = new Set();

/** A free endpoint that was not given before: the system may name one twice. */
async function ownEndpoint(): Promise<string> {
  let endpoint = await freeEndpoint();
  while (given.has(endpoint)) endpoint = await freeEndpoint();
  given.add(endpoint);
  return endpoint;
}
