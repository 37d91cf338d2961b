# Both workers, for `workerd serve`; main.ts puts what it names beside it.

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "stock", worker = .stock),
    (name = "collector", worker = .collector),
    # Without this, workers reach public addresses only.
    (name = "network", network = (allow = ["local", "private", "public"])),
  ],
  sockets = [
    (name = "stock", address = "127.0.0.1:8080", http = (), service = "stock"),
    (name = "collector", address = "127.0.0.1:8081", http = (), service = "collector"),
    (name = "machines", address = "127.0.0.1:5556", tcp = (), service = "collector"),
  ],
);

const stock :Workerd.Worker = (
  modules = [
    (name = "stock.js", esModule = embed "stock.js"),
    (name = "core.wasm", wasm = embed "core.wasm"),
  ],
  compatibilityDate = "2026-04-01",
  globalOutbound = "network",
  bindings = [(name = "STOCK", fromEnvironment = "STOCK")],
);

const collector :Workerd.Worker = (
  modules = [
    (name = "collector.js", esModule = embed "collector.js"),
    (name = "core.wasm", wasm = embed "core.wasm"),
  ],
  compatibilityDate = "2026-04-01",
  durableObjectNamespaces = [(className = "Collector", uniqueKey = "collector")],
  durableObjectStorage = (inMemory = void),
  bindings = [(name = "COLLECTOR", durableObjectNamespace = "Collector")],
);
