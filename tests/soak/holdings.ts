// What a process of the soak holds: memory, descriptors, timers.

interface Instance {
  readonly exports: { readonly memory?: { readonly buffer: ArrayBuffer } };
}

interface WebAssemblyNames {
  Instance: new (module: unknown, imports?: unknown) => Instance;
}

/** What a process holds after its garbage was collected, in octets and in number. */
export interface Holdings {
  readonly rss: number;
  readonly heap: number;
  /** The memories of all instances of the core. */
  readonly core: number;
  /** Open descriptors; 0 where the system does not tell. */
  readonly files: number;
  /** What keeps Node's event loop busy, but for the pipes to the supervisor. */
  readonly handles: number;
  /** Sockets that were closed and are in memory still. */
  readonly closed: number;
}

const { process, gc, Bun, WebAssembly } = globalThis as unknown as {
  gc?: () => void;
  Bun?: { gc(synchronous: boolean): void };
  WebAssembly: WebAssemblyNames;
  process: {
    memoryUsage(): { rss: number; heapUsed: number; external: number };
    getActiveResourcesInfo?(): string[];
    getBuiltinModule(name: "node:fs"): {
      existsSync(path: string): boolean;
      readdirSync(path: string): string[];
    };
  };
};
const FILES = "/proc/self/fd";
const { existsSync, readdirSync } = process.getBuiltinModule("node:fs");
/** Weak: a core that nobody uses any more is to be collected. */
const instances: Set<WeakRef<Instance>> = new Set();
const Usual = WebAssembly.Instance;
WebAssembly.Instance = class extends Usual {
  constructor(module: unknown, imports?: unknown) {
    super(module, imports);
    instances.add(new WeakRef(this));
  }
};

function coreMemory(): number {
  let sum = 0;
  for (const weak of instances) {
    const instance = weak.deref();
    if (instance === undefined) instances.delete(weak);
    else sum += instance.exports.memory?.buffer.byteLength ?? 0;
  }
  return sum;
}

/** Collects garbage. */
export function collect(): void {
  gc?.();
  Bun?.gc(true);
}

/**
 * Collects garbage and looks. Array buffers go a moment after they were collected: who wants to be sure collects some time
 * before, too.
 */
export function holdings(countUncollected: () => number): Holdings {
  collect();
  const { rss, heapUsed, external } = process.memoryUsage();
  const core = coreMemory();
  const resources = process.getActiveResourcesInfo?.() ?? [];
  return {
    rss,
    // Some runtimes count the core's memory as external.
    heap: heapUsed + external,
    core,
    files: existsSync(FILES) ? readdirSync(FILES).length : 0,
    handles: resources.filter((name) => /TCP|Timeout|Immediate/.test(name)).length,
    closed: countUncollected(),
  };
}
