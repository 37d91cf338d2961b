// Workers over inproc: letters go in, shifted letters come out, a signal stops everybody. The
// original has a thread for each worker; here all are in one.

import { Publisher, Pull, Push, Subscriber } from "zeromq";

const SHIFT = 13;

class Worker {
  // One letter may wait.
  input = new Pull({ receiveHighWaterMark: 1 });
  output = new Push();
  signal = new Subscriber();

  constructor() {
    this.input.connect("inproc://input");
    this.output.connect("inproc://output");
    this.signal.connect("inproc://signal");
    this.signal.subscribe();
  }

  async run(): Promise<void> {
    const stopped = this.#listen();
    for await (const [position, letter] of this.input) {
      await this.output.send([position, shift(letter.toString())]);
    }
    await stopped;
  }

  async #listen(): Promise<void> {
    for await (const [signal] of this.signal) {
      if (signal.toString() !== "stop") continue;
      this.input.close();
      this.output.close();
      this.signal.close();
    }
  }
}

class Processor {
  input = new Push();
  output = new Pull();
  signal = new Publisher();
  #running: Promise<void[]>;

  constructor(workers: number) {
    // They connect before anything is bound.
    this.#running = Promise.all(Array.from({ length: workers }, () => new Worker().run()));
  }

  async start(): Promise<void> {
    await this.input.bind("inproc://input");
    await this.output.bind("inproc://output");
    await this.signal.bind("inproc://signal");
  }

  async process(text: string): Promise<string> {
    for (const [position, letter] of text.split("").entries()) {
      await this.input.send([position, letter]);
    }
    const output: string[] = [];
    let missing = text.length;
    for await (const [position, letter] of this.output) {
      output[parseInt(position.toString(), 10)] = letter.toString();
      if (--missing === 0) break;
    }
    return output.join("");
  }

  async stop(): Promise<void> {
    await this.signal.send("stop");
    await this.#running;
    await this.input.unbind("inproc://input");
    for (const socket of [this.input, this.output, this.signal]) socket.close();
  }
}

function shift(letter: string): string {
  return letter.replace(/[a-z]/i, (found) => {
    const first = found <= "Z" ? 65 : 97;
    return String.fromCharCode((found.charCodeAt(0) - first + SHIFT) % 26 + first);
  });
}

const processor = new Processor(3);
await processor.start();
for (const text of ["Hello world!", "Would you like more sockets?", "Yes please."]) {
  console.log(`${text} -> ${await processor.process(text)}`);
}
await processor.stop();
console.log("all workers stopped");
