// Files, by node:fs, which Deno, Bun and Node all have.

import { codeOf, textOf, ZmqError } from "../errors.ts";
import { builtin } from "./builtin.ts";

interface FileHandle {
  writeFile(text: string): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

interface Stats {
  readonly size: number;
  isFile(): boolean;
  isDirectory(): boolean;
}

interface DirectoryEntry {
  readonly name: string;
  isDirectory(): boolean;
}

/** What is used of node:fs/promises. */
export interface FilePromises {
  link(from: string, to: string): Promise<void>;
  lstat(path: string): Promise<Stats>;
  open(path: string, flags: string, mode: number): Promise<FileHandle>;
  readFile(path: string): Promise<Uint8Array>;
  readdir(path: string, options: { withFileTypes: true }): Promise<DirectoryEntry[]>;
  rename(from: string, to: string): Promise<void>;
  stat(path: string): Promise<Stats>;
  unlink(path: string): Promise<void>;
}

/** An entry of a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly path: string;
  /** True for a folder, not for a link to one. */
  readonly isFolder: boolean;
}

/** Why a file could not be used, in words and as a code. */
export interface FileTrouble {
  readonly code: string;
  readonly reason: string;
}

function promises(): FilePromises {
  const { process } = globalThis as { process?: { getBuiltinModule?: unknown } };
  if (process?.getBuiltinModule === undefined) {
    throw new ZmqError("ENOTSUP", "this runtime has no files: expected Deno, Bun or Node");
  }
  return builtin("node:fs").promises;
}

/**
 * The octets of a file.
 *
 * @throws {ZmqError} `EINVAL` when it is no regular file: a pipe would make the reader wait; `EFBIG` when it is longer than
 * `limit`. Otherwise the error of the system.
 */
export async function readFile(path: string, limit: number): Promise<Uint8Array> {
  const files = promises();
  const stats = await files.stat(path);
  if (!stats.isFile()) throw new ZmqError("EINVAL", "it is no file");
  if (stats.size > limit) {
    throw new ZmqError("EFBIG", `it has ${stats.size} octets: expected ${limit} at most`);
  }
  return await files.readFile(path);
}

/**
 * Writes a file beside `path`, down to the disk, and answers its name. It has `mode` from its first moment, and is hidden
 * from those who list the folder. When that fails, there is no such file.
 */
export async function createBeside(path: string, text: string, mode: number): Promise<string> {
  const files = promises();
  const { dirname, join } = builtin("node:path");
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  const name = join(dirname(path), `.wasmq-${high.toString(36)}${low.toString(36)}`);
  const file = await files.open(name, "wx", mode);
  try {
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await files.unlink(name);
    throw error;
  }
  return name;
}

/** Gives a file another name, which is then nobody else's. */
export async function replaceFile(from: string, to: string): Promise<void> {
  await promises().rename(from, to);
}

/** Gives a file another name, unless something has it: `EEXIST`. */
export async function nameFile(from: string, to: string): Promise<void> {
  const files = promises();
  try {
    await files.link(from, to);
  } catch (error) {
    // Some file systems have no links; there it takes two steps to look and to rename.
    if (codeOf(error) === "EEXIST" || await exists(to)) throw occupied();
    return await files.rename(from, to);
  }
  await files.unlink(from);
}

function occupied(): ZmqError {
  return new ZmqError("EEXIST", "it is there already");
}

/** True when the path leads to something, be it a broken link. */
export async function exists(path: string): Promise<boolean> {
  try {
    await promises().lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** Removes a file; nothing happens when there is none. */
export async function removeFile(path: string): Promise<void> {
  try {
    await promises().unlink(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

/** What is in a folder, by name. */
export async function listFolder(folder: string): Promise<FolderEntry[]> {
  const entries = await promises().readdir(folder, { withFileTypes: true });
  const { join } = builtin("node:path");
  return entries
    .map((entry) => ({
      name: entry.name,
      path: join(folder, entry.name),
      isFolder: entry.isDirectory(),
    }))
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "the system does not permit it",
  EEXIST: "it is there already",
  EISDIR: "it is a folder",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "there is no such file or folder",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is no folder",
  EPERM: "the system does not permit it",
  EROFS: "the disk is read-only",
};

/** What an error of this file's functions means. */
export function troubleOf(error: unknown): FileTrouble {
  if (error instanceof ZmqError) return { code: error.code, reason: error.message };
  // Deno's refusals have no code.
  if ((error as Error).name === "NotCapable") {
    return {
      code: "EACCES",
      reason: "Deno does not permit it: run with --allow-read --allow-write",
    };
  }
  const code = codeOf(error);
  // Node says ERR_… where it does not ask the system: a path with a zero octet.
  if (!/^E[A-Z0-9]+$/.test(code)) return { code: "EINVAL", reason: textOf(error) };
  return { code, reason: REASONS[code] ?? code };
}
