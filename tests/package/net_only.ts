// Run by permissions.deno_test.ts: sockets on every form of address that needs no look at the system.

import { Pull, Push, Reply, Request } from "../../mod.ts";

for (const address of ["tcp://127.0.0.1:*", "tcp://localhost:*", "tcp://*:*", "tcp://[::1]:*"]) {
  const pull = new Pull();
  const push = new Push();
  const reply = new Reply();
  const request = new Request();
  await Promise.all([pull.bind(address), reply.bind(address)]);
  push.connect(pull.lastEndpoint!.replace("0.0.0.0", "127.0.0.1"));
  request.connect(reply.lastEndpoint!.replace("0.0.0.0", "127.0.0.1"));
  await push.send(address);
  await request.send((await pull.receive())[0]);
  await reply.send(await reply.receive());
  const [answer] = await request.receive();
  if (answer.toString() !== address) throw new Error(`Expected ${address}, got ${answer}`);
  await Promise.all([pull, push, reply, request].map((socket) => socket.close()));
}
