// A worker that imports the entry for Deno, Bun and Node, which brings no compiled core.

import * as zmq from "../../../mod.ts";
import { answer } from "./answer.ts";

function refusal(call: () => unknown): string {
  try {
    call();
    return "none";
  } catch (error) {
    const { name, code, message } = error as zmq.ZmqError;
    return `${name} ${code} ${message}`;
  }
}

export default {
  fetch: (request: Request): Promise<Response> =>
    answer(request, {
      "/socket": () => refusal(() => new zmq.Subscriber().connect("tcp://127.0.0.1:5555")),
      "/keys": () => refusal(() => zmq.curveKeyPair()),
    }),
};
