// Under Deno without --allow-net a socket tells why it cannot connect or bind; it does not end the program.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { run } from "../package/processes.ts";

const PROGRAM = new URL("../_util/connect_denied.ts", import.meta.url).pathname;
const NOBODY = "tcp://127.0.0.1:9";
const DENIED = /^(EACCES|NotCapable)$/;

async function reason(
  use: "connect" | "bind",
  endpoint: string,
  ...permissions: string[]
): Promise<Record<string, string>> {
  const flags = ["run", "--no-check", "--no-prompt", ...permissions, PROGRAM, use, endpoint];
  return JSON.parse(await run(Deno.execPath(), flags));
}

describe("under Deno", () => {
  it("connecting without --allow-net tells the permission that is missing", async () => {
    const { type, address, code, message } = await reason("connect", NOBODY);
    assertEquals([type, address], ["connect:retry", NOBODY]);
    assertMatch(code, DENIED);
    assertStringIncludes(message, "--allow-net");
  });

  it("connecting with --allow-net of another address tells the same", async () => {
    assertMatch((await reason("connect", NOBODY, "--allow-net=10.0.0.1")).code, DENIED);
  });

  it("connecting with --allow-net tells the system's reason", async () => {
    assertEquals((await reason("connect", NOBODY, "--allow-net")).code, "ECONNREFUSED");
  });

  it("binding without --allow-net tells the permission that is missing", async () => {
    const endpoint = "tcp://127.0.0.1:*";
    const { type, address, code, message } = await reason("bind", endpoint);
    assertEquals([type, address], ["bind:error", endpoint]);
    assertMatch(code, DENIED);
    assertStringIncludes(message, "--allow-net");
  });

  it("connecting by ipc without permissions tells what is missing", async () => {
    const endpoint = "ipc://no-such-socket";
    const { type, address, code, message } = await reason("connect", endpoint);
    assertEquals([type, address], ["connect:retry", endpoint]);
    assertMatch(code, DENIED);
    assertStringIncludes(message, "--allow-");
  });
});
