// One end of a conversation through the installed package: `talk.mjs pull|push|reply|request [address]`.
// The end without an address binds, and prints where. Ends by itself once all is said.

import process from "node:process";
import { Pull, Push, Reply, Request } from "wasmq";

const COUNT = 1_000;
const [role, address] = process.argv.slice(2);

function bodyOf(number) {
  return new Uint8Array(number % 600).fill(number);
}

function check(frames, number) {
  const [text, body] = frames;
  const expected = bodyOf(number);
  const equal = frames.length === 2 && text.toString() === `número ${number}` &&
    body.length === expected.length && body.every((byte, i) => byte === expected[i]);
  if (!equal) throw new Error(`Wrong message ${number}: ${frames}`);
}

function message(number) {
  return [`número ${number}`, bodyOf(number)];
}

const roles = {
  async pull(socket) {
    for (let number = 0; number < COUNT; number++) check(await socket.receive(), number);
  },
  async push(socket) {
    for (let number = 0; number < COUNT; number++) await socket.send(message(number));
  },
  async reply(socket) {
    for (let number = 0; number < COUNT; number++) {
      const frames = await socket.receive();
      check(frames, number);
      await socket.send(frames);
    }
  },
  async request(socket) {
    for (let number = 0; number < COUNT; number++) {
      await socket.send(message(number));
      check(await socket.receive(), number);
    }
  },
};

const types = { pull: Pull, push: Push, reply: Reply, request: Request };
const socket = new types[role]();
if (address === undefined) {
  await socket.bind("tcp://127.0.0.1:*");
  process.stdout.write(`${socket.lastEndpoint}\n`);
} else {
  socket.connect(address);
}
await roles[role](socket);
await socket.close();
process.stdout.write("done\n");
