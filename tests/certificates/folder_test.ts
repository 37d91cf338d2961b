// The certificates of a folder, as CZMQ's zcertstore reads them.

import { assertEquals, assertInstanceOf } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import {
  type Certificate,
  CertificateError,
  newCertificate,
  readCertificates,
  writeCertificate,
} from "../../src/certificates/mod.ts";
import { files } from "../_util/files.ts";
import { assertSays, rejection } from "../_util/rejection.ts";
import { SocketFolder } from "../_util/socket_folder.ts";
import { CZMQ_PUBLIC, CZMQ_SECRET, PUBLIC_KEY } from "./samples.ts";

const { process } = globalThis as unknown as {
  process: {
    getBuiltinModule(name: "node:fs"): { symlinkSync(target: string, path: string): void };
  };
};
const { symlinkSync } = process.getBuiltinModule("node:fs");

let folder: SocketFolder;

/** Writes a new certificate to the folder. */
async function add(name: string): Promise<Certificate> {
  const certificate = newCertificate({ name });
  await writeCertificate(`${folder.path}/${name}`, certificate);
  return certificate;
}

async function namesIn(path: string): Promise<string[]> {
  return (await readCertificates(path)).map(({ metadata }) => metadata.name);
}

beforeEach(() => {
  folder = new SocketFolder();
});

afterEach(() => folder.remove());

describe("readCertificates", () => {
  it("gives nothing for an empty folder", async () => {
    assertEquals(await readCertificates(folder.path), []);
  });

  it("gives the public certificates by the names of their files, without secret keys", async () => {
    const certificates = [await add("b"), await add("a"), await add("B")];
    assertEquals(
      await readCertificates(folder.path),
      [2, 1, 0].map((index) => ({ ...certificates[index], secretKey: null })),
    );
  });

  it("gives those of subfolders as well", async () => {
    for (const name of ["a", "a/b", "d"]) files.mkdirSync(`${folder.path}/${name}`);
    for (const name of ["a/b/c", "a/z", "c", "d/e"]) await add(name);
    assertEquals(await namesIn(folder.path), ["a/b/c", "a/z", "c", "d/e"]);
    assertEquals(await namesIn(`${folder.path}/a/`), ["a/b/c", "a/z"]);
  });

  it("passes over what is hidden, and secret files that are alone", async () => {
    await add(".a");
    files.mkdirSync(`${folder.path}/.b`);
    await add(".b/c");
    await add("d");
    files.unlinkSync(`${folder.path}/d`);
    assertEquals(folder.files, [".a", ".a_secret", ".b", "d_secret"]);
    assertEquals(await readCertificates(folder.path), []);
  });

  it("gives what a public file says, whatever is in the secret one", async () => {
    files.writeFileSync(`${folder.path}/a`, CZMQ_PUBLIC);
    files.writeFileSync(`${folder.path}/a_secret`, "nonsense");
    const [{ publicKey, metadata }] = await readCertificates(folder.path);
    assertEquals([publicKey, metadata.name], [PUBLIC_KEY, "Pieter Hintjens"]);
  });

  it("gives no secret key of a file that has one under a public name", async () => {
    files.writeFileSync(`${folder.path}/a`, CZMQ_SECRET);
    const [{ publicKey, secretKey }] = await readCertificates(folder.path);
    assertEquals([publicKey, secretKey], [PUBLIC_KEY, null]);
  });

  it("reads what a link leads to", async () => {
    files.mkdirSync(`${folder.path}/.data`);
    await add(".data/a");
    symlinkSync(".data/a", `${folder.path}/b`);
    assertEquals(await namesIn(folder.path), [".data/a"]);
  });

  it("ends with the first file that is no certificate, and names it", async () => {
    await add("a");
    files.writeFileSync(`${folder.path}/b`, "This is\nthe list of our clients.\n");
    const error = await rejection(readCertificates(folder.path), "EINVAL");
    assertInstanceOf(error, CertificateError);
    assertEquals([error.path, error.line], [`${folder.path}/b`, 1]);
  });

  it("tells of files that are no certificates, and reads the others", async () => {
    files.mkdirSync(`${folder.path}/c`);
    for (const name of ["a", "c/d", "e"]) await add(name);
    files.writeFileSync(`${folder.path}/b`, "no certificate");
    files.writeFileSync(`${folder.path}/c/a`, "");
    symlinkSync("nowhere", `${folder.path}/z`);
    symlinkSync(".", `${folder.path}/y`);
    const told: string[] = [];
    const onInvalid = ({ path, code }: CertificateError) => told.push(`${path} ${code}`);
    const certificates = await readCertificates(folder.path, { onInvalid });
    assertEquals(certificates.map(({ metadata }) => metadata.name), ["a", "c/d", "e"]);
    assertEquals(told, [
      `${folder.path}/b EINVAL`,
      `${folder.path}/c/a EINVAL`,
      `${folder.path}/y EINVAL`,
      `${folder.path}/z ENOENT`,
    ]);
  });

  it("says that there is no such folder, or that it is a file", async () => {
    await add("a");
    const told: unknown[] = [];
    for (const [name, code] of [["b", "ENOENT"], ["a", "ENOTDIR"]]) {
      const path = `${folder.path}/${name}`;
      const error = await rejection(
        readCertificates(path, { onInvalid: (error) => told.push(error) }),
        code,
      );
      assertInstanceOf(error, CertificateError);
      assertSays(error, `Cannot read ${path}`);
    }
    assertEquals(told, []);
    assertInstanceOf(await rejection(readCertificates(""), "EINVAL"), TypeError);
  });
});
