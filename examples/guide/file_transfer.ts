/**
 * File transfer three ways: all at once, chunk by chunk, and with credit.
 *
 * Who pushes a whole file fills memory at both ends. Who asks for a chunk, waits for it and asks
 * for the next, pays a round trip for each. The third way asks for several chunks ahead and for one
 * more with each that comes: what is under way is never more than the credit, and the line is never
 * idle. A client that stops asking gets nothing more, so that is flow control as well.
 *
 *   deno run --allow-net examples/guide/file_transfer.ts
 *
 * or the same with `bun` or `node`. After fileio1, fileio2 and fileio3 of the ZeroMQ guide.
 *
 * @module
 */

import { Dealer, Router } from "../../mod.ts";
import { sleep } from "./program.ts";

const FILE_SIZE = 8_000_000;
const CHUNK_SIZE = 100_000;
const CREDIT = 10;
const WAY_MS = 1; // loopback is too quick to show what a round trip costs

/** Serves a file: `fetch`, an offset and a size get that part of it, empty at its end. */
async function serve(server: Router, file: Blob): Promise<void> {
  for await (const [client, command, offset, size] of server) {
    if (command.toString() !== "fetch") continue; // nothing that it knows
    const from = Number(offset.toString());
    const part = await file.slice(from, from + Number(size.toString())).arrayBuffer();
    setTimeout(() => server.trySend([client, offset, part]), WAY_MS);
  }
}

/** Gets a file with so many requests under way, and tells how that went. */
async function get(how: string, address: string, chunkSize: number, credit: number): Promise<Blob> {
  const client = new Dealer();
  client.connect(address);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const start = performance.now();
  let asked = 0;
  let underWay = 0;
  let most = 0;
  for (let end = false; !end || underWay > 0;) {
    for (; !end && underWay < credit; underWay++, asked += chunkSize) {
      await client.send(["fetch", asked, chunkSize]);
    }
    most = Math.max(most, underWay);
    const [offset, part] = await client.receive();
    underWay--;
    if (part.length > 0) chunks[Number(offset.toString()) / chunkSize] = part.slice();
    else end = true;
  }
  const ms = (performance.now() - start).toFixed(0);
  console.log(`${how}: ${chunks.length} chunks in ${ms} ms, at most ${most} under way`);
  await client.close();
  return new Blob(chunks);
}

/** A fingerprint of what is inside. */
async function digest(file: Blob): Promise<string> {
  const octets = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

// Stands for a file: `Bun.file(path)` and Node's `openAsBlob(path)` are Blobs as well.
const content = new Uint8Array(FILE_SIZE);
for (let index = 0; index < FILE_SIZE; index++) content[index] = index * 31 + (index >> 8);
const file = new Blob([content]);

const server = new Router();
await server.bind("tcp://127.0.0.1:*");
const serving = serve(server, file);
const address = server.lastEndpoint!;
const copies = [
  await get("all at once   ", address, FILE_SIZE, 1),
  await get("chunk by chunk", address, CHUNK_SIZE, 1),
  await get("with credit   ", address, CHUNK_SIZE, CREDIT),
];
const original = await digest(file);
const same = (await Promise.all(copies.map(digest))).filter((copy) => copy === original).length;
console.log(`${same} of ${copies.length} copies are the same as the original`);

await sleep(2 * WAY_MS); // replies that nobody wants any more
await server.close();
await serving;
