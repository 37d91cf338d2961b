// Titanic's files: whole or not at all.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { FileStore } from "../../../src/patterns/titanic/mod.ts";
import { crc32, decodeRecord, encodeRecord } from "../../../src/patterns/titanic/record.ts";
import { isUuid, makeUuid } from "../../../src/patterns/titanic/uuid.ts";
import { assertFrames, utf8 } from "../../_util/bytes.ts";
import { failure, rejection } from "../../_util/rejection.ts";
import { fs, makeFolder } from "./folder.ts";

const ADA = "a".repeat(32);
const BEN = "b".repeat(32);
const CLEO = "c".repeat(32);
const FRAMES = [utf8("echo"), utf8("hello"), new Uint8Array(0), new Uint8Array(1000).fill(7)];

describe("a record", () => {
  it("has the checksum that all the world uses", () => {
    assertEquals(crc32(utf8("123456789")), 0xcbf43926);
  });

  it("is read as it was written", () => {
    for (const frames of [FRAMES, [], [new Uint8Array(0)]]) {
      assertFrames(decodeRecord(encodeRecord(frames))!, frames);
    }
  });

  it("is refused when it was cut, prolonged or changed anywhere", () => {
    const record = encodeRecord(FRAMES.slice(0, 3));
    for (let size = 0; size < record.length; size++) {
      assertEquals(decodeRecord(record.subarray(0, size)), undefined, `${size} octets`);
    }
    const longer = new Uint8Array(record.length + 1);
    longer.set(record);
    assertEquals(decodeRecord(longer), undefined);
    for (let bit = 0; bit < 8 * record.length; bit++) {
      const changed = record.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      assertEquals(decodeRecord(changed), undefined, `bit ${bit}`);
    }
  });
});

describe("a UUID", () => {
  it("has 32 hexadecimal characters, each time others", () => {
    const all = Array.from({ length: 100 }, makeUuid);
    for (const uuid of all) assertMatch(uuid, /^[0-9a-f]{32}$/);
    assertEquals(new Set(all).size, 100);
    for (const wrong of ["", "a", `${ADA}a`, "A".repeat(32), `../${ADA.slice(3)}`, `${ADA}\n`]) {
      assert(!isUuid(wrong), wrong);
    }
  });
});

describe("a FileStore", () => {
  const folders: { remove(): void }[] = [];
  const makeStore = (): [FileStore, string] => {
    const folder = makeFolder();
    folders.push(folder);
    return [new FileStore(folder.path), folder.path];
  };
  afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));

  it("keeps requests and replies, for those that open it later, too", async () => {
    const [store, path] = makeStore();
    await rejection(Promise.resolve().then(() => store.request(ADA)), "EBADF");
    assertEquals(await store.open(), []);
    await store.putRequest(BEN, FRAMES);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await store.putRequest(ADA, [utf8("echo"), utf8("ada")]);
    await store.putReply(BEN, [utf8("reply")]);
    assertFrames((await store.request(BEN))!, FRAMES);
    assertFrames((await store.reply(BEN))!, ["reply"]);
    assertEquals(fs.readdirSync(path).sort(), [`${ADA}.request`, `${BEN}.reply`, `${BEN}.request`]);
    const again = new FileStore(`${path}/`);
    const found = await again.open();
    assertEquals(found.map(({ uuid }) => uuid), [BEN, ADA], "the oldest first");
    assert(found[0].answered! >= 0 && found[0].answered! < 60_000);
    assertEquals(found[1].answered, undefined);
    assertFrames((await again.request(ADA))!, ["echo", "ada"]);
    await again.remove(BEN);
    await again.remove(BEN);
    assertEquals(fs.readdirSync(path), [`${ADA}.request`]);
    assertEquals(fs.statSync(`${path}/${ADA}.request`).mode & 0o777, 0o600);
  });

  it("clears away what a crash left: halves, and replies without requests", async () => {
    const [store, path] = makeStore();
    await store.open();
    await store.putRequest(ADA, FRAMES);
    await store.putReply(ADA, FRAMES);
    fs.writeFileSync(`${path}/${BEN}.request.half`, encodeRecord(FRAMES));
    fs.writeFileSync(`${path}/${ADA}.reply.half`, "half");
    fs.writeFileSync(`${path}/${CLEO}.reply`, encodeRecord(FRAMES));
    fs.writeFileSync(`${path}/notes.txt`, "not ours");
    assertEquals((await new FileStore(path).open()).map(({ uuid }) => uuid), [ADA]);
    assertEquals(fs.readdirSync(path).sort(), [`${ADA}.reply`, `${ADA}.request`, "notes.txt"]);
  });

  it("gives out nothing that the disk has spoilt", async () => {
    const [store, path] = makeStore();
    await store.open();
    await store.putRequest(ADA, FRAMES);
    await store.putReply(ADA, FRAMES);
    for (const name of [`${ADA}.request`, `${ADA}.reply`]) {
      const octets = fs.readFileSync(`${path}/${name}`);
      octets[octets.length - 1] ^= 1;
      fs.writeFileSync(`${path}/${name}`, octets);
    }
    assertEquals(await store.reply(ADA), undefined);
    assertEquals(await store.request(ADA), undefined);
    assertEquals(fs.readdirSync(path), [`${ADA}.request.broken`]);
    assertEquals(await new FileStore(path).open(), []);
  });

  it("says what is wrong with its folder", async () => {
    const [, path] = makeStore();
    failure(() => new FileStore(""), "EINVAL");
    fs.writeFileSync(`${path}/file`, "");
    const outcome = await new FileStore(`${path}/file`).open().then(() => "", (e) => e.code);
    assertMatch(outcome, /^(EEXIST|ENOTDIR)$/);
    const store = new FileStore(`${path}/one/two`);
    assertEquals(await store.open(), []);
    fs.rmSync(`${path}/one`, { recursive: true });
    await rejection(store.putRequest(ADA, FRAMES), "ENOENT");
  });
});
