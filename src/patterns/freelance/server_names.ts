// A list of endpoints, each once.

import { ZmqError } from "../../../mod.ts";
import { refuse } from "../base/checks.ts";

/** @throws {TypeError} `EINVAL` for what cannot be an endpoint, or is too long for a routing id. */
export function checkEndpoint(endpoint: string): string {
  const known = typeof endpoint === "string" && /^(?:tcp|ipc|inproc):\/\/./.test(endpoint);
  if (known && endpoint.length <= 255) return endpoint;
  return refuse("A server", endpoint, "an endpoint of at most 255 characters");
}

/** @throws {ZmqError} `ENOBUFS` */
export function checkRoom(count: number, limit: number): void {
  if (count < limit) return;
  throw new ZmqError("ENOBUFS", `Cannot add a server: there are ${limit}, which is maxServers`);
}

/** The servers of a client, the preferred one first. */
export class ServerNames {
  readonly #limit: number;
  #list: readonly string[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Not changed by what comes later. */
  get list(): readonly string[] {
    return this.#list;
  }

  has(endpoint: string): boolean {
    return this.#list.includes(endpoint);
  }

  add(endpoint: string): void {
    if (this.has(endpoint)) return;
    checkRoom(this.#list.length, this.#limit);
    this.#list = [...this.#list, endpoint];
  }

  remove(endpoint: string): boolean {
    if (!this.has(endpoint)) return false;
    this.#list = this.#list.filter((each) => each !== endpoint);
    return true;
  }

  /** The one that answers goes first; the others keep their order. */
  prefer(endpoint: string): void {
    if (this.#list[0] === endpoint || !this.has(endpoint)) return;
    this.#list = [endpoint, ...this.#list.filter((each) => each !== endpoint)];
  }
}
