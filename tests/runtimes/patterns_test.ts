// Whose turn it is: round robin, fair queue, one peer for PAIR, and messages of several frames.

import { assert, assertEquals, assertLess } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import { Dealer, type Frame, Pair, Pull, Push, Reply, Router } from "../../mod.ts";
import { anywhere, TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, within } from "../_util/deadline.ts";
import { dial } from "../_util/raw_peer.ts";
import { connectAs, greeting, message, ping, ready, takeFrame } from "../_util/raw_zmtp.ts";
import { failure } from "../_util/rejection.ts";
import { join } from "../_util/scripted_peer.ts";
import { describeOver, nowhere } from "../_util/transports.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
const QUICK = { reconnectInterval: 10 } as const;
const cleanup = new Cleanup();

describeOver(TRANSPORTS, "a socket with three peers", (transport) => {
  afterEach(() => cleanup.run());

  const kinds = {
    Push: [() => new Push(QUICK), () => new Pull(RECEIVES)],
    Dealer: [() => new Dealer(QUICK), () => new Dealer(RECEIVES)],
  } as const;
  for (const [name, [openSender, openReceiver]] of Object.entries(kinds)) {
    it(`that is a ${name} sends to one after the other when it connects`, async () => {
      const receivers = Array.from({ length: 3 }, () => cleanup.add(openReceiver()));
      const sender = cleanup.add(openSender());
      for (const receiver of receivers) {
        await receiver.bind(anywhere(transport));
        sender.connect(receiver.lastEndpoint!);
      }
      for (let i = 0; i < 300; i++) await sender.send([String(i), "second frame"]);
      for (let i = 0; i < 300; i++) {
        assertFrames(await receivers[i % 3].receive(), [String(i), "second frame"]);
      }
    });

    it(`that is a ${name} sends to one after the other when it is bound`, async () => {
      const sender = cleanup.add(openSender());
      await sender.bind(anywhere(transport));
      const receivers = Array.from({ length: 3 }, () => cleanup.add(openReceiver()));
      for (const receiver of receivers) receiver.connect(sender.lastEndpoint!);
      // All three are there when each has received something.
      const greeted = receivers.map((receiver) => receiver.receive());
      let missing = 3;
      for (const receiving of greeted) void receiving.then(() => missing--);
      await eventually(async () => {
        await sender.send("hello");
        return missing === 0;
      });
      for (let i = 0; i < 300; i++) await sender.send(String(i));
      const texts = await Promise.all(receivers.map((receiver) => takeNumbers(receiver, 100)));
      assertEquals(texts.flat().sort((a, b) => a - b), Array.from({ length: 300 }, (_, i) => i));
      for (const own of texts) {
        assert(own.every((number, i) => i === 0 || number === own[i - 1] + 3), String(own));
      }
    });
  }

  it("does not wait for the one of them that is slow", async () => {
    const push = cleanup.add(new Push({ sendHighWaterMark: 10 }));
    await push.bind(anywhere(transport));
    const slow = cleanup.add(await join(push.lastEndpoint!, "PULL"));
    slow.pause();
    const pulls = [1, 2].map(() => cleanup.add(new Pull(RECEIVES)));
    for (const pull of pulls) pull.connect(push.lastEndpoint!);
    const body = new Uint8Array(100_000);
    const count = 300;
    let received = 0;
    const receiving = pulls.map(async (pull) => {
      for await (const _ of pull) received++;
    });
    for (let i = 0; i < count; i++) await within(push.send(body), 5_000, `send ${i}`);
    // The system's buffers, the batch and the mark hold what the slow one was given.
    await eventually(() => received > count / 2);
    for (const pull of pulls) await pull.close();
    await Promise.all(receiving);
  });
});

/** Takes numbers until there are `count`; greetings are passed over. */
async function takeNumbers(
  receiver: { receive(): Promise<Frame[]> },
  count: number,
): Promise<number[]> {
  const numbers: number[] = [];
  while (numbers.length < count) {
    const text = String((await receiver.receive())[0]);
    if (text !== "hello") numbers.push(Number(text));
  }
  return numbers;
}

describeOver(TRANSPORTS, "a flood from one peer does not starve another", (transport) => {
  afterEach(() => cleanup.run());

  const FLOOD = 500;
  const POLITE = 100;
  const kinds = {
    Pull: [() => new Pull(RECEIVES), "PUSH", 0],
    Dealer: [() => new Dealer(RECEIVES), "DEALER", 0],
    Router: [() => new Router(RECEIVES), "DEALER", 1],
    Reply: [() => new Reply(RECEIVES), "DEALER", 0],
  } as const;

  /** Sends as a new peer; resolves when all of it has arrived. */
  async function sendAll(
    endpoint: string,
    type: "PUSH" | "DEALER",
    messages: readonly string[][],
  ): Promise<void> {
    if (transport === "inproc") {
      // What was sent is there: nothing is under way.
      const peer = cleanup.add(await join(endpoint, type));
      for (const frames of messages) peer.say(...frames);
      return;
    }
    const peer = cleanup.add(await connectAs(endpoint, type));
    for (const frames of messages) peer.send(message(...frames));
    // Its PONG tells that all the messages before it have arrived.
    peer.send(ping("all there?"));
    assertEquals((await takeFrame(peer)).command, true);
  }

  for (const [name, [open, peerType, at]] of Object.entries(kinds)) {
    it(`at a ${name}`, async () => {
      const socket = cleanup.add(open());
      await socket.bind(anywhere(transport));
      const head = name === "Reply" ? [""] : [];
      for (const [text, count] of [["flood", FLOOD], ["polite", POLITE]] as const) {
        const messages = Array.from({ length: count }, () => [...head, text]);
        await sendAll(socket.lastEndpoint!, peerType, messages);
      }

      const turns: number[] = [];
      for (let i = 0; turns.length < POLITE; i++) {
        const frames = await socket.receive();
        if (String(frames[at]) === "polite") turns.push(i);
        if (socket instanceof Reply) await socket.send("");
      }
      assertLess(turns[0], 2);
      const waits = turns.slice(1).map((turn, i) => turn - turns[i]);
      assert(waits.every((wait) => wait === 2), `one of each in turn: ${waits}`);
    });
  }
});

