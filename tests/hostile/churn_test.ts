// Connections that come and go by the thousand, each broken off in another way: no pipe, no descriptor, no timer and no memory
// stays behind.

import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull, Push } from "../../mod.ts";
import { assertFrames, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { openFiles } from "../_util/hostile_files.ts";
import { HostileDoor } from "../_util/hostile_door.ts";
import { memoryInUse } from "../_util/memory.ts";
import { concat, pattern } from "../_util/octets.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { dial } from "../_util/raw_peer.ts";
import { command, frame, greeting, longHeader, message, ping, ready } from "../_util/raw_zmtp.ts";
import { systemError } from "../_util/scripted_runtime.ts";

const MB = 1_000_000;
const ROUNDS = 2_000;
const AT_ONCE = 20;
/** Octets that a socket says of itself before it hears anything. */
const SIGNATURE = 10;
const cleanup = new Cleanup();

/** What a connection says before it is broken off; the last ones are ended for it. */
function sayings(type: string): readonly Uint8Array[] {
  const inside = concat(greeting(), ready(type));
  return [
    new Uint8Array(0),
    greeting().subarray(0, 20),
    greeting(),
    concat(greeting(), ready(type).subarray(0, 9)),
    inside,
    concat(inside, ping("x"), frame("half", true)),
    concat(inside, longHeader(1_000_000n), pattern(100_000)),
    concat(inside, command("ANY", pattern(3_000)), frame(pattern(70_000), true)),
    utf8("GET / HTTP/1.1\r\n\r\n"),
    concat(greeting(), ready("PUB")),
    concat(inside, longHeader(2n ** 63n)),
    concat(inside, Uint8Array.of(0x80, 0)),
  ];
}

describe("two thousand connections that are broken off", () => {
  afterEach(() => cleanup.run());

  it("leave no pipe, timer, or memory of the core", async () => {
    const door = await new HostileDoor().listen();
    const { memory } = door.host.around;
    const says = sayings("DEALER");
    // The first region needs an arena.
    door.guest().end();
    const round = (count: number): void => {
      for (let i = 0; i < count; i++) {
        const stream = door.knock("10.0.0.1", says[i % says.length]);
        for (const pipe of door.host.attached) pipe.send([pattern(10), pattern(1_000)]);
        stream.end(i % 2 === 0 ? systemError("ECONNRESET") : undefined);
      }
      door.events.length = 0;
      door.host.calls.length = 0;
      door.host.backlog.length = 0;
      door.host.clock.settle();
    };
    let regions = 0;
    const { allocate, release } = memory;
    memory.allocate = (...args) => {
      regions++;
      return allocate.apply(memory, args);
    };
    memory.release = (...args) => {
      regions--;
      return release.apply(memory, args);
    };
    // Long bodies are given back when the event loop turns.
    const inUse = async (): Promise<number> => {
      await pause(1);
      memoryInUse();
      await pause(1);
      return memoryInUse();
    };
    round(ROUNDS);
    const [size, before] = [memory.outboxes.bytes.length, await inUse()];
    round(ROUNDS);
    assertEquals(regions, 0, "regions to read into");
    assertEquals([door.host.attached.size, door.host.census.pipes.size, door.host.holds], [
      0,
      0,
      0,
    ]);
    assertEquals(door.host.clock.delays, []);
    assertEquals(memory.outboxes.bytes.length, size);
    assertLess(await inUse() - before, 3 * MB);
  });

  it("over tcp leave no descriptor and no peer, and a PULL works as before", async () => {
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
    await pull.bind(ANY_PORT);
    const endpoint = pull.lastEndpoint!;
    const says = sayings("PUSH");
    const push = cleanup.add(new Push());
    push.connect(endpoint);
    const exchange = async (text: string): Promise<void> => {
      await push.send(text);
      assertFrames(await pull.receive(), [text]);
    };
    const round = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, async (_, i) => {
          const peer = await dial(endpoint);
          // Once it is accepted: those that are not fill the kernel's queue.
          await peer.take(SIGNATURE);
          peer.send(says[(done + i) % says.length]);
          if ((done + i) % 3 === 0) await peer.flush(message("x").subarray(0, 1));
          peer.destroy();
        }));
        await exchange(`after ${done}`);
      }
      await eventually(() => pull.stats().peers.length === 1);
    };
    await round(ROUNDS / 2);
    const files = openFiles();
    const before = memoryInUse();
    await round(ROUNDS / 2);
    await eventually(() => openFiles() <= files + 2);
    assertLessOrEqual(pull.stats().peers.length, 1);
    // What the sockets of Node leave is collected a little later.
    await eventually(() => memoryInUse() - before < 15 * MB);
    await exchange("at last");
  });
});
