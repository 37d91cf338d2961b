// ZeroMQ over WebSocket, section 13: what is said on the wire, octet by octet, by peers that are written by hand.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Dealer, Pull, Push, Subscriber, XPublisher } from "../../mod.ts";
import { fromHex, textOf, textsOf, toHex } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, within } from "../_util/deadline.ts";
import { codeOf, EventLog } from "../_util/event_log.ts";
import { concat } from "../_util/octets.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { BINARY, PING, PONG, RawWebSocket, readying, takeHead } from "../_util/raw_web_socket.ts";
import { requestOf } from "../_util/upgrade.ts";
import { WebSocketStage } from "../_util/web_socket_stage.ts";
import { ACCEPT, ZWS_FRAMES, type ZwsVector } from "../_util/zws_vectors.ts";

const WAIT_MS = 15_000;

const cleanup = new Cleanup();

function vector(id: string): ZwsVector {
  return ZWS_FRAMES.find((one) => one.id === id)!;
}

/** A client of this socket, past the HTTP part. */
async function guestOf(
  socket: { readonly lastEndpoint: string | null | undefined },
  protocol = "ZWS2.0/NULL",
): Promise<RawWebSocket> {
  const webSocket = await RawWebSocket.connect(socket.lastEndpoint!, protocol);
  cleanup.add(webSocket.connection);
  return webSocket;
}

/** A client of this socket, past all handshakes. */
async function peerOf(
  socket: { readonly lastEndpoint: string | null | undefined },
  type: string,
): Promise<RawWebSocket> {
  const webSocket = await RawWebSocket.connectAs(socket.lastEndpoint!, type);
  cleanup.add(webSocket.connection);
  return webSocket;
}

async function bound<S extends { bind(endpoint: string): Promise<void>; close(): Promise<void> }>(
  socket: S,
): Promise<S> {
  cleanup.add(socket);
  await socket.bind("ws://127.0.0.1:*");
  return socket;
}

/** The next octets on the wire. */
async function takes(peer: RawWebSocket, octets: Uint8Array): Promise<void> {
  assertEquals(toHex(await peer.connection.take(octets.length)), toHex(octets));
}

describe("the golden vectors of ZeroMQ over WebSocket", () => {
  afterEach(() => cleanup.run());

  it("GV-WS-01: what a server answers, after which ZeroMQ begins (ZWS2-HS-01)", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const stranger = await stage.stranger();
    stranger.send(requestOf({ "Sec-WebSocket-Key": ACCEPT.key }));
    const lines = await takeHead(stranger);
    assert(lines.includes(`Sec-WebSocket-Accept: ${ACCEPT.accept}`), lines.join("\n"));
    assertEquals(textOf((await stranger.take(9)).subarray(3)), "\x05READY");
  });

  it("GV-WS-02, GV-WS-04, GV-WS-09: messages of a server, without a mask", async () => {
    const push = await bound(new Push({ context: new Context() }));
    const peer = await peerOf(push, "PULL");
    for (const [id, message] of [["GV-WS-02", "hi"], ["GV-WS-09", "a".repeat(125)]]) {
      await push.send(message);
      await takes(peer, vector(id).octets);
    }
    await push.send(["A", "hi"]);
    await takes(peer, concat(vector("GV-WS-04").octets, vector("GV-WS-02").octets));
  });

  it("GV-WS-03: a message of a client, with its mask", async () => {
    const pull = await bound(new Pull({ context: new Context() }));
    const peer = await peerOf(pull, "PUSH");
    peer.connection.send(vector("GV-WS-03").octets);
    assertEquals(textsOf(await pull.receive()), ["hi"]);
  });

  it("GV-WS-05: a routing id that is empty comes first on plain ZWS2.0 (ZWS2-NONE-01)", async () => {
    const push = await bound(new Push({ context: new Context() }));
    const guest = await guestOf(push, "ZWS2.0");
    await takes(guest, vector("GV-WS-05").octets);
    guest.send("\0");
    await push.send("hi");
    await takes(guest, vector("GV-WS-02").octets);
  });

  it("GV-WS-06: the READY of a server", async () => {
    const server = cleanup.add(await RawServer.listen());
    const dealer = cleanup.add(new Dealer({ context: new Context() }));
    await dealer.connect(server.endpoint.replace("tcp", "ws"));
    const { webSocket } = await RawWebSocket.accept(await server.accept());
    webSocket.connection.send(vector("GV-WS-06").octets);
    // What the client says is GV-WS-07 with a mask of its own.
    assertEquals(toHex((await webSocket.next()).payload), toHex(vector("GV-WS-07").payload));
    await dealer.send("hi");
    assertEquals(textsOf(await webSocket.hear()), ["hi"]);
  });

  it("GV-WS-07: the READY of a client", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const guest = await stage.guest();
    guest.connection.send(vector("GV-WS-07").octets);
    assertEquals((await guest.next()).payload[0], 2);
    guest.say("hi");
    assertEquals(textsOf(await guest.hear()), ["hi"]);
  });

  it("GV-WS-08: a subscription is a message (ZWS2-SUB-01)", async () => {
    const sub = await bound(new Subscriber({ context: new Context() }));
    sub.subscribe("abc");
    const peer = await peerOf(sub, "PUB");
    await takes(peer, vector("GV-WS-08").octets);
    sub.unsubscribe("abc");
    await takes(peer, fromHex("82 05 00 00 616263"));
  });

  it("GV-WS-10: pings of both sides", async () => {
    const pull = await bound(new Pull({ context: new Context(), heartbeatInterval: 100 }));
    const peer = await peerOf(pull, "PUSH");
    const [server, client] = ZWS_FRAMES.filter(({ id }) => id === "GV-WS-10");
    await takes(peer, server.octets);
    peer.connection.send(client.octets);
    let answer = await peer.next();
    while (answer.opcode === PING) answer = await peer.next();
    assertEquals([answer.opcode, answer.payload.length], [PONG, 0]);
  });
});

