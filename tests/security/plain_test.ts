// PLAIN between sockets: libzmq's test_security_plain, and peers by hand that break its rules.

import { assert, assertEquals } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import { Dealer, ProtocolError, Push, Router } from "../../mod.ts";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { textOf, toHex, utf8 } from "../_util/bytes.ts";
import { codeOf, EventLog, plain } from "../_util/event_log.ts";
import { concat } from "../_util/octets.ts";
import { dial, type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { command, frame, greeting, message, ready, takeFrame } from "../_util/raw_zmtp.ts";
import { describeOver, reserve } from "../_util/transports.ts";
import { password, withStatus } from "../_util/zap_handler.ts";
import { PASSWORD, SIDES, USERNAME } from "../_util/zap_mechanisms.ts";
import { assertDenied, assertLetIn, type Server, ZapStage } from "../_util/zap_stage.ts";

const PROTOCOL = "handshake:error:protocol";
const stage = new ZapStage();
const GREETING_SIZE = 64;

/** A HELLO with these. */
function hello(username: string, word: string): Uint8Array {
  const text = (value: string) => concat(Uint8Array.of(utf8(value).length), utf8(value));
  return command("HELLO", concat(text(username), text(word)));
}

/** Properties of a PUSH, as READY has them after its name. */
const PROPERTIES = ready("PUSH").subarray(8);

/** A server of PLAIN with a handler that knows one password. */
async function guarded(transport: string): Promise<Server> {
  await stage.handler(password(USERNAME, PASSWORD));
  return await stage.asking(transport, "PLAIN");
}

async function dialed(server: Server): Promise<RawConnection> {
  return stage.cleanup.add(await dial(server.address));
}

describeOver(SYSTEM_TRANSPORTS, "a PLAIN server", (transport) => {
  afterEach(() => stage.clear());

  it("lets in who has the right name and password", async () => {
    const server = await guarded(transport);
    await assertLetIn(stage.coming(server.address, "PLAIN"), server);
  });

  it("talks both ways with those who are in", async () => {
    await stage.handler(password(USERNAME, PASSWORD));
    const router = stage.cleanup.add(
      new Router({ context: stage.context, ...SIDES.PLAIN.server, receiveTimeout: 5_000 }),
    );
    await router.bind(transport === "tcp" ? "tcp://127.0.0.1:*" : "ipc://*");
    const dealer = stage.cleanup.add(
      new Dealer({ ...SIDES.PLAIN.client, routingId: "me", receiveTimeout: 5_000 }),
    );
    dealer.connect(router.lastEndpoint!);
    for (const body of ["short", "x".repeat(300), "y".repeat(100_000), ""]) {
      await dealer.send(["", body]);
      const [id, , echoed] = await router.receive();
      assertEquals([String(id), String(echoed)], ["me", body]);
      await router.send([id, "", echoed]);
      assertEquals(String((await dealer.receive())[1]), body);
    }
  });

  it("refuses a wrong name and a wrong password, and tells both sides", async () => {
    const server = await guarded(transport);
    for (
      const [plainUsername, plainPassword] of [
        ["wronguser", PASSWORD],
        [USERNAME, "wrongpass"],
        [USERNAME, ""],
        ["wronguser", "wrongpass"],
      ]
    ) {
      const client = stage.client(server.address, { plainUsername, plainPassword });
      await assertDenied(client, server, 400);
    }
  });

  it("is no peer for another server", async () => {
    const server = await guarded(transport);
    const other = stage.cleanup.add(new Push({ plainServer: true, handshakeInterval: 300 }));
    const log = new EventLog(other);
    other.connect(server.address);
    // Neither begins. Where one says in its greeting that it is a server, it can be told apart.
    const failed = (type: string) => type.startsWith("handshake:error");
    await log.next("disconnect");
    await server.log.next("disconnect");
    assertEquals([log, server.log].map(({ types }) => types.filter(failed).length), [1, 1]);
    assertEquals([log, server.log].flatMap((each) => each.of("handshake")), []);
  });

  it("is no peer for a client that knows nothing of PLAIN, nor the other way round", async () => {
    const server = await guarded(transport);
    const open = await stage.server(transport, {});
    const pairs = [
      { server, client: stage.client(server.address) },
      { server: open, client: stage.coming(open.address, "PLAIN") },
    ];
    for (const { server, client } of pairs) {
      for (const { log } of [server, client]) {
        assertEquals(codeOf(await log.next(PROTOCOL)), "ERR_ZMTP_MECHANISM_MISMATCH");
      }
      await client.log.next("disconnect");
      assertEquals(client.log.of("connect:retry"), []);
    }
  });
});

/** What a client by hand does wrong after its greeting, and the code of the error. */
const BROKEN_CLIENTS: Readonly<Record<string, readonly [Uint8Array, code: string]>> = {
  "begins with INITIATE": [command("INITIATE", PROPERTIES), "ERR_ZMTP_UNEXPECTED_COMMAND"],
  "begins with READY": [ready("PUSH"), "ERR_ZMTP_UNEXPECTED_COMMAND"],
  "begins with WELCOME": [command("WELCOME"), "ERR_ZMTP_UNEXPECTED_COMMAND"],
  // Only servers refuse: whoever has not shown who he is has nothing to say about this side.
  "begins with ERROR": [
    command("ERROR", concat(Uint8Array.of(3), utf8("400"))),
    "ERR_ZMTP_UNEXPECTED_COMMAND",
  ],
  "begins with a message": [message("hello"), "ERR_ZMTP_UNEXPECTED_COMMAND"],
  "says HELLO without anything": [command("HELLO"), "ERR_ZMTP_MALFORMED_COMMAND_HELLO"],
  "says a name that ends too early": [
    command("HELLO", Uint8Array.of(5, 0x61)),
    "ERR_ZMTP_MALFORMED_COMMAND_HELLO",
  ],
  "says no password": [
    command("HELLO", Uint8Array.of(1, 0x61)),
    "ERR_ZMTP_MALFORMED_COMMAND_HELLO",
  ],
  "says a password that ends too early": [
    command("HELLO", Uint8Array.of(1, 0x61, 2, 0x62)),
    "ERR_ZMTP_MALFORMED_COMMAND_HELLO",
  ],
  "says more than a password": [
    command("HELLO", Uint8Array.of(1, 0x61, 1, 0x62, 0)),
    "ERR_ZMTP_MALFORMED_COMMAND_HELLO",
  ],
  "says HELLO twice": [
    concat(hello(USERNAME, PASSWORD), hello(USERNAME, PASSWORD)),
    "ERR_ZMTP_UNEXPECTED_COMMAND",
  ],
  "sends ERROR where INITIATE belongs": [
    concat(hello(USERNAME, PASSWORD), command("ERROR", concat(Uint8Array.of(3), utf8("500")))),
    "ERR_ZMTP_UNEXPECTED_COMMAND",
  ],
  "sends a message where INITIATE belongs": [
    concat(hello(USERNAME, PASSWORD), frame("hello")),
    "ERR_ZMTP_UNEXPECTED_COMMAND",
  ],
  "sends metadata that cannot be read": [
    concat(hello(USERNAME, PASSWORD), command("INITIATE", Uint8Array.of(20, 0x58))),
    "ERR_ZMTP_INVALID_METADATA",
  ],
  "is of the wrong type": [
    concat(hello(USERNAME, PASSWORD), command("INITIATE", ready("PUB").subarray(8))),
    "ERR_ZMTP_INVALID_METADATA",
  ],
};

describeOver(SYSTEM_TRANSPORTS, "a PLAIN server meets a client by hand that", (transport) => {
  afterEach(() => stage.clear());

  it("does well, and says all of it in one go", async () => {
    const server = await guarded(transport);
    const connection = await dialed(server);
    connection.send(
      greeting("PLAIN"),
      hello(USERNAME, PASSWORD),
      command("INITIATE", PROPERTIES),
      frame("early"),
    );
    await connection.take(GREETING_SIZE);
    assertEquals(toHex((await takeFrame(connection)).body), toHex(command("WELCOME").subarray(2)));
    assertEquals(textOf((await takeFrame(connection)).body.subarray(1, 6)), "READY");
    assertEquals(String(await server.socket.receive()), "early");
  });

  it("does well, octet by octet", async () => {
    const server = await guarded(transport);
    const connection = await dialed(server);
    const said = [greeting("PLAIN"), hello(USERNAME, PASSWORD), command("INITIATE", PROPERTIES)];
    for (const octet of concat(...said, frame("x"))) await connection.flush(Uint8Array.of(octet));
    assertEquals(String(await server.socket.receive()), "x");
  });

  it("is silent: the server is silent too, until it speaks (PLAIN-SEQ-01)", async () => {
    const server = await guarded(transport);
    const connection = await dialed(server);
    connection.send(greeting("PLAIN"));
    const octets = await connection.take(GREETING_SIZE);
    assertEquals(textOf(octets.subarray(12, 17)), "PLAIN");
    await assertLetIn(stage.coming(server.address, "PLAIN"), server);
    assertEquals(connection.available, 0);
  });

  for (const [what, [octets, code]] of Object.entries(BROKEN_CLIENTS)) {
    it(what, async () => {
      const server = await guarded(transport);
      const connection = await dialed(server);
      connection.send(greeting("PLAIN"), octets);
      const event = await server.log.next(PROTOCOL);
      const { peerAddress } = server.log.of("accept")[0];
      assertEquals(plain(event), {
        type: PROTOCOL,
        address: server.address,
        peerAddress,
        error: code,
      });
      assert(event.error instanceof ProtocolError);
      assert(!event.error.message.includes(PASSWORD), event.error.message);
      await connection.untilClosed();
      await assertLetIn(stage.coming(server.address, "PLAIN"), server);
      assertEquals(server.log.of(PROTOCOL).length, 1);
    });
  }

  for (const status of ["400", "500"]) {
    it(`PLAIN-X-02, PLAIN-X-04: is denied by ${status}: an ERROR, spelt rightly`, async () => {
      await stage.handler(withStatus(status));
      const server = await stage.asking(transport, "PLAIN");
      const connection = await dialed(server);
      connection.send(greeting("PLAIN"), hello(USERNAME, "wrong"));
      await connection.take(GREETING_SIZE);
      const { body, command: isCommand } = await takeFrame(connection);
      assertEquals([toHex(body), isCommand], [`054552524f5203${toHex(utf8(status))}`, true]);
      await connection.untilClosed();
      assertEquals(connection.available, 0);
    });
  }

  it("PLAIN-X-02: is put off with 300: it gets the end, and nothing else", async () => {
    await stage.handler(withStatus("300"));
    const server = await stage.asking(transport, "PLAIN");
    const connection = await dialed(server);
    connection.send(greeting("PLAIN"), hello(USERNAME, PASSWORD));
    await connection.take(GREETING_SIZE);
    await connection.untilClosed();
    assertEquals(connection.available, 0);
  });
});

/** What a server by hand says, and what a client makes of it. */
const BROKEN_SERVERS: Readonly<Record<string, readonly [Uint8Array, code: string]>> = {
  "begins with READY": [ready("PULL"), "ERR_ZMTP_UNEXPECTED_COMMAND"],
  "says HELLO": [hello(USERNAME, PASSWORD), "ERR_ZMTP_UNEXPECTED_COMMAND"],
  "says WELCOME with data": [
    command("WELCOME", Uint8Array.of(0)),
    "ERR_ZMTP_MALFORMED_COMMAND_WELCOME",
  ],
  "says WELCOME twice": [
    concat(command("WELCOME"), command("WELCOME")),
    "ERR_ZMTP_UNEXPECTED_COMMAND",
  ],
  "is of the wrong type": [
    concat(command("WELCOME"), ready("PUB")),
    "ERR_ZMTP_INVALID_METADATA",
  ],
  "refuses in a malformed way": [
    command("ERROR", Uint8Array.of(5, 0x61)),
    "ERR_ZMTP_MALFORMED_COMMAND_ERROR",
  ],
};

describeOver(SYSTEM_TRANSPORTS, "a PLAIN client meets a server by hand that", (transport) => {
  afterEach(() => stage.clear());

  async function meeting(): Promise<[RawConnection, EventLog, RawServer, Push]> {
    const raw = stage.cleanup.add(await RawServer.listen(await reserve(transport)));
    const { socket, log } = stage.coming(raw.endpoint, "PLAIN", { reconnectInterval: 1 });
    const connection = await raw.accept();
    connection.send(greeting("PLAIN"));
    await connection.take(GREETING_SIZE);
    return [connection, log, raw, socket];
  }

  it("does well: it gets the name and the password (GV-P-01), then the properties", async () => {
    const [connection, log, , push] = await meeting();
    const said = await takeFrame(connection);
    assertEquals(toHex(said.body), "0548454c4c4f0561646d696e06736563726574");
    connection.send(command("WELCOME"));
    const { body } = await takeFrame(connection);
    assertEquals(toHex(body), toHex(concat(Uint8Array.of(8), utf8("INITIATE"), PROPERTIES)));
    connection.send(ready("PULL"));
    await log.next("handshake");
    await push.send("x");
    assertEquals(textOf((await takeFrame(connection)).body), "x");
  });

  for (const [what, [octets, code]] of Object.entries(BROKEN_SERVERS)) {
    it(what, async () => {
      const [connection, log, raw, push] = await meeting();
      connection.send(octets);
      assertEquals(codeOf(await log.next(PROTOCOL)), code);
      await connection.untilClosed();
      await push.close();
      await log.over;
      assertEquals(log.of("connect:retry"), [], "it would do so again");
      assertEquals([log.of("handshake").length, raw.count], [0, 1]);
    });
  }

  for (const [spelt, name] of [["rightly", "05"], ["as libzmq spells it", "5e"]]) {
    for (const status of [400, 500]) {
      it(`PLAIN-X-03: denies with ${status}, ${spelt}: it is believed, and left alone`, async () => {
        const [connection, log, raw, push] = await meeting();
        const tail = name === "05" ? "4552524f52" : "52524f52";
        const octets = `${name}${tail}03${toHex(utf8(String(status)))}`;
        const size = (octets.length / 2).toString(16).padStart(2, "0");
        connection.send(
          Uint8Array.from(`04${size}${octets}`.match(/../g)!, (digits) => parseInt(digits, 16)),
        );
        const event = await log.next("handshake:error:auth");
        assertEquals([event.error.status, codeOf(event)], [status, "EACCES"]);
        await connection.untilClosed();
        await push.close();
        await log.over;
        assertEquals([log.of("connect:retry").length, raw.count], [0, 1]);
      });
    }
  }

  it("closes without a word: it comes again", async () => {
    const [connection, log, raw] = await meeting();
    connection.end();
    await log.next("connect:retry");
    await raw.accept();
    assertEquals(log.of("handshake:error:auth"), []);
  });
});
