// What a ZAP handler says of a peer reaches metadataOf of each of its messages, whatever socket receives them.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  type Frame,
  type MessageMetadata,
  metadataOf,
  type Readable,
  type Socket,
  type Writable,
} from "../../mod.ts";
import { SYSTEM_TRANSPORTS, type Transport } from "../_util/anywhere.ts";
import { textOf } from "../_util/bytes.ts";
import { concat } from "../_util/octets.ts";
import { CLASSES, type ClassName } from "../_util/option_table.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { dial, type RawConnection } from "../_util/raw_peer.ts";
import { command, frame, greeting, takeFrame } from "../_util/raw_zmtp.ts";
import { describeOver } from "../_util/transports.ts";
import { type ZapBehaviour, zapMetadata, zapReply } from "../_util/zap_handler.ts";
import { DOMAIN, MECHANISM_NAMES, type MechanismName, SIDES } from "../_util/zap_mechanisms.ts";
import { ZapStage } from "../_util/zap_stage.ts";

const stage = new ZapStage();

const SAID = { "X-Role": "größer", "Hello": "World", "X-Empty": "" };

const knows: ZapBehaviour = (request) =>
  zapReply(request, { userId: "anonymous ✓", metadata: zapMetadata(SAID) });

type Both = Socket & Readable & Writable;

/** The types whose messages can be received, each with one that talks to it and how that says "x". */
const RECEIVERS: Readonly<Record<string, readonly [ClassName, (socket: Both) => Promise<void>]>> = {
  Pair: ["Pair", (socket) => socket.send("x")],
  Pull: ["Push", (socket) => socket.send("x")],
  Request: ["Reply", async (socket) => {
    await socket.receive();
    await socket.send("x");
  }],
  Reply: ["Request", (socket) => socket.send("x")],
  Dealer: ["Dealer", (socket) => socket.send("x")],
  Router: ["Dealer", (socket) => socket.send("x")],
  XPublisher: ["XSubscriber", (socket) => socket.send(Uint8Array.of(1, 120))],
  // These are subscribed when the subscription has come.
  Subscriber: ["XPublisher", async (socket) => {
    await socket.receive();
    await socket.send("x");
  }],
  XSubscriber: ["XPublisher", async (socket) => {
    await socket.receive();
    await socket.send("x");
  }],
};

function open(name: ClassName, options: object): Both {
  const timeouts = name === "Push" ? {} : { receiveTimeout: 5_000 };
  return stage.cleanup.add(new CLASSES[name]({ ...timeouts, ...options })) as Both;
}

/** Joins a receiver as a server of the mechanism, and receives one message. */
async function receiveAs(
  name: ClassName,
  transport: Transport,
  mechanism: MechanismName,
): Promise<Frame[]> {
  const [partner, speak] = RECEIVERS[name];
  const { server, client } = SIDES[mechanism];
  const receiver = open(name, {
    context: stage.context,
    attachMetadata: true,
    zapDomain: DOMAIN,
    ...server,
  });
  await receiver.bind(transport === "tcp" ? ANY_PORT : "ipc://*");
  if (name === "Subscriber") (receiver as unknown as { subscribe(): void }).subscribe();
  if (name === "XSubscriber") await receiver.send(Uint8Array.of(1));
  const speaker = open(partner, client);
  speaker.connect(receiver.lastEndpoint!);
  if (name === "Request") await receiver.send("question");
  const [, message] = await Promise.all([speak(speaker), receiver.receive()]);
  return message as Frame[];
}

function assertKnown(metadata: MessageMetadata, transport: Transport): void {
  assertEquals(metadata.userId, "anonymous ✓");
  assertEquals(metadata.get("User-Id"), "anonymous ✓");
  assertEquals(metadata.get("user-ID"), "anonymous ✓");
  for (const [name, value] of Object.entries(SAID)) assertEquals(metadata.get(name), value, name);
  assertEquals(textOf(metadata.properties.get("x-role")!), SAID["X-Role"]);
  assertEquals(metadata.get("Peer-Address"), transport === "tcp" ? "127.0.0.1" : "");
}

describeOver(SYSTEM_TRANSPORTS, "what a handler says of a peer", (transport) => {
  afterEach(() => stage.clear());

  for (const name of Object.keys(RECEIVERS) as ClassName[]) {
    it(`ZAP-X-04, ZAP-REP-05: is known of its message that a ${name} receives`, async () => {
      await stage.handler(knows);
      const message = await receiveAs(name, transport, "PLAIN");
      assertKnown(metadataOf(message)!, transport);
    });
  }

  for (const mechanism of MECHANISM_NAMES) {
    it(`ZAP-X-04, ZAP-REP-04: is known with ${mechanism}`, async () => {
      await stage.handler(knows);
      const metadata = metadataOf(await receiveAs("Router", transport, mechanism))!;
      assertKnown(metadata, transport);
      assertEquals(metadata.socketType, "DEALER", "and so is what the peer says itself");
    });
  }
});

