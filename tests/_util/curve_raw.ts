// The CURVE client and server of the tests as peers over a real connection.

import { commandFrame, curveGreeting, type GreetingFields, INNER_MORE } from "./curve_commands.ts";
import { type ClientSetup, CurveClient, CurveServer, type ServerSetup } from "./curve_oracle.ts";
import { dial, type RawConnection } from "./raw_peer.ts";
import { type RawFrame, takeFrame } from "./raw_zmtp.ts";

const GREETING_SIZE = 64;

/** One side past its handshake. */
export class RawParty<P extends CurveClient | CurveServer = CurveClient | CurveServer> {
  readonly party: P;
  readonly connection: RawConnection;
  /** What the other side greeted with. */
  readonly greeting: Uint8Array;

  constructor(party: P, connection: RawConnection, greeting: Uint8Array) {
    this.party = party;
    this.connection = connection;
    this.greeting = greeting;
  }

  /** Sends a message. */
  say(...payloads: (Uint8Array | string)[]): void {
    this.connection.send(this.party.send(...payloads));
  }

  /** The next frame, opened. */
  async take(): Promise<{ flags: number; payload: Uint8Array }> {
    return this.party.takeMessage((await takeFrame(this.connection)).body);
  }

  /** The next message; commands are passed over. */
  async hear(): Promise<Uint8Array[]> {
    const frames: Uint8Array[] = [];
    for (;;) {
      const { flags, payload } = await this.take();
      if (flags > INNER_MORE) continue;
      frames.push(payload);
      if (flags === 0) return frames;
    }
  }
}

/** Connects, and goes through the handshake. */
export async function curveConnect(
  endpoint: string,
  setup: ClientSetup,
  greeting?: GreetingFields,
): Promise<RawParty<CurveClient>> {
  return await asClient(await dial(endpoint), setup, greeting);
}

/** The handshake as the client. */
export async function asClient(
  connection: RawConnection,
  setup: ClientSetup,
  greeting?: GreetingFields,
): Promise<RawParty<CurveClient>> {
  const client = new CurveClient(setup);
  const theirs = await greet(connection, greeting);
  connection.send(commandFrame(client.hello()));
  client.takeWelcome((await takeCommand(connection)).body);
  connection.send(commandFrame(client.initiate()));
  client.takeReady((await takeCommand(connection)).body);
  return new RawParty(client, connection, theirs);
}

/** The handshake as the server. */
export async function asServer(
  connection: RawConnection,
  setup: ServerSetup,
  greeting?: GreetingFields,
): Promise<RawParty<CurveServer>> {
  const server = new CurveServer(setup);
  const theirs = await greet(connection, greeting);
  server.takeHello((await takeCommand(connection)).body);
  connection.send(commandFrame(server.welcome()));
  server.takeInitiate((await takeCommand(connection)).body);
  connection.send(commandFrame(server.ready()));
  return new RawParty(server, connection, theirs);
}

/** Exchanges greetings. */
export async function greet(
  connection: RawConnection,
  greeting?: GreetingFields,
): Promise<Uint8Array> {
  connection.send(curveGreeting(greeting));
  return await connection.take(GREETING_SIZE);
}

/** A frame of the handshake, which has the command flag. */
export async function takeCommand(connection: RawConnection): Promise<RawFrame> {
  const frame = await takeFrame(connection);
  if (!frame.command) throw new Error("A frame of the handshake is no command");
  return frame;
}
