// The input: every text file below a folder, and its division into chunks of about the same size.

/** The text files of a folder, in memory. */
export interface Input {
  readonly files: Uint8Array[];
  readonly bytes: number;
  /** Binary and unreadable files. */
  readonly skipped: number;
}

const SKIPPED_FOLDERS = new Set([".git", "node_modules"]);
const BINARY_PROBE_BYTES = 8_192;
const MAX_INPUT_BYTES = 512 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 10;

/** Reads the text files below `folder`, in a fixed order. */
export async function readInput(folder: string, signal: AbortSignal): Promise<Input> {
  const files: Uint8Array[] = [];
  let bytes = 0;
  let skipped = 0;
  for await (const path of walk(folder)) {
    signal.throwIfAborted();
    const text = await readText(path, MAX_INPUT_BYTES - bytes);
    if (text === "too long") {
      throw new Error(`${folder} holds more than 512 MB of text: choose a smaller folder`);
    } else if (text === "not text") {
      skipped++;
    } else if (text.length > 0) {
      files.push(text);
      bytes += text.length;
    }
  }
  if (files.length === 0) throw new Error(`Found no text files in ${folder}`);
  return { files, bytes, skipped };
}

/**
 * Divides files into chunks of about 64 kB: long files are cut, short ones joined. A chunk ends with
 * a line if it can, and never inside a word.
 */
export function splitIntoChunks(files: readonly Uint8Array[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let short: Uint8Array[] = [];
  let shortBytes = 0;
  for (const file of files) {
    for (let start = 0; start < file.length;) {
      const end = chunkEnd(file, start);
      const piece = file.subarray(start, end);
      if (shortBytes + piece.length > CHUNK_BYTES && shortBytes > 0) {
        chunks.push(join(short));
        short = [];
        shortBytes = 0;
      }
      short.push(piece);
      shortBytes += piece.length;
      start = end;
    }
  }
  chunks.push(join(short));
  return chunks;
}

/** Joins pieces, with a line end after each so that their words stay apart. */
function join(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = pieces.reduce((sum, piece) => sum + piece.length + 1, 0);
  const joined = new Uint8Array(bytes).fill(NEWLINE);
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length + 1;
  }
  return joined;
}

function chunkEnd(file: Uint8Array, start: number): number {
  const limit = start + CHUNK_BYTES;
  if (limit >= file.length) return file.length;
  const lineEnd = file.lastIndexOf(NEWLINE, limit - 1);
  if (lineEnd > start) return lineEnd + 1;
  // One huge line (minified or generated text): cut at the next byte that cannot belong to a word.
  let end = limit;
  while (end < file.length && isWordByte(file[end])) end++;
  return end;
}

function isWordByte(byte: number): boolean {
  const lower = byte | 0x20;
  return byte >= 0x80 || (lower >= 0x61 && lower <= 0x7a);
}

async function* walk(folder: string): AsyncGenerator<string> {
  const entries: Deno.DirEntry[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) entries.push(entry);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    // Links are not followed: they may point back up.
    if (entry.isFile) yield path;
    else if (entry.isDirectory && !SKIPPED_FOLDERS.has(entry.name)) yield* walk(path);
  }
}

async function readText(
  path: string,
  maxBytes: number,
): Promise<Uint8Array | "not text" | "too long"> {
  try {
    if (await isBinary(path)) return "not text";
    if ((await Deno.stat(path)).size > maxBytes) return "too long";
    return await Deno.readFile(path);
  } catch (error) {
    if (isUnreadable(error)) return "not text";
    throw error;
  }
}

async function isBinary(path: string): Promise<boolean> {
  const file = await Deno.open(path);
  try {
    const head = new Uint8Array(BINARY_PROBE_BYTES);
    const length = await file.read(head) ?? 0;
    return head.subarray(0, length).includes(0);
  } finally {
    file.close();
  }
}

/** A file or folder of somebody else, or one that has just gone. */
function isUnreadable(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied;
}
