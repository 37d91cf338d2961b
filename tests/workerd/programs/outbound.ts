// A worker whose sockets connect: each request says what to do with which endpoint.

import * as zmq from "../../../workerd.ts";
import { findDifference, makeMessage } from "../../_util/messages.mjs";
import type { MessageSpec } from "../../_util/peer.ts";
import { answer, type Query } from "./answer.ts";

const TIMES = { sendTimeout: 30_000, receiveTimeout: 30_000, linger: 30_000 } as const;

function specOf({ spec }: Query): MessageSpec {
  return JSON.parse(spec);
}

function optionsOf({ options = "{}" }: Query): zmq.SocketOptions<zmq.CommonOptions> {
  return JSON.parse(options);
}

function check(frames: Uint8Array[], spec: MessageSpec, index: number): void {
  const difference = findDifference(frames, spec, index);
  if (difference) throw new Error(difference);
}

async function push(query: Query): Promise<number> {
  const spec = specOf(query);
  const { receiveTimeout: _, ...times } = TIMES;
  const socket = new zmq.Push(times);
  socket.connect(query.to);
  for (let i = 0; i < spec.count; i++) await socket.send(makeMessage(spec, i));
  await socket.close();
  return socket.stats().messagesOut;
}

/** Sends until nobody takes more; how many messages were taken. */
async function flood({ to }: Query): Promise<number> {
  const socket = new zmq.Push({ sendTimeout: 500, sendHighWaterMark: 10, linger: 0 });
  socket.connect(to);
  const body = new Uint8Array(20_000);
  try {
    for (let taken = 0;; taken++) {
      try {
        await socket.send(body);
      } catch (error) {
        if ((error as zmq.ZmqError).code === "EAGAIN") return taken;
        throw error;
      }
    }
  } finally {
    await socket.close();
  }
}

async function exchange(socket: zmq.Request | zmq.Dealer, query: Query): Promise<number> {
  const spec = specOf(query);
  socket.connect(query.to);
  for (let i = 0; i < spec.count; i++) {
    await socket.send(makeMessage(spec, i));
    check(await socket.receive(), spec, i);
  }
  await socket.close();
  return socket.stats().messagesIn;
}

async function subscribe(query: Query): Promise<number> {
  const spec = specOf(query);
  const { receiveTimeout } = TIMES;
  const socket = new zmq.Subscriber({ receiveTimeout, receiveHighWaterMark: 0 });
  socket.subscribe();
  socket.connect(query.to);
  for (let i = 0; i < spec.count; i++) check(await socket.receive(), spec, i);
  await socket.close();
  return socket.stats().messagesIn;
}

function curveDealer({ key }: Query): zmq.Dealer {
  const { publicKey, secretKey } = zmq.curveKeyPair();
  const keys = { curvePublicKey: publicKey, curveSecretKey: secretKey, curveServerKey: key };
  return new zmq.Dealer({ ...TIMES, ...keys });
}

/** Why something is refused. */
async function refusal(query: Query): Promise<string> {
  const { use, endpoint } = query;
  const socket = new zmq.Dealer({ linger: 0 });
  try {
    Object.assign(socket, optionsOf(query));
    await socket[use as "bind" | "bindSync" | "connect"](endpoint);
    return "none";
  } catch (error) {
    const { name, code, message } = error as zmq.ZmqError;
    return `${name} ${code} ${message}`;
  } finally {
    await socket.close();
  }
}

/** The first event of a type, while an endpoint is being connected. */
async function event(query: Query): Promise<{ code: string; message: string }> {
  const { to, type } = query;
  const socket = new zmq.Dealer({ linger: 0, ...optionsOf(query) });
  const { promise, resolve } = Promise.withResolvers<{ error?: zmq.EventError }>();
  socket.events.on(type as "connect:retry", resolve);
  socket.connect(to);
  const { error } = await promise;
  await socket.close();
  return { code: error?.code ?? "", message: error?.message ?? "" };
}

/** Sockets that are given a context share it, others share nothing. */
async function contexts(): Promise<{ apart: boolean; together: string }> {
  const apart = new zmq.Pair({ linger: 0 }).context !== new zmq.Pair({ linger: 0 }).context;
  const context = new zmq.Context();
  const left = new zmq.Pair({ context });
  const right = new zmq.Pair({ context, ...TIMES });
  await left.bind("inproc://middle");
  right.connect("inproc://middle");
  await left.send("over inproc");
  const [together] = await right.receive();
  await context.terminate();
  return { apart, together: String(together) };
}

/** Leaves everything open: the handler's end is the end of it. */
function forget({ to }: Query): number {
  const socket = new zmq.Dealer();
  socket.connect(to);
  void socket.receive().catch(() => {});
  return 1;
}

const TASKS: Readonly<Record<string, (query: Query) => unknown>> = {
  "/push": push,
  "/flood": flood,
  "/request": (query) => exchange(new zmq.Request(TIMES), query),
  "/dealer": (query) => exchange(new zmq.Dealer({ ...TIMES, ...optionsOf(query) }), query),
  "/curve": (query) => exchange(curveDealer(query), query),
  "/subscribe": subscribe,
  "/refusal": refusal,
  "/event": event,
  "/contexts": contexts,
  "/forget": forget,
};

export default {
  fetch: (request: Request): Promise<Response> => answer(request, TASKS),
};
