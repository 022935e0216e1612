// Requests, models and hosts, as people look at them.

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Browser, barriers, errorsOf, logIn, openBrowser } from "./chromium";
import { PASSWORD, Stage } from "./stage";

let stage: Stage;
let browser: Browser;

const SCRIPT = '<img src=x onerror="document.title=1">\u202egnp.\u202c \u0007';
/** As long as names and ids may be, and without an end. */
const NAME = `${SCRIPT}${"x".repeat(100)}`;
const HOSTILE = `${SCRIPT}${"x".repeat(3_000)}`;
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

beforeAll(async () => {
  [stage, browser] = await Promise.all([Stage.start(), openBrowser()]);
  await report([
    {
      type: "request.finished",
      event_id: "hostile-request",
      path: `/bad/${HOSTILE}`,
      route: NAME,
      method: "GET",
      status_code: 500,
      duration_seconds: 2.5,
      user_id: NAME,
      client_ip: NAME,
      service: "hostile",
      request_id: "hostile-1",
      trace_id: TRACE,
      error_message: HOSTILE,
      attributes: { traceback: `Traceback (most recent call last):\n  ${HOSTILE}`, "<b>name</b>": HOSTILE },
    },
    {
      type: "job.submitted",
      event_id: "hostile-job",
      job_id: "job-of-hostile",
      request_id: "hostile-1",
      kind: "bad",
    },
    {
      type: "llm.call",
      event_id: "hostile-call",
      model: "<b>large</b>",
      duration_seconds: 1,
      input_tokens: 5,
      output_tokens: 7,
      job_id: "job-of-hostile",
      error: HOSTILE,
    },
  ]);
});

afterAll(async () => {
  await browser?.close();
  await stage?.stop();
});

async function report(events: readonly object[]): Promise<void> {
  const answer = await fetch(`${stage.url}/api/v1/events`, { method: "POST", body: JSON.stringify(events) });
  expect(await answer.text()).not.toContain('"index"');
  expect(answer.ok).toBe(true);
}

/** A page at an address, of somebody who had to log in first. */
async function opened(address: string, heading: string): Promise<Page> {
  await browser.context.clearCookies();
  const page = await browser.context.newPage();
  await logIn(page, `${stage.url}${address}`, "vera", PASSWORD);
  await page.getByRole("heading", { name: heading, exact: true }).waitFor();
  return page;
}

function query(page: Page): Record<string, string> {
  return Object.fromEntries(new URL(page.url()).searchParams);
}

async function isNarrow(page: Page): Promise<void> {
  await page.setViewportSize({ width: 375, height: 800 });
  const beyond = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  await expect.poll(beyond).toBeLessThanOrEqual(0);
}

it("leads from a group of requests to one of them, and from there to its job and its trace", async () => {
  const page = await opened("/requests", "Requests");
  const errors = errorsOf(page);
  await page.getByRole("radio", { name: "Services" }).click();
  await page.getByRole("region", { name: "Most requests" }).getByRole("button", { name: "hostile" }).click();
  await expect.poll(() => query(page)).toEqual({ by: "service", service: "hostile" });
  await page.reload();
  const list = page.getByRole("region", { name: "Requests", exact: true });
  await list.getByRole("link").first().click();
  await page.getByRole("heading", { name: /GET \/bad\/<img/ }).waitFor();
  await page
    .getByRole("region", { name: "Traceback" })
    .getByText("Traceback (most recent call last)")
    .waitFor();
  const job = page.getByRole("link", { name: "job-of-hostile" });
  expect(await job.getAttribute("href")).toMatch(/^\/jobs\/job-of-hostile/);
  expect(await page.getByRole("link", { name: TRACE }).getAttribute("href")).toMatch(`/traces/${TRACE}`);
  expect(await page.title()).not.toBe("1");
  expect(await barriers(page)).toEqual([]);
  await isNarrow(page);
  expect(errors).toEqual([]);
  await page.close();
});

