import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { after, afterEach, before, it } from "@std/testing/bdd";
import { Pull, Push } from "../../mod.ts";
import { Chromium, describeInChromium, type OpenPage } from "../_util/chromium.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause, within } from "../_util/deadline.ts";

const LONG_MS = 60_000;
const SIZE = 64 * 1024;
/** More than the kernel, the browser and both sockets hold. */
const MOST = 1500;

describeInChromium("A page that does not receive", () => {
  let browser: Chromium;
  const cleanup = new Cleanup();
  before(async () => {
    browser = await Chromium.start();
  });
  afterEach(() => cleanup.run());
  after(() => browser.stop());

  /** A page whose socket wants two messages, until `globalThis.receive` says so. */
  async function slowPage(at: string): Promise<OpenPage> {
    const page = await browser.open();
    await page.run(({ Pull }, at) => {
      const pull = new Pull({ receiveHighWaterMark: 2, reconnectInterval: 50 });
      const errors: string[] = [];
      pull.events.on("disconnect", ({ error }) => errors.push(`${error?.code} ${error?.message}`));
      pull.connect(at);
      const receive = async (count: number): Promise<string[]> => {
        const numbers: string[] = [];
        while (numbers.length < count) numbers.push(String((await pull.receive())[0]));
        return numbers;
      };
      Object.assign(globalThis, { receive, errors });
    }, at);
    return page;
  }

  it("loses the connection with ENOBUFS, as it cannot make its peer wait, and connects again", async () => {
    const push = cleanup.add(new Push({ sendHighWaterMark: 2, linger: 0 }));
    await push.bind("ws://127.0.0.1:*");
    let handshakes = 0;
    push.events.on("handshake", () => handshakes++);
    const page = await slowPage(push.lastEndpoint!);
    let going = true;
    const sending = (async () => {
      for (let i = 0; going && i < MOST; i++) await push.send([String(i), new Uint8Array(SIZE)]);
    })().catch(() => {});
    await eventually(() => handshakes > 1, LONG_MS);
    going = false;
    const [error] = await page.page.evaluate<string[]>("errors");
    assertStringIncludes(error, "ENOBUFS");
    assertStringIncludes(error, "cannot be told to wait");
    await page.close();
    await push.close();
    await sending;
  });

  it("has a peer that does not either: it takes no more, and loses nothing", async () => {
    const pull = cleanup.add(new Pull({ receiveHighWaterMark: 2 }));
    await pull.bind("ws://127.0.0.1:*");
    const page = await browser.open();
    const sent = await page.run(async ({ Push }, { at, size, most }) => {
      const push = new Push({ sendHighWaterMark: 2, sendTimeout: 2000, linger: 60_000 });
      push.events.on("disconnect", () => Object.assign(globalThis, { left: true }));
      push.connect(at);
      let sent = 0;
      try {
        while (sent < most) {
          await push.send([String(sent), new Uint8Array(size)]);
          sent++;
        }
      } catch (error) {
        if ((error as { code?: string }).code !== "EAGAIN") throw error;
      }
      Object.assign(globalThis, { closing: push.close() });
      return sent;
    }, { at: pull.lastEndpoint!, size: SIZE, most: MOST });
    assert(sent < MOST, "the page could send without end");
    let left = false;
    for (let i = 0; i < sent; i++) {
      const [number] = await within(pull.receive(), LONG_MS, `message ${i} of the page`);
      assertEquals(String(number), String(i));
      // The page's socket has closed, and given up waiting, before the browser has sent what it took.
      if (!left && await page.page.evaluate<boolean>("globalThis.left === true")) {
        left = true;
        await pause(2500);
      }
    }
    assert(left, "the page's socket did not close before all was received");
    await page.page.evaluate("closing");
    await page.close();
  });
});
