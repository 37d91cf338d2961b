// Properties of a class whose values an instance keeps elsewhere, and which are checked as they are set.

/**
 * Gives a class an accessor for each name. `values` tells where an instance keeps them; `check` answers the value to keep, or
 * throws; `changed` is called after one was set.
 */
export function defineAccessors<T extends object, N extends string>(
  target: { readonly prototype: T },
  names: readonly N[],
  values: (instance: T) => object,
  check: (name: N, value: unknown) => unknown,
  changed: (instance: T) => void = () => {},
): void {
  for (const name of names) {
    Object.defineProperty(target.prototype, name, {
      configurable: true,
      enumerable: true,
      get(this: T): unknown {
        return (values(this) as Record<N, unknown>)[name];
      },
      set(this: T, value: unknown): void {
        (values(this) as Record<N, unknown>)[name] = check(name, value);
        changed(this);
      },
    });
  }
}
