// Certificates in files: which are written, with which permissions, and which are read.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import {
  type Certificate,
  CertificateError,
  newCertificate,
  readCertificate,
  writeCertificate,
} from "../../src/certificates/mod.ts";
import { files } from "../_util/files.ts";
import { assertSays, rejection } from "../_util/rejection.ts";
import { SocketFolder } from "../_util/socket_folder.ts";
import { CZMQ_PUBLIC, CZMQ_SECRET, PUBLIC_KEY, SECRET_KEY } from "./samples.ts";

const { process } = globalThis as unknown as { process: { umask(mask: number): number } };

let folder: SocketFolder;
let path: string;
let ada: Certificate;

/** The permissions of a file, in octal. */
function modeOf(path: string): string {
  return (files.lstatSync(path).mode & 0o777).toString(8);
}

function textOf(path: string): string {
  return files.readFileSync(path, "utf8");
}

/** The CertificateError that writing or reading ends with. */
async function trouble(work: Promise<unknown>, code: string): Promise<CertificateError> {
  const error = await rejection(work, code);
  assertInstanceOf(error, CertificateError);
  assert(error.path !== undefined);
  assertSays(error, error.path);
  return error;
}

beforeEach(() => {
  folder = new SocketFolder();
  path = `${folder.path}/ada`;
  ada = newCertificate({ name: "Ada" });
});

afterEach(() => folder.remove());

describe("writeCertificate", () => {
  it("writes a public file, and a secret one that only its owner can read", async () => {
    const mask = process.umask(0o022);
    try {
      await writeCertificate(path, ada);
    } finally {
      process.umask(mask);
    }
    assertEquals(folder.files, ["ada", "ada_secret"]);
    assertEquals([modeOf(path), modeOf(`${path}_secret`)], ["644", "600"]);
    assert(!textOf(path).includes(ada.secretKey!));
    assert(textOf(`${path}_secret`).includes(ada.secretKey!));
  });

  it("lets nobody else read the secret file where all files are open to all", async () => {
    const mask = process.umask(0);
    try {
      await writeCertificate(path, ada);
      await writeCertificate(path, newCertificate(), { overwrite: true });
    } finally {
      process.umask(mask);
    }
    assertEquals([modeOf(path), modeOf(`${path}_secret`)], ["644", "600"]);
  });

  it("writes the public file alone where there is no secret key", async () => {
    await writeCertificate(path, { ...ada, secretKey: null });
    assertEquals(folder.files, ["ada"]);
    assertEquals(await readCertificate(path), { ...ada, secretKey: null });
  });

  it("takes any name", async () => {
    for (const name of ["a b", "é😀", ".hidden", "a.key", "-"]) {
      await writeCertificate(`${folder.path}/${name}`, ada);
      assertEquals(await readCertificate(`${folder.path}/${name}`), ada);
    }
  });

  for (const there of ["ada", "ada_secret"]) {
    it(`refuses to write over ${there}, and changes nothing`, async () => {
      files.writeFileSync(`${folder.path}/${there}`, "before");
      const error = await trouble(writeCertificate(path, ada), "EEXIST");
      assertEquals(error.path, `${folder.path}/${there}`);
      assertEquals(folder.files, [there]);
      assertEquals(textOf(`${folder.path}/${there}`), "before");
    });
  }

  it("writes over both files when it is told to, and closes a secret one that was open to all", async () => {
    await writeCertificate(path, ada);
    files.chmodSync(`${path}_secret`, 0o666);
    const other = newCertificate({ name: "Bob" });
    await writeCertificate(path, other, { overwrite: true });
    assertEquals(folder.files, ["ada", "ada_secret"]);
    assertEquals(modeOf(`${path}_secret`), "600");
    assertEquals(await readCertificate(path), other);
    assert(textOf(path).includes(other.publicKey));
  });

  it("writes no public certificate beside a secret one, whatever it is told", async () => {
    await writeCertificate(path, ada);
    const before = textOf(path);
    for (const overwrite of [false, true]) {
      const error = await trouble(
        writeCertificate(path, { ...newCertificate(), secretKey: null }, { overwrite }),
        "EEXIST",
      );
      assertEquals(error.path, `${path}_secret`);
    }
    assertEquals(textOf(path), before);
    assertEquals(await readCertificate(path), ada);
  });

  it("leaves the secret file when the public one cannot be replaced", async () => {
    await writeCertificate(path, ada);
    files.unlinkSync(path);
    files.mkdirSync(path);
    const other = newCertificate();
    await trouble(writeCertificate(path, other, { overwrite: true }), "EISDIR");
    assertEquals(folder.files, ["ada", "ada_secret"]);
    assertEquals(await readCertificate(path), ada);
  });

  it("says which folder is not there", async () => {
    const error = await trouble(writeCertificate(`${path}/ada`, ada), "ENOENT");
    assertEquals(error.path, `${path}/ada`);
    assertSays(error, "no such file or folder");
    assertEquals(folder.files, []);
  });

  it("refuses a certificate that cannot be read again, and leaves no file", async () => {
    const { publicKey } = newCertificate();
    await rejection(writeCertificate(path, { ...ada, publicKey }), "EINVAL");
    await rejection(writeCertificate(path, { ...ada, metadata: { "a b": "" } }), "EINVAL");
    assertEquals(folder.files, []);
  });

  it("refuses what is no path, and a path with the ending that it adds itself", async () => {
    for (const value of [undefined, null, 1, "", new URL("file:///tmp/a")]) {
      const error = await rejection(writeCertificate(value as string, ada), "EINVAL");
      assertInstanceOf(error, TypeError);
    }
    const error = await rejection(writeCertificate(`${path}_secret`, ada), "EINVAL");
    assertInstanceOf(error, RangeError);
    assertEquals(folder.files, []);
  });
});

