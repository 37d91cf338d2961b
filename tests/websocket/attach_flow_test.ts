// How much waits where, on HTTP servers of the program's own: peers that do not read, sockets that do not receive, peers
// that are gone without a word.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Pull, Push, type Socket } from "../../mod.ts";
import { attachKinds } from "../_util/attach_servers.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause, within } from "../_util/deadline.ts";
import { codeOf, EventLog } from "../_util/event_log.ts";
import { dial } from "../_util/raw_peer.ts";
import { RawWebSocket, readying, takeHead } from "../_util/raw_web_socket.ts";
import { requestOf } from "../_util/upgrade.ts";

/** Longer than any machine takes for it. */
const WAIT_MS = 30_000;
const SIZE = 64 * 1024;
/** 50 MiB: more than systems, and a WebSocket that cannot stop, keep. */
const COUNT = 800;

const cleanup = new Cleanup();
const common = { linger: 0 };
const sending = () => ({ ...common, context: new Context(), sendHighWaterMark: 10 });
const receiving = () => ({ ...common, context: new Context(), receiveHighWaterMark: 10 });

/** Message number `i`. */
function body(i: number): Uint8Array {
  const octets = new Uint8Array(SIZE).fill(i & 255);
  new DataView(octets.buffer).setUint32(0, i);
  return octets;
}

function assertBody(octets: Uint8Array, i: number): void {
  assertEquals(octets.length, SIZE);
  const number = new DataView(octets.buffer, octets.byteOffset).getUint32(0);
  assertEquals([number, octets[SIZE - 1]], [i, i & 255]);
}

/** Sends as long as there is room, until there is none for a while; how many were sent. */
async function fill(push: Push, from: number): Promise<number> {
  let count = from;
  for (let quiet = 0; quiet < 20 && count < COUNT;) {
    if (push.trySend(body(count))) {
      count++;
      quiet = 0;
    } else {
      quiet++;
    }
    await pause(quiet === 0 ? 0 : 25);
  }
  return count;
}

/** A peer past all handshakes, written by hand. */
async function rawPeer(port: number, type: string): Promise<RawWebSocket> {
  const connection = cleanup.add(await dial(`tcp://127.0.0.1:${port}`));
  connection.send(requestOf({}, "GET /zmq HTTP/1.1"));
  await takeHead(connection);
  const peer = new RawWebSocket(connection, true);
  peer.send(readying(type));
  await peer.next();
  return peer;
}

for (const kind of attachKinds) {
  describe(`upgrade() with ${kind.name}, under load`, () => {
    afterEach(() => cleanup.run());

    /** A server with a socket on it, which ends before it. */
    async function serve(socket: Socket): Promise<number> {
      const server = await kind.serve({ "/zmq": cleanup.add(socket) });
      cleanup.add({
        async close() {
          await socket.close();
          await within(server.close(), WAIT_MS, "the server closes");
        },
      });
      return server.port;
    }

    it("stops sending when a peer does not read, and loses nothing", async () => {
      const push = new Push(sending());
      const port = await serve(push);
      const pull = cleanup.add(new Pull(receiving()));
      pull.connect(`ws://127.0.0.1:${port}/zmq`);
      await push.send(body(0));
      const sent = await fill(push, 1);
      assert(sent < COUNT, "it goes on sending");
      const rest = (async () => {
        for (let i = sent; i < COUNT; i++) await push.send(body(i));
      })();
      for (let i = 0; i < COUNT; i++) {
        assertBody((await within(pull.receive(), WAIT_MS, `message ${i}`))[0], i);
      }
      await rest;
    });

    it("keeps no more than it says when the socket does not receive", async () => {
      const pull = new Pull(receiving());
      const log = new EventLog(pull);
      const port = await serve(pull);
      const push = cleanup.add(new Push({ ...sending(), reconnectInterval: -1 }));
      push.connect(`ws://127.0.0.1:${port}/zmq`);
      await push.send(body(0));
      if (!kind.flowControl) {
        // What cannot be held up comes to an end.
        await fill(push, 1);
        const event = await log.next("disconnect", WAIT_MS);
        return assertEquals(codeOf(event), "ENOBUFS");
      }
      const sent = await fill(push, 1);
      assert(sent < COUNT, "the peer goes on sending");
      const rest = (async () => {
        for (let i = sent; i < COUNT; i++) await push.send(body(i));
      })();
      for (let i = 0; i < COUNT; i++) {
        assertBody((await within(pull.receive(), WAIT_MS, `message ${i}`))[0], i);
      }
      await rest;
    });

    it("notices a peer that gives no sign of life (ZWS2-HB-01)", async () => {
      const pull = new Pull({ ...receiving(), heartbeatInterval: 200, heartbeatTimeout: 200 });
      const log = new EventLog(pull);
      const port = await serve(pull);
      // One of ours answers pings, and stays.
      const push = cleanup.add(new Push(sending()));
      push.connect(`ws://127.0.0.1:${port}/zmq`);
      const silent = await rawPeer(port, "PUSH");
      const event = await log.next("disconnect", WAIT_MS);
      assert("error" in event, "it ended in peace");
      await push.send("still here");
      assertEquals(String((await within(pull.receive(), WAIT_MS, "a message"))[0]), "still here");
      assertEquals(log.of("disconnect").length, 1);
      await eventually(() => silent.connection.isClosed, WAIT_MS, "the peer is gone");
    });
  });
}
