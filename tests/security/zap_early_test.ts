// Peers that do not wait to be let in: what they send early is kept, within bounds, and reaches nobody before the answer.

import { assert, assertEquals } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { textOf, utf8 } from "../_util/bytes.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { concat } from "../_util/octets.ts";
import { dial } from "../_util/raw_peer.ts";
import { command, frame, greeting, ready, takeFrame } from "../_util/raw_zmtp.ts";
import { describeOver } from "../_util/transports.ts";
import {
  type ZapAnswer,
  type ZapBehaviour,
  zapReply,
  type ZapRequest,
} from "../_util/zap_handler.ts";
import { assertLetIn, type Server, ZapStage } from "../_util/zap_stage.ts";

const stage = new ZapStage();
const GREETING_SIZE = 64;

/** Everything up to the first message, said at once. */
const EAGER: Readonly<Record<"NULL" | "PLAIN", Uint8Array>> = {
  NULL: concat(greeting(), ready("PUSH")),
  PLAIN: concat(
    greeting("PLAIN"),
    command("HELLO", Uint8Array.of(1, 0x61, 1, 0x62)),
    command("INITIATE", ready("PUSH").subarray(8)),
  ),
};

/** A handler that says nothing before it is told to. */
class Gate {
  readonly asked: ((status: string) => void)[] = [];
  readonly behave: ZapBehaviour = (request: ZapRequest) =>
    new Promise<ZapAnswer>((resolve) =>
      this.asked.push((status) => resolve(zapReply(request, { status })))
    );
}

/** Messages of a server, as they come. */
function collect({ socket }: Server): string[] {
  const bodies: string[] = [];
  void (async () => {
    for await (const [body] of socket) bodies.push(textOf(body));
  })().catch(() => {}); // at the latest when the socket is closed
  return bodies;
}

describeOver(SYSTEM_TRANSPORTS, "a peer that does not wait for the answer", (transport) => {
  afterEach(() => stage.clear());

  for (const mechanism of ["NULL", "PLAIN"] as const) {
    it(`over ${mechanism} is heard when it has been let in, and not before`, async () => {
      const gate = new Gate();
      await stage.handler(gate.behave, "ROUTER");
      const server = await stage.asking(transport, mechanism);
      const bodies = collect(server);
      const connection = stage.cleanup.add(await dial(server.address));
      connection.send(EAGER[mechanism], frame("first"), frame("second"));
      await eventually(() => gate.asked.length === 1);
      await connection.flush(frame("third"));
      // A peer that is let in meanwhile has its messages received; the one that waits has not.
      const other = stage.coming(server.address, mechanism);
      await eventually(() => gate.asked.length === 2);
      gate.asked[1]("200");
      await other.socket.send("from the other one");
      await eventually(() => bodies.length > 0);
      assertEquals(bodies, ["from the other one"]);
      assertEquals(connection.available, GREETING_SIZE, "it was told nothing yet");
      gate.asked[0]("200");
      await eventually(() => bodies.length === 4);
      assertEquals(bodies.slice(1), ["first", "second", "third"]);
    });

    for (const status of ["300", "400", "500"]) {
      it(`over ${mechanism} is never heard when it is answered ${status}`, async () => {
        const gate = new Gate();
        await stage.handler(gate.behave, "ROUTER");
        const server = await stage.asking(transport, mechanism);
        const bodies = collect(server);
        const connection = stage.cleanup.add(await dial(server.address));
        connection.send(EAGER[mechanism], frame("first"));
        await eventually(() => gate.asked.length === 1);
        gate.asked[0](status);
        await server.log.next("handshake:error:auth");
        await connection.untilClosed();
        await server.log.next("disconnect");
        const other = stage.coming(server.address, mechanism);
        await eventually(() => gate.asked.length === 2);
        gate.asked[1]("200");
        await other.socket.send("from the other one");
        await eventually(() => bodies.length > 0);
        assertEquals(bodies, ["from the other one"]);
        assertEquals(server.log.of("handshake").length, 1);
      });
    }

    it(`over ${mechanism} octet by octet is heard all the same`, async () => {
      const gate = new Gate();
      await stage.handler(gate.behave, "ROUTER");
      const server = await stage.asking(transport, mechanism);
      const connection = stage.cleanup.add(await dial(server.address));
      const said = concat(EAGER[mechanism], frame("first"), frame("second"));
      for (const octet of said) await connection.flush(Uint8Array.of(octet));
      await eventually(() => gate.asked.length === 1);
      gate.asked[0]("200");
      assertEquals(textOf((await server.socket.receive())[0]), "first");
      assertEquals(textOf((await server.socket.receive())[0]), "second");
    });

    it(`over ${mechanism} with floods of messages is made to wait, and then heard in full`, async () => {
      const gate = new Gate();
      await stage.handler(gate.behave, "ROUTER");
      const server = await stage.asking(transport, mechanism);
      const connection = stage.cleanup.add(await dial(server.address));
      connection.send(EAGER[mechanism]);
      await eventually(() => gate.asked.length === 1);
      // More than any system keeps in its buffers, in pieces small enough to see each of them go.
      const flood = 1_024;
      const body = new Uint8Array(1 << 16);
      let sent = 0;
      for (let i = 0; i < flood; i++) void connection.flush(frame(body)).then(() => sent++);
      let before;
      do {
        before = sent;
        await pause(150);
      } while (sent !== before);
      assert(sent < flood, "all of it was taken of a peer that nobody knows");
      gate.asked[0]("200");
      for (let i = 0; i < flood; i++) {
        assertEquals((await server.socket.receive())[0].length, body.length);
      }
    });

    it(`over ${mechanism} and leaves is not let in any more`, async () => {
      const gate = new Gate();
      await stage.handler(gate.behave, "ROUTER");
      const server = await stage.asking(transport, mechanism);
      const bodies = collect(server);
      const connection = stage.cleanup.add(await dial(server.address));
      connection.send(EAGER[mechanism], frame("first"));
      await eventually(() => gate.asked.length === 1);
      connection.destroy();
      await server.log.next("disconnect");
      gate.asked[0]("200");
      const other = stage.coming(server.address, mechanism);
      await eventually(() => gate.asked.length === 2);
      gate.asked[1]("200");
      await other.socket.send("from the other one");
      await eventually(() => bodies.length > 0);
      assertEquals(bodies, ["from the other one"]);
      assertEquals(server.log.of("handshake").length, 1);
    });
  }

  it("over PLAIN learns nothing of the answer by what comes back before it", async () => {
    const gate = new Gate();
    await stage.handler(gate.behave, "ROUTER");
    const server = await stage.asking(transport, "PLAIN");
    const connection = stage.cleanup.add(await dial(server.address));
    connection.send(EAGER.PLAIN);
    await connection.take(GREETING_SIZE);
    await eventually(() => gate.asked.length === 1);
    const open = await stage.server(transport, {});
    await assertLetIn(stage.client(open.address), open);
    assertEquals(connection.available, 0);
    gate.asked[0]("400");
    const { body } = await takeFrame(connection);
    assertEquals(textOf(body), `\x05ERROR\x03${textOf(utf8("400"))}`);
  });
});
