// The Jupyter kernel with Jupyter's own client, jupyter_client for Python, as Debian has it. Skipped where it is not installed.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { converse, findPython, keepsState, kernelCommand, TemporaryFolder } from "./jupyter_run.ts";

const { process } = globalThis as unknown as {
  process: { readonly env: Readonly<Record<string, string | undefined>> };
};
const python = findPython();
const title = python === undefined
  ? "the Jupyter kernel with jupyter_client (skipped: install python3-jupyter-client to run this)"
  : "the Jupyter kernel with jupyter_client";
const ROUND_TRIPS = process.env.WASMQ_JUPYTER_ROUND_TRIPS ?? "5";

interface Cell {
  // deno-lint-ignore no-explicit-any
  readonly reply: any;
  // deno-lint-ignore no-explicit-any
  readonly published: readonly [type: string, content: any][];
  readonly parents: readonly boolean[];
  readonly beating: boolean;
}

describe(title, { ignore: python === undefined }, () => {
  let folder: TemporaryFolder;
  // deno-lint-ignore no-explicit-any
  let told: any;

  /** What was published, without what comes with every cell. */
  const effects = (cell: Cell): readonly string[] =>
    cell.published.map(([type]) => type).filter((type) => !/^(status|execute_input)$/.test(type));
  const contents = (cell: Cell, type: string) => // deno-lint-ignore no-explicit-any
  (cell.published.filter(([name]) => name === type).map(([, content]) => content) as any[]);
  const result = (cell: Cell): unknown => contents(cell, "execute_result")[0]?.data["text/plain"];

  before(async () => {
    folder = new TemporaryFolder();
    const spec = {
      argv: kernelCommand,
      display_name: "wasmq",
      language: "typescript",
      interrupt_mode: "message",
      env: { DENO_NO_PACKAGE_JSON: "1" },
    };
    folder.write("wasmq/kernel.json", JSON.stringify(spec));
    told = await converse(
      python!,
      "jupyter_client.py",
      folder.path,
      "wasmq",
      ROUND_TRIPS,
      ...(keepsState ? ["keeps"] : []),
    );
    if (ROUND_TRIPS !== "5") console.log(`median round trip: ${told["median ms"].toFixed(2)} ms`);
  });

  after(() => folder.remove());

  it("introduces itself", () => {
    assertEquals(told.info.status, "ok");
    assertEquals(told.info.protocol_version, "5.3");
    assertEquals(told.info.language_info.name, "typescript");
    assertMatch(told.info.banner, /wasmq/);
  });

  it("runs cells: busy, input, result, idle, each with the cell as its parent", () => {
    const { reply, published, parents } = told.sum as Cell;
    assertEquals(reply.status, "ok");
    assertEquals(reply.execution_count, 1);
    assertEquals(published.map(([type]) => type), [
      "status",
      "execute_input",
      "execute_result",
      "status",
    ]);
    assertEquals(published[0][1].execution_state, "busy");
    assertEquals(published[1][1], { code: "1 + 1", execution_count: 1 });
    assertEquals(published[2][1].data, { "text/plain": "2" });
    assertEquals(published[3][1].execution_state, "idle");
    assertEquals(parents, [true]);
  });

  it("keeps what cells declare, in TypeScript as well, and lets them declare it again", () => {
    assertEquals(told.typescript.reply.status, "ok");
    assertEquals(effects(told.typescript), []);
    assertEquals(result(told.state), "21");
    assertEquals(result(told.again), "[ 'other', 1 ]");
  });

  it("publishes what is printed", () => {
    assertEquals(contents(told.streams, "stream"), [
      { name: "stdout", text: "out 5 { a: 1 }\n" },
      { name: "stderr", text: "err\n" },
    ]);
    assertEquals(result(told.streams), undefined);
  });

  it("tells errors with the cell's lines", () => {
    const { reply } = told.error as Cell;
    assertEquals([reply.status, reply.ename, reply.evalue], ["error", "RangeError", "too deep"]);
    const traceback = reply.traceback.join("\n");
    assertMatch(traceback, /In\[6\]:\d+:\d+/);
    assert(!traceback.includes("worker.ts"), traceback);
    if (keepsState || "Deno" in globalThis) {
      assertStringIncludes(traceback, "> 2 |   throw new RangeError('too deep')");
      assertMatch(traceback, /at deep \(In\[6\]:2:\d+\)/);
      assertMatch(told.syntax.reply.traceback.join("\n"), /In\[7\]:2:9/);
    }
    assertEquals(told.syntax.reply.ename, "SyntaxError");
    assertEquals(contents(told.error, "error")[0].ename, "RangeError");
  });

  it("awaits and imports at the top level", () => {
    assertEquals(result(told.await), "'late'");
    assertEquals(result(told.import), "'bfunction'");
  });

  it("shows rich output, and replaces and clears it", () => {
    const shown = contents(told.rich, "display_data").map(({ data }) => data);
    assertEquals(shown, [
      { "text/html": "<b>bold</b>" },
      { "image/svg+xml": "<svg/>" },
      { "text/markdown": "# one" },
      { "image/png": "iVA=" },
    ]);
    const [update] = contents(told.rich, "update_display_data");
    assertEquals(update.data, { "text/markdown": "# two" });
    const ids = contents(told.rich, "display_data").map(({ transient }) => transient.display_id);
    assertEquals(update.transient.display_id, ids[2]);
    assertEquals(contents(told.rich, "execute_result")[0].data, {
      "text/plain": "p",
      "application/json": { a: [1] },
    });
    assertEquals(contents(told.clear, "clear_output"), [{ wait: true }]);
  });

  it("asks its user, where there is one", () => {
    assertEquals(result(told.input), "'hello Ada'");
    assertEquals(told["no input"].reply.status, "error");
    assertMatch(told["no input"].reply.evalue, /does not answer questions/);
  });

  it("is silent when it has to be, and evaluates expressions", () => {
    assertEquals(told.silent.reply.status, "ok");
    assertEquals(told.silent.published.map(([type]: [string]) => type), ["status", "status"]);
    const { double, none } = told.expressions.reply.user_expressions;
    assertEquals([double.status, double.data], ["ok", { "text/plain": "12" }]);
    assertEquals([none.status, none.ename], ["error", "ReferenceError"]);
  });

  it("survives errors in the background", () => {
    assertEquals(result(told.background), "'on'");
    const [{ name, text }] = contents(told.background, "stream");
    assertEquals(name, "stderr");
    assertStringIncludes(text, "in the background");
  });

  it("completes and inspects", () => {
    const { matches, cursor_start, cursor_end } = told.complete;
    assertEquals([matches, cursor_start, cursor_end], [["floor"], 20, 23]);
    assertEquals(told["complete live"].matches, ["toUpperCase"]);
    assert(told.inspect.found);
    assertStringIncludes(told.inspect.data["text/plain"], "too deep");
    assertEquals(told["inspect nothing"].found, false);
  });

  it("says whether code is complete", () => {
    assertEquals(told.is_complete, [
      { status: "complete" },
      { status: "incomplete", indent: "  " },
      { status: "invalid" },
    ]);
  });

  it("remembers cells", () => {
    const [[session, line, last], [, next]] = told.tail.history;
    assertEquals([session, next - line], [1, 1]);
    assertEquals(last, "const e = 6");
    assertEquals(told.search.history, [[1, 1, ["1 + 1", "2"]]]);
    assertEquals(told.comms.comms, {});
  });

  it("does not run what waits behind an error", () => {
    assertEquals(told.aborted, ["error", "aborted", "aborted"]);
    assert(told["aborted order"]);
    assertEquals(result(told["not run"]), "'undefined'");
  });

  it("interrupts a cell that waits, and keeps all variables", () => {
    assertEquals(told["interrupt waiting"].reply.ename, "Interrupted");
    assertEquals(result(told["after waiting"]), "'kept'");
    assert(told["interrupt waiting"].beating);
  });

  it("interrupts a cell that computes", () => {
    assertEquals(told["interrupt busy"].reply.ename, "Interrupted");
    assert(told["interrupt busy"].beating);
    assertEquals(result(told["after busy"]), keepsState ? "'string'" : "'undefined'");
    if (!keepsState) {
      assertStringIncludes(told["interrupt busy"].reply.evalue, "variables are lost");
    }
  });

  it("interrupts loops that begin later as well, where that keeps all variables", () => {
    if (!keepsState) return;
    for (const { reply } of told["interrupt later"]) assertEquals(reply.ename, "Interrupted");
    assertEquals(result(told["after later"]), "'string'");
  });

  it("survives a cell that ends its thread", () => {
    assertEquals(told.exit.reply.ename, "ThreadEnded");
    assertEquals(result(told["after exit"]), "4");
  });

  it("restarts, and ends when it is told to", () => {
    assertEquals(result(told.restarted), "[ 'undefined', 3 ]");
    assertEquals(told.restarted.reply.execution_count, 1);
    assertEquals(told["alive after shutdown"], false);
  });
});
