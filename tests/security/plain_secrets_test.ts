// Passwords and secret keys are in no text that anybody might print or log: errors, events, sockets, statistics.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  Authenticator,
  curveKeyPair,
  Dealer,
  Pull,
  Push,
  type Socket,
  type SocketOptions,
} from "../../mod.ts";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { toHex } from "../_util/bytes.ts";
import { describeOver } from "../_util/transports.ts";
import { withStatus, zapReply } from "../_util/zap_handler.ts";
import { CLIENT_KEYS, MECHANISM_NAMES, SERVER_KEYS } from "../_util/zap_mechanisms.ts";
import { ZapStage } from "../_util/zap_stage.ts";

interface Inspecting {
  inspect(value: unknown, options: object): string;
}

const { process, Deno, Bun } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:util"): Inspecting };
  Deno?: Inspecting;
  Bun?: Inspecting;
};

const WORD = "correct horse battery staple";
const SECRETS: readonly string[] = [CLIENT_KEYS, SERVER_KEYS].flatMap((
  { secretKey, secretOctets },
) => [
  secretKey,
  toHex(secretOctets),
  secretOctets.join(),
  secretOctets.join(", "),
  // A list as it is printed may be cut: its first octets give it away.
  secretOctets.slice(0, 8).join(", "),
  secretOctets.slice(0, 8).join(" "),
]).concat(WORD);

const stage = new ZapStage();

/** Everything that prints a value. */
function printed(value: unknown): string[] {
  // But for getters, which are read on purpose.
  const options = { depth: 12, showHidden: true };
  const texts = [
    String(value),
    process.getBuiltinModule("node:util").inspect(value, options),
    process.getBuiltinModule("node:util").inspect(value, {}),
    JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? String(inner) : inner) ?? "",
  ];
  for (const runtime of [Deno, Bun]) {
    if (runtime !== undefined) {
      texts.push(runtime.inspect(value, {}), runtime.inspect(value, { depth: 12 }));
    }
  }
  if (value instanceof Error) {
    texts.push(value.message, value.stack ?? "", JSON.stringify({ ...value }));
    if (value.cause !== undefined) texts.push(...printed(value.cause));
  }
  return texts;
}

function assertKeepsSecrets(value: unknown, what: string): void {
  for (const text of printed(value)) {
    for (const secret of SECRETS) assert(!text.includes(secret), `${what} tells: ${text}`);
  }
}

/** The options of all that can be secret; the words are told as properties, and to nobody who prints a socket. */
const SIDES: readonly SocketOptions<Dealer>[] = [
  { plainUsername: "user", plainPassword: WORD },
  { curveServer: true, curveSecretKey: SERVER_KEYS.secretKey },
  { curveServerKey: SERVER_KEYS.publicKey, curveSecretKey: CLIENT_KEYS.secretOctets } as never,
];

describe("a socket that is printed", () => {
  afterEach(() => stage.clear());

  it("is found out by this test if it tells a secret", () => {
    // The test's own proof: a value that does tell.
    const told = [{ deep: { password: WORD } }, new Error(WORD), CLIENT_KEYS.secretOctets];
    for (const value of told) {
      let found = false;
      try {
        assertKeepsSecrets(value, "it");
      } catch {
        found = true;
      }
      assert(found);
    }
  });

  for (const options of SIDES) {
    it(`keeps its secrets, open, bound, connected and closed: ${Object.keys(options)}`, async () => {
      const socket = stage.cleanup.add(new Dealer({ ...options, context: stage.context }));
      assertKeepsSecrets(socket, "an open socket");
      await socket.bind("tcp://127.0.0.1:*");
      socket.connect("tcp://127.0.0.1:9");
      assertKeepsSecrets(socket, "a bound socket");
      assertKeepsSecrets(socket.stats, "its statistics");
      assertKeepsSecrets(socket.events, "its observer");
      assertKeepsSecrets(socket.context, "its context");
      await socket.close();
      assertKeepsSecrets(socket, "a closed socket");
    });
  }

  it("is an Authenticator that keeps them, too", () => {
    const plain = { user: WORD };
    const auth = stage.cleanup.add(
      new Authenticator({ context: stage.context, plain, domains: { one: { plain } } }),
    );
    assertKeepsSecrets(auth, "an Authenticator");
    assertKeepsSecrets(auth.stats(), "its statistics");
  });
});

/** The error that a call throws. */
function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown");
}

