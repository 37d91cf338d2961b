// A server that asks a ZAP handler who may come in, clients that come, and what is told of it on both sides.

import { assertEquals } from "@std/assert";
import { Context, Pull, Push } from "../../mod.ts";
import { anywhere, type Transport } from "./anywhere.ts";
import { Cleanup } from "./cleanup.ts";
import { EventLog } from "./event_log.ts";
import { type HandlerType, type ZapBehaviour, ZapHandler } from "./zap_handler.ts";
import { DOMAIN, type MechanismName, type SecurityOptions, SIDES } from "./zap_mechanisms.ts";

const WAIT_MS = 5_000;

/** A server with what is told of it. */
export interface Server {
  readonly socket: Pull;
  readonly log: EventLog;
  readonly address: string;
}

/** A client with what is told of it. */
export interface Client {
  readonly socket: Push;
  readonly log: EventLog;
}

/** What one test opened, in a context of its own: it has handlers of its own too. */
export class ZapStage {
  readonly cleanup: Cleanup = new Cleanup();
  #context: Context | undefined;

  /** The context of servers and handlers, another one for each test. */
  get context(): Context {
    return this.#context ??= new Context();
  }

  /** Ends the test. */
  async clear(): Promise<void> {
    await this.cleanup.run();
    this.#context = undefined;
  }

  /** Opens a handler. */
  async handler(behave?: ZapBehaviour, type?: HandlerType): Promise<ZapHandler> {
    return this.cleanup.add(await ZapHandler.open(this.context, behave, type));
  }

  /** Opens a server that is bound. */
  async server(
    where: Transport | string,
    options: SecurityOptions & { readonly handshakeInterval?: number; readonly context?: Context },
  ): Promise<Server> {
    const socket = this.cleanup.add(
      new Pull({
        context: this.context,
        receiveTimeout: WAIT_MS,
        attachMetadata: true,
        ...options,
      }),
    );
    const log = new EventLog(socket);
    await socket.bind(where.includes(":") ? where : anywhere(where as Transport));
    return { socket, log, address: socket.lastEndpoint! };
  }

  /** Opens a server of this mechanism that asks its handler. */
  asking(
    where: Transport | string,
    mechanism: MechanismName,
    options: Parameters<ZapStage["server"]>[1] = {},
  ): Promise<Server> {
    return this.server(where, { ...SIDES[mechanism].server, zapDomain: DOMAIN, ...options });
  }

  /** Connects a client. */
  client(
    address: string,
    options: SecurityOptions & {
      readonly reconnectInterval?: number;
      readonly handshakeInterval?: number;
      readonly properties?: Record<string, string>;
    } = {},
  ): Client {
    const socket = this.cleanup.add(
      new Push({ reconnectInterval: 10, sendTimeout: WAIT_MS, ...options }),
    );
    const log = new EventLog(socket);
    socket.connect(address);
    return { socket, log };
  }

  /** Connects a client of this mechanism. */
  coming(
    address: string,
    mechanism: MechanismName,
    options: Parameters<ZapStage["client"]>[1] = {},
  ): Client {
    return this.client(address, { ...SIDES[mechanism].client, ...options });
  }
}

let said = 0;

/** Checks that a client is let in: its messages arrive. */
export async function assertLetIn(client: Client, server: Server): Promise<void> {
  const text = `message ${said++}`;
  await client.socket.send(text);
  assertEquals(String(await server.socket.receive()), text);
  await client.log.nth("handshake");
}

/** Checks that a client was refused with a status, both sides know it, and the client has given up. */
export async function assertDenied(client: Client, server: Server, status: number): Promise<void> {
  const [atServer, atClient] = await Promise.all([
    server.log.next("handshake:error:auth"),
    client.log.next("handshake:error:auth"),
  ]);
  assertEquals([atServer.error.status, atClient.error.status], [status, status]);
  await client.log.next("disconnect");
  assertEquals(client.log.of("handshake").length, 0);
  assertEquals(client.log.of("connect:retry").length, 0, "it would be refused again");
}
