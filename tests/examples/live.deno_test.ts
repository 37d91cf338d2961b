// The live page in a real browser, as one who looks at it sees it. Keeps a picture under dist/artefacts.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { after, before, it } from "@std/testing/bdd";
import type { Page } from "playwright-core";
import { Dealer } from "../../mod.ts";
import { Chromium, describeInChromium, type OpenPage } from "../_util/chromium.ts";
import { eventually, pause, within } from "../_util/deadline.ts";
import { commandFor } from "../_util/process.ts";

const ARTEFACTS = new URL("../../dist/artefacts/", import.meta.url);
const WAIT_MS = 30_000;
const WALL = { width: 1920, height: 1080 };
/** As many octets of a picture of nothing but the ground there would not be. */
const LEAST_PICTURE = 50_000;

/** The server, which can die and come back at its port. */
class LiveServer {
  #process: Deno.ChildProcess | undefined;
  /** Its address; from the first start on the port stays. */
  address = "";

  async start(): Promise<void> {
    const port = this.address === "" ? "0" : new URL(this.address).port;
    const args = ["--port", port, "--rate", "500", "--workers", "3"];
    const [command, ...words] = commandFor("../examples/live_server.ts", args);
    this.#process = new Deno.Command(command, { args: words, stdin: "piped", stdout: "piped" })
      .spawn();
    const line = this.#process.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    const { value } = await within(line.next(), WAIT_MS, "the server says where the page is");
    this.address = /The page is at (\S+)/.exec(value!)![1];
  }

  /** Stops or continues it, as a machine does that hangs for a while. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process!.kill(signal);
  }

  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
  }
}

/** Waits until an element's text is as wanted; the text. */
async function reads(page: Page, selector: string, wanted: RegExp): Promise<string> {
  let text = "";
  const matches = async () => wanted.test(text = await page.locator(selector).innerText());
  await eventually(matches, WAIT_MS, `${selector} reads ${wanted}`)
    .catch((error) => {
      throw new Error(`${error.message}, but ${JSON.stringify(text)}`);
    });
  return text;
}

function number(text: string): number {
  return Number(text.replace(/[^\d.]/g, ""));
}

/** Pixels of a chart that something was drawn at. */
function drawn(page: Page, selector: string): Promise<number> {
  return page.locator(selector).evaluate((element) => {
    const canvas = element as unknown as {
      width: number;
      height: number;
      getContext(kind: "2d"): {
        getImageData(x: number, y: number, w: number, h: number): { data: Uint8Array };
      };
    };
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at] > 100) count++;
    return count;
  });
}

/** What a program, which is no page, is answered. */
async function ask(address: string, ...parts: string[]): Promise<string[]> {
  const dealer = new Dealer({ linger: 0, receiveTimeout: WAIT_MS });
  dealer.connect(`${address.replace("http", "ws")}commands`);
  await dealer.send(parts);
  const answer = await dealer.receive();
  await dealer.close();
  return answer.map(String);
}

