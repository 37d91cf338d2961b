// Pushes and pulls over inproc that do not wait for ever, and are closed with their test.

import { Pull, Push } from "../../mod.ts";
import { anywhere } from "./anywhere.ts";
import type { Cleanup } from "./cleanup.ts";

export const RECEIVES: { readonly receiveTimeout: number } = { receiveTimeout: 5_000 };
export const SENDS: { readonly sendTimeout: number } = { sendTimeout: 5_000 };

type PullOptions = ConstructorParameters<typeof Pull>[0];
type PushOptions = ConstructorParameters<typeof Push>[0];

/** A name that nobody else has. */
export function fresh(): string {
  return anywhere("inproc");
}

/** Opens sockets that `cleanup` closes. */
export class InprocSockets {
  readonly #cleanup: Cleanup;

  constructor(cleanup: Cleanup) {
    this.#cleanup = cleanup;
  }

  readonly openPull = (options: PullOptions = {}): Pull =>
    this.#cleanup.add(new Pull({ ...RECEIVES, ...options }));

  readonly openPush = (options: PushOptions = {}): Push =>
    this.#cleanup.add(new Push({ ...SENDS, ...options }));

  /** A Pull that is bound to a name. */
  readonly bound = async (name: string, options: PullOptions = {}): Promise<Pull> => {
    const pull = this.openPull(options);
    await pull.bind(name);
    return pull;
  };
}
