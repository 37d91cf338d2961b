// Peers of all three Freelance models on libzmq, written after the protocol (RFC 10) and the guide's text. They end with
// their standard input.
//
//   server1|server2|server3 NAME        prints "ready ENDPOINT ready"
//   client1|client2|client3 ENDPOINT…   asks ten things, prints "answered …"

// Import statements would make `deno check` ask for @types/node.
const zmq = await import(String("zeromq"));

const [role, ...args] = process.argv.slice(2);
const COUNT = 10;
process.stdin.on("end", () => process.exit(0)).resume();

const ready = (endpoint) => console.log(`ready ${endpoint} ready`);
const answered = (replies) => console.log(`answered ${replies.join(" ")} answered`);
const numberFrame = (number) => {
  const frame = Buffer.alloc(4);
  frame.writeUInt32BE(number);
  return frame;
};

/** An address of this machine that no other process uses: nobody else is given the port while it is let go. */
const { pid, platform } = process;
const ownHost = platform === "linux"
  ? `127.${1 + (pid >> 16) % 250}.${(pid >> 8) & 255}.${pid & 255}`
  : "127.0.0.1";

/** libzmq's thread may still be letting the port go. */
async function rebind(socket, endpoint) {
  for (const end = Date.now() + 10_000;;) {
    try {
      return await socket.bind(endpoint);
    } catch (error) {
      if (error.code !== "EADDRINUSE" || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

const roles = {
  // A plain echo.
  async server1(name) {
    const reply = new zmq.Reply();
    await reply.bind("tcp://127.0.0.1:*");
    ready(reply.lastEndpoint);
    for await (const [body] of reply) await reply.send([name, body]);
  },

  // The sequence number comes back before the answer.
  async server2(name) {
    const reply = new zmq.Reply();
    await reply.bind("tcp://127.0.0.1:*");
    ready(reply.lastEndpoint);
    for await (const [number, body] of reply) await reply.send([number, name, body]);
  },

  // Named by its endpoint; takes anything that begins with PING for one.
  async server3(name) {
    const probe = new zmq.Router();
    await probe.bind(`tcp://${ownHost}:*`);
    const endpoint = probe.lastEndpoint;
    await probe.unbind(endpoint);
    probe.close();
    const router = new zmq.Router({ routingId: endpoint });
    await rebind(router, endpoint);
    ready(endpoint);
    for await (const [client, control, ...body] of router) {
      if (control.toString() === "PING") await router.send([client, "PONG"]);
      else await router.send([client, control, name, ...body]);
    }
  },

  async client1(endpoint) {
    const replies = [];
    for (let i = 0; i < COUNT; i++) {
      const request = new zmq.Request({ receiveTimeout: 10_000, linger: 0 });
      request.connect(endpoint);
      await request.send(`${i}`);
      replies.push(String(await request.receive()));
      request.close();
    }
    answered(replies);
  },

  // A copy to each server; the first reply with the number counts.
  async client2(...endpoints) {
    const dealer = new zmq.Dealer({ receiveTimeout: 10_000, linger: 0 });
    for (const endpoint of endpoints) dealer.connect(endpoint);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const replies = [];
    for (let i = 0; i < COUNT; i++) {
      const number = numberFrame(i + 1);
      for (const _ of endpoints) await dealer.send(["", number, `${i}`]);
      for (;;) {
        const [, back, ...body] = await dealer.receive();
        if (!back.equals(number)) continue;
        replies.push(body.join("-"));
        break;
      }
    }
    answered(replies);
  },

  // ROUTER to ROUTER: it can send once the server's name is there.
  async client3(endpoint) {
    const router = new zmq.Router({ mandatory: true, receiveTimeout: 10_000, linger: 0 });
    router.connect(endpoint);
    for (;;) {
      try {
        await router.send([endpoint, "PING"]);
        break;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    const replies = [(await router.receive()).slice(1).join("-")];
    for (let i = 0; i < COUNT; i++) {
      await router.send([endpoint, numberFrame(i + 1), `${i}`]);
      const [from, control, ...body] = await router.receive();
      if (from.toString() !== endpoint || control.readUInt32BE() !== i + 1) {
        throw new Error("wrong");
      }
      replies.push(body.join("-"));
    }
    answered(replies);
  },
};

await roles[role](...args);
