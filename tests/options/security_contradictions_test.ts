// Options of security that contradict each other are refused when they begin to matter: at bind and at connect.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, curveKeyPair, Pair, Pull, Push, type SocketOptions, Stream } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { EventLog } from "../_util/event_log.ts";
import { CLASS_NAMES, CLASSES } from "../_util/option_table.ts";
import { type Failure, failure, rejection } from "../_util/rejection.ts";
import { CLIENT_KEYS, PASSWORD, SERVER_KEYS } from "../_util/zap_mechanisms.ts";

const cleanup = new Cleanup();
const ANYWHERE = "tcp://127.0.0.1:*";

type Options = SocketOptions<Pull>;

const { publicKey, secretKey } = CLIENT_KEYS;
const serverKey = SERVER_KEYS.publicKey;
const SECRET_WORD = "a password to be kept";

/** What contradicts itself, and the options that the error names. */
const CONTRADICTIONS: Readonly<Record<string, readonly [Options, ...names: string[]]>> = {
  "a server of both mechanisms": [
    { plainServer: true, curveServer: true, curveSecretKey: secretKey },
    "plainServer",
    "curveServer",
  ],
  "a client of both mechanisms": [
    {
      plainUsername: "a",
      plainPassword: SECRET_WORD,
      curveServerKey: serverKey,
      curveSecretKey: secretKey,
    },
    "plainUsername",
    "curveServerKey",
  ],
  "a server of PLAIN that is a client of CURVE": [
    { plainServer: true, curveServerKey: serverKey, curveSecretKey: secretKey },
    "plainServer",
    "curveServerKey",
  ],
  "a client of PLAIN that is a server of CURVE": [
    {
      plainUsername: "a",
      plainPassword: SECRET_WORD,
      curveServer: true,
      curveSecretKey: secretKey,
    },
    "plainUsername",
    "curveServer",
  ],
  "a server and client of PLAIN": [
    { plainServer: true, plainUsername: "a" },
    "plainServer",
    "plainUsername",
  ],
  "a server of PLAIN with a password": [
    { plainServer: true, plainPassword: SECRET_WORD },
    "plainServer",
    "plainPassword",
  ],
  "a server of PLAIN with an empty name": [
    { plainServer: true, plainUsername: "" },
    "plainServer",
    "plainUsername",
  ],
  "a client of both mechanisms with an empty password": [
    { plainPassword: "", curveServerKey: serverKey, curveSecretKey: secretKey },
    "plainPassword",
    "curveServerKey",
  ],
  "a server and client of CURVE": [
    { curveServer: true, curveServerKey: serverKey, curveSecretKey: secretKey },
    "curveServer",
    "curveServerKey",
  ],
  "a server of CURVE without a secret key": [
    { curveServer: true },
    "curveServer",
    "curveSecretKey",
  ],
  "a server of CURVE with a public key alone": [
    { curveServer: true, curvePublicKey: serverKey },
    "curveServer",
    "curveSecretKey",
  ],
  "a client of CURVE without a secret key": [
    { curveServerKey: serverKey },
    "curveServerKey",
    "curveSecretKey",
  ],
  "a client of CURVE with public keys alone": [
    { curveServerKey: serverKey, curvePublicKey: publicKey },
    "curveServerKey",
    "curveSecretKey",
  ],
  "keys of CURVE without a role": [
    { curvePublicKey: publicKey, curveSecretKey: secretKey },
    "curveSecretKey",
    "curveServer",
    "curveServerKey",
  ],
  "a secret key alone": [
    { curveSecretKey: secretKey },
    "curveSecretKey",
    "curveServer",
    "curveServerKey",
  ],
  "a public key alone": [{ curvePublicKey: publicKey }, "curvePublicKey"],
  "a public key of another secret one": [
    { curveServer: true, curvePublicKey: publicKey, curveSecretKey: SERVER_KEYS.secretKey },
    "curvePublicKey",
    "curveSecretKey",
  ],
  "a client's public key of another secret one": [
    { curveServerKey: serverKey, curvePublicKey: serverKey, curveSecretKey: secretKey },
    "curvePublicKey",
    "curveSecretKey",
  ],
};

const SECRETS = [secretKey, SERVER_KEYS.secretKey, SECRET_WORD];

function assertRefusal(error: Failure, names: readonly string[]): void {
  assertInstanceOf(error, TypeError);
  for (const name of names) {
    assert(new RegExp(`\\b${name}\\b`).test(error.message), `${name} in: ${error.message}`);
  }
  const told = [error.message, error.stack, JSON.stringify(error), String(error.cause)].join();
  for (const secret of SECRETS) assert(!told.includes(secret), told);
}

