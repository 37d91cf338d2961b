/**
 * What happens to a socket's connections.
 *
 * `socket.events` tells what no `receive` shows: who came and went, who was refused and why, what is
 * tried again and when. Iterating is one way to hear it, as here; `socket.events.on(type, listener)`
 * is the other. Nothing is recorded for sockets whose `events` nobody ever asked for.
 *
 *   deno run --allow-net examples/guide/monitor.ts
 *
 * or the same with `bun` or `node`. The guide's espresso looks at messages, this at connections.
 *
 * @module
 */

import { Dealer, type Event, type EventType, Publisher, Router, type Socket } from "../../mod.ts";

function describe(event: Event): string {
  switch (event.type) {
    case "handshake":
      return `${event.type} with a ${event.socketType} named "${toText(event.routingId)}"`;
    case "disconnect":
      return `${event.type} of "${toText(event.routingId)}"`;
    case "handshake:error:protocol":
      return `${event.type}: ${event.error.message}`;
    case "connect:retry":
      return `${event.type} in ${event.interval} ms: ${event.error?.code}`;
    default:
      return event.type;
  }
}

function toText(octets: Uint8Array): string {
  return new TextDecoder().decode(octets);
}

/** Prints what happens to a socket until it is closed, and lets others wait for it. */
class Watch {
  readonly ended: Promise<void>;
  readonly #awaited = new Map<EventType, () => void>();

  constructor(name: string, socket: Socket) {
    this.ended = this.#read(name, socket);
  }

  until(type: EventType): Promise<void> {
    return new Promise((resolve) => this.#awaited.set(type, resolve));
  }

  async #read(name: string, socket: Socket): Promise<void> {
    for await (const event of socket.events) {
      console.log(`${name}: ${describe(event)}`);
      this.#awaited.get(event.type)?.();
    }
  }
}

/** An address where nobody listens. */
async function unusedAddress(): Promise<string> {
  const socket = new Router();
  await socket.bind("tcp://127.0.0.1:*");
  await socket.close();
  return socket.lastEndpoint!;
}

const address = await unusedAddress();
const client = new Dealer({ routingId: "Ada", reconnectInterval: 50 });
const atClient = new Watch("client", client);
const refused = atClient.until("connect:retry");
client.connect(address);
await refused; // nobody there yet, and the client goes on trying

const server = new Router();
const atServer = new Watch("server", server);
const met = atServer.until("handshake");
await server.bind(address);
await met;

const stranger = new Publisher({ linger: 0 }); // a ROUTER has nothing to say to a PUB
const expelled = atServer.until("handshake:error:protocol");
stranger.connect(address);
await expelled;
await stranger.close();

const left = atServer.until("disconnect");
await client.close();
await left;
await server.close();
await Promise.all([atClient.ended, atServer.ended]);
