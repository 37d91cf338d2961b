// Endpoints of this machine in tests.

import { Pull } from "../../mod.ts";

/** Any free port of the loopback address. */
export const ANY_PORT = "tcp://127.0.0.1:*";

const { process } = globalThis as unknown as { process: { pid: number; platform: string } };

/** An address of this machine that other processes do not use: on Linux all of 127.0.0.0/8 is there. */
const ownHost = process.platform === "linux"
  ? `127.${1 + (process.pid >> 16) % 250}.${(process.pid >> 8) & 255}.${process.pid & 255}`
  : "127.0.0.1";

/** Any free port of that address: for servers that die, so that who dials them reaches no other test's server. */
export const OWN_PORT: string = `tcp://${ownHost}:*`;

/**
 * An endpoint that was free a moment ago: connections to it are refused. Nobody else is given the port meanwhile, as happens
 * where several processes bind to any port of one address.
 */
export async function freeEndpoint(): Promise<string> {
  const socket = new Pull();
  await socket.bind(OWN_PORT);
  const endpoint = socket.lastEndpoint!;
  await socket.close();
  return endpoint;
}

/** The port of an endpoint. */
export function portOf(endpoint: string | null): number {
  return Number(/:(\d+)$/.exec(endpoint!)![1]);
}
