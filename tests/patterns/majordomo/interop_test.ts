// Majordomo of ours together with one that speaks libzmq: see libzmq_mdp.mjs.

import { assert, assertEquals } from "@std/assert";
import { after, afterEach, describe, it } from "@std/testing/bdd";
import { commandOf } from "../../crash/peers.ts";
import { textsOf } from "../../_util/bytes.ts";
import { Cleanup } from "../../_util/cleanup.ts";
import { eventually, within } from "../../_util/deadline.ts";
import { Program } from "../../_util/process.ts";
import { Stage, WAIT_MS } from "./stage.ts";

const BEATS = { heartbeatInterval: 100, heartbeatLiveness: 20 } as const;

describe("with libzmq", () => {
  const programs = new Cleanup();
  const stage = new Stage();
  after(() => programs.run());
  afterEach(async () => {
    await stage.run();
    await programs.run();
  });

  function start(...args: string[]): Program {
    const path = new URL("./libzmq_mdp.mjs", import.meta.url).pathname;
    return programs.add(new Program([commandOf("libzmq")[0], path, ...args]));
  }

  const questions = (suffix = "") => Array.from({ length: 10 }, (_, i) => `question ${i}${suffix}`);

  it("their broker has a worker of ours, for their clients and ours (MDP1-03, MDP1-08, MDP1-14)", async () => {
    const theirs = start("broker");
    await theirs.prints("\n");
    const endpoint = theirs.output.trim().split(" ")[1];
    const worker = stage.worker(endpoint, {
      ...BEATS,
      handler: (body) => [...body, "by us"],
    });
    const sync = start("client", endpoint, "echo", "10");
    assertEquals((await sync.succeeds()).trim().split("\n"), questions(" by us"));
    const pipelined = start("pipeline", endpoint, "echo", "10");
    assertEquals((await pipelined.succeeds()).trim().split("\n"), questions(" by us"));
    const client = stage.client(endpoint, { lanes: 3 });
    assertEquals(await client.exists("echo"), true);
    assertEquals(await client.exists("nobody"), false);
    const replies = await Promise.all(questions().map((body) => client.request("echo", body)));
    assertEquals(replies.map((body) => textsOf(body).join(" ")), questions(" by us"));
    assert(client.stats().connections <= 3);
    // Nobody lost anybody meanwhile.
    assertEquals(worker.stats().conversations, 1);
    await worker.close();
    await theirs.prints("removed a worker of echo");
    assertEquals(await client.exists("echo"), false);
  });

  it("their broker has a worker of theirs for a client of ours", async () => {
    const theirs = start("broker");
    await theirs.prints("\n");
    const endpoint = theirs.output.trim().split(" ")[1];
    const worker = start("worker", endpoint, "echo");
    await worker.prints("ready");
    const client = stage.client(endpoint);
    const replies = await Promise.all(questions().map((body) => client.request("echo", body)));
    assertEquals(replies.map((body) => textsOf(body).join(" ")), questions(" by libzmq"));
  });

  it("our broker has workers of theirs, for their clients and ours, in both versions (MDP2-01, MDP2-05)", async () => {
    const broker = await stage.broker(BEATS);
    const endpoint = broker.lastEndpoint!;
    const first = start("worker", endpoint, "first");
    const second = start("worker", endpoint, "second", "0.2");
    await first.prints("ready");
    await second.prints("ready");
    const [sync, pipelined, parts, end] = await Promise.all([
      start("client", endpoint, "first", "10").succeeds(),
      start("pipeline", endpoint, "first", "10").succeeds(),
      start("client2", endpoint, "second", "10").succeeds(),
      start("client", endpoint, "second", "2").succeeds(),
    ]);
    assertEquals(sync.trim().split("\n"), questions(" by libzmq"));
    assertEquals(pipelined.trim().split("\n"), questions(" by libzmq"));
    const expected = questions().flatMap((text) => [`partial ${text}`, "final by libzmq"]);
    assertEquals(parts.trim().split("\n"), expected);
    assertEquals(end.trim().split("\n"), ["by libzmq", "by libzmq"], "0.1 has no parts");
    const client = stage.client(endpoint, { version: "0.2" });
    assertEquals(textsOf(await client.request("first", "hi")), ["hi", "by libzmq"]);
    const texts: string[] = [];
    for await (const { body } of client.stream("second", "hi")) texts.push(...textsOf(body));
    assertEquals(texts, ["hi", "by libzmq"]);
    // All of them heard our heartbeats.
    assertEquals([first.output, second.output], ["ready\n", "ready\n"]);
    assertEquals([broker.stats().lost, broker.stats().malformed], [0, 0]);
  });

  it("their worker comes back when our broker does (MDP1-06, MDP1-08)", async () => {
    const broker = await stage.broker(BEATS);
    const endpoint = broker.lastEndpoint!;
    const worker = start("worker", endpoint, "echo");
    await eventually(() => broker.stats().workers === 1, WAIT_MS);
    await within(broker.close(), WAIT_MS, "the broker closes");
    await worker.prints("lost");
    const next = await stage.broker(BEATS);
    await next.bind(endpoint);
    await eventually(() => next.stats().workers === 1, WAIT_MS, "the worker is back");
    const client = stage.client(endpoint);
    assertEquals(textsOf(await client.request("echo", "hi")), ["hi", "by libzmq"]);
  });
});