describe("the handshake of HTTP", () => {
  afterEach(() => cleanup.run());

  it("takes what libzmq and browsers send, header by header (ZWS2-HS-08)", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const stranger = await stage.stranger();
    stranger.send(requestOf({
      "Connection": "keep-alive, Upgrade",
      "Sec-WebSocket-Protocol": ["chat, ZWS2.0/CURVE", "ZWS2.0 , ZWS2.0/NULL"],
    }));
    const lines = await takeHead(stranger);
    // The first that the server speaks (ZWS2-HS-06).
    assert(lines.includes("Sec-WebSocket-Protocol: ZWS2.0"), lines.join("\n"));
  });

  it("negotiates no extension, whatever the client offers (ZWS2-FRAME-05)", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const stranger = await stage.stranger();
    stranger.send(requestOf({ "Sec-WebSocket-Extensions": "permessage-deflate" }));
    const lines = await takeHead(stranger);
    assertEquals(lines.filter((line) => /extensions/i.test(line)), []);
  });

  it("offers no extension (ZWS2-FRAME-05), and PLAIN and CURVE alone where they are wanted (ZWS2-HS-06)", async () => {
    const key = "0".repeat(40);
    for (
      const [options, offers] of [
        [{}, "ZWS2.0/NULL, ZWS2.0"],
        [{ plainUsername: "a", plainPassword: "b" }, "ZWS2.0/PLAIN"],
        [{ curveServerKey: key, curveSecretKey: key }, "ZWS2.0/CURVE"],
      ] as const
    ) {
      const server = cleanup.add(await RawServer.listen());
      const dealer = cleanup.add(new Dealer({ context: new Context(), ...options }));
      await dealer.connect(server.endpoint.replace("tcp", "ws"));
      const lines = await takeHead(await server.accept());
      assertEquals(lines.filter((line) => /extensions/i.test(line)), []);
      assert(lines.includes(`Sec-WebSocket-Protocol: ${offers}`), lines.join("\n"));
    }
  });
});

