// A queue device: clients ask a ROUTER, workers behind a DEALER answer.

import { Dealer, Proxy, Reply, Request, Router } from "zeromq";
import { anywhere } from "./address.ts";

const front = new Router();
const back = new Dealer();
await front.bind(anywhere("front"));
await back.bind(anywhere("back"));
const [frontAddress, backAddress] = [front.lastEndpoint!, back.lastEndpoint!];
const proxy = new Proxy(front, back);
console.log(proxy.frontEnd === front, proxy.backEnd === back);
const running = proxy.run();

async function serve(name: string): Promise<void> {
  const socket = new Reply();
  socket.connect(backAddress);
  for await (const [question] of socket) {
    if (question.toString() === "which of you?") {
      await socket.send(name);
      continue;
    }
    await socket.send(`the answer to ${question}`);
  }
}

async function ask(number: number): Promise<string> {
  const socket = new Request();
  socket.connect(frontAddress);
  await socket.send(`question ${number}`);
  const [answer] = await socket.receive();
  socket.close();
  return answer.toString();
}

const workers = ["a", "b"].map(serve);
const answers = await Promise.all([1, 2, 3, 4, 5].map(ask));
for (const answer of answers) console.log(answer);
proxy.terminate();
await running;
console.log(front.closed, back.closed, workers.length);
process.exit(0); // the workers still wait
