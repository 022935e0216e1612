// The page that describes the API, as somebody reads it who wants to call it.

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

it("finds a call, describes it and makes it", async () => {
  const page = await browser.context.newPage();
  const errors = errorsOf(page);
  await logIn(page, stage.url, "vera", PASSWORD);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.goto(`${stage.url}/api/docs`);
  const calls = page.locator("#operations details");
  await calls.first().waitFor();
  const all = await calls.count();
  expect(all).toBeGreaterThan(40);

  await page.getByLabel("Find").fill("api/v1/jobs status");
  const found = page.locator("#operations details:not([hidden])");
  await expect.poll(() => found.count()).toBeLessThan(all);
  const jobs = found.filter({ has: page.locator("summary .path", { hasText: /^\/api\/v1\/jobs$/ }) });
  await jobs.locator("summary").click();
  await jobs.getByRole("columnheader", { name: "Name" }).first().waitFor();
  expect(await barriers(page)).toEqual([]);

  await jobs.getByLabel("limit").fill("1");
  await jobs.getByRole("button", { name: "Ask" }).click();
  const answer = jobs.getByRole("status");
  await answer.filter({ hasText: "200 OK" }).waitFor();
  expect(await answer.textContent()).toContain('"limit": 1');
  await jobs.getByLabel("limit").fill("many");
  await jobs.getByRole("button", { name: "Ask" }).click();
  await answer.filter({ hasText: /^GET .*limit=many\n400/ }).waitFor();
  expect(errors).toEqual([]);
  await page.close();
});

it("leads from a link to what it names", async () => {
  const page = await browser.context.newPage();
  await page.goto(`${stage.url}/api/docs#get-/api/v1/queues`);
  const queues = page.locator("details[id='get-/api/v1/queues']");
  await queues.getByRole("link").first().click();
  await page.locator("details[id^='schema-'][open]").waitFor();
  await page.close();
});
