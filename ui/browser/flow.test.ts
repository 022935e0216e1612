// Queues, workers and documents, as people use them.

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Browser, barriers, errorsOf, logIn, openBrowser } from "./chromium";
import { PASSWORD, Stage } from "./stage";

let stage: Stage;
let browser: Browser;

/** What applications may say: markup, quotes, slashes, writing from right to left, and much of it. */
const EVIL = `"><img src=x onerror="document.title='taken'"> '/../ \u202eevil\u202c ${"long".repeat(40)}`;
const [JOB, QUEUE, WORKER, DOCUMENT] = ["job", "queue", "worker", "document"].map(
  (name) => `${name} ${EVIL}`,
) as [string, string, string, string];

beforeAll(async () => {
  [stage, browser] = await Promise.all([Stage.start(), openBrowser()]);
  const at = (secondsAgo: number) => new Date(Date.now() - secondsAgo * 1_000).toISOString();
  const job = { job_id: JOB, kind: "extraction", queue: QUEUE, document_id: DOCUMENT, pages: 12 };
  // Only the first names the document, as the guide allows.
  const it = { job_id: JOB, worker_id: WORKER };
  await stage.send("/api/v1/events", [
    {
      type: "job.submitted",
      event_id: "f1",
      time: at(60),
      ...job,
      attributes: { file_name: "contract.pdf" },
    },
    { type: "job.started", event_id: "f2", time: at(50), ...it },
    { type: "job.retried", event_id: "f3", time: at(40), ...it, error_type: "Timeout", error_message: EVIL },
    { type: "job.started", event_id: "f4", time: at(20), ...it, retry_count: 1 },
    { type: "worker.heartbeat", event_id: "f5", time: at(70), worker_id: WORKER, pid: 1, started_at: at(90) },
    {
      type: "worker.heartbeat",
      event_id: "f6",
      time: at(5),
      worker_id: WORKER,
      pid: 2,
      started_at: at(50),
      queues: [QUEUE],
      job_id: JOB,
      memory_rss_mb: 300,
    },
  ]);
});

afterAll(async () => {
  await browser?.close();
  await stage?.stop();
});

async function open(path: string, name = "vera"): Promise<Page> {
  await browser.context.clearCookies();
  const page = await browser.context.newPage();
  await logIn(page, `${stage.url}${path}`, name, PASSWORD);
  return page;
}

const PAGES = {
  queues: ["/queues", "Queues"],
  queue: [`/queues/${encodeURIComponent(QUEUE)}`, QUEUE],
  "watched queue": ["/queues/extraction?state=dead", "extraction"],
  workers: ["/workers", "Workers"],
  worker: [`/workers/${encodeURIComponent(WORKER)}`, WORKER],
  documents: ["/documents", "Documents"],
  document: [`/documents/${encodeURIComponent(DOCUMENT)}`, DOCUMENT],
} as const;

async function settled(page: Page, title: string): Promise<void> {
  await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
  await expect.poll(() => page.getByText("Loading", { exact: true }).count(), { timeout: 30_000 }).toBe(0);
}

