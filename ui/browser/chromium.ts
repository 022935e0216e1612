// A real Chromium, as the system's package brings it.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface Browser {
  readonly context: BrowserContext;
  readonly close: () => Promise<void>;
}

/** A browser with a profile of its own. */
export async function openBrowser(options: BrowserContextOptions = {}): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), "watchkeeper-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.WATCHKEEPER_CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  context.setDefaultTimeout(30_000);
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { context, close };
}

/** Errors that a page logs: scripts that fail, and what the page's policy forbids. */
export function errorsOf(page: Page): string[] {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    // An answer that says no is logged by the browser itself.
    if (message.type() === "error" && !message.text().includes("the server responded with a status of")) {
      errors.push(message.text());
    }
  });
  return errors;
}

/** What keeps people out of a page, as WCAG 2.2 A and AA see it. */
export async function barriers(page: Page): Promise<string[]> {
  // A colour on its way from one theme to the other is neither's: nothing moves, and the page has drawn what it was
  // told of last.
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.evaluate(
    () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(undefined)))),
  );
  // By the page's own world: its policy forbids scripts that are added to it.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const tool = (window as unknown as { axe: typeof axe }).axe;
    const { violations } = await tool.run({
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    });
    return violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 200)}`));
  });
}

/** Logs in by the form. */
export async function logIn(page: Page, url: string, name: string, password: string): Promise<void> {
  await page.goto(url);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}
