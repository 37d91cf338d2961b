// Peers that break CURVE over real connections: their link ends, the event names the rule that was broken, nothing of theirs is
// delivered, and the healthy peer of the same socket is served all the while.

import { assertEquals, assertMatch } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull, Push } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { commandFrame, keyPair, properties } from "../_util/curve_commands.ts";
import { CurveClient, CurveServer } from "../_util/curve_oracle.ts";
import { greet, takeCommand } from "../_util/curve_raw.ts";
import {
  CLIENT,
  CLIENT_OPTIONS,
  CurveStage,
  type RoleOptions,
  SERVER,
  SERVER_OPTIONS,
} from "../_util/curve_stage.ts";
import { EventLog } from "../_util/event_log.ts";
import type { RawConnection } from "../_util/raw_peer.ts";
import { command, message, ping, ready } from "../_util/raw_zmtp.ts";

const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const CRYPTOGRAPHIC = "ERR_ZMTP_CRYPTOGRAPHIC";
const MISMATCH = "ERR_ZMTP_MECHANISM_MISMATCH";
const METADATA = "ERR_ZMTP_INVALID_METADATA";
const malformed = (name: string): string => `ERR_ZMTP_MALFORMED_COMMAND_${name}`;

const PUSH = properties(["Socket-Type", "PUSH"]);
const cleanup = new Cleanup();

/** What is done to the socket, and how it has to call it. */
interface Attack<P> {
  readonly does: (peer: P) => Promise<void> | void;
  readonly code: string;
  readonly says: RegExp;
}

/** The same octets with one bit changed. */
function flipped(octets: Uint8Array, at: number, bit = 1): Uint8Array {
  const altered = octets.slice();
  altered[at < 0 ? octets.length + at : at] ^= bit;
  return altered;
}

/** A client in the middle of its handshake. */
interface Entrant {
  readonly connection: RawConnection;
  readonly client: CurveClient;
}

/** A client that has its WELCOME. */
async function welcomed({ connection, client }: Entrant): Promise<void> {
  connection.send(commandFrame(client.hello()));
  client.takeWelcome((await takeCommand(connection)).body);
}

