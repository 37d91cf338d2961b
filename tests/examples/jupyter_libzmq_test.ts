// The Jupyter kernel with a client on libzmq, which is there wherever the tests run.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { converse, findNode, kernelCommand, TemporaryFolder } from "./jupyter_run.ts";

describe("the Jupyter kernel with a client on libzmq", () => {
  let folder: TemporaryFolder;
  // deno-lint-ignore no-explicit-any
  let told: any;

  before(async () => {
    folder = new TemporaryFolder();
    told = await converse(findNode(), "jupyter_libzmq.mjs", folder.path, ...kernelCommand);
  });

  after(() => folder.remove());

  // deno-lint-ignore no-explicit-any
  const types = ({ effects }: any): readonly string[] =>
    effects.map(([type, content]: [string, { execution_state?: string }]) =>
      content.execution_state ?? type
    );

  it("tells of its start when somebody listens, and of itself", () => {
    assertEquals(told.starting, {});
    assertEquals([told.info.type, told.info.content.protocol_version], [
      "kernel_info_reply",
      "5.3",
    ]);
    assert(told.info.right && told.info.signed, "signatures");
    assertEquals(told["control info"], "ok");
    assertEquals(told.heartbeat, "beat");
    assert(told.topics);
  });

  it("runs cells", () => {
    assertEquals(types(told.result), ["busy", "execute_input", "stream", "execute_result", "idle"]);
    const [, [, input], [, stream], [, result]] = told.result.effects;
    assertEquals(input.execution_count, 1);
    assertEquals(stream, { name: "stdout", text: "printed\n" });
    assertEquals(result.data, { "text/plain": "42" });
    assert(told.result.right && told.result.signed, "signatures");
    assertEquals(told.state.effects[2][1].data, { "text/plain": "40" });
    assertEquals(types(told.error), ["busy", "execute_input", "error", "idle"]);
    const { status, ename, evalue, execution_count } = told.error.content;
    assertEquals([status, ename, evalue, execution_count], ["error", "TypeError", "wrong", 3]);
    assertEquals(told.complete.matches, ["sqrt"]);
  });

  it("asks over stdin", () => {
    assertEquals(told.question, ["input_request", { prompt: "who? ", password: false }, true]);
    assertEquals(told.input.effects[2][1].data, { "text/plain": "'Ada'" });
  });

  it("drops junk, wrong signatures and repeated messages, and says so on stderr", () => {
    assertEquals(told["after junk"].effects[2][1].data, { "text/plain": "'undefined'" });
    assertEquals(told.times.effects[2][1].data, { "text/plain": "1" });
    for (const channel of ["shell", "control", "stdin"]) {
      assertMatch(told.errors, new RegExp(`${channel}: message dropped`));
    }
    assertMatch(told.errors, /no <IDS\|MSG>/);
    assertMatch(told.errors, /the signature is wrong/);
    assertMatch(told.errors, /the message came before/);
  });

  it("bears what it does not know", () => {
    assertEquals(told.unknown, ["busy", "idle"]);
    assertEquals([told.odd.status, told.odd.ename], ["error", "TypeError"]);
    assertMatch(told.odd.evalue, /code has to be text, not 5/);
  });

  it("interrupts by control, and does not run what waits behind an error", () => {
    assertEquals(told.interrupt, { status: "ok" });
    assertEquals(told.interrupted.ename, "Interrupted");
    assertEquals(told.aborted, [
      ["execute_reply", "error"],
      ["execute_reply", "aborted"],
      ["kernel_info_reply", "ok"],
    ]);
    assertEquals(told["not run"].effects[2][1].data, { "text/plain": "'undefined'" });
  });

  it("ends when it is told to", () => {
    assertEquals(told.shutdown.content, { status: "ok", restart: false });
    assertEquals(types(told.shutdown), ["busy", "idle"]);
    assertEquals(told.exit, 0);
  });
});