describe("queues and workers", () => {
  it("lead from the overview to a queue, to its worker and to its job", async () => {
    const page = await open("/");
    const errors = errorsOf(page);
    await page
      .getByRole("article", { name: "Queue llm_tasks" })
      .getByRole("link", { name: "llm_tasks" })
      .click();
    await settled(page, "llm_tasks");
    await page.getByRole("img", { name: /^Tasks by state, last hour/ }).waitFor();
    await page.getByRole("cell", { name: "up to 50 ms" }).waitFor();
    await page
      .getByRole("region", { name: "Workers of this queue" })
      .getByRole("link", { name: "llm-1" })
      .click();
    await settled(page, "llm-1");
    await page.getByRole("img", { name: "Memory, last hour" }).waitFor();
    await page.getByRole("region", { name: "Its processes" }).last().getByText("runs").waitFor();
    const job = page
      .getByRole("region", { name: "Its jobs" })
      .last()
      .getByRole("row")
      .nth(1)
      .getByRole("link")
      .first();
    expect(await job.getAttribute("href")).toMatch(/^\/jobs\/[0-9a-f-]{36}/);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("are sorted and filtered as the address says, which is reloaded, and tells of what is none", async () => {
    const page = await open("/workers");
    await settled(page, "Workers");
    await page.goto(`${stage.url}/workers?sort=worker&queue=llm_tasks&status=gone`);
    await page.getByText("The address was not understood in part").getByText("status=gone").waitFor();
    const table = page.getByRole("region", { name: "Workers", exact: true });
    await table.getByRole("link", { name: "llm-1" }).waitFor();
    expect(await table.getByRole("link", { name: "extraction-1" }).count()).toBe(0);
    await page.getByRole("combobox", { name: "Queue" }).selectOption("");
    await table.getByRole("link", { name: "extraction-1" }).waitFor();
    await table.getByRole("button", { name: "Memory" }).click();
    await page.getByRole("searchbox").fill("docpipe");
    await expect.poll(() => new URL(page.url()).search).toBe("?sort=memory&q=docpipe");
    await page.reload();
    await table.getByRole("link", { name: "llm-1" }).waitFor();
    expect(await table.getByRole("columnheader", { name: "Memory" }).getAttribute("aria-sort")).toBe(
      "descending",
    );
    expect(await table.getByRole("link", { name: "worker" }).count()).toBe(0);
    await page.close();
  });

  it("offer a viewer no operation", async () => {
    const page = await open("/queues/extraction");
    await page.getByText("Operators can queue tasks again, and remove them.").waitFor();
    expect(await page.getByRole("checkbox").count()).toBe(0);
    await page.close();
  });
});

describe("documents", () => {
  it("are found by a part of a name, and shown with their attempts, waits and failures", async () => {
    const page = await open("/documents");
    await page.getByRole("searchbox").fill("CONTRACT");
    await page.getByRole("cell", { name: /contract\.pdf/ }).waitFor();
    await page.getByRole("link", { name: /^document / }).click();
    await page.getByRole("heading", { level: 1, name: "contract.pdf" }).waitFor();
    const bars = page.getByRole("list", { name: "Jobs over time" }).getByRole("img");
    expect(await bars.getAttribute("aria-label")).toMatch(
      /^attempt 1 waited 10 s; attempt 1 ran 10 s, failed, to be tried again: Timeout: .*; attempt 2 waited 20 s; attempt 2 runs for /s,
    );
    await page
      .getByRole("region", { name: "What went wrong" })
      .last()
      .getByText(`Timeout: ${EVIL}`)
      .waitFor();
    expect(await page.title()).not.toBe("taken");
    await page.close();
  });

  it("are found by the palette, as queues and workers are", async () => {
    const page = await open("/");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("extraction-1");
    await page.getByRole("option", { name: /extraction-1 worker/ }).waitFor();
    await page.getByRole("combobox").fill('document ">');
    await page.getByRole("option", { name: /^document ">.* document$/ }).click();
    await settled(page, "contract.pdf");
    await page.close();
  });
});

it.each(["light", "dark"] as const)("keep nobody out, in the %s theme", async (theme) => {
  const page = await open("/queues", "olga");
  await settled(page, "Queues");
  await page.emulateMedia({ colorScheme: theme });
  for (const [path, title] of Object.values(PAGES)) {
    await page.goto(`${stage.url}${path}`);
    await settled(page, title === DOCUMENT ? "contract.pdf" : title);
    expect([path, await barriers(page)]).toEqual([path, []]);
  }
  await page.close();
});

it("fit on a phone", async () => {
  const page = await open("/queues");
  await settled(page, "Queues");
  await page.setViewportSize({ width: 375, height: 800 });
  for (const [path, title] of Object.values(PAGES)) {
    await page.goto(`${stage.url}${path}`);
    await settled(page, title === DOCUMENT ? "contract.pdf" : title);
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect([path, beyond <= 0]).toEqual([path, true]);
  }
  await page.close();
});

// The last: it takes a while until the pipeline has given something up.
it("let an operator remove dead letters, and show first which", async () => {
  const page = await open("/queues/extraction?state=dead", "olga");
  const tasks = page.getByRole("region", { name: "Tasks, dead" });
  await tasks.getByRole("checkbox").first().check({ timeout: 90_000 });
  const id = (await tasks.getByRole("row").nth(1).getByRole("link").first().textContent()) ?? "";
  await page.getByRole("button", { name: "Queue again or remove" }).click();
  const dialog = page.getByRole("dialog", { name: "Tasks of extraction" });
  // Dead letters of this queue hold no task: the server says so where it was asked.
  await dialog.getByRole("button", { name: "Show what would be done" }).click();
  await dialog.getByRole("alert").getByText("dead letters can only be removed").waitFor();
  await dialog.getByRole("radio", { name: "Remove" }).click();
  await dialog.getByRole("button", { name: "Show what would be done" }).click();
  await dialog.getByText("This would remove 1 task. Nothing has been done yet.").waitFor();
  await dialog.getByRole("cell", { name: id }).waitFor();
  expect(await barriers(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Remove 1 task" }).click();
  await dialog.getByText("1 task was removed.").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect.poll(() => page.getByRole("link", { name: id }).count(), { timeout: 30_000 }).toBe(0);
  await page.close();
});
