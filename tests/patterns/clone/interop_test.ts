// CHP with libzmq at the other end: their clients at our server, ours at theirs.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import type { CloneEndpoints } from "../../../src/patterns/clone/mod.ts";
import { eventually, within } from "../../_util/deadline.ts";
import { Program } from "../../_util/process.ts";
import { commandOf } from "../../crash/peers.ts";
import { equal, Stage, textOf, WAIT_MS } from "./stage.ts";

describe("Clone with libzmq", () => {
  const stage = new Stage();
  const programs: Program[] = [];
  afterEach(async () => {
    await stage.close();
    await Promise.all(programs.splice(0).map((program) => program.kill()));
  });
  const libzmq = (...args: string[]): Program => {
    const [node] = commandOf("libzmq");
    const path = new URL("./libzmq_chp.mjs", import.meta.url).pathname;
    const program = new Program([node, path, ...args]);
    programs.push(program);
    return program;
  };
  const mapOf = async (program: Program): Promise<[string, string][]> => {
    await program.prints(" map\n");
    return JSON.parse(/^map (.*) map$/m.exec(program.output)![1]);
  };

  it("CHP-04 CHP-07 CHP-10: their client, our server and our client", async () => {
    const server = await stage.server();
    for (let i = 0; i < 100; i++) server.set(`/ours/${i}`, `of ${i}`);
    const ours = await stage.readyClient([server]);
    const theirs = libzmq("client", JSON.stringify(server.endpoints));
    await theirs.prints("snapshot 100 snapshot");
    await eventually(() => ours.has("mortal") && !ours.has("/libzmq/0"), WAIT_MS);
    assertEquals(ours.properties("/libzmq/1"), { by: "libzmq" });
    await eventually(() => !ours.has("mortal"), WAIT_MS, "it expires");
    await ours.set("/ours/100", "new");
    await ours.delete("/ours/0");
    await ours.set("stop", "now");
    const map = await mapOf(theirs);
    assertEquals([map.length, map], [100 + 9 + 1, textOf(server)]);
    await equal(ours, server);
    assertEquals([server.stats().malformed, ours.stats().malformed], [0, 0]);
  });

  it("CHP-06 CHP-11 CHP-12: our clients at their server", async () => {
    const theirs = libzmq("server");
    await theirs.prints(" ready\n");
    const endpoints = JSON.parse(
      /^ready (.*) ready$/m.exec(theirs.output)![1],
    ) as CloneEndpoints;
    const ada = await stage.readyClient([endpoints]);
    const sets = Array.from({ length: 50 }, (_, i) => ada.set(`/k/${i % 20}`, String(i)));
    sets.push(ada.set("mortal", "here", { ttl: 60, properties: { by: "Ada" } }));
    await within(Promise.all(sets), WAIT_MS, "published by them");
    await within(ada.delete("/k/0"), WAIT_MS, "deleted by them");
    const ben = await stage.readyClient([endpoints]);
    const part = await stage.readyClient([endpoints], { subtree: "/k/" });
    await equal(ada, ben);
    assertEquals([ben.size, part.size], [20, 19]);
    await ben.set("stop", "now");
    assertEquals(await mapOf(theirs), textOf(ben));
    await equal(ada, ben);
    assertEquals([ada, ben, part].map((client) => client.stats().malformed), [0, 0, 0]);
  });
});
