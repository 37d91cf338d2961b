// zeromq.js's published examples, written anew, and programs about what it promises: each runs with
// zeromq.js and, with nothing but its import changed, with wasmq, and prints the same.

import { assertEquals, assertNotEquals } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { TRANSPORTS } from "../_util/anywhere.ts";
import { Stage } from "./stage.ts";

const PROGRAMS = {
  "push_pull.ts": "a producer and a worker",
  "pub_sub.ts": "a publisher and a subscriber",
  "req_rep.ts": "a client and a server",
  "queue.ts": "a queue in front of a socket",
  "task_queue.ts": "a ROUTER that gives tasks to DEALERs",
  "majordomo/main.ts": "the Majordomo broker",
  "messages.ts": "what can be sent and how it arrives",
  "errors.ts": "what goes wrong, and its codes",
  "proxy.ts": "a proxy between clients and workers",
};

describe("a program written for zeromq.js", () => {
  let stage: Stage;
  before(() => {
    stage = new Stage();
  });
  after(() => stage.destroy());

  async function assertPrintsTheSame(...run: Parameters<Stage["run"]>): Promise<void> {
    const expected = await stage.runWithZeromqJs(...run);
    assertNotEquals(expected, "");
    assertEquals(await stage.run(...run), expected);
  }

  for (const [name, title] of Object.entries(PROGRAMS)) {
    for (const transport of TRANSPORTS) {
      it(`prints the same with wasmq, over ${transport}: ${title}`, async () => {
        await assertPrintsTheSame(name, transport);
      });
    }
  }

  it("prints the same with wasmq: workers over inproc that connect before anybody binds", async () => {
    await assertPrintsTheSame("threaded_worker.ts", "inproc");
  });

  it("prints the same with wasmq: the events of a connection", async () => {
    await assertPrintsTheSame("events.ts");
  });
});
