// A worker that uses a socket where workerd permits none, outside of handlers, and then one in a handler.

import * as zmq from "../../../workerd.ts";
import { answer } from "./answer.ts";

let told = "none";
const early = new zmq.Push({ linger: 0 });
try {
  early.connect("tcp://127.0.0.1:5555");
} catch (error) {
  const { code, message } = error as zmq.ZmqError;
  told = `${code} ${message}`;
}

function provideAgain(): string {
  try {
    zmq.provideCore(undefined as never);
    return "none";
  } catch (error) {
    return (error as zmq.ZmqError).code;
  }
}

async function push({ to }: { to?: string }): Promise<number> {
  const socket = new zmq.Push();
  socket.connect(to!);
  await socket.send("in a handler");
  await socket.close();
  return socket.stats().messagesOut;
}

export default {
  fetch: (request: Request): Promise<Response> =>
    answer(request, { "/told": () => told, "/core": provideAgain, "/push": push }),
};
