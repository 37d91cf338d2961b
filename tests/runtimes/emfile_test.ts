// Too many open files: what needs a new one fails or waits, what stands goes on, and all is well afterwards.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull, Push, Request } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { commandFor, Program, runtimeName } from "../_util/process.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const LIMIT = 100;
const WAIT_MS = 10_000;
const cleanup = new Cleanup();

/** Runs a command under a limit of open files. */
function limited(command: readonly string[]): Program {
  const script = `ulimit -n ${LIMIT} && exec "$@"`;
  return cleanup.add(new Program(["/bin/sh", "-c", script, "sh", ...command]));
}

/** Deno 2.9 panics as soon as there is no descriptor left for it to open /proc/self/maps. */
const ignore = runtimeName === "Deno";

describe("a process with too many open files", () => {
  afterEach(() => cleanup.run());

  it("goes on with what it has, and is well again when some are closed", { ignore }, async () => {
    const pull = cleanup.add(new Pull({ receiveTimeout: WAIT_MS }));
    await pull.bind(ANY_PORT);
    const program = limited(commandFor("emfile.ts", [pull.lastEndpoint!]));
    const endpointOf = async (name: string): Promise<string> => {
      await program.prints(`${name} tcp://`);
      return new RegExp(`${name} (\\S+)`).exec(program.output)![1];
    };

    const request = cleanup.add(new Request({ receiveTimeout: WAIT_MS }));
    request.connect(await endpointOf("reply"));
    await request.send("before");
    const endpoint = await endpointOf("pull");
    assertEquals(String(await request.receive()), "served all the same");

    const push = cleanup.add(new Push({ reconnectInterval: 20 }));
    push.connect(endpoint);
    await push.send("came late");
    assertEquals(String(await pull.receive()), "through");
    const lines = (await program.succeeds(WAIT_MS)).trim().split("\n");
    assertEquals(lines.filter((line) => !/^(reply|pull) /.test(line)), [
      "request before",
      "bind EMFILE tcp://127.0.0.1:*",
      "bind EMFILE tcp://127.0.0.1:*",
      "recovered",
      "received came late",
      "bind worked",
    ]);
  });
});