describe("plain ZWS2.0", () => {
  afterEach(() => cleanup.run());

  it("tells each side the routing id of the other first, of any length (ZWS2-NONE-01, ZWS2-HS-05)", async () => {
    for (const id of ["x", "y".repeat(255)]) {
      const stage = await WebSocketStage.open(cleanup, { routingId: id });
      const guest = await stage.guest("ZWS2.0");
      assertEquals(textsOf(await guest.hear()), [id]);
      guest.say(`peer ${id}`.slice(0, 255));
      guest.say("a", "b");
      assertEquals(textsOf(await guest.hear()), ["a", "b"]);
      const { socketType, protocol, routingId } = await stage.log.next("handshake", WAIT_MS);
      assertEquals([socketType, protocol], ["", "ZWS2.0"]);
      assertEquals(textOf(routingId), `peer ${id}`.slice(0, 255));
    }
  });

  it("takes the routing id in pieces, in fragments, and messages right behind it", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const guest = await stage.guest("ZWS2.0");
    const id = concat(
      guest.frame("", { fin: false }),
      guest.frame("\0me", { opcode: 0 }),
    );
    for (const octet of id) await guest.connection.flush(Uint8Array.of(octet));
    guest.connection.send(guest.frame("\0first"), guest.frame("\0second"));
    assertEquals(textsOf(await guest.hear()), [""]);
    assertEquals(textsOf(await guest.hear()), ["first"]);
    assertEquals(textsOf(await guest.hear()), ["second"]);
  });

  it("has no commands: one ends it, first or later (ZWS2-NONE-02)", async () => {
    const stage = await WebSocketStage.open(cleanup);
    for (const before of [[], ["\0"], ["\0", "\0message"]]) {
      const guest = await stage.guest("ZWS2.0");
      for (const payload of before) guest.send(payload);
      guest.send(readying("DEALER"));
      assertEquals((await guest.untilClose()).code, 1002);
      await guest.part();
      await stage.serves();
    }
  });

  it("takes no routing id of several frames, or of more than 255 octets", async () => {
    const stage = await WebSocketStage.open(cleanup);
    for (const payload of ["\x01more", `\0${"x".repeat(256)}`, "\x03", ""]) {
      const guest = await stage.guest("ZWS2.0");
      guest.send(payload);
      assertEquals((await guest.untilClose()).code, 1002);
      await guest.part();
      await stage.serves();
    }
  });

  it("carries subscriptions of an XSUB to an XPUB as of SUB and PUB (ZWS2-TYPE-03, ZWS2-SUB-01)", async () => {
    const xpub = await bound(new XPublisher({ context: new Context() }));
    const guest = await guestOf(xpub, "ZWS2.0");
    guest.say("");
    await guest.hear();
    guest.say("\x01abc");
    assertEquals(textsOf(await within(xpub.receive(), WAIT_MS, "a subscription")), ["\x01abc"]);
    await xpub.send("xyz");
    await xpub.send("abcdef");
    assertEquals(textsOf(await guest.hear()), ["abcdef"]);
    guest.say("\0abc");
    assertEquals(textsOf(await within(xpub.receive(), WAIT_MS, "its end")), ["\0abc"]);
  });
});

describe("ZWS2.0 with a mechanism", () => {
  afterEach(() => cleanup.run());

  it("begins with a command, and then mixes commands and messages (ZWS2-MECH-01)", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const hasty = await stage.guest();
    hasty.say("no READY before");
    assertEquals((await hasty.untilClose()).code, 1002);
    await hasty.part();
    await stage.tells("handshake:error:protocol", "ERR_ZMTP_UNEXPECTED_COMMAND");
    const peer = await stage.insider();
    peer.send("\x02\x07UNKNOWN");
    peer.say("a");
    peer.send("\x02\x07UNKNOWN");
    peer.say("b");
    assertEquals(textsOf(await peer.hear()), ["a"]);
    assertEquals(textsOf(await peer.hear()), ["b"]);
  });

  it("says the commands of ZMTP 3 behind the flags 02, without their header (ZWS2-MECH-02)", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const { opcode, fin, payload } = await (await stage.guest()).next();
    assertEquals([opcode, fin], [BINARY, true]);
    assertEquals(toHex(payload), toHex(readying("ROUTER", "")));
  });

  it("does not serve a type that does not go with its own, and drops it (ZWS2-TYPE-01)", async () => {
    const stage = await WebSocketStage.open(cleanup);
    await stage.serves();
    for (const type of ["PUSH", "PUB", "PAIR", "ROUTERS", "PEER", "CHANNEL"]) {
      const guest = await stage.guest();
      guest.send(readying(type));
      await guest.connection.untilClosed(WAIT_MS);
      guest.connection.destroy();
      await stage.tells("handshake:error:protocol", "ERR_ZMTP_INVALID_METADATA");
      await stage.serves();
    }
  });

  it("announces XPUB as XPUB, and takes subscriptions as commands too (ZWS2-TYPE-03, ZWS2-SUB-01)", async () => {
    const xpub = await bound(new XPublisher({ context: new Context() }));
    const guest = await guestOf(xpub);
    guest.send(readying("XSUB"));
    assertStringIncludes(textOf((await guest.next()).payload), "XPUB");
    guest.send("\x02\x09SUBSCRIBEabc");
    assertEquals(textsOf(await within(xpub.receive(), WAIT_MS, "a subscription")), ["\x01abc"]);
    guest.send("\x02\x06CANCELabc");
    assertEquals(textsOf(await within(xpub.receive(), WAIT_MS, "its end")), ["\0abc"]);
  });

  it("sends pings of WebSockets as heartbeats, none of ZMTP, and ends peers that are silent (ZWS2-HB-01)", async () => {
    const stage = await WebSocketStage.open(cleanup, {
      heartbeatInterval: 100,
      heartbeatTimeout: 2_000,
    });
    const peer = await stage.insider();
    for (let i = 0; i < 3; i++) {
      const { opcode, payload } = await peer.next();
      assertEquals([opcode, payload.length], [PING, 0]);
      peer.send("", { opcode: PONG });
    }
    // From here on it says nothing.
    assertEquals(codeOf(await stage.log.next("disconnect", WAIT_MS)), "ETIMEDOUT");
  });

  it("keeps a peer that only answers pings, on plain ZWS2.0 as well (ZWS2-HB-01)", async () => {
    const stage = await WebSocketStage.open(cleanup, {
      heartbeatInterval: 50,
      heartbeatTimeout: 1_000,
    });
    for (const protocol of ["ZWS2.0/NULL", "ZWS2.0"]) {
      const guest = await stage.guest(protocol);
      guest.send(protocol === "ZWS2.0" ? "\0" : readying("DEALER"));
      await guest.next();
      // Longer than it would be kept without an answer.
      for (let i = 0; i < 40; i++) {
        assertEquals((await guest.next()).opcode, PING);
        guest.send("", { opcode: PONG });
      }
      guest.connection.destroy();
    }
    assertEquals(stage.log.of("disconnect").filter(({ error }) => error?.code === "ETIMEDOUT"), []);
  });
});

