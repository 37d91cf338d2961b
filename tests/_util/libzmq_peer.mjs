// A libzmq peer as a process of its own: reads one JSON command per line, answers each with one
// line, and ends with its standard input, so that it never outlives the test that started it.
// It is driven by peer.ts. Frames in commands are in hex.

import { findDifference, makeMessage } from "./messages.mjs";

// Import statements would make `deno check` ask for @types/node.
const load = (name) => import(name);
const { createInterface } = await load("node:readline");
const zmq = await load("zeromq");

const ROUTING_ID = 5; // ZMQ_ROUTING_ID; zeromq.js's own property takes text only
const REBIND_MS = 5_000;
const ATTEMPT_MS = 50;

/** @type {Map<string, any>} */
const sockets = new Map();
/** @type {Map<string, Record<string, number>>} */
const events = new Map();

const fromHex = (frames) => frames.map((frame) => Buffer.from(frame, "hex"));
const toHex = (frames) => frames.map((frame) => frame.toString("hex"));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Sends or receives, however long it takes. zeromq.js can lose a wake-up when a socket waits for
 * both at once, even between two libzmq peers; so each attempt is short and made again.
 */
async function patiently(socket, attempt) {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (error.code !== "EAGAIN" || socket.closed) throw error;
    }
  }
}

const send = (socket, frames) => patiently(socket, () => socket.send(frames));
const receive = (socket) => patiently(socket, () => socket.receive());

const commands = {
  open({ name, type, options, routingId }) {
    const socket = new zmq[type](options);
    if (type !== "Pull") socket.sendTimeout = ATTEMPT_MS;
    if (type !== "Push") socket.receiveTimeout = ATTEMPT_MS;
    if (routingId !== undefined) socket.setStringOption(ROUTING_ID, Buffer.from(routingId, "hex"));
    const counts = { handshake: 0, disconnect: 0 };
    socket.events.on("handshake", () => counts.handshake++);
    socket.events.on("disconnect", () => counts.disconnect++);
    sockets.set(name, socket);
    events.set(name, counts);
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
    socket[option] = value;
  },

  events: ({ name }) => events.get(name),

  send: ({ socket, frames }) => send(socket, fromHex(frames)),

  receive: async ({ socket }) => toHex(await receive(socket)),

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
    const socket = command === "open" ? undefined : sockets.get(args.name);
    if (command !== "open" && !socket) throw new Error(`no socket ${args.name}`);
    const value = await commands[command]({ ...args, socket });
    answer({ id, value });
  } catch (error) {
    answer({ id, error: error.message, code: error.code });
  }
}

function answer(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

for await (const line of createInterface({ input: process.stdin })) run(JSON.parse(line));
process.exit();
