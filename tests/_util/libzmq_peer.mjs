// A libzmq peer as a process of its own: reads one JSON command per line, answers each with one
// line, and ends with its standard input, so that it never outlives the test that started it.
// It is driven by peer.ts. Frames in commands are in hex.

import { findDifference, makeMessage } from "./messages.mjs";

// Import statements would make `deno check` ask for @types/node.
const load = (name) => import(name);
const { createInterface } = await load("node:readline");
const zmq = await load("zeromq");

const ROUTING_ID = 5; // ZMQ_ROUTING_ID; zeromq.js's own property takes text only
const SUBSCRIBE = 6; // ZMQ_SUBSCRIBE, which zeromq.js lacks for XPUB with `manual`
const UNSUBSCRIBE = 7;
const EVENTS = 15;
const TOPICS_COUNT = 116;
/** Options that zeromq.js has no property for. */
const FLAGS = {
  zapEnforceDomain: 93,
  manualLastValue: 98,
  onlyFirstSubscribe: 108,
  verboseUnsubscribe: 115,
};
/** Where libzmq asks who may come in (RFC 27). */
const ZAP = "inproc://zeromq.zap.01";
/** What an observer of zeromq.js tells. */
const EVENT_TYPES = [
  "accept",
  "accept:error",
  "bind",
  "bind:error",
  "connect",
  "connect:delay",
  "connect:retry",
  "close",
  "close:error",
  "disconnect",
  "end",
  "handshake",
  "handshake:error:protocol",
  "handshake:error:auth",
  "handshake:error:other",
];
const REBIND_MS = 5_000;
const ATTEMPT_MS = 50;
const WAKE_MS = 10;
const FLOOD_BURST = 10;

/** @type {Map<string, any>} */
const sockets = new Map();
/** @type {Map<string, object[]>} */
const events = new Map();
/** @type {Map<string, any>} */
const proxies = new Map();
/** @type {Map<string, { topics: Buffer[], next: number, stopped: boolean, done: Promise<void> }>} */
const floods = new Map();
/** @type {{ socket: any, rules: any[], requests: string[][] } | undefined} */
let zap;
/** @type {Map<any, { count: number }>} */
const uses = new Map();
/** @type {WeakMap<object, Promise<unknown>>} */
const turns = new WeakMap();

const fromHex = (frames) => frames.map((frame) => Buffer.from(frame, "hex"));
const toHex = (frames) => frames.map((frame) => frame.toString("hex"));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Sends or receives, however long it takes. zeromq.js can lose a wake-up when a socket waits for
 * both at once, even between two libzmq peers; so each attempt is short and made again.
 */
async function patiently(socket, attempt) {
  const use = uses.get(socket);
  if (use) use.count++;
  try {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (error.code !== "EAGAIN" || socket.closed) throw error;
      }
    }
  } finally {
    if (use) use.count--;
  }
}

/**
 * libzmq subscribes at a new peer, learns of a peer's subscriptions, and closes a STREAM's
 * connection for an empty frame only when its socket is used. So those that are not used are
 * looked at now and then.
 */
function wakeIdle() {
  for (const [socket, { count }] of uses) {
    if (socket.closed) uses.delete(socket);
    else if (count === 0) socket.getInt32Option(EVENTS);
  }
}

/** Sends in the order of the calls: zeromq.js refuses a send while another one is under way. */
function send(socket, frames) {
  const turn = (turns.get(socket) ?? Promise.resolve())
    .then(() => patiently(socket, () => socket.send(frames)));
  turns.set(socket, turn.catch(() => {})); // whose turn it was is told
  return turn;
}

const receive = (socket) => patiently(socket, () => socket.receive());

function setOption(socket, option, value) {
  if (option in FLAGS) socket.setBoolOption(FLAGS[option], value);
  else socket[option] = value;
}

/** Whatever may hold up a test's own calls must not hold up a proxy's. */
function setPatience(socket, ms) {
  if (!(socket instanceof zmq.Pull || socket instanceof zmq.Subscriber)) socket.sendTimeout = ms;
  if (!(socket instanceof zmq.Push || socket instanceof zmq.Publisher)) socket.receiveTimeout = ms;
}

async function setTopics(socket, option, topics) {
  for (const topic of topics) {
    if (!(socket instanceof zmq.XSubscriber)) socket.setStringOption(option, topic);
    else await send(socket, Buffer.concat([Buffer.of(option === SUBSCRIBE ? 1 : 0), topic]));
  }
}

