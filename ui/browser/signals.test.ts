// Logs and traces, as people use them who look for a cause.

import { randomBytes } from "node:crypto";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Browser, barriers, errorsOf, logIn, openBrowser } from "./chromium";
import { PASSWORD, Stage } from "./stage";

const HOSTILE = '<img src=x onerror="document.title=1"> \u202eback\u202c \u0007 <b>bold</b>';
const STACK = `Traceback (most recent call last):
  File "/srv/ocr/engine.py", line 213, in recognise
    raise Timeout(page)
ocr.Timeout: page 7`;

let stage: Stage;
let browser: Browser;
const trace = randomBytes(16).toString("hex");
const [root, part, other] = [0, 1, 2].map(() => randomBytes(8).toString("hex")) as [string, string, string];

beforeAll(async () => {
  [stage, browser] = await Promise.all([Stage.start(), openBrowser()]);
  const now = Date.now() - 5_000;
  await stage.send("/v1/traces", {
    resourceSpans: [
      resource("mill-gateway", "scopeSpans", [
        span(root, undefined, "POST /documents", 2, now, 1_000),
        span(part, root, "ask ocr", 3, now + 100, 800),
      ]),
      resource("mill-ocr", "scopeSpans", [
        { ...span(other, part, "read pages", 2, now + 150, 700), status: { code: 2, message: HOSTILE } },
      ]),
    ],
  });
  await stage.send("/v1/logs", {
    resourceLogs: [
      resource("mill-ocr", "scopeLogs", [
        line(now + 300, 17, HOSTILE, { "exception.type": "ocr.Timeout", "exception.stacktrace": STACK }),
        line(now + 310, 9, "page 7 is tried again", { "job.id": "doc-7", colour: "deep red" }),
      ]),
    ],
  });
});

afterAll(async () => {
  await browser?.close();
  await stage?.stop();
});

function attributes(values: Readonly<Record<string, string>>) {
  return Object.entries(values).map(([key, value]) => ({ key, value: { stringValue: value } }));
}

function resource(service: string, scopes: string, items: readonly object[]) {
  const name = scopes === "scopeSpans" ? "spans" : "logRecords";
  return { resource: { attributes: attributes({ "service.name": service }) }, [scopes]: [{ [name]: items }] };
}

function span(id: string, parent: string | undefined, name: string, kind: number, at: number, ms: number) {
  const [startTimeUnixNano, endTimeUnixNano] = [`${at}000000`, `${at + ms}000000`];
  return {
    traceId: trace,
    spanId: id,
    parentSpanId: parent ?? "",
    name,
    kind,
    startTimeUnixNano,
    endTimeUnixNano,
  };
}

function line(at: number, severityNumber: number, text: string, more: Readonly<Record<string, string>>) {
  const body = { stringValue: text };
  return {
    timeUnixNano: `${at}000000`,
    severityNumber,
    body,
    traceId: trace,
    spanId: other,
    attributes: attributes(more),
  };
}

/** A page at an address, of somebody who had to log in first. */
async function opened(address: string, heading: string): Promise<Page> {
  await browser.context.clearCookies();
  const page = await browser.context.newPage();
  await logIn(page, `${stage.url}${address}`, "vera", PASSWORD);
  await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
  return page;
}

function query(page: Page): Record<string, string> {
  return Object.fromEntries(new URL(page.url()).searchParams);
}