describe("readCertificate", () => {
  it("reads the secret file where there is one, and else the public one", async () => {
    files.writeFileSync(path, CZMQ_PUBLIC.replace("Pieter", "Peter"));
    const { name } = (await readCertificate(path)).metadata;
    assertEquals(name, "Peter Hintjens");
    files.writeFileSync(`${path}_secret`, CZMQ_SECRET);
    const { publicKey, secretKey, metadata } = await readCertificate(path);
    assertEquals([publicKey, secretKey], [PUBLIC_KEY, SECRET_KEY]);
    assertEquals(metadata.name, "Pieter Hintjens");
    files.unlinkSync(path);
    assertEquals((await readCertificate(path)).secretKey, SECRET_KEY);
  });

  it("says that there is neither", async () => {
    const error = await trouble(readCertificate(path), "ENOENT");
    assertEquals([error.path, error.line], [path, undefined]);
  });

  it("does not read the public file where the secret one is wrong", async () => {
    files.writeFileSync(path, CZMQ_PUBLIC);
    files.writeFileSync(`${path}_secret`, CZMQ_SECRET.replace("D:)Q", "D:)"));
    const error = await trouble(readCertificate(path), "EINVAL");
    assertEquals([error.path, error.line], [`${path}_secret`, 11]);
    assertSays(error, "line 11", "secret-key");
    assert(!error.message.includes(SECRET_KEY.slice(-9)));
  });

  it("refuses a folder, and a file that is too long or no text", async () => {
    files.mkdirSync(path);
    assertSays(await trouble(readCertificate(path), "EINVAL"), "no file");
    files.writeFileSync(`${path}2`, `${CZMQ_PUBLIC}${"#\n".repeat(32_768)}`);
    assertSays(await trouble(readCertificate(`${path}2`), "EFBIG"), "65536");
    files.writeFileSync(`${path}3`, new Uint8Array([0x23, 0xff, 0x0a]));
    assertSays(await trouble(readCertificate(`${path}3`), "EINVAL"), "UTF-8");
  });

  it("says that a runtime has no files", async () => {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, "process")!;
    Object.defineProperty(globalThis, "process", { value: undefined, configurable: true });
    let reading: Promise<unknown>;
    let writing: Promise<unknown>;
    try {
      reading = readCertificate(path);
      writing = writeCertificate(path, ada);
    } finally {
      Object.defineProperty(globalThis, "process", descriptor);
    }
    const errors = [await trouble(reading, "ENOTSUP"), await trouble(writing, "ENOTSUP")];
    for (const error of errors) assertSays(error, "Deno, Bun or Node");
    assertEquals(folder.files, []);
  });
});