/**
 * Answers what libzmq asks about its peers, for good: libzmq can crash when a handler goes. A ROUTER, as it need not answer. A rule is for a mechanism, a domain and
 * credentials, of which any may be left open; its reply is in hex but for the request's id.
 */
async function handleZap({ socket, requests, rules }) {
  for (;;) {
    const [id, delimiter, ...request] = await receive(socket);
    const [, requestId, domain, , , mechanism, ...credentials] = request;
    requests.push(toHex(request));
    const rule = rules.find(({ when }) =>
      (when.mechanism ?? String(mechanism)) === String(mechanism) &&
      (when.domain ?? String(domain)) === String(domain) &&
      (when.credentials ?? toHex(credentials)).join() === toHex(credentials).join()
    );
    if (!rule?.reply) continue;
    const reply = rule.reply.map((frame) => frame === "id" ? requestId : Buffer.from(frame, "hex"));
    await send(socket, [id, delimiter, ...reply]);
  }
}

const commands = {
  /** Starts to answer by these rules, in order, or goes on with new ones. */
  async zap({ rules }) {
    if (zap) return void zap.rules.splice(0, Infinity, ...rules);
    const socket = new zmq.Router();
    setPatience(socket, ATTEMPT_MS);
    await commands.bind({ socket, endpoint: ZAP });
    zap = { socket, rules, requests: [] };
    handleZap(zap);
  },

  /** What was asked since it was asked last. */
  zapRequests: () => zap?.requests.splice(0) ?? [],

  open({ name, type, options, routingId }) {
    const socket = new zmq[type]();
    setPatience(socket, ATTEMPT_MS);
    for (const [option, value] of Object.entries(options)) setOption(socket, option, value);
    if (routingId !== undefined) socket.setStringOption(ROUTING_ID, Buffer.from(routingId, "hex"));
    if (/Publisher|Subscriber|Stream/.test(type)) uses.set(socket, { count: 0 });
    const log = [];
    for (const type of EVENT_TYPES) {
      socket.events.on(type, ({ address, interval, error }) => {
        log.push({ type, address, interval, code: error?.code, status: error?.status });
      });
    }
    sockets.set(name, socket);
    events.set(name, log);
  },

  // A port that a killed process held can take a moment to become free. Not the asynchronous
  // bind(): while that runs, the socket refuses to send and receive.
  async bind({ socket, endpoint }) {
    const deadline = Date.now() + REBIND_MS;
    for (;;) {
      try {
        socket.bindSync(endpoint);
        return socket.lastEndpoint;
      } catch (error) {
        if (error.code !== "EADDRINUSE" || Date.now() > deadline) throw error;
        await pause(20);
      }
    }
  },

  unbind: ({ socket, endpoint }) => socket.unbind(endpoint),

  connect({ socket, endpoint, routingId }) {
    if (routingId === undefined) socket.connect(endpoint);
    else socket.connect(endpoint, { routingId });
  },

  disconnect: ({ socket, endpoint }) => socket.disconnect(endpoint),

  close({ name, socket }) {
    sockets.delete(name);
    socket.close();
  },

  set({ socket, option, value }) {
    setOption(socket, option, value);
  },

  /** An XSUB sends its subscriptions, all others set them. */
  subscribe: ({ socket, topics }) => setTopics(socket, SUBSCRIBE, fromHex(topics)),

  unsubscribe: ({ socket, topics }) => setTopics(socket, UNSUBSCRIBE, fromHex(topics)),

  topicsCount: ({ socket }) => socket.getInt32Option(TOPICS_COUNT),

  events({ name }) {
    const count = (wanted) => events.get(name).filter(({ type }) => type === wanted).length;
    return { handshake: count("handshake"), disconnect: count("disconnect") };
  },

  eventLog: ({ name }) => events.get(name),

  send: ({ socket, frames }) => send(socket, fromHex(frames)),

  receive: async ({ socket }) => toHex(await receive(socket)),

  async sendEach({ socket, messages }) {
    for (const frames of messages) await send(socket, fromHex(frames));
  },

  /** Receives all that comes before a message with these frames. */
  async receiveUntil({ socket, last }) {
    const messages = [];
    for (;;) {
      const frames = toHex(await receive(socket));
      if (frames.length === last.length && frames.every((frame, i) => frame === last[i])) {
        return messages;
      }
      messages.push(frames);
    }
  },

  /** Publishes `[topic, number]` with the topics in turn, until it is stopped. */
  startFlood({ name, socket, topics }) {
    const flood = { topics: fromHex(topics), next: 0, stopped: false };
    const run = async () => {
      while (!flood.stopped) {
        for (let i = 0; i < FLOOD_BURST; i++) {
          const topic = flood.topics[flood.next % flood.topics.length];
          await send(socket, [topic, String(flood.next++)]);
        }
        await pause(1);
      }
    };
    floods.set(name, Object.assign(flood, { done: run() }));
  },

  /** Stops the flood; how many messages it had. */
  async stopFlood({ name }) {
    const flood = floods.get(name);
    flood.stopped = true;
    await flood.done;
    return flood.next;
  },

  /** Runs libzmq's own proxy until it is terminated. */
  async proxy({ name, socket, to }) {
    const other = sockets.get(to);
    for (const end of [socket, other]) {
      setPatience(end, -1);
      uses.delete(end);
    }
    const proxy = new zmq.Proxy(socket, other);
    proxies.set(name, proxy);
    await proxy.run();
    for (const end of [name, to]) sockets.delete(end);
  },

  /** Calls `pause`, `resume` or `terminate`. */
  steer: ({ name, action }) => proxies.get(name)[action](),

  async sendMany({ socket, spec, prefix }) {
    const head = fromHex(prefix);
    for (let i = 0; i < spec.count; i++) await send(socket, [...head, ...makeMessage(spec, i)]);
  },

  async receiveMany({ socket, spec, skip }) {
    for (let i = 0; i < spec.count; i++) {
      const frames = await receive(socket);
      check(frames.slice(skip), spec, i);
    }
  },

  /** The octets of many messages in one run: a STREAM cuts them as it likes. */
  async receiveOctets({ socket, spec }) {
    const all = Array.from({ length: spec.count }, (_, i) => makeMessage(spec, i)).flat();
    const expected = Buffer.concat(all);
    for (let at = 0; at < expected.length;) {
      const [, octets] = await receive(socket);
      const end = at + octets.length;
      if (octets.compare(expected, at, end) !== 0) {
        throw new Error(`octets ${at} to ${end} of ${expected.length} differ`);
      }
      at = end;
    }
  },

  /** Lock-step: request, reply, compare. */
  async exchange({ socket, spec }) {
    for (let i = 0; i < spec.count; i++) {
      await send(socket, makeMessage(spec, i));
      check(await receive(socket), spec, i);
    }
  },

  async echo({ socket, count }) {
    for (let i = 0; i < count; i++) await send(socket, await receive(socket));
  },

  /** A device: moves messages between two sockets until one is closed. */
  async forward({ socket, to }) {
    const other = sockets.get(to);
    const pump = async (source, target) => {
      try {
        for (;;) await send(target, await receive(source));
      } catch (error) {
        if (!source.closed && !target.closed) throw error;
      }
    };
    await Promise.all([pump(socket, other), pump(other, socket)]);
  },

  async sendSequence({ socket, from, to, filler }) {
    const body = Buffer.alloc(filler, 0x2e);
    for (let i = from; i < to; i++) await send(socket, [String(i), body]);
  },

  /** Receives numbered messages, and says which arrived in order. */
  async receiveSequence({ socket, count }) {
    const runs = [];
    for (let i = 0; i < count; i++) {
      const number = Number(String((await receive(socket))[0]));
      const run = runs.at(-1);
      if (run && run[1] + 1 === number) run[1] = number;
      else runs.push([number, number]);
    }
    return runs;
  },
};

function check(frames, spec, index) {
  const difference = findDifference(frames, spec, index);
  if (difference) throw new Error(difference);
}

async function run({ id, command, ...args }) {
  try {
    const isNew = command === "open";
    const socket = isNew ? undefined : sockets.get(args.name);
    // What happened to a socket can be asked when it is closed.
    const needsNone = isNew || command === "eventLog" || command.startsWith("zap");
    if (!socket && !needsNone) throw new Error(`no socket ${args.name}`);
    const value = await commands[command]({ ...args, socket });
    answer({ id, value });
  } catch (error) {
    answer({ id, error: error.message, code: error.code });
  }
}

function answer(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

setInterval(wakeIdle, WAKE_MS);
for await (const line of createInterface({ input: process.stdin })) run(JSON.parse(line));
process.exit();
