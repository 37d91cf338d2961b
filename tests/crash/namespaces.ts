// Two network namespaces of Linux with a cable between them: what the tests of a network that fails pull out and plug in
// again. Nothing of it reaches the machine's own network.

import { isRoot } from "../_util/system.ts";

interface Outcome {
  readonly status: number | null;
  readonly stderr: string;
}

const { process } = globalThis as unknown as {
  process: {
    readonly pid: number;
    readonly platform: string;
    getBuiltinModule(name: "node:child_process"): {
      spawnSync(command: string, args: readonly string[], options: object): Outcome;
    };
  };
};

/** From the block for documentation: nobody has it. */
const HOSTS = ["192.0.2.1", "192.0.2.2"] as const;
const CABLE = "cable";

function ip(...args: readonly string[]): Outcome {
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  return spawnSync("ip", args, { encoding: "utf8" });
}

function mustIp(...args: readonly string[]): void {
  const { status, stderr } = ip(...args);
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
}

/** Why there can be no namespaces here; undefined when there can. */
export function whyNotNamespaces(): string | undefined {
  if (process.platform !== "linux") return "this is not Linux";
  if (!isRoot()) return "only root can make network namespaces";
  const probe = `wasmq-${process.pid}-p`;
  const { status, stderr } = ip("netns", "add", probe);
  if (status === null) return "there is no `ip` (the package iproute2)";
  if (status !== 0) return `there can be no network namespaces: ${stderr.trim()}`;
  ip("netns", "delete", probe);
  return undefined;
}

/** Two namespaces, 0 and 1, joined by a cable. */
export class Network {
  readonly #names: readonly string[] = [0, 1].map((i) => `wasmq-${process.pid}-${i}`);

  /** Makes them; what is left half made by a failure is removed. */
  constructor() {
    try {
      for (const name of this.#names) mustIp("netns", "add", name);
      const [left, right] = this.#names;
      const end = ["name", CABLE, "netns"];
      mustIp("-n", left, "link", "add", CABLE, "type", "veth", "peer", ...end, right);
      for (const i of [0, 1]) {
        mustIp("-n", this.#names[i], "link", "set", "lo", "up");
        this.giveAddress(i);
        this.plugIn(i);
      }
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** An address on one side. */
  host(side: number): string {
    return HOSTS[side];
  }

  /** What to put before a command so that it runs on a side. */
  on(side: number): string[] {
    return ["ip", "netns", "exec", this.#names[side]];
  }

  /** Takes one end of the cable away: nothing comes through, and nobody is told. */
  pullOut(side: number): void {
    mustIp("-n", this.#names[side], "link", "set", CABLE, "down");
  }

  plugIn(side: number): void {
    mustIp("-n", this.#names[side], "link", "set", CABLE, "up");
  }

  giveAddress(side: number): void {
    mustIp("-n", this.#names[side], "address", "add", `${HOSTS[side]}/24`, "dev", CABLE);
  }

  takeAddress(side: number): void {
    mustIp("-n", this.#names[side], "address", "delete", `${HOSTS[side]}/24`, "dev", CABLE);
  }

  /** Removes all of it. */
  remove(): void {
    for (const name of this.#names) ip("netns", "delete", name);
  }
}
