// Alerts with their rules and channels, and administration, as people use them.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Browser, barriers, errorsOf, logIn, openBrowser } from "./chromium";
import { PASSWORD, Stage } from "./stage";

const HOSTILE = '<img src=x onerror="document.title=1"> \u202eevil';

const RULES = `  - alert: QueueIsUsed
    expr: sum by (queue) (queue_enqueued_total) > 0
    labels: {severity: info}
    annotations:
      summary: "Queue {{ $labels.queue }} is used"
      hostile: ${JSON.stringify(HOSTILE)}
    runbook: [workers]
  - alert: NeverFails
    expr: vector(1) / on () group_left () (queue_enqueued_total or vector(1)) > 5 and on () vector(0)
`;

let stage: Stage;
let browser: Browser;
let receiver: Server;

beforeAll(async () => {
  receiver = createServer((_request, response) => response.end("taken, thanks"));
  await new Promise<void>((done) => receiver.listen(0, "127.0.0.1", done));
  const { port } = receiver.address() as AddressInfo;
  const channel = (name: string, url: string) =>
    `[[channels.webhook]]\nname = "${name}"\nurl = "${url}"\nmin_severity = "info"\n`;
  // Nobody listens at the second.
  const config = channel("bridge", `http://127.0.0.1:${port}/`) + channel("broken", "http://127.0.0.1:1/");
  [stage, browser] = await Promise.all([Stage.start({ rules: RULES, config }), openBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await stage?.stop();
  receiver?.close();
});

async function pageOf(name: string, path: string): Promise<Page> {
  await browser.context.clearCookies();
  const page = await browser.context.newPage();
  await logIn(page, stage.url + path, name, PASSWORD);
  return page;
}

function search(page: Page): string {
  return new URL(page.url()).search;
}

async function beyond(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

describe("alerts", () => {
  it("lead by keys alone from one that fires to the queue and the job behind it", async () => {
    await stage.alertOf("QueueIsUsed");
    const page = await pageOf("vera", "/");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("a");
    await page.getByRole("heading", { name: "Active alerts" }).waitFor();
    await page.getByRole("link", { name: "Queue extraction is used" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Queue extraction is used" }).waitFor();
    const queue = page.getByRole("region", { name: "Labels and annotations" }).getByRole("link");
    expect(await queue.getAttribute("href")).toBe("/queues/extraction");
    await queue.focus();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/queues/extraction*");

    // What is of no queue is of everything: the jobs of the calls of models around its beginning.
    await page.goto(`${stage.url}/alerts/${await stage.alertOf("PipelineRuns")}`);
    const job = page.getByRole("region", { name: "What else there was then" }).locator('a[href^="/jobs/"]');
    const isThere = async () => {
      await page.reload();
      await page.getByText("Traces with errors").waitFor();
      return job.count();
    };
    await expect.poll(isThere, { timeout: 60_000, interval: 2_000 }).toBeGreaterThan(0);
    await job.first().focus();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/jobs/*");
    await page.close();
  });

  it("are filtered by the address, which tells of what it does not understand", async () => {
    const page = await pageOf("vera", "/alerts");
    await page.getByRole("heading", { name: "Active alerts" }).waitFor();
    await page.goto(`${stage.url}/alerts?severity=critical&state=never`);
    await page.getByRole("link", { name: "The pipeline runs" }).waitFor();
    await page.getByText("state=never").waitFor();
    expect(await page.getByRole("link", { name: "Documents come in" }).count()).toBe(0);
    await page.getByLabel("Severity").selectOption("warning");
    await page.getByRole("link", { name: "Documents come in" }).waitFor();
    expect(search(page)).toContain("severity=warning");
    await page.getByRole("tab", { name: "History" }).click();
    await page.getByRole("img", { name: /Alerts that fired/ }).waitFor();
    await page.reload();
    await page.getByRole("region", { name: "Alerts", exact: true }).getByText("Documents come in").waitFor();
    expect(search(page)).toContain("tab=history");
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });

  it("show what was found, diagnose anew, tell what happened, and show hostile text as text", async () => {
    const id = await stage.alertOf("QueueIsUsed");
    const page = await pageOf("olga", `/alerts/${id}`);
    const errors = errorsOf(page);
    await page.getByText("Evidence, from when it fired").waitFor();
    await page.getByText(HOSTILE).waitFor();
    await page.getByRole("img", { name: /What the rule watches/ }).waitFor();
    await page.getByRole("button", { name: "Diagnose anew" }).click();
    await page
      .getByRole("region", { name: "Diagnosis of now" })
      .getByRole("heading", { name: "Workers" })
      .waitFor();
    const steps = page.getByRole("region", { name: "What happened to it" });
    await steps.getByText("That it fires told over bridge: delivered").waitFor();
    await steps.getByText(/told over broken: (failed|waits)/).waitFor();
    await page.getByLabel(/Note/).fill("I look at it");
    await page.getByRole("button", { name: "Acknowledge" }).click();
    await steps.getByText("Acknowledged by olga").waitFor();
    await steps.getByText("I look at it").waitFor();
    await page.getByRole("button", { name: "Resolve" }).click();
    await steps.getByText("Resolved by olga").waitFor();
    await page.getByText("It was resolved by hand").waitFor();
    await page
      .getByRole("button", { name: "±60 min" })
      .or(page.getByRole("radio", { name: "±60 min" }))
      .click();
    await expect.poll(() => search(page)).toContain("minutes=60");
    expect(await page.title()).not.toBe("1");
    expect(errors).toEqual([]);
    await page.goto(`${stage.url}/alerts/9999999999999999`);
    await page.getByRole("heading", { name: "There is no such alert" }).waitFor();
    await page.getByText("9999999999999999").waitFor();
    await page.close();
  });

  it("come from rules, each with its values, its threshold and how its evaluation went", async () => {
    const page = await pageOf("vera", "/alerts?tab=rules");
    const rules = page.getByRole("region", { name: "Rules" }).last();
    await rules
      .getByText(/fires > 0/)
      .first()
      .waitFor();
    await page.getByLabel("Name or group").fill("queueisused");
    await page.getByRole("button", { name: "QueueIsUsed" }).press("Enter");
    await page.getByRole("heading", { name: "Rule QueueIsUsed" }).waitFor();
    await page.getByRole("img", { name: /Its values and its threshold/ }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Rule QueueIsUsed" }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByLabel("Last evaluation").selectOption("err");
    await page.getByText("There is no such rule").waitFor();
    await page.close();
  });

  it("are told over channels, of which each says how it does", async () => {
    const page = await pageOf("vera", "/alerts?tab=channels");
    await page.getByRole("region", { name: "bridge" }).getByText("works").waitFor();
    await page.getByRole("region", { name: "broken" }).getByText("its last attempt failed").waitFor();
    await page.getByLabel("Channel", { exact: true }).selectOption("broken");
    await page.getByLabel("Outcome").selectOption("failed");
    await page
      .getByRole("region", { name: "Notifications" })
      .getByText(/QueueIsUsed/)
      .first()
      .waitFor();
    expect(search(page)).toContain("delivery=failed");
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });

  it.each(["light", "dark"] as const)(
    "keep nobody out, and fit on a phone, in the %s theme",
    async (theme) => {
      const id = await stage.alertOf("PipelineIsWatched");
      const page = await pageOf("olga", "/alerts");
      await page.emulateMedia({ colorScheme: theme });
      await page.setViewportSize({ width: 375, height: 800 });
      await page.getByRole("link", { name: "Documents come in" }).waitFor();
      expect(await barriers(page)).toEqual([]);
      for (const path of ["/alerts", "/alerts?tab=history", "/alerts?tab=rules", "/alerts?tab=channels"]) {
        await page.goto(stage.url + path);
        await page.getByRole("tabpanel").getByRole("heading").first().waitFor();
        expect(await beyond(page)).toBeLessThanOrEqual(0);
      }
      await page.goto(`${stage.url}/alerts/${id}`);
      await page.getByText("Evidence, from when it fired").waitFor();
      await page.getByRole("img", { name: /What the rule watches/ }).waitFor();
      await page.getByText("Calls of models").waitFor();
      expect(await beyond(page)).toBeLessThanOrEqual(0);
      expect(await barriers(page)).toEqual([]);
      await page.close();
    },
  );
});

describe("administration", () => {
  it("tells others than administrators that it is not for them", async () => {
    const page = await pageOf("vera", "/admin");
    for (const tab of ["Users", "API keys", "Audit log"]) {
      await page.getByRole("tab", { name: tab }).click();
      await page.getByText("This is for administrators").waitFor();
    }
    await page.getByRole("tab", { name: "Collectors" }).click();
    await page.getByRole("cell", { name: "redis_queue" }).first().waitFor();
    await page.close();
  });

  it("makes users and keys, shows a key once, and takes them away again", async () => {
    await browser.context.clearCookies();
    const page = await browser.context.newPage();
    const errors = errorsOf(page);
    await page.goto(await stage.loginLink());
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.goto(`${stage.url}/admin`);
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel(/^Password, /).fill("short");
    await page.getByRole("button", { name: "Add user" }).click();
    expect(await page.getByRole("cell", { name: "ada", exact: true }).count()).toBe(0);
    await page.getByLabel(/^Password, /).fill(PASSWORD);
    await page.getByLabel("Role").selectOption("admin");
    await page.getByRole("button", { name: "Add user" }).click();
    await page.getByRole("cell", { name: "ada", exact: true }).waitFor();
    await page.getByRole("button", { name: "Set password of ada" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel(/New password/).fill(`${PASSWORD}!`);
    expect(await barriers(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Set password" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Remove ada" }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("cell", { name: "ada", exact: true }).waitFor({ state: "detached" });

    await page.getByRole("tab", { name: "API keys" }).click();
    await page.getByLabel("What it is for").fill("a test");
    await page.getByLabel(/^read/).check();
    await page.getByRole("button", { name: "Make key" }).click();
    const made = page.getByRole("region", { name: "The new key" });
    const secret = (await made.locator("code").textContent()) ?? "";
    const ask = () =>
      page.evaluate(async (key) => {
        const headers = { Authorization: `Bearer ${key}` };
        return (await fetch("/api/v1/queues", { headers, credentials: "omit" })).status;
      }, secret);
    expect(await ask()).toBe(200);
    await made.getByRole("button", { name: "Done, hide it" }).click();
    await made.waitFor({ state: "detached" });
    expect(await page.content()).not.toContain(secret);
    await page.getByRole("button", { name: "Revoke a test" }).click();
    await dialog.getByRole("button", { name: "Revoke for good" }).click();
    await page.getByRole("cell", { name: "revoked" }).waitFor();
    expect(await ask()).toBe(401);
    expect(errors).toEqual([]);

    // What was done is in the audit log, which is as it was written.
    await page.getByRole("tab", { name: "Audit log" }).click();
    await page.getByLabel(/^What:/).fill("user");
    await page.getByRole("button", { name: "Find" }).click();
    await page.getByRole("cell", { name: "user.remove" }).waitFor();
    expect(search(page)).toContain("action=user");
    await page.reload();
    await page.getByRole("cell", { name: "user.create" }).first().waitFor();
    expect(await page.getByRole("cell", { name: "login" }).count()).toBe(0);
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText(/Intact: all \d+ entries/).waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "as CSV" }).click();
    expect((await download).suggestedFilename()).toMatch(/\.csv$/);
    for (const theme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: theme });
      for (const tab of ["users", "keys", "audit", "collectors", "storage", "ingest", "configuration"]) {
        await page.goto(`${stage.url}/admin?tab=${tab}`);
        await page.getByRole("tabpanel").getByRole("heading").first().waitFor();
        await page.setViewportSize({ width: 375, height: 800 });
        expect(await beyond(page), tab).toBeLessThanOrEqual(0);
        expect(await barriers(page), `${tab}, ${theme}`).toEqual([]);
        await page.setViewportSize({ width: 1280, height: 900 });
      }
    }
    await page.close();
  });
});
