// Meetings of a server and a client, each libzmq's or ours: what both tell of how they got on. That of libzmq with itself
// shows what libzmq does.

import { assert, assertEquals } from "@std/assert";
import { after, afterEach, before, describe } from "@std/testing/bdd";
import { pause } from "./deadline.ts";
import type { PeerOptions } from "./peer.ts";
import {
  type End,
  inShort,
  type Library,
  openStage,
  type SecureType,
  type Stage,
  tells,
} from "./security_stage.ts";

/** Long enough for some attempts at {@linkcode QUICK}. */
const STAYS_MS = 300;
/** How soon a client that goes on tries again. */
const QUICK = { reconnectInterval: 20 } as const;

const LIBRARIES: readonly Library[] = ["libzmq", "wasmq"];

/** What joins a server and a client. */
export interface Meeting {
  readonly server: Stage;
  readonly client: Stage;
  /** Opens one socket in each; the server binds. They are closed with their test. */
  join(
    serverOptions: PeerOptions,
    clientOptions: PeerOptions,
    types?: readonly [server: SecureType, client: SecureType],
  ): Promise<Joined>;
}

/** A server and a client that are connected, or try to be. */
export interface Joined {
  readonly server: End;
  readonly client: End;
  readonly endpoint: string;
}

/** Describes a behaviour for each meeting; the programs are fresh for each suite. */
export function describeMeetings(
  what: string,
  body: (meeting: Meeting, server: Library, client: Library) => void,
): void {
  for (const server of LIBRARIES) {
    for (const client of LIBRARIES) {
      describe(`${what}: a server of ${server}, a client of ${client}`, () => {
        const meeting = new FreshMeeting();
        before(() => meeting.start(server, client));
        after(() => meeting.stop());
        afterEach(() => meeting.part());
        body(meeting, server, client);
      });
    }
  }
}

class FreshMeeting implements Meeting {
  #server: Stage | undefined;
  #client: Stage | undefined;
  #ends: End[] = [];

  start(server: Library, client: Library): void {
    this.#server = openStage(server);
    this.#client = openStage(client);
  }

  get server(): Stage {
    return this.#server!;
  }

  get client(): Stage {
    return this.#client!;
  }

  async join(
    serverOptions: PeerOptions,
    clientOptions: PeerOptions,
    [serverType, clientType]: readonly [SecureType, SecureType] = ["Pull", "Push"],
  ): Promise<Joined> {
    const server = await this.server.open(serverType, serverOptions);
    const client = await this.client.open(clientType, { ...QUICK, ...clientOptions });
    this.#ends.push(server, client);
    const endpoint = await server.bind();
    await client.connect(endpoint);
    return { server, client, endpoint };
  }

  /** A handler stays: the next test of the suite has to tell it what to answer. */
  async part(): Promise<void> {
    // The client first: nobody tries to connect to a server that is gone.
    for (const end of this.#ends.splice(0).reverse()) await end.close();
    await this.server.zapRequests();
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.client.stop();
  }
}

/** Checks how the log of an end begins; an event may be one of several. */
export async function begins(end: End, ...expected: readonly (string | RegExp)[]): Promise<void> {
  const last = expected.at(-1)!;
  const same = (told: string, event: string | RegExp): boolean =>
    typeof event === "string" ? told === event : event.test(told);
  let told: string[] = [];
  for (let waited = 0; waited < 15_000; waited += 5) {
    told = (await end.eventLog()).map(inShort);
    if (told.length >= expected.length) break;
    await pause(5);
  }
  const start = told.slice(0, expected.length);
  if (start.length < expected.length || !start.every((event, i) => same(event, expected[i]))) {
    assertEquals(start, expected.map(String), `up to ${last}; all: ${told.join(", ")}`);
  }
}

/** Checks that a client tries again and again. */
export async function goesOn(client: End): Promise<void> {
  await tells(client, "connect", 3);
}

/**
 * Checks that a client that was refused has ended its connection for good. One of libzmq's does too, unless it sees its
 * server's end of the connection before its own end: it is not held to it.
 */
export async function isGivenUp(client: End): Promise<void> {
  await tells(client, "disconnect");
  const before = (await client.eventLog()).map(inShort);
  await pause(STAYS_MS);
  if (client.library === "libzmq") return;
  const told = (await client.eventLog()).map(inShort);
  assertEquals(told, before, "it goes on");
  assert(!told.includes("connect:retry"), `it went on: ${told.join(", ")}`);
}

/** What a client tells when its server closes before the handshake is over. */
export const CLOSED_EARLY: readonly RegExp[] = [
  /^connect:delay$/,
  /^connect$/,
  /^handshake:error:other (EPIPE|ECONNRESET)$/,
  /^disconnect/,
  /^connect:retry/,
];

/**
 * What two servers tell of each other. Only ours say in their greetings that they are servers: where they do not, both wait
 * for the other to begin until the handshake's deadline.
 */
export async function cannotBothServe(one: End, other: End, bothSayIt: boolean): Promise<void> {
  const trouble = bothSayIt
    ? "handshake:error:protocol ERR_ZMTP_UNSPECIFIED"
    : /^handshake:error:other/;
  await begins(one, "bind", "accept", trouble, /^disconnect/);
  await begins(other, "connect:delay", "connect", trouble, /^disconnect/);
  if (bothSayIt) await isGivenUp(other);
  else await goesOn(other);
}
