// The guide's programs of its first chapters: asking, publishing, dividing work, ending.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { commandFor, Program } from "../_util/process.ts";
import { countLines, tell } from "./tell.ts";

const { process } = globalThis as unknown as {
  process: { kill(pid: number, signal: string): void };
};

function linesOf(story: string): string[] {
  return story.trim().split("\n");
}

describe("the guide's first programs", () => {
  it("hello_world, hello_world_raw: every request gets its reply, whoever made the envelope", async () => {
    const [story, raw, version] = await Promise.all(
      ["hello_world.ts", "hello_world_raw.ts", "version.ts"].map(tell),
    );
    const expected = Array.from({ length: 10 }, (_, index) => `request ${index + 1}: Hello World`);
    assertEquals(linesOf(story), expected);

    assertEquals(linesOf(raw).slice(0, 6), [
      "ROUTER received [dealer] [] [Hello]",
      "ROUTER received [dealer] [] [Howdy]",
      "DEALER received [] [Howdy World]",
      "DEALER received [] [Hello World]",
      "REP received [Hi]",
      "DEALER received [] [Hi World]",
    ]);
    assertEquals(linesOf(raw).slice(6).sort(), [ // who of the two comes first is up to chance
      "REQ received [Goodbye World]",
      "REQ received [Hello World]",
      "ROUTER received [Ada] [] [Hello]",
      "ROUTER received [Ben] [] [Goodbye]",
    ]);
    assertMatch(version, /^wasmq \d+\.\d+\.\d+, with tcp and ipc and ws and wss and curve\n$/);
  });

  it("ventilator, ventilator_kill: all tasks are done, and the workers end", async () => {
    const [story, killed] = await Promise.all(["ventilator.ts", "ventilator_kill.ts"].map(tell));
    for (const workers of [2, 10]) {
      const line = new RegExp(`^\\d+ ms of work took ${workers} workers \\d+ ms; .*: (.*)$`, "m");
      const shares = line.exec(story)![1].split(", ").map(Number);
      assertEquals(shares, Array.from({ length: workers }, () => 100 / workers), story);
    }
    assertStringIncludes(killed, "sink: has 60 results");
    for (const name of ["Ada", "Ben", "Cleo"]) {
      assertStringIncludes(killed, `${name}: killed after 20 tasks`);
    }
  });

  it("news, pathological: a latecomer has missed what was said before", async () => {
    const [news, story] = await Promise.all(["news.ts", "pathological.ts"].map(tell));
    for (const name of ["Ada", "Ben"]) {
      const own = [...news.matchAll(new RegExp(`^${name} hears news: headline (\\d+)$`, "gm"))];
      const numbers = own.map(([, number]) => Number(number));
      assertEquals(numbers, [0, 1, 2, 3, 4].map((later) => numbers[0] + later), news);
    }
    const [, first] = /^Ben hears news: headline (\d+)$/m.exec(news)!;
    assert(Number(first) > 1, news);

    assertStringIncludes(story, "early: 000 has its first value");
    const [, spoken] = /^the publisher spoke (\d+) times$/m.exec(story)!;
    assert(Number(spoken) > 1000, story); // not one of ten latecomers got what all were told at first
    assertMatch(story, /^late: waited \d+ ms on average, \d+ at worst$/m);
  });

  it("busy_polling, shared_queue, shared_queue_proxy: nothing is left over", async () => {
    const [polled, queue, proxy] = await Promise.all(
      ["busy_polling.ts", "shared_queue.ts", "shared_queue_proxy.ts"].map(tell),
    );
    assertEquals(countLines(polled, /^heard of 10001 \d\d °C, after \d+ tasks$/), 10, polled);
    assertMatch(polled, /^20 tasks, 10 updates; looked \d+ times when there was nothing$/m);

    for (const name of ["Ada", "Ben", "Cleo"]) {
      for (const number of [1, 2, 3, 4]) {
        const reply = `${name} ${number}: (first|second) service did ${name} ${number}`;
        assertEquals(countLines(queue, new RegExp(`^${reply}$`)), 1, queue);
      }
    }
    for (const service of ["first", "second"]) {
      assert(countLines(queue, new RegExp(`${service} service`)) > 0, queue);
    }
    assertStringIncludes(queue, "the queue passed on 12 requests and 12 replies");

    assertEquals(linesOf(proxy), [
      "200 of 200 replies were right",
      "200 requests came in front, 200 left at the back",
    ]);
  });

  it("interrupt: closes everything on Ctrl-C, and without it", async () => {
    const command = commandFor("../../examples/guide/interrupt.ts", ["--forever"]);
    const program = new Program(command.map((word) => word === "-A" ? "--allow-net" : word));
    const alone = tell("interrupt.ts");
    try {
      await program.prints("end it with Ctrl-C\n");
      const [, pid] = /^process (\d+) serves on tcp:/.exec(program.output)!;
      process.kill(Number(pid), "SIGINT");
      const story = await program.succeeds();
      assertStringIncludes(story, "\nCtrl-C: closing\n");
      assertMatch(story, /everything is closed\n$/);
    } finally {
      await program.kill();
    }
    assertMatch(await alone, /\nnobody pressed Ctrl-C: closing\n.*everything is closed\n$/);
  });

  it("eagain, file_transfer: queues have a limit, and a file arrives whole", async () => {
    const [story, transfer] = await Promise.all(["eagain.ts", "file_transfer.ts"].map(tell));
    assertEquals(linesOf(story), [
      "message 5: EAGAIN, after 4 messages",
      "trySend: false, writable: false",
      "somebody listens; writable: true",
      ...Array.from({ length: 10 }, (_, index) => `received message ${index + 1}`),
    ]);

    assertMatch(transfer, /^all at once {3}: 1 chunks in \d+ ms, at most 1 under way$/m);
    assertMatch(transfer, /^chunk by chunk: 80 chunks in \d+ ms, at most 1 under way$/m);
    assertMatch(transfer, /^with credit {3}: 80 chunks in \d+ ms, at most 10 under way$/m);
    assertStringIncludes(transfer, "3 of 3 copies are the same as the original");
  });
});
