// A place of the soak: sockets that are bound, and what they do with whoever comes.

import { Proxy } from "../../mod.ts";
import { pause } from "../_util/deadline.ts";
import { bodyOf, type Ledger } from "./ledger.ts";
import {
  type AnySocket,
  type Library,
  type LibraryName,
  receive,
  type Receiving,
  send,
  type Sending,
} from "./library.ts";
import type { Place, PlaceSetup, Service } from "./protocol.ts";
import type { Flows } from "./flows.ts";

export const PASSWORD = { plainUsername: "soak", plainPassword: "through" } as const;
const REBIND_MS = 10_000;
const TICK_MS = 50;
/** How many topics the churn can subscribe to; each gets a message now and then. */
export const TOPICS = 20;

/** Opens and binds the sockets of a place, and serves. */
export async function openPlace(
  name: string,
  library: Library,
  libraryName: LibraryName,
  setup: PlaceSetup,
  flows: Flows,
  ledger: Ledger,
): Promise<Place> {
  const security = setup.mechanism === "PLAIN"
    ? { plainServer: true }
    : setup.mechanism === "CURVE"
    ? { curveServer: true, curveSecretKey: setup.secretKey! }
    : {};
  const endpoints: Partial<Record<Service, string>> = {};
  const bound = async <S extends AnySocket>(service: Service, socket: S): Promise<S> => {
    flows.open(socket);
    endpoints[service] = await bind(socket, setup, name, service);
    return socket;
  };
  const label = `${name}.${setup.transport === "inproc" ? "inproc" : setup.mechanism}`;

  flows.run(collect(await bound("pull", new library.Pull(security)), ledger));
  flows.run(echo(await bound("rep", new library.Reply(security))));
  flows.run(echo(await bound("router", new library.Router(security))));
  flows.run(echo(await bound("pair", new library.Pair(security))));
  flows.run(hand(await bound("push", new library.Push(security)), `${label}.push`, flows));
  flows.run(publish(await bound("pub", new library.Publisher(security)), `${label}.pub`, flows));
  if (libraryName === "wasmq") {
    const front = await bound("front", new library.XSubscriber(security));
    const back = await bound("back", new library.XPublisher(security));
    flows.run(new Proxy(front, back).run());
  }
  return {
    name: label,
    mechanism: setup.mechanism,
    ...(setup.publicKey && { serverKey: setup.publicKey }),
    endpoints,
  };
}

/** The port of a process that was killed can take a moment to become free. */
async function bind(
  socket: AnySocket,
  { endpoints, transport, folder, mechanism }: PlaceSetup,
  name: string,
  service: Service,
): Promise<string> {
  const fresh = transport === "tcp"
    ? "tcp://127.0.0.1:*"
    : `${transport}://${folder}/${name}-${mechanism}-${service}`;
  const deadline = performance.now() + REBIND_MS;
  for (;;) {
    try {
      await socket.bind(endpoints?.[service] ?? fresh);
      return socket.lastEndpoint!;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(100);
    }
  }
}

async function collect(socket: Receiving, ledger: Ledger): Promise<void> {
  for (let message = await receive(socket); message; message = await receive(socket)) {
    const [source, number, body] = message;
    // The last message of a source that ends says how many there were.
    if (message.length === 2) ledger.settle(String(source), Number(String(number)));
    else ledger.take(String(source), Number(String(number)), body);
  }
}

async function echo(socket: Receiving & Sending): Promise<void> {
  for (let message = await receive(socket); message; message = await receive(socket)) {
    await send(socket, message);
  }
}

async function hand(socket: Sending, source: string, flows: Flows): Promise<void> {
  for (let number = 0; !flows.stopped; number++) {
    if (!await send(socket, [source, String(number), bodyOf(number)])) return;
    flows.sent++;
    await flows.rest(TICK_MS);
  }
}

/** Ticks for those who stay, topics for those who come and go; also while all others stop. */
async function publish(socket: Sending, source: string, flows: Flows): Promise<void> {
  for (let number = 0; await send(socket, [`topic ${number % TOPICS}.`, "x"]); number++) {
    await send(socket, ["tick", source, String(number), bodyOf(number)]);
    flows.sent += 2;
    await flows.rest(TICK_MS);
  }
}
