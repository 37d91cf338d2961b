// Both ends of CHP on libzmq, written after the protocol (RFC 12) and the habits of the guide's programs. They end with
// their standard input.
//
//   server                  prints "ready ENDPOINTS ready", and its map once it has the key "stop"
//   client ENDPOINTS        sets ten values and one with a ttl, prints its map once it has the key "stop"

// Import statements would make `deno check` ask for @types/node.
const zmq = await import(String("zeromq"));

const [role, argument] = process.argv.slice(2);
process.stdin.on("end", () => process.exit(0)).resume();

const NONE = Buffer.alloc(0);
const numberFrame = (number) => {
  const frame = Buffer.alloc(8);
  frame.writeBigUInt64BE(BigInt(number));
  return frame;
};
const told = (map) =>
  console.log(`map ${JSON.stringify([...map].map(([k, v]) => [k, String(v)]).sort())} map`);

const roles = {
  async server() {
    const router = new zmq.Router();
    const publisher = new zmq.Publisher();
    const collector = new zmq.Subscriber();
    collector.subscribe();
    for (const socket of [router, publisher, collector]) await socket.bind("tcp://127.0.0.1:*");
    const endpoints = {
      snapshots: router.lastEndpoint,
      updates: publisher.lastEndpoint,
      collector: collector.lastEndpoint,
    };
    const map = new Map();
    let sequence = 0;
    // As the guide's server does, it keeps the moment of expiry as the ttl and tells it with snapshots.
    const entries = new Map();

    (async () => {
      for await (const [id, command, subtree] of router) {
        if (String(command) !== "ICANHAZ?") continue;
        for (const [key, { uuid, properties, value }] of entries) {
          if (!key.startsWith(String(subtree))) continue;
          await router.send([id, key, numberFrame(sequence), uuid, properties, value]);
        }
        await router.send([id, "KTHXBAI", numberFrame(sequence), NONE, NONE, subtree]);
      }
    })();
    // zeromq.js sends one message of a socket at a time.
    let sending = Promise.resolve();
    const publish = (frames) => sending = sending.then(() => publisher.send(frames));
    setInterval(() => publish(["HUGZ", numberFrame(sequence), NONE, NONE, NONE]), 100);
    console.log(`ready ${JSON.stringify(endpoints)} ready`);
    for await (const [key, , uuid, properties, value] of collector) {
      sequence++;
      publish([key, numberFrame(sequence), uuid, properties, value]);
      const name = String(key);
      const ttl = Number(/^ttl=(\d+)$/m.exec(String(properties))?.[1] ?? 0);
      const kept = ttl > 0 ? Buffer.from(`ttl=${Date.now() + ttl * 1000}\n`) : properties;
      if (value.length > 0) {
        map.set(name, value);
        entries.set(name, { uuid, properties: kept, value });
      } else {
        map.delete(name);
        entries.delete(name);
      }
      if (name === "stop") told(map);
    }
  },

  async client() {
    const { snapshots, updates, collector } = JSON.parse(argument);
    const subscriber = new zmq.Subscriber();
    subscriber.subscribe("");
    subscriber.connect(updates);
    const publisher = new zmq.Publisher();
    publisher.connect(collector);
    await subscriber.receive(); // its subscription is in force
    const dealer = new zmq.Dealer({ linger: 0 });
    dealer.connect(snapshots);
    await dealer.send(["ICANHAZ?", ""]);
    const map = new Map();
    let last = 0n;
    for (;;) {
      const [key, sequence, , , value] = await dealer.receive();
      if (String(key) !== "KTHXBAI") {
        map.set(String(key), value);
        continue;
      }
      last = sequence.readBigUInt64BE();
      break;
    }
    console.log(`snapshot ${map.size} snapshot`);
    for (let i = 0; i < 10; i++) {
      const uuid = Buffer.alloc(16, 100 + i);
      await publisher.send([`/libzmq/${i}`, numberFrame(0), uuid, "by=libzmq\n", `value ${i}`]);
    }
    await publisher.send(["mortal", numberFrame(0), Buffer.alloc(16, 99), "ttl=1\n", "here"]);
    await publisher.send(["/libzmq/0", numberFrame(0), Buffer.alloc(16, 98), NONE, NONE]);
    for (;;) {
      const [key, sequence, , , value] = await subscriber.receive();
      if (String(key) === "HUGZ" || sequence.readBigUInt64BE() <= last) continue;
      last = sequence.readBigUInt64BE();
      if (value.length > 0) map.set(String(key), value);
      else map.delete(String(key));
      if (map.has("stop")) break;
    }
    told(map);
  },
};

await roles[role]();
