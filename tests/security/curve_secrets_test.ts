// Secrets stay where they belong: no error, event or printed socket shows one, and the core forgets the keys of a connection
// with the connection.

import { assert, assertEquals, assertGreater } from "@std/assert";
import { after, afterEach, describe, it } from "@std/testing/bdd";
import {
  Context,
  curveKeyPair,
  curvePublicKeyOf,
  Dealer,
  metadataOf,
  Pull,
  Push,
  Reply,
} from "../../mod.ts";
import { decodeZ85, encodeZ85 } from "../../src/z85.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { CoreMemories, spellings } from "../_util/core_memories.ts";
import { commandFrame, hsalsa20, keyPair, properties } from "../_util/curve_commands.ts";
import { CurveClient } from "../_util/curve_oracle.ts";
import { curveConnect, greet, takeCommand } from "../_util/curve_raw.ts";
import {
  CLIENT,
  CLIENT_OPTIONS,
  CurveStage,
  SERVER,
  SERVER_OPTIONS,
} from "../_util/curve_stage.ts";
import { EventLog } from "../_util/event_log.ts";
import { rejection } from "../_util/rejection.ts";

interface Util {
  inspect(value: unknown, options: object): string;
}

const { process, Deno, Bun } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:util"): Util };
  Deno?: { inspect(value: unknown, options: object): string };
  Bun?: { inspect(value: unknown, options: object): string };
};
const util = process.getBuiltinModule("node:util");
const PUSH = properties(["Socket-Type", "PUSH"]);
const SECRETS = [SERVER, CLIENT].flatMap(({ secretKey }) =>
  spellings(secretKey, encodeZ85(secretKey))
);
/** From here on: before the first socket. */
const memories = new CoreMemories();
const cleanup = new Cleanup();

/** All that a program could print of a thing. */
function printed(thing: unknown): string {
  const texts = [
    String(thing),
    JSON.stringify(thing) ?? "",
    util.inspect(thing, { depth: 20, showHidden: true, maxArrayLength: null }),
    Deno?.inspect(thing, { depth: 20, showHidden: true, iterableLimit: 10_000 }) ?? "",
    Bun?.inspect(thing, { depth: 20 }) ?? "",
  ];
  if (thing instanceof Error) texts.push(thing.stack ?? "", printed(thing.cause ?? ""));
  return texts.join("\n");
}

function assertDiscreet(what: string, ...things: unknown[]): void {
  const text = things.map(printed).join("\n");
  for (const secret of SECRETS) {
    assert(!text.includes(secret), `${what} shows a secret: ${text.slice(0, 500)}`);
  }
}

describe("a secret key", () => {
  afterEach(() => cleanup.run());

  it("is found where it is shown", () => {
    for (const { secretKey } of [SERVER, CLIENT]) {
      for (const shown of [secretKey, { key: encodeZ85(secretKey) }, [...secretKey]]) {
        const text = printed(shown);
        assert(SECRETS.some((secret) => text.includes(secret)), text);
      }
    }
  });

  it("is in no event and no error of handshakes that fail or succeed", async () => {
    for (const role of ["server", "client"] as const) {
      const stage = await CurveStage.open(role, cleanup);
      if (role === "server") {
        const connection = await stage.stranger();
        await greet(connection);
        const client = new CurveClient({ serverKey: SERVER.publicKey, keys: CLIENT });
        connection.send(commandFrame(client.hello()));
        client.takeWelcome((await takeCommand(connection)).body);
        connection.send(commandFrame(client.initiate({ vouch: new Uint8Array(96) })));
        await connection.untilClosed();
      } else {
        const connection = await stage.stranger();
        await greet(connection);
        connection.send(commandFrame(new Uint8Array(168).fill(7)));
        await connection.untilClosed();
      }
      const insider = await stage.insider();
      insider.connection.send(Uint8Array.of(0, 1, 65));
      await insider.connection.untilClosed();
      await stage.log.nth("disconnect", 2);
      assertDiscreet(`the ${role}`, ...stage.log.all, stage.pull, stage.pull.events);
    }
  });

  it("is not shown by a socket, a context or the metadata of a message", async () => {
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000, ...SERVER_OPTIONS }));
    await pull.bind("tcp://127.0.0.1:*");
    const push = cleanup.add(new Push(CLIENT_OPTIONS));
    push.connect(pull.lastEndpoint!);
    await push.send("x");
    const message = await pull.receive();
    assertDiscreet("a socket", pull, push, { pull, push }, pull.context);
    assertDiscreet("metadata", metadataOf(message), message);
  });

  it("is not echoed when it is refused as an option", async () => {
    const dealer = cleanup.add(new Dealer());
    const z85 = encodeZ85(CLIENT.secretKey);
    for (
      const wrong of [
        z85.slice(0, 39),
        `${z85}0`,
        `${z85.slice(0, 39)}"`,
        CLIENT.secretKey.subarray(0, 31),
        [...CLIENT.secretKey],
        `${z85.slice(0, 20)}\n${z85.slice(20)}`,
      ]
    ) {
      for (const option of ["curveSecretKey", "curvePublicKey", "curveServerKey"] as const) {
        try {
          dealer[option] = wrong as string;
          throw new Error(`${option} took a wrong key`);
        } catch (error) {
          assertEquals((error as { code?: string }).code, "EINVAL");
          assert((error as Error).message.includes(option));
          assertDiscreet(option, error);
        }
      }
    }
    dealer.curveServerKey = SERVER.publicKey;
    dealer.curveSecretKey = CLIENT.secretKey;
    dealer.curvePublicKey = keyPair().publicKey;
    const error = await rejection(
      (async () => await dealer.connect("tcp://127.0.0.1:9"))(),
      "EINVAL",
    );
    assertDiscreet("a contradiction", error);
  });
});

