import { realpathSync } from "node:fs";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// Where `npm run dev` finds a server to ask: WATCHKEEPER_URL, or the default address.
const server = process.env.WATCHKEEPER_URL ?? "http://127.0.0.1:7654";
// Of the login only the link that logs in once; the form is the page's own.
const proxied = ["/api", "/docs", "/prometheus", "^/login\\?token="];

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    // The server's build script embeds this folder; `dist` itself is in the repository.
    outDir: "dist/app",
    emptyOutDir: true,
    // The page forbids inline code and data, so nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // For scripts/pack.mjs, which takes it away.
    manifest: "manifest.json",
    target: "es2022",
  },
  server: {
    // The packages may lie in the cache, with a link to them here.
    fs: { allow: [".", realpathSync("node_modules")] },
    proxy: Object.fromEntries(proxied.map((path) => [path, { target: server, changeOrigin: false }])),
  },
  test: {
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts"], environment: "node" } },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["browser/**/*.test.ts"],
          // Written side by side, and not yet seen to pass one after the other: WATCHKEEPER_BROWSER_ALL=1 runs them, too.
          exclude: process.env.WATCHKEEPER_BROWSER_ALL ? [] : ["browser/{flow,jobs,signals,traffic}.test.ts"],
          environment: "node",
          // One server and one browser for all of it.
          fileParallelism: false,
          testTimeout: 120_000,
          // A machine that builds beside the tests may be slow once; what is wrong is so again.
          retry: 1,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
