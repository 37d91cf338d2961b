// Micro-benchmarks of the core: the scanner with the inbox behind it, the outbox, and frames of WebSockets. Run by `deno task bench:core`.
// Each row handles the same number of octets, so that rows of a group compare; figures are for a whole batch.

import { Inbox } from "../src/core/inbox.ts";
import { CoreMemory } from "../src/core/memory.ts";
import { Outbox } from "../src/core/outbox.ts";
import { Receiver } from "../src/core/receiver.ts";
import { WebSocketReader } from "../src/core/websocket_reader.ts";
import { WebSocketWriter } from "../src/core/websocket_writer.ts";
import { fill } from "../src/octets.ts";

const BATCH = 256 * 1024;
const SIZES = [1, 10, 100, 1000, 10_000];

const memory = new CoreMemory();

/** A batch of frames of `size` octets as they go over the wire, and how many there are. */
function wire(size: number): { octets: Uint8Array; count: number } {
  const outbox = new Outbox(memory.outboxes);
  const body = new Uint8Array(size);
  let count = 0;
  while (outbox.bytes + size + 9 < BATCH) {
    outbox.append(body);
    count++;
  }
  outbox.take(BATCH);
  return { octets: outbox.next().slice(), count };
}

const LIMITS = { frame: -1, parts: 0, message: -1 };

for (const size of SIZES) {
  const { octets, count } = wire(size);

  const inbox = new Inbox();
  const receiver = new Receiver(memory, inbox, { command() {} }, LIMITS, BATCH);
  Deno.bench({
    name: `scan ${count} frames`,
    group: `${size} B`,
    fn() {
      fill(receiver, octets);
      inbox.clear();
    },
  });
  Deno.bench({
    name: `scan and take ${count} messages`,
    group: `${size} B`,
    fn() {
      fill(receiver, octets);
      while (inbox.messages > 0) inbox.shift();
    },
  });

  const outbox = new Outbox(memory.outboxes);
  const body = new Uint8Array(size);
  Deno.bench({
    name: `append and release ${count} messages`,
    group: `${size} B`,
    fn() {
      for (let i = 0; i < count; i++) outbox.append(body);
      while (outbox.take(BATCH)) outbox.advance(outbox.next().length);
    },
  });

  const texts = new Outbox(memory.outboxes);
  const text = "x".repeat(size);
  Deno.bench({
    name: `append and release ${count} texts`,
    group: `${size} B`,
    fn() {
      for (let i = 0; i < count; i++) texts.append(text);
      while (texts.take(BATCH)) texts.advance(texts.next().length);
    },
  });

  const block = memory.outboxes.block(octets.length, "bench");
  memory.outboxes.bytes.set(octets, block);
  for (const masked of [false, true]) {
    const kind = masked ? "masked" : "plain";
    const writer = new WebSocketWriter(memory.outboxes, masked, entropy);
    const sent: Uint8Array[] = [];
    const write = (to?: Uint8Array[]) => {
      for (let at = 0; at < octets.length; at += writer.plain) {
        writer.take(memory.outboxes.bytes.subarray(block + at, block + octets.length));
        to?.push(writer.wire(0).slice());
      }
    };
    write(sent);
    Deno.bench({
      name: `write ${count} ${kind} WebSocket frames`,
      group: `${size} B`,
      fn: () => write(),
    });

    const target = new Uint8Array(2 * BATCH);
    const reader = new WebSocketReader(
      memory,
      { target: () => target, filled() {} },
      { control() {} },
      { masked, limit: -1, commands: true },
    );
    Deno.bench({
      name: `read ${count} ${kind} WebSocket frames`,
      group: `${size} B`,
      fn() {
        for (const piece of sent) fill(reader, piece);
      },
    });
  }
}

function entropy(into: Uint8Array): void {
  crypto.getRandomValues(into as Uint8Array<ArrayBuffer>);
}
