// Closes what a test opened, whatever became of the test.

/** A socket, a raw connection or listener, or a program. */
export type Disposable =
  | { linger: number; close(): Promise<void> }
  | { close(): void }
  | { destroy(): void }
  | { kill(): Promise<void> };

/** What one test opened. */
export class Cleanup {
  readonly #things: Disposable[] = [];

  /** Remembers the thing. */
  add<T extends Disposable>(thing: T): T {
    this.#things.push(thing);
    return thing;
  }

  /** Closes all of them, sockets without lingering. */
  async run(): Promise<void> {
    await Promise.all(this.#things.splice(0).map(dispose));
  }
}

function dispose(thing: Disposable): Promise<void> | void {
  if ("linger" in thing) thing.linger = 0;
  if ("close" in thing) return thing.close();
  if ("destroy" in thing) return thing.destroy();
  return thing.kill();
}
