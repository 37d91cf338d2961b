// What can be sent as a frame, and what arrives.

import { Dealer, type MessageLike } from "zeromq";
import { anywhere } from "./address.ts";

const octets = Uint8Array.from({ length: 8 }, (_, i) => i + 1);

const FRAMES: readonly MessageLike[] = [
  "text",
  "",
  "grüße ☃",
  null,
  42,
  -0.5,
  octets,
  octets.subarray(2, 4),
  octets.buffer,
  new Uint16Array([1, 2]),
  Buffer.from("buffer"),
  Buffer.alloc(300, 7),
];

const sender = new Dealer();
await sender.bind(anywhere("messages"));
const receiver = new Dealer();
receiver.connect(sender.lastEndpoint!);

for (const frame of FRAMES) await sender.send(frame);
await sender.send([...FRAMES]);
for (let i = 0; i < FRAMES.length; i++) {
  const frames = await receiver.receive();
  console.log(frames.length, frames[0].length, frames[0].toString("hex").slice(0, 40));
}
const all = await receiver.receive();
console.log(all.map((frame) => frame.length).join(" "));

await sender.send(["a", "b"]);
const [a, b] = await receiver.receive() as unknown as Buffer[];
console.log(`${a}`, a + "b", a instanceof Uint8Array, b.equals(Buffer.from("b")), b[0], b.at(-1));
await sender.send(Buffer.from([1, 2, 3, 4]));
const [number] = await receiver.receive() as unknown as Buffer[];
console.log(number.readUInt32BE(), number.readUInt16LE(2), JSON.stringify([...number]));

await sender.send("the end");
for await (const [last] of receiver) {
  console.log(last.toString(), receiver.readable);
  break;
}
sender.close();
receiver.close();
