// Requests and replies as files. The one file of the patterns that reaches for the runtime.

import { type Frame, ZmqError } from "../../../mod.ts";
import { refuse } from "../base/checks.ts";
import { wallClock } from "../base/time.ts";
import { decodeRecord, encodeRecord } from "./record.ts";
import type { StoredRequest, TitanicStore } from "./store.ts";
import { isUuid } from "./uuid.ts";

interface FileHandle {
  writeFile(data: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

interface Files {
  mkdir(path: string, options: { recursive: true; mode: number }): Promise<unknown>;
  readdir(path: string): Promise<string[]>;
  stat(path: string): Promise<{ readonly mtimeMs: number }>;
  open(path: string, flags: string, mode?: number): Promise<FileHandle>;
  readFile(path: string): Promise<Uint8Array>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

const REQUEST = ".request";
const REPLY = ".reply";
/** A file that is being written. A crash leaves it behind; nobody was told of it. */
const HALF = ".half";
/** A request that cannot be read, kept for people. */
const BROKEN = ".broken";

/** Not there: which is fine for all that removes. */
const isMissing = (error: unknown): boolean => (error as { code?: unknown })?.code === "ENOENT";

function nodeFiles(): Files {
  const { process } = globalThis as {
    process?: { getBuiltinModule?(name: "node:fs/promises"): Files | undefined };
  };
  const files = process?.getBuiltinModule?.("node:fs/promises");
  if (files !== undefined) return files;
  throw new ZmqError("ENOTSUP", "FileStore needs a runtime with files; give Titanic another store");
}

/**
 * Keeps each request, and each reply, as a file of a folder: `<uuid>.request` and `<uuid>.reply`. A file is written under
 * another name, brought to the disk, renamed, and then the folder is brought to the disk: after a crash it is there as a
 * whole or not at all. Length and checksum are looked at whenever one is read.
 *
 * A folder belongs to one `Titanic` at a time.
 *
 * @example Keep a request
 * ```ts ignore
 * import { FileStore, Titanic } from "@wasmq/wasmq/patterns";
 *
 * const titanic = new Titanic({
 *   endpoint: "tcp://127.0.0.1:5555",
 *   store: new FileStore("/var/lib/titanic"),
 * });
 * ```
 */
export class FileStore implements TitanicStore {
  readonly #folder: string;
  #files: Files | undefined;
  #syncing: Promise<void> | undefined;
  #nextSync: Promise<void> | undefined;

  /** The folder is made when it is not there, for its owner alone. */
  constructor(folder: string) {
    if (typeof folder !== "string" || folder === "") {
      refuse("folder", folder, "the path of a folder");
    }
    this.#folder = folder.replace(/\/+$/, "") || "/";
  }

  /** Makes the folder, or clears away what a crash left in it; all requests that are there, oldest first. */
  async open(): Promise<StoredRequest[]> {
    const files = this.#files = nodeFiles();
    await files.mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const names = await files.readdir(this.#folder);
    const requests = new Set<string>();
    const replies = new Set<string>();
    const leftovers = names.filter((name) => name.endsWith(HALF));
    for (const name of names) {
      const uuid = name.slice(0, 32);
      if (isUuid(uuid) && name === uuid + REQUEST) requests.add(uuid);
      if (isUuid(uuid) && name === uuid + REPLY) replies.add(uuid);
    }
    // The request goes first when both are removed: the crash was in between.
    for (const uuid of replies) if (!requests.has(uuid)) leftovers.push(uuid + REPLY);
    for (const name of leftovers) await this.#unlink(name);
    if (leftovers.length > 0) await this.#syncFolder();
    const found: (StoredRequest & { readonly time: number })[] = [];
    for (const uuid of requests) {
      const time = await this.#timeOf(uuid + REQUEST);
      const answered = replies.has(uuid)
        ? Math.max(0, wallClock() - await this.#timeOf(uuid + REPLY))
        : undefined;
      found.push({ uuid, answered, time });
    }
    found.sort((a, b) => a.time - b.time);
    return found.map(({ uuid, answered }) => ({ uuid, answered }));
  }

  /** Keeps a new request. */
  putRequest(uuid: string, frames: readonly Uint8Array[]): Promise<void> {
    return this.#write(uuid + REQUEST, frames);
  }

  /** Keeps the reply to a request. */
  putReply(uuid: string, frames: readonly Uint8Array[]): Promise<void> {
    return this.#write(uuid + REPLY, frames);
  }

  /** The frames of a request; one that is not whole is set aside as `<uuid>.request.broken`. */
  async request(uuid: string): Promise<Frame[] | undefined> {
    const frames = await this.#read(uuid + REQUEST);
    if (frames !== undefined) return frames;
    await this.#rename(uuid + REQUEST, uuid + REQUEST + BROKEN);
    return undefined;
  }

  /** The frames of a reply; one that is not whole is removed. */
  async reply(uuid: string): Promise<Frame[] | undefined> {
    const frames = await this.#read(uuid + REPLY);
    if (frames === undefined) await this.#unlink(uuid + REPLY);
    return frames;
  }

  /** Removes a request and its reply. */
  async remove(uuid: string): Promise<void> {
    await this.#unlink(uuid + REQUEST);
    // On the disk before the reply goes: a request whose reply is missing would be done again.
    await this.#syncFolder();
    if (await this.#unlink(uuid + REPLY)) await this.#syncFolder();
  }

  /** Does nothing: no file stays open. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  get #fs(): Files {
    if (this.#files === undefined) throw new ZmqError("EBADF", "The FileStore is not open");
    return this.#files;
  }

  #path(name: string): string {
    return `${this.#folder}/${name}`;
  }

  async #write(name: string, frames: readonly Uint8Array[]): Promise<void> {
    const half = this.#path(name + HALF);
    try {
      const file = await this.#fs.open(half, "w", 0o600);
      try {
        await file.writeFile(encodeRecord(frames));
        await file.sync();
      } finally {
        await file.close();
      }
      await this.#fs.rename(half, this.#path(name));
    } catch (error) {
      // A full disk: what was begun only takes room.
      await this.#unlink(name + HALF).catch(() => {});
      throw error;
    }
    await this.#syncFolder();
  }

  async #read(name: string): Promise<Frame[] | undefined> {
    try {
      return decodeRecord(await this.#fs.readFile(this.#path(name)));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #rename(from: string, to: string): Promise<void> {
    await this.#fs.rename(this.#path(from), this.#path(to)).catch((error) => {
      if (!isMissing(error)) throw error;
    });
  }

  async #unlink(name: string): Promise<boolean> {
    try {
      await this.#fs.unlink(this.#path(name));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async #timeOf(name: string): Promise<number> {
    return (await this.#fs.stat(this.#path(name))).mtimeMs;
  }

  /** Brings names to the disk. One that began before the call may not have seen them; all that wait share the next. */
  #syncFolder(): Promise<void> {
    if (this.#syncing === undefined) return this.#syncNow();
    return this.#nextSync ??= this.#syncing.catch(() => {}).then(() => {
      this.#nextSync = undefined;
      return this.#syncNow();
    });
  }

  #syncNow(): Promise<void> {
    const done = this.#sync().finally(() => {
      if (this.#syncing === done) this.#syncing = undefined;
    });
    this.#syncing = done;
    return done;
  }

  async #sync(): Promise<void> {
    let folder: FileHandle;
    try {
      folder = await this.#fs.open(this.#folder, "r");
    } catch (error) {
      // Windows opens no folders; it keeps names by itself.
      if (["EISDIR", "EPERM", "EACCES"].includes((error as { code: string }).code)) return;
      throw error;
    }
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}
