// Thousands of connections that do not go on: they cost a bounded amount, which comes back, and healthy peers come in and
// talk at once all the while.

import { assert, assertGreater, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Pull, Push } from "../../mod.ts";
import { assertFrames, toHex } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { commandFrame, curveGreeting, properties } from "../_util/curve_commands.ts";
import { CurveClient } from "../_util/curve_oracle.ts";
import { CLIENT, CLIENT_OPTIONS, SERVER, SERVER_OPTIONS } from "../_util/curve_stage.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { openFiles } from "../_util/hostile_files.ts";
import { memory, memoryInUse } from "../_util/memory.ts";
import { concat } from "../_util/octets.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { type Program, start } from "../_util/process.ts";
import { greeting, ready } from "../_util/raw_zmtp.ts";
import { ZapHandler } from "../_util/zap_handler.ts";

const MB = 1_000_000;
const RECEIVES = { receiveTimeout: 5_000 } as const;
/** What a healthy peer may take to connect and be heard. */
const AT_ONCE_MS = 1_000;
const FLOOD_MS = 20_000;
const cleanup = new Cleanup();

let newcomers = 0;

/** A new peer connects, says something and is heard; how long that took. */
async function newcomer(pull: Pull, options: object): Promise<number> {
  const begin = performance.now();
  const push = new Push({ ...options, linger: 0, sendTimeout: 5_000 });
  push.connect(pull.lastEndpoint!);
  const text = `newcomer ${newcomers++}`;
  await push.send(text);
  assertFrames(await pull.receive(), [text]);
  const took = performance.now() - begin;
  await push.close();
  return took;
}

/** The program has made all its connections; healthy peers come in one after the other meanwhile. */
async function withstands(flood: Program, pull: Pull, options: object = {}): Promise<void> {
  let over = false;
  const made = flood.prints("all made").finally(() => over = true);
  made.catch(() => {}); // thrown below
  const took: number[] = [];
  const begin = performance.now();
  while (!over && performance.now() - begin < FLOOD_MS) {
    took.push(await newcomer(pull, options));
    await pause(1);
  }
  await made;
  for (let i = 0; i < 5; i++) took.push(await newcomer(pull, options));
  took.sort((a, b) => a - b);
  // A machine that does much else at the same time holds up one or the other, flood or not.
  const most = took[Math.floor(0.9 * took.length)];
  assertLess(most, AT_ONCE_MS, `nine of ten within ${most} ms, the last in ${took.at(-1)} ms`);
}

/** How many connections of the program are still there. */
function stillOpen(flood: Program): number {
  return Number([...flood.output.matchAll(/^(\d+) open$/gm)].at(-1)?.[1]);
}

/** No more connections of the program are there than may be, at either end. */
async function assertAtMost(flood: Program, most: number, files: number): Promise<void> {
  await eventually(() => stillOpen(flood) <= most, 5_000, `${most} connections at most`);
  // A few are of newcomers that were closed just now.
  await eventually(() => openFiles() - files <= most + 10, 5_000, `${most} open files at most`);
}

/** Everything came back once the program is gone. */
async function assertGone(flood: Program, files: number): Promise<void> {
  await flood.kill();
  await eventually(() => openFiles() <= files + 2, 5_000, `${files} open files again`);
}

describe("five thousand connections that say nothing", () => {
  afterEach(() => cleanup.run());

  it("keep nobody out, take a bounded amount of memory and files, and give it back", async () => {
    const pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind(ANY_PORT);
    const standing = cleanup.add(new Push());
    standing.connect(pull.lastEndpoint!);
    await standing.send("before");
    assertFrames(await pull.receive(), ["before"]);
    await newcomer(pull, {});
    const [files, before, inUse] = [openFiles(), memory(), memoryInUse()];
    const flood = cleanup.add(start("hostile_flood.ts", pull.lastEndpoint!, "5000", "50"));
    await withstands(flood, pull);
    assertLess(memory() - before, 160 * MB);
    await assertAtMost(flood, 1_000, files);
    assertGreater(stillOpen(flood), 900, "those that there is room for stay");
    await standing.send("still there");
    assertFrames(await pull.receive(), ["still there"]);

    await assertGone(flood, files);
    await eventually(() => memoryInUse() - inUse < 10 * MB, 5_000, "its memory again");
    await newcomer(pull, {});
  });
});

describe("connections that stop in the middle of their handshake", () => {
  afterEach(() => cleanup.run());

  const MOST = 100;
  const COUNT = "600";

  it("keep nobody out of a CURVE server whose WELCOME they never answer", async () => {
    const pull = cleanup.add(
      new Pull({ ...RECEIVES, maxPendingHandshakes: MOST, ...SERVER_OPTIONS }),
    );
    await pull.bind(ANY_PORT);
    await newcomer(pull, CLIENT_OPTIONS);
    const [files, before] = [openFiles(), memory()];
    const metadata = properties(["Socket-Type", "PUSH"]);
    const client = new CurveClient({ serverKey: SERVER.publicKey, keys: CLIENT, metadata });
    const hello = toHex(concat(curveGreeting(), commandFrame(client.hello())));
    const flood = cleanup.add(start("hostile_flood.ts", pull.lastEndpoint!, COUNT, "20", hello));
    await withstands(flood, pull, CLIENT_OPTIONS);
    assertLess(memory() - before, 60 * MB);
    await assertAtMost(flood, MOST, files);
    await assertGone(flood, files);
  });

  it("keep nobody out whom a ZAP handler that never answers them would let in", async () => {
    const context = new Context();
    const seen = new Set<string>();
    const handler = await ZapHandler.open(context, (request) => {
      seen.add(request.address);
      return undefined;
    }, "ROUTER");
    cleanup.add(handler);
    const pull = cleanup.add(
      new Pull({ ...RECEIVES, context, maxPendingHandshakes: MOST, zapDomain: "x" }),
    );
    await pull.bind(ANY_PORT);
    const open = cleanup.add(new Pull({ ...RECEIVES, context }));
    await open.bind(ANY_PORT);
    const [files, before] = [openFiles(), memory()];
    const octets = toHex(concat(greeting(), ready("PUSH")));
    const flood = cleanup.add(start("hostile_flood.ts", pull.lastEndpoint!, COUNT, "20", octets));
    // Nobody gets in where the handler is silent; the other socket of the context does not suffer.
    await withstands(flood, open);
    assert(seen.size > 0, "it was asked");
    assertLess(memory() - before, 60 * MB);
    await assertAtMost(flood, MOST, files);
    await assertGone(flood, files);
  });
});
