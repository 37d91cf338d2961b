// Prints the options of all sockets and of the context, with their values, as JSON.

import * as zmq from "zeromq";

const CLASSES = [
  "Pair",
  "Publisher",
  "Subscriber",
  "Request",
  "Reply",
  "Dealer",
  "Router",
  "Pull",
  "Push",
  "XPublisher",
  "XSubscriber",
  "Stream",
] as const;

const WRITE_ONLY = "write only";
/** What is no option. */
const OTHERS = ["constructor", "context", "events"];

/** The accessors of an object's classes and what they say. */
function optionsOf(object: object): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (
    let prototype = Object.getPrototypeOf(object);
    prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (OTHERS.includes(name) || !(property.get || property.set) || name in options) continue;
      options[name] = property.get ? read(object, property.get) : WRITE_ONLY;
    }
  }
  return options;
}

function read(object: object, get: () => unknown): unknown {
  try {
    return get.call(object);
  } catch {
    return "unreadable";
  }
}

const all: Record<string, Record<string, unknown>> = {};
for (const name of CLASSES) {
  const socket = new zmq[name]();
  all[name] = optionsOf(socket);
  socket.close();
}
all.Context = optionsOf(new zmq.Context());
console.log(JSON.stringify(all));
