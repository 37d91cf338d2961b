// What the machine has and what its kernel says, on Deno, Bun and Node.

interface FileSystem {
  readFileSync(path: string, encoding: "utf8"): string;
  existsSync(path: string): boolean;
}

interface OperatingSystem {
  networkInterfaces(): Record<string, { address: string }[] | undefined>;
}

const { process } = globalThis as unknown as {
  process: {
    getuid?(): number;
    getBuiltinModule(name: "node:fs"): FileSystem;
    getBuiltinModule(name: "node:os"): OperatingSystem;
  };
};

/** True when the loopback interface has an IPv6 address. */
export function hasIpv6(): boolean {
  const { networkInterfaces } = process.getBuiltinModule("node:os");
  return Object.values(networkInterfaces()).flat().some((entry) => entry?.address === "::1");
}

/** True when the tests run with all privileges. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** One end of a tcp connection as Linux sees it. */
export interface KernelSocket {
  readonly localPort: number;
  readonly remotePort: number;
  /** What its timer waits for; "keep-alive" only while nothing else does. */
  readonly timer: "none" | "keep-alive" | "other";
  /** When the timer is due, in seconds. */
  readonly dueIn: number;
}

const PROC_TCP = "/proc/net/tcp";
const ESTABLISHED = "01";
const TICKS_PER_SECOND = 100;

/** True where the kernel's table of connections can be read. */
export function hasKernelTable(): boolean {
  return process.getBuiltinModule("node:fs").existsSync(PROC_TCP);
}

/** The standing IPv4 connections of the machine. */
export function kernelSockets(): KernelSocket[] {
  const table = process.getBuiltinModule("node:fs").readFileSync(PROC_TCP, "utf8");
  return table.trim().split("\n").slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === ESTABLISHED)
    .map(([, local, remote, , , timer]) => {
      const [kind, due] = timer.split(":");
      return {
        localPort: Number.parseInt(local.split(":")[1], 16),
        remotePort: Number.parseInt(remote.split(":")[1], 16),
        timer: kind === "00" ? "none" : kind === "02" ? "keep-alive" : "other",
        dueIn: Number.parseInt(due, 16) / TICKS_PER_SECOND,
      };
    });
}
