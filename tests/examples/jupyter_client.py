# Debian's jupyter_client drives a kernel: started by a kernelspec, talked to, interrupted, restarted, shut down.
#
#   python3 jupyter_client.py KERNELS_FOLDER KERNEL_NAME ROUND_TRIPS [keeps]
#
# What happened goes to stdout as JSON. The folder has kernelspecs in subfolders.

import json
import os
import statistics
import sys
import threading
import time

# The folder of this file comes first otherwise, and the file has the name of the package.
sys.path = [folder for folder in sys.path if folder != os.path.dirname(os.path.abspath(__file__))]

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

PATIENCE = 60
folder, name, round_trips = sys.argv[1], sys.argv[2], int(sys.argv[3])

specs = KernelSpecManager()
specs.kernel_dirs = [folder]
specs.ensure_native_kernel = False
manager = KernelManager(kernel_name=name, kernel_spec_manager=specs)
told = {}


def run(client, code, interrupt_after=None, answer=None, **options):
    """One cell: its reply, what was published for it, and the states in between."""
    seen = []
    timer = None
    if interrupt_after is not None:
        timer = threading.Timer(interrupt_after, manager.interrupt_kernel)
        timer.start()
    started = time.monotonic()
    reply = client.execute_interactive(
        code,
        timeout=PATIENCE,
        output_hook=seen.append,
        stdin_hook=(lambda _: client.input(answer)) if answer is not None else (lambda _: None),
        allow_stdin=answer is not None,
        **options,
    )
    if timer:
        timer.join()
    return {
        "reply": reply["content"],
        "seconds": time.monotonic() - started,
        "published": [[m["msg_type"], m["content"]] for m in seen],
        "parents": sorted({m["parent_header"].get("msg_id") == reply["parent_header"]["msg_id"] for m in seen}),
        "beating": client.hb_channel.is_beating(),
    }


def ask(client, call, *args, **options):
    return call(*args, reply=True, timeout=PATIENCE, **options)["content"]


def conversation(client):
    told["info"] = ask(client, client.kernel_info)
    told["sum"] = run(client, "1 + 1")
    told["typescript"] = run(client, "interface P { x: number }\nconst p: P = { x: 20 }\nlet n: number = 1")
    told["state"] = run(client, "n += p.x; n")
    told["again"] = run(client, "const p = 'other'; class n { a = 1 }\n[p, new n().a]")
    told["streams"] = run(client, "console.log('out %d', 5, { a: 1 }); console.error('err'); undefined")
    told["error"] = run(client, "function deep(): never {\n  throw new RangeError('too deep')\n}\ndeep()")
    told["syntax"] = run(client, "let a = 1\nlet b = ;")
    told["await"] = run(client, "const late = await new Promise((r) => setTimeout(() => r('late'), 20))\nlate")
    told["import"] = run(client, "import { basename as base } from 'node:path'\nimport * as url from 'node:url'\nbase('/a/b') + typeof url.pathToFileURL")
    told["rich"] = run(
        client,
        "display(html`<b>${'bold'}</b>`); display.svg('<svg/>'); const h = display(md('# one')); h.update(md('# two'));"
        "display.image(new Uint8Array([137, 80]));\n"
        "({ [Symbol.for('Jupyter.display')]() { return { 'text/plain': 'p', 'application/json': { a: [1] } } } })",
    )
    told["clear"] = run(client, "clearOutput(true); 'cleared'")
    told["input"] = run(client, "const who = await prompt('name? ');\n`hello ${who}`", answer="Ada")
    told["no input"] = run(client, "await input('name? ')")
    told["silent"] = run(client, "console.log('nobody hears'); 5", silent=True)
    told["expressions"] = run(client, "const e = 6", user_expressions={"double": "e * 2", "none": "nobody"})
    told["background"] = run(client, "setTimeout(() => { throw new Error('in the background') }, 10); await new Promise((r) => setTimeout(r, 100)); 'on'")
    told["complete"] = ask(client, client.complete, "const cat = 1; Math.flo")
    told["complete live"] = ask(client, client.complete, "p.toUpper + 1", 9)
    told["inspect"] = ask(client, client.inspect, "deep", 2, 1)
    told["inspect nothing"] = ask(client, client.inspect, "nobody", 2)
    told["is_complete"] = []
    for code in ("1 + 1", "if (x) {", "'a"):
        client.is_complete(code)
        told["is_complete"].append(client.get_shell_msg(timeout=PATIENCE)["content"])
    told["tail"] = ask(client, client.history, raw=True, output=False, hist_access_type="tail", n=2)
    told["search"] = ask(client, client.history, raw=True, output=True, hist_access_type="search", pattern="1 + ?", n=5)
    told["comms"] = ask(client, client.comm_info)

    # Three cells at once, of which the first fails: the others are not run.
    ids = [client.execute("await new Promise((r) => setTimeout(r, 300)); throw new Error('first')")]
    ids += [client.execute("globalThis.ran = true") for _ in range(2)]
    replies = [client.get_shell_msg(timeout=PATIENCE) for _ in ids]
    told["aborted"] = [r["content"]["status"] for r in replies]
    told["aborted order"] = [r["parent_header"]["msg_id"] for r in replies] == ids
    told["not run"] = run(client, "typeof ran")

    run(client, "var kept = 'kept'")
    told["interrupt waiting"] = run(client, "await new Promise(() => {})", interrupt_after=0.5)
    told["after waiting"] = run(client, "kept")
    told["interrupt busy"] = run(client, "while (true) {}", interrupt_after=0.5)
    told["after busy"] = run(client, "typeof kept")
    # Where that keeps the variables: a loop that begins after an await, and one in a timer.
    if "keeps" in sys.argv:
        for code in (
            "await new Promise((r) => setTimeout(r, 50)); while (true) {}",
            "setTimeout(() => { while (true) {} }, 50); await new Promise(() => {})",
        ):
            told.setdefault("interrupt later", []).append(run(client, code, interrupt_after=0.5))
        told["after later"] = run(client, "typeof kept")
    told["exit"] = run(client, "process.exit(3)")
    told["after exit"] = run(client, "2 + 2")

    times = []
    for _ in range(round_trips):
        started = time.perf_counter()
        client.execute("1+1", reply=True, timeout=PATIENCE)
        times.append(time.perf_counter() - started)
    told["median ms"] = statistics.median(times) * 1000 if times else None


def start(tries=3):
    """A client of a started kernel. Its ports were free a moment before: somebody else may have taken one."""
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE)
        return client
    except RuntimeError:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        if tries == 1:
            raise
        return start(tries - 1)


try:
    client = start()
    conversation(client)
    manager.restart_kernel()
    client.wait_for_ready(timeout=PATIENCE)
    told["restarted"] = run(client, "[typeof kept, 3]")
    client.shutdown()
    for _ in range(PATIENCE * 10):
        if not manager.is_alive():
            break
        time.sleep(0.1)
    told["alive after shutdown"] = manager.is_alive()
    client.stop_channels()
finally:
    if manager.is_alive():
        manager.shutdown_kernel(now=True)
    manager.cleanup_resources()
print(json.dumps(told))
