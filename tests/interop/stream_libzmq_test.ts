// STREAM with libzmq's STREAM, over tcp and ipc, in both roles.

import { assertEquals } from "@std/assert";
import { after, afterEach, before, it } from "@std/testing/bdd";
import { Stream } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames, textOf } from "../_util/bytes.ts";
import { eventually } from "../_util/deadline.ts";
import { concat, pattern } from "../_util/octets.ts";
import { makeMessage } from "../_util/messages.mjs";
import {
  type MessageSpec,
  type Peer,
  type PeerOptions,
  type PeerSocket,
  startPeer,
} from "../_util/peer.ts";
import { rejection } from "../_util/rejection.ts";
import { StreamInbox } from "../_util/stream_inbox.ts";
import { Opened } from "../_util/traffic.ts";
import { describeOver, reserve } from "../_util/transports.ts";

const OPTIONS = { sendTimeout: 8_000, receiveTimeout: 8_000, reconnectInterval: 20 } as const;
/** Pieces of all sizes but 0, which would end the connection. */
const SPEC: MessageSpec = {
  seed: 1,
  count: 40,
  sizes: [1, 254, 255, 256, 8191, 8192, 8193, 65_536, 300_000, 1_048_576],
  parts: [1, 1],
};

/** All octets of the pieces. */
function allOf(spec: MessageSpec): Uint8Array {
  return concat(...Array.from({ length: spec.count }, (_, i) => makeMessage(spec, i)).flat());
}

describeOver(SYSTEM_TRANSPORTS, "STREAM with libzmq's STREAM", (transport) => {
  const opened = new Opened();
  let peer: Peer;
  const theirs: PeerSocket[] = [];
  const openTheirs = async (options: PeerOptions = {}): Promise<PeerSocket> => {
    const socket = await peer.open("Stream", options);
    theirs.push(socket);
    return socket;
  };
  const openOurs = (options: object = {}): [Stream, StreamInbox] => {
    const stream = opened.add(new Stream({ ...OPTIONS, ...options }));
    return [stream, new StreamInbox(stream)];
  };
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(async () => {
    await opened.close();
    await Promise.all(theirs.splice(0).map((socket) => socket.close()));
  });

  for (const role of ["bind", "connect"] as const) {
    it(`carries octets of all sizes both ways, we ${role}`, async () => {
      const [ours, inbox] = openOurs();
      const other = await openTheirs();
      if (role === "bind") {
        await ours.bind(anywhere(transport));
        await other.connect(ours.lastEndpoint!, "us");
      } else ours.connect(await other.bind(anywhere(transport)), { routingId: "them" });
      const id = await inbox.opened();
      const [theirId, notice] = await other.receive();
      assertEquals([textOf(role === "bind" ? theirId : id), notice.length], [
        role === "bind" ? "us" : "them",
        0,
      ]);
      const octets = allOf(SPEC);
      const send = async (): Promise<void> => {
        for (let i = 0; i < SPEC.count; i++) await ours.send([id, makeMessage(SPEC, i)[0]]);
      };
      const receive = async (): Promise<void> => {
        const received = await inbox.take(id, octets.length);
        for (let at = 0; at < octets.length; at += 4_093) {
          if (received[at] !== octets[at]) throw new Error(`octet ${at} differs`);
        }
      };
      await Promise.all([send(), other.receiveOctets(SPEC)]);
      await Promise.all([other.sendMany(SPEC, theirId), receive()]);
    });

    it(`ends with an empty frame from either side, we ${role}`, async () => {
      for (const ends of ["we", "they"] as const) {
        const [ours, inbox] = openOurs({ reconnectInterval: -1 });
        // With a reconnectInterval of -1 libzmq would keep the end of a connection to itself.
        const other = await openTheirs();
        if (role === "bind") {
          await ours.bind(anywhere(transport));
          await other.connect(ours.lastEndpoint!);
        } else ours.connect(await other.bind(anywhere(transport)));
        const id = await inbox.opened();
        const [theirId] = await other.receive();
        if (ends === "we") {
          await ours.send([id, "last"]);
          await ours.send([id, ""]);
          assertFrames(await other.receive(), [theirId, "last"]);
          assertFrames(await other.receive(), [theirId, ""]);
        } else {
          await other.send(theirId, "last");
          await other.send(theirId, "");
          assertEquals(textOf(await inbox.take(id, 4)), "last");
          await inbox.notice(id);
        }
        await rejection(ours.send([id, "gone"]), "EHOSTUNREACH");
      }
    });
  }

  it("tells nothing of connections with notify false on either side", async () => {
    const [ours] = openOurs({ notify: false });
    await ours.bind(anywhere(transport));
    const other = await openTheirs({ notify: false });
    await other.connect(ours.lastEndpoint!, "us");
    await other.send("us", "first");
    const [id, octets] = await ours.receive();
    assertEquals(textOf(octets), "first");
    await ours.send([id, "second"]);
    assertFrames(await other.receive(), ["us", "second"]);
    await other.send("us", "");
    await eventually(() => ours.stats().peers.length === 0);
    const next = await openTheirs({ notify: false });
    await next.connect(ours.lastEndpoint!, "us");
    await next.send("us", "third");
    assertEquals(textOf((await ours.receive())[1]), "third");
  });

  it("speaks with a peer that was killed and its successor under one id", async () => {
    const endpoint = await reserve(transport);
    const [ours, inbox] = openOurs();
    ours.connect(endpoint, { routingId: "server" });
    for (let generation = 0; generation < 2; generation++) {
      const mortal = startPeer();
      try {
        const server = await mortal.open("Stream");
        await server.bind(endpoint);
        await inbox.notice("server");
        const [id] = await server.receive();
        const question = pattern(5_000, generation);
        await ours.send(["server", question]);
        assertFrames(await server.receive(), [id, question]);
        await server.send(id, `answer ${generation}`);
        assertEquals(textOf(await inbox.take("server", 8)), `answer ${generation}`);
      } finally {
        await mortal.kill();
      }
      await inbox.notice("server");
    }
  });
});
