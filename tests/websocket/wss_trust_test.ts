// wssTrustSystem: the authorities of the system, and those that the user gave to the runtime, count beside wssTrustPem.

import { assertStringIncludes } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull } from "../../mod.ts";
import { AUTHORITY, SERVER } from "../_util/certificates.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { start } from "../_util/process.ts";

const { process } = globalThis as unknown as {
  process: {
    readonly env: Record<string, string | undefined>;
    getBuiltinModule(name: "node:fs"): {
      mkdtempSync(prefix: string): string;
      writeFileSync(path: string, text: string): void;
      rmSync(path: string, options: { recursive: true }): void;
    };
    getBuiltinModule(name: "node:os"): { tmpdir(): string };
  };
};
const cleanup = new Cleanup();
const fs = process.getBuiltinModule("node:fs");

/** What a program says that runs where the runtime has been given the server's authority. */
async function says(endpoint: string, system: boolean): Promise<string> {
  const folder = fs.mkdtempSync(`${process.getBuiltinModule("node:os").tmpdir()}/wasmq-`);
  const before = process.env.NODE_EXTRA_CA_CERTS;
  try {
    fs.writeFileSync(`${folder}/authority.pem`, AUTHORITY);
    process.env.NODE_EXTRA_CA_CERTS = `${folder}/authority.pem`;
    const program = cleanup.add(start("wss_trust_program.ts", endpoint, String(system)));
    return await program.succeeds();
  } finally {
    if (before === undefined) delete process.env.NODE_EXTRA_CA_CERTS;
    else process.env.NODE_EXTRA_CA_CERTS = before;
    fs.rmSync(folder, { recursive: true });
  }
}

describe("wssTrustSystem", () => {
  afterEach(() => cleanup.run());

  for (const [system, outcome] of [[true, "ZWS2.0"], [false, "ERR_TLS_CERTIFICATE"]] as const) {
    it(`${system}: who trusts another authority, and the runtime's, gets ${outcome}`, async () => {
      const pull = cleanup.add(
        new Pull({ wssKeyPem: SERVER.key, wssCertPem: SERVER.certificate }),
      );
      await pull.bind("wss://127.0.0.1:*");
      assertStringIncludes(await says(pull.lastEndpoint!, system), outcome);
    });
  }
});
