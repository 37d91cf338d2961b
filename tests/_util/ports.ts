// Endpoints of this machine in tests.

import { Pull } from "../../mod.ts";

/** Any free port of the loopback address. */
export const ANY_PORT = "tcp://127.0.0.1:*";

/** An endpoint that was free a moment ago: connections to it are refused. */
export async function freeEndpoint(): Promise<string> {
  const socket = new Pull();
  await socket.bind(ANY_PORT);
  const endpoint = socket.lastEndpoint!;
  await socket.close();
  return endpoint;
}

/** The port of an endpoint. */
export function portOf(endpoint: string | null): number {
  return Number(/:(\d+)$/.exec(endpoint!)![1]);
}
