// What Titanic knows of the requests in its store, in memory.

/** One request. */
export class Entry {
  readonly uuid: string;
  /** Who is to do it. */
  service = "";
  /** When its reply was stored, in milliseconds of `now()`; undefined while there is none. */
  answered: number | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(uuid: string) {
    this.uuid = uuid;
  }

  /** Does one thing after the other: the store is called once at a time for each request. */
  alone<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#last.then(act);
    this.#last = result.catch(() => {});
    return result;
  }
}