const AT_SERVER: Readonly<Record<string, Attack<Entrant>>> = {
  "sends a message instead of HELLO": {
    does: ({ connection }) => connection.send(message("early")),
    code: UNEXPECTED,
    says: /0x00/,
  },
  "sends READY, as with NULL": {
    does: ({ connection }) => connection.send(ready("PUSH")),
    code: UNEXPECTED,
    says: /READY.*HELLO/,
  },
  "sends PING instead of HELLO": {
    does: ({ connection }) => connection.send(ping("x")),
    code: UNEXPECTED,
    says: /PING.*HELLO/,
  },
  "alters HELLO": {
    does: ({ connection, client }) => connection.send(flipped(commandFrame(client.hello()), -1)),
    code: CRYPTOGRAPHIC,
    says: /HELLO/,
  },
  "shortens HELLO": {
    does: ({ connection, client }) => connection.send(commandFrame(client.hello().slice(0, -1))),
    code: malformed("HELLO"),
    says: /HELLO.*199.*200/,
  },
  "is of another version": {
    does: ({ connection, client }) =>
      connection.send(commandFrame(client.hello({ version: Uint8Array.of(2, 0) }))),
    code: malformed("HELLO"),
    says: /version/i,
  },
  "has something in the padding of HELLO": {
    does: ({ connection, client }) =>
      connection.send(commandFrame(client.hello({ padding: flipped(new Uint8Array(72), 71) }))),
    code: malformed("HELLO"),
    says: /HELLO/,
  },
  "takes the server for another": {
    does: ({ connection }) => {
      const lost = new CurveClient({ serverKey: keyPair().publicKey });
      connection.send(commandFrame(lost.hello()));
    },
    code: CRYPTOGRAPHIC,
    says: /HELLO.*key/s,
  },
  "sends HELLO twice": {
    does: async (entrant) => {
      await welcomed(entrant);
      entrant.connection.send(commandFrame(entrant.client.hello()));
    },
    code: UNEXPECTED,
    says: /HELLO.*INITIATE/,
  },
  "sends a MESSAGE instead of INITIATE": {
    does: async (entrant) => {
      await welcomed(entrant);
      entrant.connection.send(entrant.client.send("early"));
    },
    code: UNEXPECTED,
    says: /INITIATE|0x00/,
  },
  "alters INITIATE": {
    does: async (entrant) => {
      await welcomed(entrant);
      entrant.connection.send(flipped(commandFrame(entrant.client.initiate()), -1));
    },
    code: CRYPTOGRAPHIC,
    says: /INITIATE/,
  },
  "alters the cookie": {
    does: async (entrant) => {
      await welcomed(entrant);
      entrant.connection.send(flipped(commandFrame(entrant.client.initiate()), 60));
    },
    code: CRYPTOGRAPHIC,
    says: /cookie/i,
  },
  "vouches with another key than its own": {
    does: async (entrant) => {
      await welcomed(entrant);
      const { publicKey } = keyPair();
      entrant.connection.send(commandFrame(entrant.client.initiate({ publicKey })));
    },
    code: CRYPTOGRAPHIC,
    says: /vouch/i,
  },
  "vouches for another server": {
    does: async (entrant) => {
      await welcomed(entrant);
      const vouch = entrant.client.vouch({ serverKey: keyPair().publicKey });
      entrant.connection.send(commandFrame(entrant.client.initiate({ vouch })));
    },
    code: malformed("INITIATE"),
    says: /vouch/,
  },
  "is a socket that does not fit": {
    does: async (entrant) => {
      await welcomed(entrant);
      const metadata = properties(["Socket-Type", "SUB"]);
      entrant.connection.send(commandFrame(entrant.client.initiate({ metadata })));
    },
    code: METADATA,
    says: /SUB.*PULL/,
  },
  "has properties that end in the middle": {
    does: async (entrant) => {
      await welcomed(entrant);
      const metadata = PUSH.slice(0, -1);
      entrant.connection.send(commandFrame(entrant.client.initiate({ metadata })));
    },
    code: METADATA,
    says: /./,
  },
  "says ERROR": {
    does: ({ connection }) => connection.send(command("ERROR", Uint8Array.of(0))),
    code: UNEXPECTED,
    says: /ERROR/,
  },
};

/** A server in the middle of its handshake. */
interface Host {
  readonly connection: RawConnection;
  readonly server: CurveServer;
}

/** A server that knows the client's HELLO. */
async function helloed({ connection, server }: Host): Promise<void> {
  server.takeHello((await takeCommand(connection)).body);
}

/** A server that knows the client's INITIATE. */
async function initiated(host: Host): Promise<void> {
  await helloed(host);
  host.connection.send(commandFrame(host.server.welcome()));
  host.server.takeInitiate((await takeCommand(host.connection)).body);
}