it("filters requests by what the address says, tells what is malformed, and offers a way out", async () => {
  const page = await opened("/requests", "Requests");
  await page.goto(`${stage.url}/requests?status=5xx&min_duration=soon&user=3`);
  await page.getByText("min_duration=soon").waitFor();
  const form = page.getByRole("form", { name: "Filters of requests" });
  expect(await form.getByLabel("Status").inputValue()).toBe("5xx");
  expect(await form.getByLabel("User").inputValue()).toBe("3");
  await page.getByText("No such request in this time").waitFor();
  await form.getByLabel("Status").fill("bad");
  await page.keyboard.press("Enter");
  await form.getByRole("alert").getByText("A status is a number").waitFor();
  await form.getByRole("button", { name: "Clear" }).click();
  await expect.poll(() => query(page)).toEqual({});
  await page
    .getByRole("img", { name: /Spread of durations, last hour; most are/ })
    .waitFor({ timeout: 60_000 });
  await page.goto(`${stage.url}/requests/none`);
  await page.getByText("There is no such request").waitFor();
  await page.close();
});

it("zooms all of the page by dragging over the spread of durations", async () => {
  const page = await opened("/requests", "Requests");
  const map = page.getByRole("img", { name: /Spread of durations/ });
  await map.waitFor({ timeout: 60_000 });
  await map.scrollIntoViewIfNeeded();
  const box = await map.boundingBox();
  if (!box) throw new Error("the chart is not in sight");
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.5, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, y, { steps: 5 });
  await page.mouse.up();
  await expect.poll(() => Object.keys(query(page))).toEqual(["from", "to"]);
  await page.close();
});

it("shows models, their calls, and what waits for them; and one model alone", async () => {
  const page = await opened("/llm", "LLM");
  const errors = errorsOf(page);
  await page.getByRole("heading", { name: "Waiting for models: llm_tasks" }).waitFor({ timeout: 60_000 });
  await page.getByText("No backend of models is watched").waitFor();
  await page.getByRole("region", { name: "Models" }).getByRole("button", { name: "<b>large</b>" }).click();
  await page.getByRole("radio", { name: "Failed" }).click();
  await expect.poll(() => query(page)).toEqual({ model: "<b>large</b>", calls: "failed" });
  await page.reload();
  const calls = page.getByRole("region", { name: "Calls", exact: true });
  await calls.getByRole("link", { name: "job-of-hostile" }).waitFor();
  expect(await calls.getByRole("row").count()).toBe(2);
  await isNarrow(page);
  expect(errors).toEqual([]);
  await page.close();
});

it("shows a host, its processes in the order of the address, and why there are no GPUs", async () => {
  const page = await opened("/hosts", "Hosts and GPUs");
  const errors = errorsOf(page);
  await page.getByText("No GPU is seen").waitFor();
  await page.getByRole("link", { name: /Everything about/ }).click();
  await page.getByRole("img", { name: /^CPU: \d+ %/ }).waitFor();
  const processes = page.getByRole("region", { name: "Largest processes" }).last();
  await processes.getByRole("button", { name: "CPU" }).click();
  await processes.getByRole("button", { name: "CPU" }).click();
  await expect.poll(() => query(page)).toEqual({ sort: "cpu.up" });
  await page.reload();
  await processes.getByRole("columnheader", { name: "CPU" }).waitFor();
  expect(await processes.getByRole("columnheader", { name: "CPU" }).getAttribute("aria-sort")).toBe(
    "ascending",
  );
  await page.getByRole("table").getByText("extraction-workers").first().waitFor({ timeout: 60_000 });
  await page.goto(`${stage.url}/hosts/nowhere`);
  await page.getByText("There is no such host").waitFor();
  expect(errors).toEqual([]);
  await page.close();
});

it.each(["light", "dark"] as const)("keeps nobody out, in the %s theme and on a phone", async (theme) => {
  const page = await opened("/requests", "Requests");
  await page.emulateMedia({ colorScheme: theme });
  await page.getByRole("img", { name: /Spread of durations/ }).waitFor({ timeout: 60_000 });
  expect(await barriers(page)).toEqual([]);
  await page.getByRole("link", { name: "LLM" }).click();
  await page.getByRole("img", { name: /Spread of durations/ }).waitFor({ timeout: 60_000 });
  expect(await barriers(page)).toEqual([]);
  await page.getByRole("link", { name: "Hosts" }).click();
  await page.getByText("No GPU is seen").waitFor();
  expect(await barriers(page)).toEqual([]);
  await isNarrow(page);
  await page.getByRole("link", { name: /Everything about/ }).click();
  await page.getByRole("img", { name: /CPU by what it did/ }).waitFor({ timeout: 60_000 });
  expect(await barriers(page)).toEqual([]);
  await isNarrow(page);
  await page.goto(`${stage.url}/requests`);
  await page.getByRole("img", { name: /Spread of durations/ }).waitFor();
  await isNarrow(page);
  await page.close();
});
