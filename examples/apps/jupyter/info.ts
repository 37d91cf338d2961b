// What the kernel says about itself.

import { version } from "../../../mod.ts";
import { type Json, PROTOCOL_VERSION } from "./messages.ts";

/** The runtime and its version. */
export function runtimeName(): { readonly name: string; readonly version: string } {
  // deno-lint-ignore no-process-global
  const { versions } = process as { versions: Readonly<Record<string, string | undefined>> };
  if (versions.deno) return { name: "Deno", version: versions.deno };
  if (versions.bun) return { name: "Bun", version: versions.bun };
  return { name: "Node.js", version: versions.node ?? "" };
}

/** The content of a `kernel_info_reply`. */
export function kernelInfo(): Json {
  const runtime = runtimeName();
  return {
    status: "ok",
    protocol_version: PROTOCOL_VERSION,
    implementation: "wasmq",
    implementation_version: version,
    language_info: {
      name: "typescript",
      version: runtime.version,
      mimetype: "text/x.typescript",
      file_extension: ".ts",
      pygments_lexer: "typescript",
      codemirror_mode: "typescript",
      nbconvert_exporter: "script",
    },
    banner: `TypeScript and JavaScript on ${runtime.name} ${runtime.version}, by wasmq`,
    debugger: false,
    help_links: [
      { text: "TypeScript", url: "https://www.typescriptlang.org/docs/" },
      { text: "JavaScript", url: "https://developer.mozilla.org/docs/Web/JavaScript" },
    ],
  };
}