it("finds a line by facets, shows all of it harmlessly, and leads from there to its trace", async () => {
  const page = await opened("/logs?q=service:mill-ocr", "Logs");
  const errors = errorsOf(page);
  await page.getByRole("img", { name: "Lines over time by level" }).waitFor();
  await page.getByRole("button", { name: /^Only level error/ }).click();
  await expect.poll(() => query(page).q).toBe("service:mill-ocr level:error");
  await page.getByRole("button", { name: /^Only level info/ }).click();
  await expect.poll(() => query(page).q).toBe("service:mill-ocr level:(error OR info)");
  await page.getByRole("button", { name: "Without level info" }).click();
  await expect.poll(() => query(page).q).toBe("service:mill-ocr level:error -level:info");

  const lines = page.getByRole("region", { name: "Lines", exact: true });
  await lines.getByRole("button", { name: /onerror/ }).click();
  await lines.getByText("recognise", { exact: true }).waitFor();
  await page.reload();
  await lines.getByRole("button", { name: /onerror/ }).click();
  expect(await page.title()).not.toBe("1");
  expect(await page.locator("img[src=x]").count()).toBe(0);
  expect(await barriers(page)).toEqual([]);

  await lines.getByRole("button", { name: "Lines around it" }).click();
  const around = page.getByRole("dialog", { name: "Lines around a line" });
  await around.getByText("page 7 is tried again").waitFor();
  expect(query(page).line).toMatch(/^\d{4}-.* \S+$/);
  expect(await barriers(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await around.waitFor({ state: "detached" });
  await lines.getByRole("link", { name: "Its trace" }).click();
  await page.getByRole("heading", { name: /POST \/documents/, level: 1 }).waitFor();
  expect(query(page).span).toBe(other);
  expect(errors).toEqual([]);
  await page.close();
});

it("shows what is wrong with a search where it is, and what lines say by pattern", async () => {
  const page = await opened("/logs?q=service:mill-ocr duration>5", "Logs");
  const fault = page.getByRole("alert");
  await fault.getByText(/say the unit/).waitFor();
  expect(await fault.locator("mark").textContent()).toBe("5");
  expect(await barriers(page)).toEqual([]);
  await page.getByLabel("Search of log records").fill("service:mill-ocr");
  await page.keyboard.press("Enter");
  await page.getByRole("tab", { name: "Patterns" }).click();
  await page.getByRole("button", { name: /page <num> is tried again/ }).click();
  await page.getByRole("region", { name: "Lines", exact: true }).getByText("page 7 is tried again").waitFor();
  await page.goBack();
  expect(query(page).show).toBe("patterns");
  await page.close();
});

it("follows lines as they come, a thousand a second, and holds them while somebody reads", async () => {
  const page = await opened("/logs?q=service:mill-load&show=tail", "Logs");
  const errors = errorsOf(page);
  await page.getByText("Live", { exact: true }).nth(1).waitFor();
  const many = async (seconds: number) => {
    for (let batch = 0; batch < seconds * 10; batch += 1) {
      const lines = Array.from({ length: 100 }, (_, place) =>
        line(Date.now(), 9, `load ${batch} ${place}`, {}),
      );
      await stage.send("/v1/logs", { resourceLogs: [resource("mill-load", "scopeLogs", lines)] });
    }
  };
  await many(6);
  const lines = page.getByRole("region", { name: "Lines as they come" });
  await lines.getByText("load 59 99").waitFor();
  await page.getByText(/1,000 older ones let go/).waitFor();
  expect(await lines.getByRole("listitem").count()).toBeLessThan(80);
  await lines.hover();
  await page.mouse.wheel(0, -400);
  await page.getByText("Paused").waitFor();
  await many(0.1);
  await page.getByRole("button", { name: "Follow: 100 new" }).click();
  await lines.getByText("load 0 99").waitFor();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  expect(await barriers(page)).toEqual([]);
  expect(errors).toEqual([]);
  await page.close();
});

it("finds a trace by what its spans are, and tells where its time went", async () => {
  const page = await opened("/traces", "Traces");
  const errors = errorsOf(page);
  await page.getByLabel("Service", { exact: true }).selectOption("mill-ocr");
  await page.getByLabel("Operation").fill("read pages");
  await page.keyboard.press("Enter");
  await page.getByLabel("Status").selectOption("error");
  await page.getByLabel("At least").fill("500ms");
  await page.keyboard.press("Enter");
  await expect
    .poll(() => query(page).q)
    .toBe('service:mill-ocr name:"read pages" status:error duration>=500ms');
  await page.getByRole("img", { name: "Durations of 1 traces over time" }).waitFor();
  await page.getByRole("link", { name: "mill-gateway POST /documents" }).click();

  const spans = page.getByRole("region", { name: "Spans" });
  await spans.getByRole("button", { name: /Failed: .*read pages/ }).click();
  const chosen = page.getByRole("region", { name: "The chosen span" });
  await chosen.getByText("on the critical path").waitFor();
  await chosen.getByText(/onerror/).waitFor();
  await spans.getByRole("button", { name: /Log, info: .*page 7/ }).waitFor();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowLeft");
  await expect.poll(() => spans.getByRole("button", { name: /read pages/ }).count()).toBe(0);
  expect(await barriers(page)).toEqual([]);

  await page.getByRole("radio", { name: "Flame graph" }).click();
  await page
    .getByRole("button", { name: /^read pages 700 ms ?: mill-ocr read pages: 1 span, 1 failed/ })
    .click();
  await page.getByRole("button", { name: "Show the whole trace" }).waitFor();
  expect(query(page)).toMatchObject({ view: "flame", frame: other, span: other });
  expect(await barriers(page)).toEqual([]);
  expect(errors).toEqual([]);
  await page.close();
});

it("draws who asks whom, and leads to the traces of a service", async () => {
  const page = await opened("/traces/map?service=mill-ocr", "Service map");
  await page.getByRole("button", { name: /^mill-gateway.*p95/ }).waitFor({ timeout: 60_000 });
  const asked = page.getByRole("region", { name: "Asked by" });
  await asked.getByRole("button", { name: "mill-gateway" }).waitFor();
  expect(await barriers(page)).toEqual([]);
  await page.getByRole("button", { name: /^mill-gateway.*p95/ }).press("Enter");
  await expect.poll(() => query(page).service).toBe("mill-gateway");
  await page.getByRole("main").getByRole("link", { name: "Traces", exact: true }).click();
  await expect.poll(() => query(page).q).toBe("service:mill-gateway");
  await page.close();
});

it("is found by the palette, by its id", async () => {
  const page = await opened("/logs", "Logs");
  const field = page.getByRole("combobox", { name: "Go to" });
  await expect
    .poll(async () => {
      await page.keyboard.press("Control+k");
      return field.count();
    })
    .toBe(1);
  await field.fill(trace);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /POST \/documents/, level: 1 }).waitFor();
  await page.close();
});

const VIEWS = [
  ["/logs", "Logs"],
  ["/logs?show=patterns", "Logs"],
  ["/traces", "Traces"],
  ["/traces/map", "Service map"],
  [`/traces/${trace}`, "POST /documents"],
] as const;

it.each(["light", "dark"] as const)("keeps nobody out, in the %s theme and on a phone", async (theme) => {
  const page = await opened("/logs", "Logs");
  await page.emulateMedia({ colorScheme: theme });
  for (const [address, heading] of VIEWS) {
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(`${stage.url}${address}`);
    await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
    await expect.poll(() => page.getByText("Loading").count(), { timeout: 20_000 }).toBe(0);
    expect([address, await barriers(page)]).toEqual([address, []]);
    await page.setViewportSize({ width: 375, height: 800 });
    const beyond = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    await expect.poll(beyond).toBeLessThanOrEqual(0);
    expect([address, await barriers(page)]).toEqual([address, []]);
  }
  await page.close();
});