describe("options of security that contradict each other", () => {
  afterEach(() => cleanup.run());

  for (const [what, [options, ...names]] of Object.entries(CONTRADICTIONS)) {
    it(`are refused by bind, bindSync and connect: ${what}`, async () => {
      const socket = cleanup.add(new Pull(options));
      const log = new EventLog(socket);
      for (const address of [ANYWHERE, "ipc://*"]) {
        assertRefusal(await rejection(socket.bind(address), "EINVAL"), names);
        assertRefusal(failure(() => socket.bindSync(address), "EINVAL"), names);
      }
      for (const address of ["tcp://127.0.0.1:9", "ipc:///tmp/nobody"]) {
        assertRefusal(failure(() => socket.connect(address), "EINVAL"), names);
      }
      assertEquals(socket.lastEndpoint, null, "nothing was bound, nothing connected");
      await socket.close();
      await log.over;
      assertEquals(log.types.filter((type) => type !== "bind:error"), ["end"]);
    });
  }

  it("may be put right, and then the socket is as good as any", async () => {
    const push = cleanup.add(new Push({ curveServer: true }));
    failure(() => push.bindSync(ANYWHERE), "EINVAL");
    const keys = curveKeyPair();
    push.curveSecretKey = keys.secretKey;
    await push.bind(ANYWHERE);
    const pull = cleanup.add(new Pull({ curveServerKey: keys.publicKey, receiveTimeout: 5_000 }));
    failure(() => pull.connect(push.lastEndpoint!), "EINVAL");
    pull.curveSecretKey = curveKeyPair().secretKey;
    pull.connect(push.lastEndpoint!);
    await push.send("x");
    assertEquals(String(await pull.receive()), "x");
  });

  it("leave what was bound before as it is", async () => {
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
    await pull.bind(ANYWHERE);
    const address = pull.lastEndpoint!;
    pull.plainServer = true;
    pull.plainPassword = PASSWORD;
    await rejection(pull.bind(ANYWHERE), "EINVAL");
    assertEquals(pull.lastEndpoint, address);
    const push = cleanup.add(new Push());
    push.connect(address);
    await push.send("x");
    assertEquals(String(await pull.receive()), "x");
  });

  it("are refused by every class that speaks ZMTP", () => {
    for (const name of CLASS_NAMES) {
      const socket = cleanup.add(new CLASSES[name]({ curveServer: true }));
      if (name === "Stream") continue;
      failure(() => socket.bindSync(ANYWHERE), "EINVAL");
      failure(() => socket.connect("tcp://127.0.0.1:9"), "EINVAL");
    }
  });

  it("do not matter to a Stream, which speaks no ZMTP", async () => {
    for (const options of [{ curveServer: true }, { plainServer: true }, { plainUsername: "a" }]) {
      const server = cleanup.add(new Stream({ ...options, receiveTimeout: 5_000 }));
      await server.bind(ANYWHERE);
      const client = cleanup.add(new Stream({ ...options, receiveTimeout: 5_000 }));
      client.connect(server.lastEndpoint!);
      const [id] = await client.receive();
      await client.send([id, "octets"]);
      await server.receive();
      assertEquals(String((await server.receive())[1]), "octets");
    }
  });
});

describe("inproc", () => {
  afterEach(() => cleanup.run());

  const everything: Readonly<Record<string, readonly [Options, Options]>> = {
    "a server and a stranger": [{ plainServer: true }, {}],
    "two servers": [{ plainServer: true }, { curveServer: true, curveSecretKey: secretKey }],
    "a wrong key": [
      { curveServer: true, curveSecretKey: SERVER_KEYS.secretKey },
      { curveServerKey: publicKey, curveSecretKey: secretKey },
    ],
    "a domain that is enforced": [{ zapDomain: "a", zapEnforceDomain: true }, {}],
    ...Object.fromEntries(
      Object.entries(CONTRADICTIONS).map(([what, [options]]) => [what, [options, options]]),
    ) as Record<string, [Options, Options]>,
  };

  for (const [what, [bound, connected]] of Object.entries(everything)) {
    it(`does without any mechanism: ${what}`, async () => {
      const context = new Context();
      const one = cleanup.add(new Pair({ ...bound, context, receiveTimeout: 5_000 } as object));
      one.bindSync("inproc://here");
      const other = cleanup.add(new Pair({ ...connected, context } as object));
      other.connect("inproc://here");
      await other.send("x");
      assertEquals(String(await one.receive()), "x");
    });
  }
});