describe("ZWS1.0", () => {
  afterEach(() => cleanup.run());

  it("is served to clients that name a type that fits, and to no others (ZWS1-01, ZWS1-03)", async () => {
    const stage = await WebSocketStage.open(cleanup);
    for (const path of ["/?type=DEALER", "/chat?type=REQ"]) await stage.guest("ZWS1.0", path);
    for (const path of ["/", "/?type=", "/?type=PUSH", "/?type=PEER"]) {
      const stranger = await stage.stranger();
      stranger.send(requestOf({ "Sec-WebSocket-Protocol": "ZWS1.0" }, `GET ${path} HTTP/1.1`));
      assertEquals((await takeHead(stranger))[0], "HTTP/1.1 400 Bad Request");
    }
  });

  it("begins with the routing ids, and has no commands (ZWS1-02)", async () => {
    const stage = await WebSocketStage.open(cleanup, { routingId: "us" });
    const guest = await stage.guest("ZWS1.0", "/?type=DEALER");
    guest.say("them");
    assertEquals(textsOf(await guest.hear()), ["us"]);
    guest.say("a", "b");
    assertEquals(textsOf(await guest.hear()), ["a", "b"]);
    const { protocol, routingId } = await stage.log.next("handshake", WAIT_MS);
    assertEquals([protocol, textOf(routingId)], ["ZWS1.0", "them"]);
    guest.send("\x02\x07UNKNOWN");
    assertEquals((await guest.untilClose()).code, 1002);
  });

  it("is offered to servers when the endpoint names a type (ZWS1-01)", async () => {
    const server = cleanup.add(await RawServer.listen());
    const dealer = cleanup.add(new Dealer({ context: new Context() }));
    const log = new EventLog(dealer);
    await dealer.connect(`${server.endpoint.replace("tcp", "ws")}/?type=DEALER`);
    const { webSocket, request } = await RawWebSocket.accept(await server.accept(), "ZWS1.0");
    assert(request.includes("Sec-WebSocket-Protocol: ZWS2.0/NULL, ZWS2.0, ZWS1.0"));
    webSocket.say("");
    assertEquals(textsOf(await webSocket.hear()), [""]);
    await dealer.send(["a", "b"]);
    assertEquals(textsOf(await webSocket.hear()), ["a", "b"]);
    webSocket.say("back");
    assertEquals(textsOf(await dealer.receive()), ["back"]);
    assertEquals(log.of("handshake")[0].protocol, "ZWS1.0");
    await eventually(() => dealer.stats().peers.length === 1);
  });
});

describe("a page", () => {
  afterEach(() => cleanup.run());

  it("may name its mechanism without the slash that its WebSocket does not take", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const guest = await stage.guest("ZWS2.0-NULL");
    guest.send(readying("DEALER"));
    assertEquals((await guest.next()).payload[0], 2);
    guest.say("hi");
    assertEquals(textsOf(await guest.hear()), ["hi"]);
  });
});
