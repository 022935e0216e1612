// Pictures for the docs: `npm run screenshots`, while `make run` runs and has run for a while.
//
// WATCHKEEPER_URL and WATCHKEEPER_PASSWORD (of `admin`) say where; WATCHKEEPER_SCREENSHOTS is the folder.

import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { logIn, openBrowser } from "./chromium";

const folder = process.env.WATCHKEEPER_SCREENSHOTS;
const url = process.env.WATCHKEEPER_URL ?? "http://127.0.0.1:7654";

async function settle(page: Page): Promise<void> {
  await page.getByRole("img", { name: /CPU usage/ }).waitFor();
  await page.getByRole("region", { name: "Recent jobs" }).last().getByRole("row").nth(3).waitFor();
  await page.evaluate(() => document.fonts.ready);
}

it.runIf(folder)("takes pictures", { timeout: 120_000 }, async () => {
  const { context, close } = await openBrowser({ viewport: { width: 1280, height: 1000 } });
  try {
    const page = await context.newPage();
    await page.goto(url);
    await page.getByLabel("Name").waitFor();
    await page.screenshot({ path: `${folder}/login.png`, clip: { x: 320, y: 200, width: 640, height: 600 } });
    await logIn(page, url, "admin", process.env.WATCHKEEPER_PASSWORD ?? "");
    await settle(page);
    for (const theme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      // The pointer's mark goes, and the header stands at the top.
      await page.mouse.move(0, 0);
      await page.screenshot({ path: `${folder}/overview-${theme}.png`, fullPage: true });
    }
    await page.emulateMedia({ colorScheme: "light" });
    const alerts = page.getByRole("region", { name: "Active alerts" });
    if ((await alerts.count()) > 0) {
      await alerts.getByRole("button").first().click();
      await page.getByText("Evidence, from when it fired").waitFor();
      await page.setViewportSize({ width: 1280, height: 1500 });
      await page.evaluate(() => window.scrollTo(0, 0));
      await alerts.screenshot({ path: `${folder}/alert.png` });
      await alerts.getByRole("button").first().click();
    }
    await page.setViewportSize({ width: 390, height: 1500 });
    await settle(page);
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.screenshot({ path: `${folder}/overview-phone.png` });
    expect(page.url()).toContain(url);
  } finally {
    await close();
  }
});