describeInChromium("the live page", () => {
  const server = new LiveServer();
  let chromium: Chromium;
  let open: OpenPage;
  let page: Page;

  before(async () => {
    await server.start();
    chromium = await Chromium.start();
    open = await chromium.open(server.address);
    page = open.page;
    await page.setViewportSize(WALL);
  });

  after(async () => {
    await chromium?.stop();
    await server.kill();
  });

  it("draws figures as they come, over ZWS 2.0", async () => {
    await reads(page, "#state", /^live$/);
    assertMatch(await reads(page, "#endpoint", /ZWS2\.0/), /^ws:\/\/127\.0\.0\.1:\d+ /);
    await reads(page, "#answered", /[1-9]/);
    for (const id of ["p50", "p90", "p99", "p999"]) await reads(page, `#${id}`, /^\d.* (µs|ms|s)$/);
    assert(number(await page.locator("#p50").innerText()) > 0);
    await reads(page, "#cpu", /^\d+$/);
    await reads(page, "#memory", /^\d+\.\d\d$/);
    await reads(page, "#round-trip", /^\d.* (µs|ms)$/);
    assertEquals(await page.locator("#workers li").count(), 3);
    for (const id of ["flow", "latency", "cpu", "memory"]) {
      await eventually(
        async () => await drawn(page, `#${id}-chart`) > 100,
        WAIT_MS,
        `${id} is drawn`,
      );
    }
  });

  it("gives up a topic and takes it again", async () => {
    const topic = page.locator("#topics li", { hasText: "machine.cpu" });
    await topic.getByRole("switch").click();
    await page.locator(".cpu.off").waitFor({ timeout: WAIT_MS });
    await reads(page, "#topics li:nth-child(4) .traffic", /^–$/);
    await reads(page, "#topics li:nth-child(5) .traffic", /^\d/);
    await topic.getByRole("switch").click();
    await reads(page, "#topics li:nth-child(4) .traffic", /^\d/);
    assertEquals(await page.locator("section.off").count(), 0);
  });

  it("changes the load and pauses a worker, which every page sees", async () => {
    const other = await chromium.open(server.address);
    await page.locator("#rate").fill("60");
    const wanted = await reads(page, "#wanted", /^1,700 /);
    assertEquals(await reads(other.page, "#wanted", /^1,700 /), wanted);
    await reads(page, "#log li:first-child", /^source rate 1,700\s+\d+\.\d ms$/);

    await page.locator("#workers li:nth-child(2) button").click();
    await reads(other.page, "#workers li:nth-child(2)", /paused with \d+ task/);
    await reads(page, "#log li:first-child", /^worker-2 pause\s+\d+\.\d ms$/);
    await reads(page, "#answered", /^1,[67]/);
    // The button says "Resume" when this page has heard of it, too.
    await reads(page, "#workers li:nth-child(2)", /paused with \d+ task/);
    await page.locator("#workers li:nth-child(2) button").click();
    await reads(other.page, "#workers li:nth-child(2)", /[1-9].* in hand/);
    await reads(page, "#pages", /^2$/);
    assertEquals(other.complaints, []);
    await other.close();
    await reads(page, "#pages", /^1$/);
  });

  it("refuses what makes no sense, and goes on", async () => {
    const { address } = server;
    const refused = [
      [["source", "1", '{"do":"rate","value":-1}'], "from 0 to 50000, not -1"],
      [["source", "2", '{"do":"size","value":1e9}'], "from 16 to 65536, not 1000000000"],
      [["source", "3", "rate!"], "JSON"],
      [["nobody", "4", '{"do":"ping"}'], "The part nobody is not there"],
      [["worker-1", "5", '{"do":"ping"}'], "A worker cannot ping"],
      [["live", "6", "null"], "null"],
    ] as const;
    for (const [asked, reason] of refused) {
      const [part, number, answer] = await ask(address, ...asked);
      assertEquals([part, number], asked.slice(0, 2));
      assert((JSON.parse(answer).error as string).includes(reason), answer);
    }
    const [, , answer] = await ask(address, "live", "7", '{"do":"ping"}');
    assertEquals(JSON.parse(answer), { ok: true });
  });

  it("lets in no page of another origin", async () => {
    const stranger = await chromium.open();
    const opened = await stranger.page.evaluate((url) => {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const socket = new WebSocket(url, ["ZWS2.0"]);
      socket.onopen = () => resolve(true);
      socket.onerror = () => resolve(false);
      return promise;
    }, `${server.address.replace("http", "ws")}commands`);
    assertEquals(opened, false);
    await stranger.close();
  });

  it("looks well enough to be kept", async () => {
    await page.locator("#rate").fill("66");
    await pause(4_000); // for the picture's sake: something has to be on it
    const button = page.locator("#workers li:nth-child(1) button");
    await button.click();
    await pause(2_000);
    await button.click();
    await pause(4_000);
    await Deno.mkdir(ARTEFACTS, { recursive: true });
    const picture = await page.screenshot({ path: new URL("live.png", ARTEFACTS).pathname });
    assert(picture.length > LEAST_PICTURE, `${picture.length} octets`);
    const tooWide = "document.documentElement.scrollWidth > innerWidth";
    for (const [width, height] of [[1366, 768], [820, 1180], [390, 844]]) {
      await page.setViewportSize({ width, height });
      assertEquals(await page.evaluate(tooWide), false, `at ${width} px`);
    }
  });

  it("says that the server is gone, and goes on when it is back", async () => {
    assertEquals(open.complaints, []);
    await page.setViewportSize(WALL);
    await server.kill();
    await reads(page, "#state", /^reconnecting · attempt [2-9]/);
    await page.screenshot({ path: new URL("live_away.png", ARTEFACTS).pathname });
    await server.start();
    await reads(page, "#state", /^live$/);
    await reads(page, "#wanted", /^500 /);
    await reads(page, "#answered", /^[1-9]/);
    // Asked for as soon as commands can be sent again.
    await reads(page, "#log li:first-child", /^live history/);
    await page.locator("#rate").fill("70");
    await reads(page, "#log li:first-child", /^source rate [\d,]+\s+\d+\.\d ms$/);
  });

  it("finds by itself that the server hangs, and that it does no longer", async () => {
    server.signal("SIGSTOP");
    await reads(page, "#state", /^connecting|^reconnecting/);
    server.signal("SIGCONT");
    await reads(page, "#state", /^live$/);
    await reads(page, "#round-trip", /^\d.* (µs|ms)$/);
    assertEquals(open.complaints.filter((said) => !/WebSocket|ERR_/.test(said)), []);
  });
});
