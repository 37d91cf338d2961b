// What writeCertificate asks of a file system, and what is left when that fails half-way.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { newCertificate, readCertificate, writeCertificate } from "../../src/certificates/mod.ts";
import { files } from "../_util/files.ts";
import { assertSays, rejection } from "../_util/rejection.ts";
import { SocketFolder } from "../_util/socket_folder.ts";

interface Handle {
  writeFile(text: string): Promise<void>;
  sync(): Promise<void>;
}

interface Disk {
  link(from: string, to: string): Promise<void>;
  open(path: string, flags: string, mode: number): Promise<Handle>;
  rename(from: string, to: string): Promise<void>;
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:fs"): { promises: Disk } };
};
const disk = process.getBuiltinModule("node:fs").promises;
const { link, open, rename } = disk;

let folder: SocketFolder;
let path: string;

function failing(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(code), { code }));
}

/** Fails the call of that number, from 1; the others work. */
function failingAt<A extends unknown[]>(
  number: number,
  code: string,
  work: (...args: A) => Promise<void>,
): (...args: A) => Promise<void> {
  let calls = 0;
  return (...args) => ++calls === number ? failing(code)() : work(...args);
}

beforeEach(() => {
  folder = new SocketFolder();
  path = `${folder.path}/ada`;
});

afterEach(() => {
  Object.assign(disk, { link, open, rename });
  folder.remove();
});

describe("writeCertificate", () => {
  it("opens only new files of other names, the secret one for its owner alone", async () => {
    const opened: string[][] = [];
    disk.open = (path, flags, mode) => {
      opened.push([path, flags, mode.toString(8)]);
      return open.call(disk, path, flags, mode);
    };
    await writeCertificate(path, newCertificate());
    await writeCertificate(path, newCertificate(), { overwrite: true });
    assertEquals(opened.map(([, ...rest]) => rest.join(" ")), [
      "wx 644",
      "wx 600",
      "wx 644",
      "wx 600",
    ]);
    assertEquals(new Set(opened.map(([path]) => path)).size, 4);
    for (const [name] of opened) {
      assert(name.startsWith(`${folder.path}/.`), name);
      assertNotEquals(name, path);
    }
  });

  it("names a file only when all of it is on the disk", async () => {
    const done: string[] = [];
    disk.open = async (path, flags, mode) => {
      const handle = await open.call(disk, path, flags, mode);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        await sync();
        done.push("sync");
      };
      return handle;
    };
    disk.link = async (from, to) => {
      done.push("link");
      await link.call(disk, from, to);
    };
    await writeCertificate(path, newCertificate());
    assertEquals(done, ["sync", "sync", "link", "link"]);
  });

  for (const overwrite of [false, true]) {
    it(`leaves all as it was when the disk is full, overwrite ${overwrite}`, async () => {
      const before = newCertificate();
      if (overwrite) await writeCertificate(path, before);
      const names = folder.files;
      disk.open = async (path, flags, mode) => {
        const handle = await open.call(disk, path, flags, mode);
        if (mode === 0o600) handle.writeFile = failing("ENOSPC");
        return handle;
      };
      const error = await rejection(
        writeCertificate(path, newCertificate(), { overwrite }),
        "ENOSPC",
      );
      assertSays(error, `${path}_secret`, "disk is full");
      assertEquals(folder.files, names);
      if (overwrite) assertEquals(await readCertificate(path), before);
    });
  }

  it("takes the public file back when the secret one cannot be named", async () => {
    disk.link = failingAt(2, "EIO", link.bind(disk));
    disk.rename = failing("EIO");
    await rejection(writeCertificate(path, newCertificate()), "EIO");
    assertEquals(folder.files, []);
  });

  it("keeps the old secret file, whole, when it cannot be replaced", async () => {
    const before = newCertificate();
    await writeCertificate(path, before);
    disk.rename = failingAt(2, "EIO", rename.bind(disk));
    await rejection(writeCertificate(path, newCertificate(), { overwrite: true }), "EIO");
    assertEquals(folder.files, ["ada", "ada_secret"]);
    assertEquals(await readCertificate(path), before);
  });

  it("writes, and writes over nothing, where the file system has no links", async () => {
    disk.link = failing("EPERM");
    const before = newCertificate();
    await writeCertificate(path, before);
    assertEquals(await readCertificate(path), before);
    await rejection(writeCertificate(path, newCertificate()), "EEXIST");
    assertEquals(folder.files, ["ada", "ada_secret"]);
    assertEquals(await readCertificate(path), before);
    assertEquals(files.lstatSync(`${path}_secret`).mode & 0o777, 0o600);
  });

  it("says what the system does not permit", async () => {
    disk.open = failing("EACCES");
    const error = await rejection(writeCertificate(path, newCertificate()), "EACCES");
    assertSays(error, path, "does not permit it");
  });
});
