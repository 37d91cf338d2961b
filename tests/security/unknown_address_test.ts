// A peer of tcp that reset its connection before it was accepted: some systems do not tell its address any more, and still
// give what it had said. Nobody may be let in who cannot be asked about; and no address is what "ipc" stands for.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseEndpoint, type TcpEndpoint } from "../../src/endpoint.ts";
import { codeOf } from "../../src/errors.ts";
import { Acceptor } from "../../src/link/acceptor.ts";
import type { Security } from "../../src/link/host.ts";
import type { OptionValues } from "../../src/options.ts";
import { NullMechanism } from "../../src/security/null.ts";
import { Door } from "../../src/security/zap.ts";
import { utf8 } from "../_util/bytes.ts";
import { FakeHost } from "../_util/fake_host.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { concat } from "../_util/octets.ts";
import { greeting, message, ready } from "../_util/raw_zmtp.ts";
import { ScriptedRuntime } from "../_util/scripted_runtime.ts";

const SAID = concat(greeting(), ready("PUSH"), message("before it was reset"));

/** A PULL with a domain whose handler lets everybody in, and notes the addresses that it is asked about. */
class AskingHost extends FakeHost {
  readonly asked: string[] = [];

  override secure(): Security {
    return (host) => {
      const door = new Door({ domain: "test", enforced: true }, host, (request) => {
        this.asked.push(host);
        const frames = ["", "1.0", "", "200", "", "", ""].map(utf8).with(2, request[2]);
        return { reply: Promise.resolve(frames), cancel() {} };
      });
      return new NullMechanism([["Socket-Type", utf8("PULL")]], door);
    };
  }
}

async function listening(
  options: Partial<OptionValues> = {},
): Promise<[AskingHost, ScriptedRuntime]> {
  const runtime = new ScriptedRuntime();
  const host = new AskingHost("PULL", options, runtime);
  const acceptor = new Acceptor(host, () => {});
  await acceptor.listen(parseEndpoint("tcp://127.0.0.1:*", "bind") as TcpEndpoint);
  return [host, runtime];
}

describe("a peer of tcp without an address", () => {
  it("is let go before anybody is asked about it, and the event says why", async () => {
    const [host, runtime] = await listening();
    const events: [string, string][] = [];
    host.monitor.watch((event) => {
      events.push([event.type, "error" in event ? codeOf(event.error) : ""]);
    });
    const stream = runtime.listeners[0].accept({ remote: { host: "", port: 0 } });
    assertEquals([stream.sink, stream.calls], [undefined, ["abort"]]);
    for (let i = 0; i < 5; i++) await microtasks();
    assertEquals([host.asked, host.attached.size], [[], 0]);
    assertEquals(events, [["accept:error", "ENOTCONN"]]);
  });

  it("does not keep those out that have one", async () => {
    const [host, runtime] = await listening();
    runtime.listeners[0].accept({ remote: { host: "", port: 0 } });
    const stream = runtime.listeners[0].accept({ remote: { host: "10.1.2.3", port: 5 } });
    stream.deliver(SAID);
    for (let i = 0; i < 5; i++) await microtasks();
    assertEquals([host.asked, host.attached.size], [["10.1.2.3"], 1]);
  });
});
