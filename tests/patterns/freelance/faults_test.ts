// Real processes that die, freeze and fall silent: what docs/patterns/freelance.md promises must hold each time. A request
// is answered, once, by any living server, or rejects with ETIMEDOUT in the stated time.

import { assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  FailoverClient,
  FreelanceClient,
  type FreelanceClientOptions,
  ShotgunClient,
} from "../../../src/patterns/freelance/mod.ts";
import type { Frame } from "../../../mod.ts";
import { Cleanup } from "../../_util/cleanup.ts";
import { eventually, within } from "../../_util/deadline.ts";
import { freeEndpoint } from "../../_util/ports.ts";
import { start } from "../../_util/process.ts";
import { rejection } from "../../_util/rejection.ts";
import { RUNS } from "../../_util/runs.ts";
import { SilentRelay } from "../../_util/silent_relay.ts";
import { freeze, type ServerProcess, startServer, thaw } from "./stage.ts";

const WAIT_MS = 15_000;
const WORK_MS = 150;
const MANY = 20;
const TIMEOUT_MS = 600;
/** What a loaded machine may add to a time. */
const SLACK_MS = 5_000;
const BEATS: FreelanceClientOptions = {
  heartbeatInterval: 100,
  heartbeatLiveness: 6,
  timeout: 10_000,
  requestTimeout: WAIT_MS,
};
const cleanup = new Cleanup();

type Model = Parameters<typeof startServer>[0];
type Client = FreelanceClient | ShotgunClient | FailoverClient;

async function server(
  model: Model,
  name: string,
  delay = WORK_MS,
  endpoint?: string,
): Promise<ServerProcess> {
  const started = await startServer(model, name, delay, endpoint);
  cleanup.add(started.program);
  return started;
}

function servers(model: Model, ...names: string[]): Promise<ServerProcess[]> {
  return Promise.all(names.map((name) => server(model, name)));
}

function freelance(endpoints: readonly string[], options: object = {}): FreelanceClient {
  return cleanup.add(new FreelanceClient({ ...BEATS, ...options, servers: endpoints }));
}

/** Asks `count` things at once; the replies, as texts. */
function askAll(client: Client, count = MANY): Promise<string[][]> {
  return Promise.all(Array.from({ length: count }, async (_, i) => {
    const reply = await client.request(String(i));
    return reply.map((frame: Frame) => frame.toString());
  }));
}

/** Each request has its own answer. */
function assertAnswered(replies: readonly string[][], count = MANY): void {
  assertEquals(
    replies.map(([, request]) => request),
    Array.from({ length: count }, (_, i) => `${i}`),
  );
}

async function alive(client: FreelanceClient, count: number): Promise<void> {
  const living = (): number => client.servers.filter((each) => each.alive).length;
  await eventually(() => living() === count, WAIT_MS, `${count} servers are alive`);
}

/** A request fails, not before its time and not long after. */
async function assertTimesOut(client: Client, ms: number): Promise<void> {
  const began = performance.now();
  await rejection(client.request("anybody?"), "ETIMEDOUT");
  const took = performance.now() - began;
  assertGreaterOrEqual(took, ms - 5);
  assertLess(took, ms + SLACK_MS);
}