describe("an error about an option", () => {
  afterEach(() => stage.clear());

  /** Values that are wrong, and secret for all that. */
  const wrong: readonly (readonly [string, unknown])[] = [
    ["plainPassword", WORD.repeat(20)],
    ["plainPassword", [WORD]],
    ["plainPassword", { password: WORD }],
    ["plainUsername", WORD.repeat(20)],
    ["curveSecretKey", `${CLIENT_KEYS.secretKey} `],
    ["curveSecretKey", `${CLIENT_KEYS.secretKey}${CLIENT_KEYS.secretKey}`],
    ["curveSecretKey", toHex(CLIENT_KEYS.secretOctets)],
    ["curveSecretKey", [...CLIENT_KEYS.secretOctets]],
    ["curveSecretKey", { key: CLIENT_KEYS.secretKey }],
    ["curveServerKey", `${SERVER_KEYS.secretKey}\n`],
    ["curvePublicKey", `${SERVER_KEYS.secretKey}\n`],
  ];

  for (const [i, [name, value]] of wrong.entries()) {
    it(`does not repeat it: ${name}, case ${i + 1}`, () => {
      assertKeepsSecrets(thrown(() => new Push({ [name]: value } as object)), "its error");
      const socket = stage.cleanup.add(new Push());
      assertKeepsSecrets(
        thrown(() => (socket as unknown as Record<string, unknown>)[name] = value),
        "its error",
      );
    });
  }

  it("does not repeat the secrets of others that contradict it", () => {
    const sides = { curveServer: true, curveSecretKey: CLIENT_KEYS.secretKey };
    for (
      const options of [
        { ...sides, plainUsername: "user", plainPassword: WORD },
        { ...sides, curveServerKey: SERVER_KEYS.publicKey },
        { ...sides, curvePublicKey: SERVER_KEYS.publicKey },
        { plainServer: true, plainPassword: WORD },
      ]
    ) {
      const socket = stage.cleanup.add(new Pull(options));
      assertKeepsSecrets(thrown(() => socket.bindSync("tcp://127.0.0.1:*")), "its error");
      assertKeepsSecrets(thrown(() => socket.connect("tcp://127.0.0.1:9")), "its error");
    }
  });

  it("does not repeat what an Authenticator was given", () => {
    for (
      const policy of [
        { plain: WORD },
        { plain: { user: [WORD] } },
        { plain: { user: new String(WORD) } },
        { plain: new Map([[{ WORD }, WORD]]) },
        { plain: new Map([["user", [WORD]]]) },
        { curve: WORD },
        { curve: [`${CLIENT_KEYS.secretKey} `] },
        { domains: { one: { plain: { user: [WORD] } } } },
      ]
    ) {
      const make = () => new Authenticator({ context: stage.context, ...policy } as never);
      assertKeepsSecrets(thrown(make), JSON.stringify(Object.keys(policy)));
    }
  });
});

describeOver(SYSTEM_TRANSPORTS, "what is told of a connection", (transport) => {
  afterEach(() => stage.clear());

  const given: Readonly<Record<string, [Partial<Socket>, Partial<Socket>]>> = {
    NULL: [{}, {}],
    PLAIN: [{ plainServer: true }, { plainUsername: "user", plainPassword: WORD }],
    CURVE: [
      { curveServer: true, curveSecretKey: SERVER_KEYS.secretKey },
      { curveServerKey: SERVER_KEYS.publicKey, curveSecretKey: CLIENT_KEYS.secretKey },
    ],
  };

  for (const mechanism of MECHANISM_NAMES) {
    it(`PLAIN-X-05: keeps secrets, however it ends: ${mechanism}`, async () => {
      const answers = [
        withStatus("300"),
        (request: Parameters<typeof zapReply>[0]) => zapReply(request, { version: "9" }),
        (request: Parameters<typeof zapReply>[0]) => zapReply(request),
      ];
      const handler = await stage.handler((request) =>
        (answers.shift() ?? withStatus("400"))(request)
      );
      const [ofServer, ofClient] = given[mechanism];
      const server = await stage.server(transport, { ...ofServer, zapDomain: "a" });
      const client = stage.client(server.address, ofClient);
      await client.log.next("handshake");
      const denied = stage.client(server.address, ofClient);
      await denied.log.next("handshake:error:auth");
      await handler.close();
      const late = stage.client(server.address, ofClient);
      await late.log.next(mechanism === "PLAIN" ? "handshake:error:other" : "handshake");
      const other = mechanism === "NULL" ? { plainUsername: "u", plainPassword: WORD } : {};
      const stranger = stage.client(server.address, other);
      await stranger.log.next("handshake:error:protocol");
      const logs = [server, client, denied, late, stranger].map(({ log }) => log.all);
      assert(logs.flat().length > 15);
      for (const event of logs.flat()) {
        assertKeepsSecrets(event, event.type);
        if ("error" in event) assertKeepsSecrets(event.error, event.type);
      }
    });
  }

  it("keeps a client's password, where its server speaks another mechanism", async () => {
    const server = await stage.server(transport, {
      curveServer: true,
      curveSecretKey: curveKeyPair().secretKey,
    });
    const client = stage.client(server.address, { plainUsername: "user", plainPassword: WORD });
    await client.log.next("handshake:error:protocol");
    await server.log.next("disconnect");
    for (const event of [...client.log.all, ...server.log.all]) {
      assertKeepsSecrets(event, event.type);
    }
    assertEquals(client.log.of("handshake"), []);
  });
});
