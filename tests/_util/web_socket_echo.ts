// Sockets that send everything back, and one peer of each that writes WebSocket frames by hand.

import { Context, Dealer } from "../../mod.ts";
import type { Cleanup } from "./cleanup.ts";
import { RawServer } from "./raw_peer.ts";
import { RawWebSocket } from "./raw_web_socket.ts";
import { WebSocketStage } from "./web_socket_stage.ts";

/** Which side of the connection the socket under test is. */
export type EchoSide = "a bound socket" | "a connecting socket";

/** Both. */
export const SIDES: readonly EchoSide[] = ["a bound socket", "a connecting socket"];

/** A peer past all handshakes of a socket that sends everything back. */
export async function openEcho(side: EchoSide, cleanup: Cleanup): Promise<RawWebSocket> {
  if (side === "a bound socket") return await (await WebSocketStage.open(cleanup)).insider();
  const server = cleanup.add(await RawServer.listen());
  const dealer = cleanup.add(new Dealer({ context: new Context() }));
  await dealer.connect(server.endpoint.replace("tcp", "ws"));
  void echo(dealer);
  return await RawWebSocket.acceptAs(await server.accept(), "ROUTER");
}

async function echo(dealer: Dealer): Promise<void> {
  for await (const frames of dealer) await dealer.send(frames);
}
