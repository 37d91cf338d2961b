// What docs/patterns/clone.md guarantees, with servers and clients that are killed, frozen and cut off.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import type { CloneClient, CloneEndpoints } from "../../../src/patterns/clone/mod.ts";
import { eventually, pause, within } from "../../_util/deadline.ts";
import { freeEndpoint } from "../../_util/ports.ts";
import { SilentRelay } from "../../_util/silent_relay.ts";
import { RUNS } from "../../_util/runs.ts";
import { ServerProcess } from "../binary_star/server_process.ts";
import type { Setup } from "./programs/server.ts";
import { QUICK } from "./quick.ts";
import { equal, Stage, textOf } from "./stage.ts";

const WAIT_MS = 30_000;
const SETS = 60;

interface Place {
  readonly own: CloneEndpoints;
  readonly star: string;
}

describe("Clone keeps what it promises", () => {
  const stage = new Stage();
  const processes: ServerProcess[] = [];
  const relays: SilentRelay[] = [];
  afterEach(async () => {
    await stage.close();
    for (const relay of relays.splice(0)) relay.close();
    await Promise.all(processes.splice(0).map((process) => process.kill()));
  });

  const place = async (): Promise<Place> => ({
    own: {
      snapshots: await ownEndpoint(),
      updates: await ownEndpoint(),
      collector: await ownEndpoint(),
    },
    star: await ownEndpoint(),
  });
  const run = (program: string, argument: unknown): Promise<ServerProcess> => {
    const started = new ServerProcess(`clone/programs/${program}.ts`, JSON.stringify(argument));
    processes.push(started);
    return started.ready();
  };
  const start = (own: Place, other?: Place, role: "primary" | "backup" = "primary") => {
    const pair = other && { role, local: own.star, remote: other.star, peer: other.own };
    return run("server", { own: own.own, ...(pair && { pair }) } satisfies Setup);
  };
  const startPair = async (a: Place, b: Place): Promise<[ServerProcess, ServerProcess]> => {
    const pair = await Promise.all([start(a, b, "primary"), start(b, a, "backup")]);
    await pair[0].prints("active from");
    await pair[1].prints("synchronised");
    return pair;
  };
  const clientOf = async (...places: readonly Place[]): Promise<CloneClient> => {
    const client = await stage.readyClient(places.map(({ own }) => own), QUICK);
    await eventually(() => client.stats().collectors === places.length, WAIT_MS, "all collect");
    return client;
  };

  /** Sets keys of its own and a shared one, over some time; resolves when all are published. */
  const write = async (client: CloneClient, name: string, sets = SETS): Promise<void> => {
    const all: Promise<void>[] = [];
    for (let i = 0; i < sets; i++) {
      all.push(client.set(`/${name}/${i % 20}`, String(i)), client.set("shared", `${name} ${i}`));
      if (i % 10 === 9) await pause(5);
    }
    await within(Promise.all(all), WAIT_MS, `${name}'s updates are published`);
  };
  const assertWritten = (client: CloneClient, name: string, sets = SETS): void => {
    for (let i = sets - 20; i < sets; i++) {
      assertEquals(String(client.get(`/${name}/${i % 20}`)), String(i), `${name}, ${i}`);
    }
  };

  for (let turn = 1; turn <= RUNS; turn++) {
    it(`kill -9 of the active server: no update is lost, all are equal${nth(turn)}`, async () => {
      const [a, b] = [await place(), await place()];
      const [primary, backup] = await startPair(a, b);
      const [ada, ben] = await Promise.all([clientOf(a, b), clientOf(a, b)]);
      const writing = [write(ada, "ada"), write(ben, "ben")];
      await pause(Math.random() * 40);
      await primary.kill();
      await Promise.all(writing);
      const fresh = await clientOf(b);
      await equal(fresh, ada, ben);
      for (const client of [fresh, ada, ben]) {
        assertWritten(client, "ada");
        assertWritten(client, "ben");
      }
      // The other way round, to see that who came back has all of it.
      const again = await start(a, b, "primary");
      await again.prints("synchronised 41.");
      await ada.set("last", "1");
      await eventually(() => ben.has("last"), WAIT_MS);
      await again.prints("has the last.");
      const before = textOf(ben);
      await backup.kill();
      await within((await clientOf(a)).ready, WAIT_MS, "the primary serves again");
      await eventually(() => ada.connected && ben.connected, WAIT_MS);
      await equal(await clientOf(a), ada, ben);
      assertEquals(textOf(ben), before);
    });

    it(`kill -9 of a client: what it kept alive expires, the rest stays${nth(turn)}`, async () => {
      const a = await place();
      await start(a);
      const ada = await clientOf(a);
      const mortal = await run("client", [a.own]);
      await eventually(() => ada.has("presence"), WAIT_MS);
      await mortal.kill();
      await eventually(() => !ada.has("presence"), WAIT_MS);
      assertEquals(textOf(ada), [["for good", "1"]]);
      await equal(await clientOf(a), ada);
    });

    it(`kill -9 of a server that is alone: its clients follow the empty one${nth(turn)}`, async () => {
      const a = await place();
      const first = await start(a);
      const [ada, ben] = await Promise.all([clientOf(a), clientOf(a)]);
      await write(ada, "ada");
      await eventually(() => ben.size === 21, WAIT_MS);
      await first.kill();
      const set = ben.set("new", "1");
      await start(a);
      await within(set, WAIT_MS, "published by the new one");
      await equal(await clientOf(a), ada, ben, [["new", bytesOf("1")]]);
    });

    it(`the active server is frozen: nothing of its successor's is lost by the thaw${nth(turn)}`, async () => {
      const [a, b] = [await place(), await place()];
      const [primary, backup] = await startPair(a, b);
      const [ada, ben] = await Promise.all([clientOf(a, b), clientOf(a, b)]);
      await write(ada, "ada", 20);
      primary.freeze();
      await Promise.all([write(ada, "ada"), write(ben, "ben")]);
      primary.thaw();
      await primary.prints("passive from active");
      await primary.prints("synchronised 41.");
      assertEquals([ada.connected, ben.connected], [true, true]);
      await ada.set("last", "1");
      await eventually(() => ben.has("last"), WAIT_MS);
      await primary.prints("has the last.");
      const before = textOf(ben);
      await backup.kill();
      const fresh = await clientOf(a);
      await eventually(() => ada.connected && ben.connected, WAIT_MS);
      await equal(fresh, ada, ben);
      assertEquals(textOf(fresh), before);
    });

    it(`a network that is silent for a while: the client has all of it after${nth(turn)}`, async () => {
      const a = await place();
      await start(a);
      const through: Record<string, SilentRelay> = {};
      for (const [name, endpoint] of Object.entries(a.own)) {
        relays.push(through[name] = await SilentRelay.to(endpoint));
      }
      const { snapshots, updates, collector } = through;
      const cutOff = await clientOf({
        own: {
          snapshots: snapshots.endpoint,
          updates: updates.endpoint,
          collector: collector.endpoint,
        },
        star: "",
      });
      const ada = await clientOf(a);
      await write(ada, "before", 20);
      await eventually(() => cutOff.size === 21, WAIT_MS);
      const reasons: string[] = [];
      cutOff.events.on("failover", ({ reason }) => reasons.push(reason));
      for (const relay of relays) relay.silent = true;
      await write(ada, "during", 20);
      const set = cutOff.set("from the dark", "1");
      await eventually(() => !cutOff.connected, WAIT_MS);
      assertEquals([cutOff.size, reasons], [21, ["silent"]]);
      for (const relay of relays) relay.silent = false;
      await within(set, WAIT_MS, "published");
      await equal(await clientOf(a), ada, cutOff);
      assert(ada.has("from the dark"));
    });
  }
});

function bytesOf(text: string): Uint8Array {
  return Object.assign(new TextEncoder().encode(text), { toString: () => text });
}

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