describeOver(TRANSPORTS, "Pair", (transport) => {
  afterEach(() => cleanup.run());

  it("sends and receives both ways", async () => {
    const one = cleanup.add(new Pair(RECEIVES));
    const two = cleanup.add(new Pair(RECEIVES));
    await one.bind(anywhere(transport));
    two.connect(one.lastEndpoint!);
    for (let i = 0; i < 10; i++) {
      await one.send(["from one", String(i)]);
      await two.send(["from two", String(i)]);
    }
    for (let i = 0; i < 10; i++) {
      assertFrames(await one.receive(), ["from two", String(i)]);
      assertFrames(await two.receive(), ["from one", String(i)]);
    }
  });

  it("refuses a second peer, and takes a third when the first has gone", async () => {
    const pair = cleanup.add(new Pair(RECEIVES));
    await pair.bind(anywhere(transport));
    const first = cleanup.add(await join(pair.lastEndpoint!, "PAIR"));
    await eventually(() => pair.writable);
    const dismiss = await intrude(pair.lastEndpoint!);
    first.say("still here");
    assertFrames(await pair.receive(), ["still here"]);
    await pair.send("to the first");
    assertFrames(await first.hear(), ["to the first"]);
    await dismiss();
    first.leave();
    await eventually(() => !pair.writable);

    const third = cleanup.add(new Pair({ ...RECEIVES, ...QUICK }));
    third.connect(pair.lastEndpoint!);
    await pair.send("to the third");
    assertFrames(await third.receive(), ["to the third"]);
    await third.send("from the third");
    assertFrames(await pair.receive(), ["from the third"]);
  });

  /** A second peer: a raw one is closed by the socket, another socket waits until it is dismissed. */
  async function intrude(endpoint: string): Promise<() => Promise<void>> {
    if (transport === "inproc") {
      const peer = cleanup.add(await join(endpoint, "PAIR"));
      peer.say("not heard");
      return () => peer.close();
    }
    const peer = cleanup.add(await dial(endpoint));
    peer.send(greeting(), ready("PAIR"), message("not heard"));
    return () => peer.untilClosed();
  }

  it("that is refused keeps its messages and comes in when there is room", async () => {
    const pair = cleanup.add(new Pair(RECEIVES));
    await pair.bind(anywhere(transport));
    const first = cleanup.add(await join(pair.lastEndpoint!, "PAIR"));
    await eventually(() => pair.writable);
    const patient = cleanup.add(new Pair({ ...RECEIVES, ...QUICK, immediate: true }));
    patient.connect(pair.lastEndpoint!);
    const sending = patient.send("at last");
    first.leave();
    assertFrames(await pair.receive(), ["at last"]);
    await sending;
  });

  it("says EBUSY to a second connect", () => {
    const pair = cleanup.add(new Pair());
    pair.connect(nowhere(transport));
    failure(() => pair.connect(nowhere(transport, 1)), "EBUSY");
    pair.disconnect(nowhere(transport));
    pair.connect(nowhere(transport, 1));
  });
});

describeOver(TRANSPORTS, "a message of several frames", (transport) => {
  afterEach(() => cleanup.run());

  it("stays together among those of other senders", async () => {
    const pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind(anywhere(transport));
    const count = 500;
    const sending = [0, 1, 2].map(async (name) => {
      const push = cleanup.add(new Push());
      push.connect(pull.lastEndpoint!);
      const body = new Uint8Array(3_000).fill(name);
      for (let i = 0; i < count; i++) await push.send([`${name}/${i}`, "", body, `${name}/${i}`]);
    });
    const next = [0, 0, 0];
    for (let i = 0; i < 3 * count; i++) {
      const frames = await pull.receive();
      assertEquals(frames.length, 4);
      const [name, number] = String(frames[0]).split("/").map(Number);
      assertEquals(number, next[name]++);
      assertEquals([frames[1].length, frames[2].length], [0, 3_000]);
      assert(frames[2].every((octet) => octet === name));
      assertEquals(String(frames[3]), `${name}/${number}`);
    }
    await Promise.all(sending);
  });

  it("goes to one peer", async () => {
    const push = cleanup.add(new Push());
    const pulls = await Promise.all([0, 1, 2].map(async () => {
      const pull = cleanup.add(new Pull(RECEIVES));
      await pull.bind(anywhere(transport));
      push.connect(pull.lastEndpoint!);
      return pull;
    }));
    for (let i = 0; i < 30; i++) await push.send([`a${i}`, `b${i}`, `c${i}`]);
    for (let i = 0; i < 30; i++) {
      assertFrames(await pulls[i % 3].receive(), [`a${i}`, `b${i}`, `c${i}`]);
    }
  });

  it("may have a thousand of them", async () => {
    const pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind(anywhere(transport));
    const push = cleanup.add(new Push());
    push.connect(pull.lastEndpoint!);
    const frames = Array.from({ length: 1_000 }, (_, i) => "x".repeat(i % 300));
    await push.send(frames);
    assertFrames(await pull.receive(), frames);
  });
});
