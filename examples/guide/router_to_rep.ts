/**
 * Custom routing to REP: one service out of several, by its name, with an envelope written by hand.
 *
 * A REP keeps everything up to the first empty frame and puts it before its reply: so any frames
 * may go there and come back, such as what a reply is to. The guide does it with a ROUTER, from the
 * time before sockets told each other their types; since ZMTP 3.0 a REP takes requests from REQ and
 * DEALER only, and the handshake with a ROUTER is refused, here as in libzmq. So this client has a
 * DEALER for each service.
 *
 *   deno run --allow-net examples/guide/router_to_rep.ts
 *
 * or the same with `bun` or `node`. After rtpapa ("papa to papa", custom routing) of the ZeroMQ
 * guide.
 *
 * @module
 */

import { Dealer, type Frame, Reply, Router } from "../../mod.ts";

const SERVICES = ["add", "multiply"];
const QUESTIONS = [["add", "3 4"], ["multiply", "3 4"], ["add", "20 22"], ["multiply", "6 7"]];

const show = (frames: Frame[]): string => frames.map((frame) => `[${frame}]`).join(" ");

/** Answers until it is closed; it sees nothing but the numbers. */
async function serve(name: string, service: Reply): Promise<void> {
  for await (const request of service) {
    console.log(`${name} received ${show(request)}`);
    const [a, b] = request[0].toString().split(" ").map(Number);
    await service.send(name === "add" ? a + b : a * b);
  }
}

/** Why a ROUTER cannot talk to a REP. */
async function tryRouter(address: string): Promise<string> {
  const router = new Router({ linger: 0 });
  router.connect(address);
  for await (const event of router.events) {
    if (event.type !== "handshake:error:protocol") continue;
    await router.close();
    return event.error.message;
  }
  throw new Error("the socket was closed");
}

const services = SERVICES.map(() => new Reply());
const routes = new Map<string, Dealer>();
for (const [index, name] of SERVICES.entries()) {
  await services[index].bind("tcp://127.0.0.1:*");
  const route = new Dealer();
  route.connect(services[index].lastEndpoint!);
  routes.set(name, route);
}
console.log(`a ROUTER: ${await tryRouter(services[0].lastEndpoint!)}`);
const serving = SERVICES.map((name, index) => serve(name, services[index]));

for (const [number, [name, numbers]] of QUESTIONS.entries()) {
  await routes.get(name)!.send([`question ${number + 1}`, "Ada", "", numbers]);
}
for (const [name] of QUESTIONS) console.log(`got ${show(await routes.get(name)!.receive())}`);

await Promise.all([...routes.values(), ...services].map((socket) => socket.close()));
await Promise.all(serving);
