// The program that makes key pairs, as a process on the runtime of the test.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { readCertificate, readCertificates } from "../../src/certificates/mod.ts";
import { files } from "../_util/files.ts";
import { commandFor, Program } from "../_util/process.ts";
import { SocketFolder } from "../_util/socket_folder.ts";

let folder: SocketFolder;
let path: string;

function keygen(...args: string[]): Program {
  return new Program(commandFor("../../src/certificates/keygen.ts", args));
}

/** What the program says when it ends with that status. */
async function complaint(status: number, ...args: string[]): Promise<string> {
  const program = keygen(...args);
  await assertRejects(() => program.succeeds(), Error, `ended with ${status}`);
  assertEquals(program.output, "");
  return program.errors;
}

beforeEach(() => {
  folder = new SocketFolder();
  path = `${folder.path}/my_server`;
});

afterEach(() => folder.remove());

describe("keygen", () => {
  it("writes both files, and prints the public key and where they are", async () => {
    const program = keygen(path, "--meta", "name=My server", "--meta=note=a=b", "--meta", "x=");
    const output = await program.succeeds();
    const { publicKey, secretKey, metadata } = await readCertificate(path);
    assertEquals(output.split("\n"), [
      `public key   ${publicKey}`,
      `public file  ${path}`,
      `secret file  ${path}_secret`,
      "",
    ]);
    assertEquals(program.errors, "");
    assertEquals(metadata, { name: "My server", note: "a=b", x: "" });
    assertEquals(folder.files, ["my_server", "my_server_secret"]);
    assertEquals(files.lstatSync(`${path}_secret`).mode & 0o777, 0o600);
    const [certificate] = await readCertificates(folder.path);
    assertEquals(certificate.publicKey, publicKey);
    assert(secretKey !== null && !output.includes(secretKey));
  });

  it("does not write over a certificate, unless it is told to", async () => {
    await keygen(path).succeeds();
    const before = await readCertificate(path);
    const said = await complaint(1, path);
    assertMatch(said, /^keygen: Cannot write .*my_server: it is there already; --force .*\n$/);
    assertEquals(await readCertificate(path), before);
    await keygen("--force", path).succeeds();
    const { secretKey } = await readCertificate(path);
    assert(secretKey !== before.secretKey);
    assertEquals(folder.files, ["my_server", "my_server_secret"]);
  });

  it("prints how it is used", async () => {
    for (const flag of ["--help", "-h"]) {
      const output = await keygen(flag).succeeds();
      assertMatch(output, /^Usage: keygen NAME .*--meta.*--force/s);
    }
  });

  it("says what is wrong with its arguments, and how it is used", async () => {
    const wrong: [RegExp, ...string[]][] = [
      [/one certificate, not 0/],
      [/one certificate, not 2/, path, path],
      [/no option --forse/, path, "--forse"],
      [/NAME=VALUE/, path, "--meta"],
      [/NAME=VALUE/, path, "--meta", "name"],
      [/NAME=VALUE/, path, "--meta", "=x"],
      [/one --meta name, not two/, path, "--meta", "name=a", "--meta=name=b"],
    ];
    const said = await Promise.all(wrong.map(([, ...args]) => complaint(2, ...args)));
    for (const [index, [words]] of wrong.entries()) {
      assertMatch(said[index], words);
      assertMatch(said[index], /Usage: keygen NAME/);
    }
    assertEquals(folder.files, []);
  });

  it("says what cannot be written", async () => {
    assertMatch(
      await complaint(1, `${path}/x`),
      /^keygen: Cannot write .*\/my_server\/x: there is no such file or folder\n$/,
    );
    assertMatch(await complaint(1, path, "--meta", "my name=x"), /metadata .*"my name"/);
    assertMatch(await complaint(1, `${path}_secret`), /without _secret/);
    assertEquals(folder.files, []);
  });

  it("does nothing when it is imported", async () => {
    const program = `${folder.path}/program.mjs`;
    const module = new URL("../../src/certificates/keygen.ts", import.meta.url).href;
    files.writeFileSync(program, `await import("${module}"); process.stdout.write("done");`);
    const [command, ...args] = commandFor("x");
    const running = new Program([command, ...args.slice(0, -1), program, "name"]);
    assertEquals(await running.succeeds(), "done");
    assertEquals(folder.files, ["program.mjs"]);
  });
});