const scenarios: Readonly<Record<string, () => Promise<void>>> = {
  async "a FreelanceClient's server is killed with requests: the other one answers them all"() {
    const [a, b] = await servers("flp", "a", "b");
    const client = freelance([a.endpoint, b.endpoint]);
    await alive(client, 2);
    const replies = askAll(client);
    await a.program.prints("begun");
    await a.program.kill();
    assertAnswered(await within(replies, WAIT_MS, "replies"));
    assertEquals([...new Set((await replies).map(([name]) => name))].includes("b"), true);
    const stats = client.stats();
    assertEquals([stats.replies, stats.pending, stats.timeouts], [MANY, 0, 0]);
  },

  async "all of a FreelanceClient's servers are killed: ETIMEDOUT in time"() {
    const [a, b] = await servers("flp", "a", "b");
    const client = freelance([a.endpoint, b.endpoint], { requestTimeout: TIMEOUT_MS });
    await alive(client, 2);
    const failing = rejection(client.request("the last"), "ETIMEDOUT");
    await Promise.all([a.program.kill(), b.program.kill()]);
    // Both could have answered before they died.
    await failing.catch((error) => assertEquals(error.message.startsWith("Resolved"), true));
    await alive(client, 0);
    await assertTimesOut(client, TIMEOUT_MS);
    assertEquals(client.stats().pending, 0);
  },

  async "a FreelanceClient's server is frozen with requests: the other one answers, late replies are dropped"() {
    const [a, b] = await servers("flp", "a", "b");
    const client = freelance([a.endpoint, b.endpoint]);
    await alive(client, 2);
    const replies = askAll(client);
    await a.program.prints("begun");
    await freeze(a);
    assertAnswered(await within(replies, WAIT_MS, "replies"));
    await alive(client, 1);
    thaw(a);
    await alive(client, 2);
    const atA = (await replies).filter(([name]) => name === "a").length;
    // What it was frozen with it answers in the end; nobody gets that.
    await eventually(() => client.stats().late >= MANY / 2 - atA, WAIT_MS, "late replies");
    assertEquals(client.stats().replies, MANY);
  },

  async "a FreelanceClient's only server is killed and comes back: it gets the requests again"() {
    const endpoint = await freeEndpoint();
    const first = await server("flp", "first", WORK_MS, endpoint);
    const client = freelance([endpoint]);
    await alive(client, 1);
    const replies = askAll(client);
    await first.program.prints("begun");
    await first.program.kill();
    await alive(client, 0);
    await server("flp", "second", 0, endpoint);
    assertAnswered(await within(replies, WAIT_MS, "replies"));
    assertEquals(client.stats().replies, MANY);
  },

  async "a FreelanceClient is killed with requests: the server serves the others"() {
    const { endpoint } = await server("flp", "a", 20);
    const other = start("../patterns/freelance/programs/client.ts", endpoint);
    cleanup.add(other);
    await other.prints("asked");
    await other.kill();
    const client = freelance([endpoint]);
    assertAnswered(await within(askAll(client), WAIT_MS, "replies"));
  },

  async "the way to a FreelanceClient's server falls silent: another one answers; it is heard again"() {
    const [a, b] = await servers("flp", "a", "b");
    const relay = await SilentRelay.to(a.endpoint);
    cleanup.add(relay);
    const client = freelance([relay.endpoint, b.endpoint]);
    await alive(client, 2);
    const lost: string[] = [];
    client.events.on("lost", ({ endpoint, reason }) => {
      if (endpoint === relay.endpoint) lost.push(reason);
    });
    relay.silent = true;
    assertAnswered(await within(askAll(client), WAIT_MS, "replies"));
    await eventually(() => lost.length > 0, WAIT_MS, "the silence is noticed");
    assertEquals(lost, ["silent"]);
    relay.silent = false;
    await alive(client, 2);
    assertAnswered(await within(askAll(client), WAIT_MS, "replies"));
  },

  async "two of a ShotgunClient's servers are killed with requests: the third answers; then none is left"() {
    const three = await servers("shotgun", "a", "b", "c");
    const client = cleanup.add(
      new ShotgunClient({
        servers: three.map(({ endpoint }) => endpoint),
        requestTimeout: WAIT_MS,
      }),
    );
    await client.request("are you there?");
    const replies = askAll(client);
    await Promise.all(three.slice(0, 2).map(({ program }) => program.kill()));
    assertAnswered(await within(replies, WAIT_MS, "replies"));
    assertEquals(client.stats().replies, MANY + 1);
    await freeze(three[2]);
    const rest = cleanup.add(
      new ShotgunClient({ servers: client.servers, requestTimeout: TIMEOUT_MS }),
    );
    await assertTimesOut(rest, TIMEOUT_MS);
  },

  async "a FailoverClient's server is killed or frozen with a request: the next one answers; then none is left"() {
    const [a, b, c] = await servers("rep", "a", "b", "c");
    const endpoints = [a, b, c].map(({ endpoint }) => endpoint);
    const client = cleanup.add(new FailoverClient({ servers: endpoints, timeout: 800 }));
    const first = client.request("1");
    await a.program.prints("begun");
    await a.program.kill();
    assertEquals((await first).map(String)[1], "1");
    assertEquals(client.servers[0] === a.endpoint, false);
    await freeze(b);
    assertEquals((await within(client.request("2"), WAIT_MS, "reply")).map(String), ["c", "2"]);
    await c.program.kill();
    const hasty = cleanup.add(new FailoverClient({ servers: endpoints, timeout: 150 }));
    await assertTimesOut(hasty, 450);
  },
};

describe("Freelance, with processes that fail:", () => {
  afterEach(() => cleanup.run());

  for (const [title, scenario] of Object.entries(scenarios)) {
    // A test for each run: runtimes limit how long one may take.
    it(title, scenario);
    for (let run = 2; run <= RUNS; run++) it(`${title}, run ${run}`, scenario);
  }
});
