// A publisher tells of cats and dogs until the subscriber, who asked for cats, has heard enough.

import { Publisher, Subscriber } from "zeromq";
import { anywhere, sleep } from "./address.ts";

let isListening = true;

async function publish(socket: Publisher): Promise<void> {
  while (isListening) {
    await socket.send(["dogs", "woof!"]);
    await socket.send(["kitty cats", "meow!"]);
    await sleep(10);
  }
}

async function listen(socket: Subscriber): Promise<void> {
  let heard = 0;
  for await (const [topic, message] of socket) {
    console.log(`about ${topic}: ${message.toString("utf8")}`);
    if (++heard === 3) break;
  }
  isListening = false;
}

const publisher = new Publisher();
await publisher.bind(anywhere("pets"));
const subscriber = new Subscriber();
subscriber.connect(publisher.lastEndpoint!);
subscriber.subscribe("kitty cats", "budgies");
subscriber.unsubscribe("budgies");

await Promise.all([publish(publisher), listen(subscriber)]);
publisher.close();
subscriber.close();
