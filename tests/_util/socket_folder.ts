// A folder for the socket files of one test, away from the sources.

interface FileSystem {
  mkdtempSync(prefix: string): string;
  readdirSync(path: string): string[];
  rmSync(path: string, options: { recursive: boolean; force: boolean }): void;
}

interface Paths {
  relative(from: string, to: string): string;
}

const { process } = globalThis as unknown as {
  process: {
    cwd(): string;
    getBuiltinModule(name: "node:fs"): FileSystem;
    getBuiltinModule(name: "node:os"): { tmpdir(): string };
    getBuiltinModule(name: "node:path"): Paths;
  };
};

/** A fresh folder under the system's temporary folder. */
export class SocketFolder {
  /** Its absolute path. */
  readonly path: string;

  constructor() {
    const { tmpdir } = process.getBuiltinModule("node:os");
    this.path = process.getBuiltinModule("node:fs").mkdtempSync(`${tmpdir()}/wasmq-test-`);
  }

  /** The endpoint of a file in it. */
  endpoint(name: string): string {
    return `ipc://${this.path}/${name}`;
  }

  /** The same, relative to this process's folder, where its children start too. */
  relative(name: string): string {
    const { relative } = process.getBuiltinModule("node:path");
    return `ipc://${relative(process.cwd(), `${this.path}/${name}`)}`;
  }

  /** What is in it. */
  get files(): string[] {
    return process.getBuiltinModule("node:fs").readdirSync(this.path).sort();
  }

  /** Removes it with all that is in it. */
  remove(): void {
    process.getBuiltinModule("node:fs").rmSync(this.path, { recursive: true, force: true });
  }
}
