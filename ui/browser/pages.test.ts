// Login and Overview, as people use them.

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

async function fresh(): Promise<Page> {
  await browser.context.clearCookies();
  return browser.context.newPage();
}

function search(page: Page): string {
  return new URL(page.url()).search;
}

async function overviewOf(name: string): Promise<Page> {
  const page = await fresh();
  await logIn(page, stage.url, name, PASSWORD);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  return page;
}

/** The number beside a term of the headline. */
async function fact(page: Page, term: string): Promise<number> {
  const value = page.locator("div", { has: page.locator("dt", { hasText: new RegExp(`^${term}$`) }) }).last();
  return Number((await value.locator("dd").textContent())?.replaceAll(",", ""));
}

describe("login", () => {
  it("tells of a wrong password, lets the right one in, and leads to where one wanted to go", async () => {
    const page = await fresh();
    const errors = errorsOf(page);
    await logIn(page, `${stage.url}/?from=now-7d&to=now`, "olga", "a wrong password");
    await page.getByRole("alert").waitFor();
    expect(new URL(page.url()).pathname).toBe("/login");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    expect(search(page)).toBe("?from=now-7d&to=now");

    await page.getByRole("button", { name: "olga" }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in to Watchkeeper" }).waitFor();
    expect((await browser.context.cookies()).map((cookie) => cookie.name)).toEqual([]);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("works once by the link of the first start, and says so the second time", async () => {
    const page = await fresh();
    const link = await stage.loginLink();
    await page.goto(link);
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await browser.context.clearCookies();
    await page.goto(link);
    await page.getByText("This link has been used or has expired").waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });
});

describe("overview", () => {
  it("shows the pipeline from its queues to its stages, and moves by itself", async () => {
    const page = await overviewOf("vera");
    const errors = errorsOf(page);
    for (const queue of ["extraction", "llm_tasks"]) {
      await page.getByRole("article", { name: `Queue ${queue}` }).waitFor();
    }
    for (const stageName of ["extract", "embed"]) {
      await page
        .getByRole("article", { name: `Stage ${stageName}`, exact: true })
        .first()
        .waitFor();
    }
    await page.getByText("1 busy").or(page.getByText("online, 0 busy")).first().waitFor();
    await page.getByRole("status").filter({ hasText: "Live" }).waitFor();

    const before = await fact(page, "Completed");
    await expect.poll(() => fact(page, "Completed"), { timeout: 30_000 }).toBeGreaterThan(before);
    await page.getByRole("region", { name: "Recent jobs" }).last().getByText("completed").first().waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  it("shows all of a page over the time that the address names", async () => {
    const page = await overviewOf("vera");
    for (const title of ["CPU usage", "Memory usage", "Queue length"]) {
      await page.getByRole("img", { name: `${title}, last hour` }).waitFor();
    }
    await page.getByRole("cell", { name: "/documents", exact: true }).waitFor();
    await page.getByRole("button", { name: "Last hour" }).click();
    await page.getByRole("button", { name: "Last 24 hours" }).click();
    await page.getByRole("img", { name: "CPU usage, last 24 hours" }).waitFor();
    expect(search(page)).toBe("?from=now-24h&to=now");
    // It stays from one view to the next, and browsers go back through it.
    await page.getByRole("link", { name: "Explore" }).click();
    await page.getByRole("heading", { name: "Explore" }).waitFor();
    expect(search(page)).toBe("?from=now-24h&to=now");
    await page.goBack();
    await page.goBack();
    await page.getByRole("img", { name: "CPU usage, last hour" }).waitFor();
    await page.close();
  });

  it("holds the time, goes back by keys, and zooms where a chart is dragged", async () => {
    const page = await overviewOf("vera");
    const chart = page.getByRole("img", { name: /CPU usage/ });
    await chart.waitFor();
    const spanOf = () => {
      const { searchParams } = new URL(page.url());
      return (Date.parse(searchParams.get("to") ?? "") - Date.parse(searchParams.get("from") ?? "")) / 1000;
    };
    await page.keyboard.press("p");
    await page.getByRole("button", { name: "Go live" }).waitFor();
    expect(spanOf()).toBe(3600);
    await chart.scrollIntoViewIfNeeded();
    const box = await chart.boundingBox();
    if (!box) throw new Error("the chart is not in sight");
    await page.mouse.move(box.x + box.width * 0.5, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.7, box.y + 40, { steps: 5 });
    await page.mouse.up();
    await expect.poll(spanOf).toBeLessThan(1800);
    expect(spanOf()).toBeGreaterThan(300);
    await page.getByRole("button", { name: "Zoom out" }).click();
    await expect.poll(spanOf).toBeGreaterThan(1200);
    const held = page.url();
    await page.keyboard.press("[");
    await expect.poll(() => page.url()).not.toBe(held);
    await page.close();
  });

  it("takes a range that is written, and tells of one that is none", async () => {
    const page = await overviewOf("vera");
    await page.keyboard.press("t");
    const form = page.getByRole("dialog", { name: "Choose a time range" });
    await form.getByLabel("From").fill("yesterday");
    await form.getByRole("button", { name: "Show this range" }).click();
    await form.getByRole("alert").getByText("is no time").waitFor();
    await form.getByLabel("From").fill("now-90m");
    await page.keyboard.press("Enter");
    await page.getByRole("img", { name: "CPU usage, last 90 minutes" }).waitFor();
    await page.goto(`${stage.url}/?from=late&to=%3Cscript%3E&alerts=most`);
    await page.getByText("The address was not understood in part").waitFor();
    await page.getByText("to=<script>").waitFor();
    await page.getByRole("img", { name: "CPU usage, last hour" }).waitFor();
    await page.getByRole("button", { name: "Dismiss" }).click();
    await page.getByText("The address was not understood").waitFor({ state: "detached" });
    await page.close();
  });

  it("leads to pages and alerts by the palette and by keys, and says which keys there are", async () => {
    const page = await overviewOf("vera");
    const errors = errorsOf(page);
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog", { name: "Go to" }).waitFor();
    await page.keyboard.type("pipeline runs");
    await page.getByRole("option", { name: /The pipeline runs/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.keyboard.press("Enter");
    await page.getByText("Evidence, from when it fired").waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("e");
    await page.getByRole("heading", { name: "Explore" }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys and help" }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(errors).toEqual([]);
    await page.close();
  });

  it("remembers theme, density and time zone", async () => {
    const page = await overviewOf("vera");
    const data = () => page.evaluate(() => ({ ...document.documentElement.dataset }));
    await page.getByRole("button", { name: "vera" }).click();
    await page.getByRole("menuitem", { name: "Use the dark theme" }).click();
    await page.getByRole("button", { name: "vera" }).click();
    await page.getByRole("menuitem", { name: "Make it compact" }).click();
    await page.reload();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    expect(await data()).toMatchObject({ theme: "dark", density: "compact" });
    await page.getByRole("button", { name: "vera" }).click();
    await page.getByRole("menuitem", { name: "Use the light theme" }).click();
    await page.evaluate(() => localStorage.clear());
    await page.close();
  });

  it("shows an alert with its evidence, and an operator acknowledges it with a note and resolves it", async () => {
    const page = await overviewOf("olga");
    await page.getByRole("button", { name: /Documents come in/ }).click();
    const alert = page.getByRole("region", { name: /Documents come in/ });
    await alert.getByText(/tasks have come in/).waitFor();
    await alert.getByText("Evidence, from when it fired").waitFor();
    await alert.getByRole("link", { name: /Runbook/ }).waitFor();
    expect(await alert.getByRole("table").count()).toBeGreaterThan(0);
    // The address holds what is open.
    await page.reload();
    await alert.getByLabel(/Note/).fill("I look at it");
    await alert.getByRole("button", { name: "Acknowledge" }).click();
    await alert.getByText("I look at it").waitFor();
    await alert.getByText("Acknowledged by olga").waitFor();
    await alert.getByRole("button", { name: "Resolve" }).click();
    await page.getByRole("button", { name: /Documents come in/ }).waitFor({ state: "detached" });
    await page.close();
  });

  it("opens the alert that a notification links to, and says what became of one that is over", async () => {
    const page = await fresh();
    const errors = errorsOf(page);
    const id = await stage.alertOf("PipelineRuns");
    await page.setViewportSize({ width: 1280, height: 320 });
    await logIn(page, `${stage.url}/?alert=${id}`, "olga", PASSWORD);
    const alert = page.getByRole("region", { name: /The pipeline runs/ });
    await alert.getByText("Evidence, from when it fired").waitFor();
    const line = page.getByRole("button", { name: /The pipeline runs/ });
    const top = () => line.evaluate((node) => node.getBoundingClientRect().top);
    await expect.poll(async () => (await top()) >= 0 && (await top()) < 160).toBe(true);

    const over = await stage.alertOf("PipelineIsWatched");
    await page.goto(`${stage.url}/?alert=${over}`);
    await page.getByText(/Documents come in is resolved/).waitFor();
    // An id that JSON would read as a number, and round.
    await page.goto(`${stage.url}/?alert=9999999999999999`);
    await page.getByText("There is no alert 9999999999999999.").waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Dismiss" }).click();
    await page.getByText("There is no alert").waitFor({ state: "detached" });
    expect(search(page)).toBe("");
    expect(errors).toEqual([]);
    await page.close();
  });

  it("leads from a runbook to the login, and back to the runbook", async () => {
    const page = await fresh();
    await logIn(page, `${stage.url}/docs/runbooks/queue-backlog.md`, "vera", PASSWORD);
    await page.getByText("# Queue backlog").waitFor();
    expect(new URL(page.url()).pathname).toBe("/docs/runbooks/queue-backlog.md");
    // Somebody who is logged in goes there at once, and nowhere else.
    await page.goto(`${stage.url}/login?next=%2Fdocs%2Frunbooks%2Fdisk-full.md`);
    await page.waitForURL(`${stage.url}/docs/runbooks/disk-full.md`);
    for (const elsewhere of ["https://evil.example/", "//evil.example/", "/\\evil.example"]) {
      await page.goto(`${stage.url}/login?next=${encodeURIComponent(elsewhere)}`);
      await page.getByRole("heading", { name: "Overview" }).waitFor();
      expect(new URL(page.url()).origin).toBe(stage.url);
    }
    await page.close();
  });

  it("offers a viewer no action", async () => {
    const page = await overviewOf("vera");
    await page.getByRole("button", { name: /The pipeline runs/ }).click();
    await page.getByText("Operators can acknowledge and resolve this alert.").waitFor();
    expect(await page.getByRole("button", { name: "Acknowledge" }).count()).toBe(0);
    await page.close();
  });

  it("leads to the login when the session has ended elsewhere, and back again", async () => {
    const page = await overviewOf("vera");
    await page.getByRole("button", { name: "Last hour" }).click();
    await page.getByRole("button", { name: "Last 24 hours" }).click();
    await page.getByRole("button", { name: "Last 24 hours" }).waitFor();
    await browser.context.clearCookies();
    await page.getByRole("heading", { name: "Log in to Watchkeeper" }).waitFor();
    await logIn(page, page.url(), "vera", PASSWORD);
    await page.getByRole("img", { name: "CPU usage, last 24 hours" }).waitFor();
    await page.close();
  });

  it.each(["light", "dark"] as const)("keeps nobody out, in the %s theme", async (theme) => {
    const page = await overviewOf("olga");
    await page.emulateMedia({ colorScheme: theme });
    await page.getByRole("button", { name: /The pipeline runs/ }).click();
    await page.getByText("Evidence, from when it fired").waitFor();
    await page.getByRole("img", { name: /CPU usage/ }).waitFor();
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe(theme);
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });

  it("fits on a phone", async () => {
    const page = await overviewOf("olga");
    await page.setViewportSize({ width: 375, height: 800 });
    await page.getByRole("img", { name: /CPU usage/ }).waitFor();
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(beyond).toBeLessThanOrEqual(0);
    await page.close();
  });

  // The last: it stops the server.
  it("says that the connection is lost, and is live again when the server is back", async () => {
    const page = await overviewOf("olga");
    await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
    await stage.end("watchkeeper");
    await page.getByText("Connection lost").waitFor();
    await stage.serve();
    await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
    await page.close();
  });
});
