// A queue in front of a socket: callers need not wait for each other, and nothing overtakes.

import { Dealer, type MessageLike } from "zeromq";
import { anywhere } from "./address.ts";

class Queue {
  readonly #socket: Dealer;
  readonly #max: number;
  #waiting: MessageLike[] = [];
  #isSending = false;

  constructor(socket: Dealer, max = 100) {
    this.#socket = socket;
    this.#max = max;
  }

  send(message: MessageLike): Promise<void> {
    if (this.#waiting.length >= this.#max) throw new Error("The queue is full");
    this.#waiting.push(message);
    return this.#drain();
  }

  async #drain(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#waiting.length > 0) await this.#socket.send(this.#waiting.shift()!);
    this.#isSending = false;
  }
}

const sender = new Dealer();
await sender.bind(anywhere("queue"));
const queue = new Queue(sender, 3);
const sent = Promise.all([
  queue.send("hello"),
  queue.send("world!"),
  queue.send(Buffer.from("octets")),
  queue.send(null),
]);
try {
  queue.send("one too many");
} catch (error) {
  console.log(String(error));
}

const receiver = new Dealer();
receiver.connect(sender.lastEndpoint!);
for await (const [message] of receiver) {
  if (message.length === 0) {
    console.log("received an empty message");
    receiver.close(); // ends the loop
  } else {
    console.log(`received ${message}`);
  }
}
await sent;
sender.close();
