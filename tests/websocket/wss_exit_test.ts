// TLS keeps no process alive that has nothing more to do, and cuts off none that has.

import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull } from "../../mod.ts";
import { assertFrames } from "../_util/bytes.ts";
import { SERVER } from "../_util/certificates.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { start } from "../_util/process.ts";
import { RawServer } from "../_util/raw_peer.ts";

const cleanup = new Cleanup();

describe("a process with wss ends by itself", () => {
  afterEach(() => cleanup.run());

  for (const name of ["bound", "connecting", "connected", "closed", "with unread messages"]) {
    it(name, async () => {
      await cleanup.add(start("wss_exit_cases.ts", name)).succeeds();
    });
  }

  it("while its server says nothing", async () => {
    const server = cleanup.add(await RawServer.listen());
    const program = start("wss_exit_cases.ts", "connecting", server.endpoint.replace("tcp", "wss"));
    await cleanup.add(program).succeeds();
  });

  it("when its messages are delivered", async () => {
    const pull = cleanup.add(
      new Pull({ wssKeyPem: SERVER.key, wssCertPem: SERVER.certificate, receiveTimeout: 20_000 }),
    );
    await pull.bind("wss://127.0.0.1:*");
    const program = start("wss_exit_cases.ts", "with messages delivered", pull.lastEndpoint!);
    const output = cleanup.add(program).succeeds();
    for (let i = 0; i < 100; i++) assertFrames(await pull.receive(), [`${i}`]);
    await output;
  });
});