describe("what a handler says of a peer", () => {
  afterEach(() => stage.clear());

  it("is nothing where it says nothing: there is no user id", async () => {
    await stage.handler();
    const metadata = metadataOf(await receiveAs("Pull", "tcp", "PLAIN"))!;
    assertEquals([metadata.userId, metadata.get("User-Id")], ["", undefined]);
  });

  it("is nothing where no handler was asked", async () => {
    const server = await stage.server("tcp", {});
    const { socket } = stage.client(server.address);
    await socket.send("x");
    assertEquals(metadataOf(await server.socket.receive())!.userId, "");
  });

  it("is not mixed up among peers that say much at once", async () => {
    await stage.handler(
      (request) => zapReply(request, { userId: textOf(request.credentials[0]) }),
      "ROUTER",
    );
    const server = await stage.asking("tcp", "PLAIN");
    const clients = Array.from({ length: 10 }, (_, i) => {
      const plainUsername = `user ${i}`;
      const { socket } = stage.client(server.address, { plainUsername, plainPassword: "x" });
      return { plainUsername, socket };
    });
    for (let round = 0; round < 20; round++) {
      await Promise.all(clients.map(({ socket, plainUsername }) => socket.send(plainUsername)));
    }
    for (let i = 0; i < 200; i++) {
      const message = await server.socket.receive();
      assertEquals(metadataOf(message)!.userId, String(message[0]));
    }
  });

  it("is of each connection: who comes back as another is another", async () => {
    let count = 0;
    await stage.handler((request) => zapReply(request, { userId: `number ${++count}` }));
    const server = await stage.asking("tcp", "PLAIN");
    const { socket } = stage.coming(server.address, "PLAIN");
    for (const turn of [1, 2]) {
      await socket.send("x");
      const message = await server.socket.receive();
      assertEquals(metadataOf(message)!.userId, `number ${turn}`);
      socket.disconnect(server.address);
      await server.log.next("disconnect");
      socket.connect(server.address);
    }
  });

  it("takes precedence over what the peer says of itself", async () => {
    await stage.handler((request) =>
      zapReply(request, { userId: "me", metadata: zapMetadata({ "X-Role": "guest" }) })
    );
    const server = await stage.asking("tcp", "PLAIN");
    const client = stage.coming(server.address, "PLAIN", {
      properties: { "X-Role": "admin", "X-Other": "mine" },
    });
    await client.socket.send("x");
    const metadata = metadataOf(await server.socket.receive())!;
    assertEquals([metadata.get("X-Role"), metadata.get("X-Other")], ["guest", "mine"]);
  });
});

/** A PUSH by hand that announces properties that are not its own to say. */
const FORGED: readonly (readonly [string, string])[] = [
  ["User-Id", "root"],
  ["user-id", "root"],
  ["USER-ID", "root"],
  ["Peer-Address", "10.0.0.1"],
  ["peer-ADDRESS", "10.0.0.1"],
];

/** The handshake of PLAIN by hand. */
async function enterPlain(connection: RawConnection, properties: Uint8Array): Promise<void> {
  connection.send(greeting("PLAIN"), command("HELLO", Uint8Array.of(1, 0x61, 0)));
  await connection.take(64);
  await takeFrame(connection);
  connection.send(command("INITIATE", properties));
  await takeFrame(connection);
}

describe("a peer that announces", () => {
  afterEach(() => stage.clear());

  for (const [name, value] of FORGED) {
    const properties = concat(
      zapMetadata({ "Socket-Type": "PUSH" }),
      zapMetadata({ [name]: value }),
    );

    for (const userId of ["somebody", ""]) {
      const says = userId === "" ? "no user id" : "another user id";
      it(`ZAP-X-04: ${name} is not believed, where the handler says ${says}`, async () => {
        await stage.handler((request) => zapReply(request, { userId }));
        const server = await stage.asking("tcp", "PLAIN");
        const connection = stage.cleanup.add(await dial(server.address));
        await enterPlain(connection, properties);
        connection.send(frame("x"));
        const metadata = metadataOf(await server.socket.receive())!;
        const known = userId === "" ? undefined : userId;
        assertEquals([metadata.userId, metadata.get("User-Id")], [userId, known]);
        assertEquals(
          [metadata.peerAddress, metadata.get("Peer-Address")],
          ["127.0.0.1", "127.0.0.1"],
        );
        assertEquals(metadata.properties.has("peer-address"), false);
        const told = metadata.properties.get("user-id");
        assertEquals(told && textOf(told), known);
      });
    }

    it(`ZAP-X-04: ${name} is not believed where nobody is asked`, async () => {
      const server = await stage.server("tcp", {});
      const connection = stage.cleanup.add(await dial(server.address));
      connection.send(greeting(), command("READY", properties), frame("x"));
      const metadata = metadataOf(await server.socket.receive())!;
      assertEquals([metadata.userId, metadata.get("User-Id")], ["", undefined]);
      assertEquals(metadata.get("Peer-Address"), "127.0.0.1");
      assertEquals([...metadata.properties.keys()], ["socket-type"]);
    });
  }
});
