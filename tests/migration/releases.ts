// A program for zeromqjs_release_test.ts: how much of what was in use is left after a collection.

import { Context, Dealer, Pair } from "../../mod.ts";
import { anywhere, type Transport } from "../_util/anywhere.ts";
import { pause } from "../_util/deadline.ts";

const { process, gc, Bun } = globalThis as unknown as {
  process: { readonly argv: readonly string[]; exit(): never };
  gc?: () => void;
  Bun?: { gc(synchronous: boolean): void };
};

const COUNT = 200;
/** What a register or a stack that is looked at carelessly may keep alive, and what is next in line. */
const FEW = 20;
const LONG = 2048;
const VERY_LONG = 40_000;
const ROUNDS = 50;

/** Waits until few are left; how many that are. */
async function countLeft(references: readonly WeakRef<object>[]): Promise<number> {
  let left = references.length;
  for (let round = 0; round < ROUNDS && left > FEW; round++) {
    await pause(2);
    gc?.();
    Bun?.gc(true);
    left = references.filter((reference) => reference.deref() !== undefined).length;
  }
  return left;
}

async function pair(transport: Transport): Promise<[Pair, Pair]> {
  const [one, other] = [new Pair(), new Pair()];
  await one.bind(anywhere(transport));
  other.connect(one.lastEndpoint!);
  return [one, other];
}

async function exchange(transport: Transport, echoes: boolean): Promise<WeakRef<object>[]> {
  const [one, other] = await pair(transport);
  const references: WeakRef<object>[] = [];
  for (let i = 0; i < COUNT; i++) {
    const body = new Uint8Array(LONG);
    await one.send(body);
    const message = await other.receive();
    references.push(new WeakRef(body), new WeakRef(message), new WeakRef(message[0]));
    if (!echoes) continue;
    await other.send(message);
    const echo = await one.receive();
    references.push(new WeakRef(echo), new WeakRef(echo[0]));
  }
  return references;
}

async function sendEarly(size: number): Promise<number> {
  const socket = new Dealer({ linger: 0 });
  socket.connect("inproc://nobody");
  const references: WeakRef<object>[] = [];
  for (let i = 0; i < COUNT; i++) {
    const body = new Uint8Array(size);
    references.push(new WeakRef(body.buffer)); // what is kept may be another view of it
    await socket.send(body);
  }
  const left = await countLeft(references);
  await socket.close(); // used until here
  return left;
}

async function useContexts(): Promise<WeakRef<object>[]> {
  const references: WeakRef<object>[] = [];
  for (let i = 0; i < COUNT; i++) {
    const context = new Context();
    const socket = new Dealer({ context, linger: 0 });
    socket.connect("inproc://nobody");
    await socket.send("foo");
    await socket.close();
    references.push(new WeakRef(context));
  }
  return references;
}

async function tell(references: WeakRef<object>[]): Promise<void> {
  const left = await countLeft(references);
  console.log(left <= FEW ? "released" : `${left} of ${references.length} left`);
}

const [what, transport] = process.argv.slice(2) as [string, Transport];
switch (what) {
  case "messages":
  case "echoes":
    await tell(await exchange(transport, what === "echoes"));
    break;
  case "context":
    await tell(await useContexts());
    break;
  case "waiting": {
    const [short, long] = [await sendEarly(16), await sendEarly(VERY_LONG)];
    const shorts = short <= FEW ? "released" : `kept (${short})`;
    const longs = long === COUNT ? "kept" : `released (${long} left)`;
    console.log(`short ones ${shorts}, long ones ${longs}`);
  }
}
process.exit();
