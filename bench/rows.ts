// The implementations that are measured, in the order of the tables' columns.
// To add one: write its peer (README.md says what a peer does) and add an entry to `findRows`.

import {
  buildPeer,
  findBun,
  findDeno,
  findNode,
  findPackage,
  findWasmq,
  type Found,
  repositoryPath,
} from "./toolchain.ts";

/** What a row is compared as. */
export type RowKind = "libzmq" | "wasmq" | "zeromq.js" | "jszmq" | "bare" | "libsodium" | "noble";

/** What has no sockets: it is compared with the core's cryptography alone. */
export const PRIMITIVES: readonly RowKind[] = ["libsodium", "noble"];
/** What has no tcp: it is compared over WebSocket alone. */
export const WEB_ONLY: readonly RowKind[] = ["jszmq"];

/** One implementation on one runtime. */
export interface Row {
  /** The name for `--impl` and in results.json. */
  readonly id: string;
  /** The name in the tables. */
  readonly title: string;
  readonly kind: RowKind;
  /** The runtime it runs on; the row of kind "bare" with the same runtime is its limit. */
  readonly runtime: "C" | "Deno" | "Bun" | "Node";
  /** Program and first arguments; mode and its arguments follow. */
  readonly command: readonly string[];
}

/** A row that cannot be measured here. */
export interface MissingRow {
  readonly id: string;
  readonly why: string;
}

/** The rows that can be measured on this machine, and why the others cannot. */
export interface Rows {
  readonly rows: Row[];
  readonly missing: MissingRow[];
}

/** Looks for every row's tools. */
export async function findRows(): Promise<Rows> {
  const libzmq = await buildPeer("libzmq");
  const libsodium = await buildPeer("libsodium");
  const deno = findDeno();
  const bun = await findBun();
  const node = await findNode();
  const wasmq = findWasmq();
  const zeromqJs = findPackage("zeromq");
  const jszmq = findPackage("jszmq");
  const noble = findPackage("@noble/ciphers");
  const found: Rows = { rows: [], missing: [] };

  function add(
    row: Omit<Row, "command">,
    program: Found,
    args: string[],
    ...needed: Found[]
  ): void {
    const lacking = [program, ...needed].find((tool) => "missing" in tool);
    if ("path" in program && !lacking) {
      found.rows.push({ ...row, command: [program.path, ...args] });
    } else if (lacking && "missing" in lacking) {
      found.missing.push({ id: row.id, why: lacking.missing });
    }
  }

  const onDeno = (
    file: string,
  ) => ["run", "--quiet", "--allow-net", "--allow-read", "--allow-write", peer(file)];
  const onBun = (file: string) => ["run", peer(file)];
  const onNode = (file: string) => [peer(file)];

  add({ id: "libzmq", title: "libzmq (C)", kind: "libzmq", runtime: "C" }, libzmq, []);
  add(
    { id: "libsodium", title: "libsodium (C)", kind: "libsodium", runtime: "C" },
    libsodium,
    [],
  );
  const runtimes = [["Deno", deno, onDeno], ["Bun", bun, onBun], ["Node", node, onNode]] as const;
  for (const [runtime, tool, args] of runtimes) {
    const id = runtime.toLowerCase();
    add(
      { id: `wasmq-${id}`, title: `wasmq on ${runtime}`, kind: "wasmq", runtime },
      tool,
      args("wasmq.ts"),
      wasmq,
    );
    add(
      { id: `bare-${id}`, title: `bare ${runtime}`, kind: "bare", runtime },
      tool,
      args(`bare_${id}.ts`),
    );
  }
  add(
    { id: "zeromq.js", title: "zeromq.js on Node", kind: "zeromq.js", runtime: "Node" },
    node,
    onNode("zeromq_js.mjs"),
    zeromqJs,
  );
  add(
    { id: "jszmq", title: "jszmq on Node", kind: "jszmq", runtime: "Node" },
    node,
    onNode("jszmq.mjs"),
    jszmq,
  );
  for (const [runtime, tool, args] of runtimes) {
    add(
      {
        id: `noble-${runtime.toLowerCase()}`,
        title: `noble on ${runtime}`,
        kind: "noble",
        runtime,
      },
      tool,
      args("noble.ts"),
      noble,
    );
  }
  return found;
}

function peer(file: string): string {
  return repositoryPath(`bench/peers/${file}`);
}
