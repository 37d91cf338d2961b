// The guide's programs about requests that survive, heartbeats, and workers that come and go.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { commandFor, Program } from "../_util/process.ts";
import { countLines, tell } from "./tell.ts";

describe("the guide's programs about what lasts", () => {
  it("titanic: requests are kept without a worker, and fetched by somebody else", async () => {
    // It writes files: with all permissions.
    const program = new Program(commandFor("../../examples/guide/titanic.ts"));
    const story = await program.succeeds();
    assertEquals(story.trim().split("\n"), [
      "titanic: 0 requests on the disk, 0 of them answered",
      "client: Ada has a ticket of 32 characters",
      "client: Ben has a ticket of 32 characters",
      "client: Cleo has a ticket of 32 characters",
      "client: the first reply is pending",
      "titanic: 3 requests on the disk, 0 of them answered",
      "another client: Ada has a cabin",
      "another client: Ben has a cabin",
      "another client: Cleo has a cabin",
      "titanic: 0 requests on the disk",
    ]);
  });

  it("heartbeats: who is silent is noticed, on both sides", async () => {
    const story = await tell("heartbeats.ts");
    for (const name of ["Ada", "Ben", "Cleo"]) {
      assertStringIncludes(story, `server: ${name} is there\n`);
    }
    assertStringIncludes(story, "client: hello, Ada\n");
    assertStringIncludes(story, "client: hello, Ben\n");
    assertStringIncludes(story, "server: Cleo is silent\n");
    assertStringIncludes(story, "Cleo\n");
    assertStringIncludes(story, "server: answered pings of others\n");
    assertStringIncludes(story, "server: no pong came without a ping\n");
    assertStringIncludes(story, "clients: the server is gone, say 2 of 2\n");
  });

  it("elastic_push: workers come, leave and vanish, and every task is done once", async () => {
    const story = await tell("elastic_push.ts");
    assertEquals(countLines(story, /^gateway: (Ada|Ben|Cleo|Dan) came$/), 4, story);
    assertStringIncludes(story, "gateway: Ada left\n");
    assertStringIncludes(story, "Ada is closed\n");
    assertStringIncludes(story, "gateway: Dan vanished, 5 tasks go to others\n");
    assertStringIncludes(story, "1000 of 1000 tasks are done, 1000 of them once\n");
  });
});
