// What a socket tells about its connections.

import { Dealer, Router } from "zeromq";

const server = new Router();
const { events } = server;
const client = new Dealer({ reconnectInterval: -1, linger: 0 });

async function listen(): Promise<[type: string, address: string | undefined][]> {
  const heard: [string, string | undefined][] = [];
  for await (const event of events) {
    heard.push([event.type, "address" in event ? event.address : undefined]);
    if (event.type === "disconnect") server.close();
  }
  return heard;
}

const told: string[] = [];
for (const type of ["connect:delay", "connect", "handshake", "end"] as const) {
  client.events.on(type, () => told.push(type));
}
console.log("one and the same:", server.events === events);
const shakesHands = new Promise((resolve) => client.events.on("handshake", resolve));
const ends = new Promise((resolve) => client.events.on("end", resolve));

const listening = listen();
await server.bind("tcp://127.0.0.1:*");
const bound = server.lastEndpoint!;
client.connect(bound);
await shakesHands;
client.close();
await ends;

const types = (await listening)
  .map(([type, address]) => `${type}${address === bound ? " at the address" : ""}`);
console.log("client:", told.join(", "));
console.log("server:", types.join(", "));