describe("a password of PLAIN", () => {
  afterEach(() => cleanup.run());

  it("PLAIN-X-05: is in no event, no error and not shown by a socket", async () => {
    const password = "correct horse battery staple";
    const context = new Context();
    const handler = cleanup.add(new Reply({ context }));
    await handler.bind("inproc://zeromq.zap.01");
    const pull = cleanup.add(new Pull({ context, plainServer: true }));
    const push = cleanup.add(
      new Push({ context, plainUsername: "admin", plainPassword: password }),
    );
    const logs = [new EventLog(pull), new EventLog(push)];
    await pull.bind("tcp://127.0.0.1:*");
    push.connect(pull.lastEndpoint!);
    const [version, id] = await handler.receive();
    await handler.send([version, id, "400", "No access", "", ""]);
    const told = await Promise.all(logs.map((log) => log.next("handshake:error:auth")));
    const long = password.repeat(20);
    let refusal: unknown;
    try {
      push.plainPassword = long;
    } catch (error) {
      refusal = error;
    }
    assert(refusal instanceof Error && refusal.message.includes("plainPassword"));
    const things = [...told, ...logs.flatMap((log) => log.all), pull, push, handler, refusal];
    assert(!things.map(printed).join("\n").includes("horse"));
  });
});

describe("the core's memory", () => {
  after(() => memories.stop());
  afterEach(() => cleanup.run());

  it("CURVE-KEY-06: has the keys of a connection while it is there, and none of them after it", async () => {
    const pull = cleanup.add(
      new Pull({ context: new Context(), receiveTimeout: 5_000, ...SERVER_OPTIONS }),
    );
    const log = new EventLog(pull);
    await pull.bind("tcp://127.0.0.1:*");
    const keys: Uint8Array[] = [];
    const clients = [];
    for (let i = 0; i < 10; i++) {
      const setup = { serverKey: SERVER.publicKey, keys: CLIENT, metadata: PUSH };
      const client = await curveConnect(pull.lastEndpoint!, setup);
      clients.push(cleanup.add(client.connection));
      client.say(`short ${i}`, new Uint8Array(40_000 * i));
      assertEquals(String((await pull.receive())[0]), `short ${i}`);
      const { key } = client.party;
      keys.push(key, ...["C", "S"].map((side) => hsalsa20(key, `CurveZMQMESSAGE${side}`)));
    }
    const found = (): number => keys.reduce((sum, key) => sum + memories.find(key), 0);
    assertGreater(found(), 0, "the test looks in the wrong place");
    for (const connection of clients) connection.destroy();
    // To look takes its time: only when they are lost.
    await log.nth("disconnect", clients.length);
    assertEquals(found(), 0, "keys of lost connections are wiped");
    await pull.close();
    assertEquals(found(), 0);
  });

  it("has no secret key of a socket", async () => {
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000, ...SERVER_OPTIONS }));
    await pull.bind("tcp://127.0.0.1:*");
    const push = cleanup.add(new Push(CLIENT_OPTIONS));
    push.connect(pull.lastEndpoint!);
    await push.send("x");
    await pull.receive();
    for (const { publicKey, secretKey } of [SERVER, CLIENT]) {
      assertEquals(curvePublicKeyOf(secretKey), encodeZ85(publicKey));
      assertEquals(memories.find(secretKey), 0);
    }
    const pair = curveKeyPair();
    assertEquals(memories.find(decodeZ85(pair.secretKey)), 0);
    assertGreater(memories.count, 0);
  });
});
