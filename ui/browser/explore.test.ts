// Explore, as people use it who have an expression, or a link to one.

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Browser, barriers, errorsOf, logIn, openBrowser } from "./chromium";
import { PASSWORD, Stage } from "./stage";

let stage: Stage;
let browser: Browser;

beforeAll(async () => {
  [stage, browser] = await Promise.all([Stage.start(), openBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await stage?.stop();
});

/** A page at an address, of somebody who had to log in first. */
async function opened(address: string): Promise<Page> {
  await browser.context.clearCookies();
  const page = await browser.context.newPage();
  await logIn(page, `${stage.url}${address}`, "vera", PASSWORD);
  await page.getByRole("heading", { name: "Explore" }).waitFor();
  return page;
}

function query(page: Page): Record<string, string> {
  return Object.fromEntries(new URL(page.url()).searchParams);
}

it("shows the value that the table link of an alert leads to", async () => {
  const expr = 'count(queue_depth{queue="extraction", state="pending"}) + 41';
  const page = await opened(`/graph?g0.expr=${encodeURIComponent(expr)}&g0.tab=1`);
  const errors = errorsOf(page);
  expect(new URL(page.url()).pathname).toBe("/explore");
  expect(query(page)).toEqual({ expr, tab: "table" });
  expect(await page.getByLabel("PromQL expression").inputValue()).toBe(expr);
  await page.getByRole("cell", { name: "42", exact: true }).waitFor({ timeout: 60_000 });
  expect(errors).toEqual([]);
  await page.close();
});

it("shows why a query failed, and what another one gives", async () => {
  const page = await opened("/graph?g0.expr=sum%28&g0.tab=1");
  const failure = page.getByRole("alert");
  await failure.getByText(/parse error/).waitFor();
  expect(await barriers(page)).toEqual([]);

  await page.getByLabel("PromQL expression").fill('"<b>text</b>"');
  await page.keyboard.press("Enter");
  await page.getByRole("cell", { name: "<b>text</b>", exact: true }).waitFor();
  expect(await failure.count()).toBe(0);
  await page.goBack();
  await failure.waitFor();
  expect(await page.getByLabel("PromQL expression").inputValue()).toBe("sum(");
  await page.close();
});

it("draws an example over the range that the address names", async () => {
  const page = await opened("/explore");
  const errors = errorsOf(page);
  await page.getByRole("link", { name: "queue_depth" }).click();
  await page.getByRole("img", { name: /queue_depth, last hour/ }).waitFor({ timeout: 60_000 });
  const series = page
    .getByRole("table", { name: "Series" })
    .getByRole("button", { name: /queue_depth\{.*extraction/ });
  await series.first().click();
  expect(await series.first().getAttribute("aria-pressed")).toBe("true");

  await page.getByRole("button", { name: "Last hour" }).click();
  await page.getByRole("button", { name: "Last 6 hours" }).click();
  await page.getByRole("img", { name: /queue_depth, last 6 hours/ }).waitFor();
  expect(query(page)).toEqual({ expr: "queue_depth", from: "now-6h", to: "now" });
  await page.getByRole("tab", { name: "Graph" }).focus();
  await page.keyboard.press("ArrowRight");
  await page
    .getByRole("cell", { name: /queue_depth\{.*extraction/ })
    .first()
    .waitFor();
  await page.reload();
  await page.getByRole("tab", { name: "Table", selected: true }).waitFor();
  expect(query(page)).toEqual({ expr: "queue_depth", from: "now-6h", to: "now", tab: "table" });
  expect(errors).toEqual([]);
  await page.close();
});

it("says what a query wants to say beside its result, and goes back to now", async () => {
  const page = await opened(
    "/explore?expr=rate(queue_depth[5m])&from=2026-01-31T11:00:00Z&to=2026-01-31T12:00:00Z",
  );
  await page.getByText("No series in this time").waitFor();
  await page.getByRole("button", { name: "Go live" }).click();
  await page
    .getByRole("list", { name: "Notes of the query" })
    .getByText(/might not be a counter/)
    .waitFor();
  expect(query(page)).toEqual({ expr: "rate(queue_depth[5m])", from: "now-1h", to: "now" });
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.close();
});

it.each(["light", "dark"] as const)("keeps nobody out, in the %s theme and on a phone", async (theme) => {
  const page = await opened("/explore");
  await page.emulateMedia({ colorScheme: theme });
  expect(await barriers(page)).toEqual([]);
  await page.getByLabel("PromQL expression").fill("queue_depth");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("img", { name: /queue_depth, last hour/ }).waitFor({ timeout: 60_000 });
  expect(await barriers(page)).toEqual([]);
  await page.setViewportSize({ width: 375, height: 800 });
  const beyond = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  await expect.poll(beyond).toBeLessThanOrEqual(0);
  await page.getByRole("tab", { name: "Table" }).click();
  await page
    .getByRole("cell", { name: /queue_depth/ })
    .first()
    .waitFor();
  expect(await barriers(page)).toEqual([]);
  expect(await beyond()).toBeLessThanOrEqual(0);
  await page.close();
});