const AT_CLIENT: Readonly<Record<string, Attack<Host>>> = {
  "alters WELCOME": {
    does: async (host) => {
      await helloed(host);
      host.connection.send(flipped(commandFrame(host.server.welcome()), -1));
    },
    code: CRYPTOGRAPHIC,
    says: /WELCOME/,
  },
  "has another key than the client was told": {
    does: async ({ connection, server }) => {
      server.clientTransient = (await takeCommand(connection)).body.slice(80, 112);
      const impostor = new CurveServer();
      impostor.clientTransient = server.clientTransient;
      connection.send(commandFrame(impostor.welcome()));
    },
    code: CRYPTOGRAPHIC,
    says: /WELCOME.*key/s,
  },
  "shortens WELCOME": {
    does: async (host) => {
      await helloed(host);
      host.connection.send(commandFrame(host.server.welcome().slice(0, -1)));
    },
    code: malformed("WELCOME"),
    says: /WELCOME.*167.*168/,
  },
  "sends READY instead of WELCOME": {
    does: async (host) => {
      await helloed(host);
      host.connection.send(commandFrame(host.server.ready()));
    },
    code: UNEXPECTED,
    says: /READY.*WELCOME/,
  },
  "sends WELCOME twice": {
    does: async (host) => {
      await initiated(host);
      host.connection.send(commandFrame(host.server.welcome()));
    },
    code: UNEXPECTED,
    says: /WELCOME.*READY/,
  },
  "alters READY": {
    does: async (host) => {
      await initiated(host);
      host.connection.send(flipped(commandFrame(host.server.ready()), -1));
    },
    code: CRYPTOGRAPHIC,
    says: /READY/,
  },
  "is a socket that does not fit": {
    does: async (host) => {
      await initiated(host);
      const metadata = properties(["Socket-Type", "PUB"]);
      host.connection.send(commandFrame(host.server.ready({ metadata })));
    },
    code: METADATA,
    says: /PUB.*PULL/,
  },
};

describe("a client that", () => {
  afterEach(() => cleanup.run());

  for (const [what, { does, code, says }] of Object.entries(AT_SERVER)) {
    it(`${what} is thrown out`, async () => {
      const stage = await CurveStage.open("server", cleanup);
      await stage.servedDuring((async () => {
        const connection = await stage.stranger();
        const setup = { serverKey: SERVER.publicKey, keys: CLIENT, metadata: PUSH };
        await greet(connection);
        await does({ connection, client: new CurveClient(setup) });
        await connection.untilClosed();
      })());
      await stage.assertVerdict("handshake:error:protocol", code, says);
      await stage.newcomer();
    });
  }

  for (const mechanism of ["NULL", "PLAIN", "CURVE2", ""]) {
    it(`wants ${mechanism || "no mechanism"} is thrown out`, async () => {
      const stage = await CurveStage.open("server", cleanup);
      await stage.servedDuring((async () => {
        const connection = await stage.stranger();
        await greet(connection, { mechanism });
        await connection.untilClosed();
      })());
      await stage.assertVerdict("handshake:error:protocol", MISMATCH, /CURVE/);
    });
  }
});

describe("a server that", () => {
  afterEach(() => cleanup.run());

  for (const [what, { does, code, says }] of Object.entries(AT_CLIENT)) {
    it(`${what} is left, and not tried again`, async () => {
      const stage = await CurveStage.open("client", cleanup);
      await stage.servedDuring((async () => {
        const connection = await stage.stranger();
        await greet(connection);
        await does({ connection, server: new CurveServer({ keys: SERVER, metadata: PUSH }) });
        await connection.untilClosed();
      })());
      await stage.assertVerdict("handshake:error:protocol", code, says);
      assertEquals(stage.log.of("connect:retry"), []);
    });
  }
});

describe("two sockets of the same role", () => {
  afterEach(() => cleanup.run());

  const pairs: Readonly<Record<string, [RoleOptions, string, RegExp]>> = {
    servers: [SERVER_OPTIONS, "ERR_ZMTP_UNSPECIFIED", /server/],
    clients: [CLIENT_OPTIONS, UNEXPECTED, /HELLO.*WELCOME/],
  };
  for (const [roles, [options, code, says]] of Object.entries(pairs)) {
    it(`that are both ${roles} do not meet, and one of them says why`, async () => {
      const pull = cleanup.add(new Pull(options));
      const push = cleanup.add(new Push({ reconnectInterval: 5, ...options }));
      const logs = [new EventLog(pull), new EventLog(push)];
      await pull.bind("tcp://127.0.0.1:*");
      push.connect(pull.lastEndpoint!);
      const told = await Promise.any(logs.map((log) => log.next("handshake:error:protocol")));
      assertEquals((told.error as { code?: string }).code, code);
      assertMatch(told.error.message, says);
      for (const log of logs) assertEquals(log.of("handshake"), []);
    });
  }
});
