// What the browser tests stand on: the built binary, which watches the example pipeline with a real
// Redis, and a real Chromium that looks at it.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");

/** Rules that a test sees fire at once, and their checks. */
const RULES = `groups:
- name: browser
  interval: 1s
  rules:
  - alert: PipelineIsWatched
    expr: sum(queue_enqueued_total) > 0
    labels: {severity: warning}
    annotations:
      summary: Documents come in
      description: "{{ $value }} tasks have come in."
      runbook_url: /docs/runbooks/queue-backlog.md
    runbook: [workers, queues, top_processes_by_memory]
  - alert: PipelineRuns
    expr: sum(queue_enqueued_total) > 0
    labels: {severity: critical}
    annotations: {summary: The pipeline runs}
    runbook: [workers]
`;

/** What a test has beside what all have. */
export interface More {
  /** More settings, in TOML. */
  readonly config?: string;
  /** More rules of the group, in YAML. */
  readonly rules?: string;
}

export const PASSWORD = "a long enough password";

/** A folder, the processes that keep things in it, and how to reach Watchkeeper. */
export class Stage {
  private readonly children: ChildProcess[] = [];
  private constructor(
    private readonly folder: string,
    /** Where Watchkeeper itself answers. */
    private readonly server: string,
    /** Where the page is: in Watchkeeper, or with WATCHKEEPER_UI_DEV=1 as its sources are now, which builds nothing. */
    readonly url: string,
  ) {}

  /** Starts everything; with users `olga`, an operator, and `vera`, a viewer. */
  static async start(more: More = {}): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), "watchkeeper-ui-"));
    const server = `http://127.0.0.1:${await freePort()}`;
    const isDev = process.env.WATCHKEEPER_UI_DEV === "1";
    const stage = new Stage(folder, server, isDev ? `http://localhost:${await freePort()}` : server);
    try {
      await stage.startAll(more);
    } catch (error) {
      await stage.stop();
      throw error;
    }
    return stage;
  }

  private async startAll(more: More): Promise<void> {
    const redis = await freePort();
    const redisUrl = `redis://127.0.0.1:${redis}/0`;
    const bare = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", this.folder];
    this.spawn("redis", "redis-server", ["--port", `${redis}`, ...bare]);
    await eventually("Redis answers", () => run("redis-cli", ["-p", `${redis}`, "ping"]));
    const example = await readFile(join(root, "examples/docpipe/watchkeeper.toml"), "utf8");
    const rules = `[alerts]\nrules = [${JSON.stringify(join(this.folder, "rules.yml"))}]\n\n`;
    const live = `[pipeline]\ninterval = "1s"\n\n`;
    await writeFile(join(this.folder, "rules.yml"), RULES + (more.rules ?? ""));
    const config = rules + live + example.replace("redis://127.0.0.1:6379/0", redisUrl);
    await writeFile(join(this.folder, "watchkeeper.toml"), `${config}\n${more.config ?? ""}`);
    await this.serve();
    if (this.url !== this.server) await this.serveSources();
    for (const [name, role] of [
      ["olga", "operator"],
      ["vera", "viewer"],
    ] as const) {
      await this.command(["user", "add", name, "--role", role, "--password-stdin"], PASSWORD);
    }
    const python = process.env.WATCHKEEPER_TEST_PYTHON ?? "python3";
    const load = [
      "--count",
      "0",
      "--rate",
      "3",
      "--llm-delay",
      "0.2",
      "--log-dir",
      join(this.folder, "logs"),
    ];
    const where = ["--redis", redisUrl, "--watchkeeper", this.server, "--gateway-port", "0"];
    this.spawn("docpipe", python, ["-m", "docpipe", ...where, ...load], join(root, "examples/docpipe"));
  }

  /** Serves the page from its sources, in front of Watchkeeper. */
  private async serveSources(): Promise<void> {
    const ui = join(root, "ui");
    const where = ["--port", new URL(this.url).port, "--strictPort"];
    this.spawn("vite", join(ui, "node_modules/.bin/vite"), where, ui, { WATCHKEEPER_URL: this.server });
    await eventually("the page answers", () => fetch(this.url));
  }

  /** Starts Watchkeeper itself. */
  async serve(): Promise<void> {
    const config = join(this.folder, "watchkeeper.toml");
    const where = ["--data-dir", join(this.folder, "data"), "--listen", new URL(this.server).host];
    this.spawn("watchkeeper", binary(), ["serve", "--config", config, ...where]);
    const isReady = async () => {
      if (!(await fetch(`${this.server}/readyz`)).ok) throw new Error("not ready");
    };
    await eventually("Watchkeeper is ready", isReady).catch(async (error: unknown) => {
      throw new Error(await this.log("watchkeeper"), { cause: error });
    });
  }

  /** The link that the first start printed, which logs in once. */
  async loginLink(): Promise<string> {
    const link = (await this.log("watchkeeper")).match(/http\S+\/login\?token=\S+/);
    if (!link) throw new Error("the first start printed no link");
    return link[0].replace(/^http:\/\/[^/]+/, this.url);
  }

  /** The id of the alert of a rule. */
  async alertOf(rule: string): Promise<string> {
    const token = await readFile(join(this.folder, "data/local.token"), "utf8");
    let id = "";
    await eventually(`an alert of ${rule}`, async () => {
      const headers = { Authorization: `Bearer ${token.trim()}` };
      const answer = await fetch(`${this.server}/api/v1/alerts?limit=200`, { headers });
      const { items } = (await answer.json()) as { items: { id: string; rule: string }[] };
      const alert = items.find((item) => item.rule === rule);
      if (!alert) throw new Error(`no alert of ${rule}`);
      id = alert.id;
    });
    return id;
  }

  /** Asks the part with this name to end, and waits for it. */
  async end(name: string): Promise<void> {
    const child = this.children.findLast((child) => names.get(child) === name);
    if (child) await ended(child);
  }

  /** Ends everything, the last first, and removes what it kept. */
  async stop(): Promise<void> {
    for (const child of this.children.toReversed()) await ended(child);
    await rm(this.folder, { recursive: true, force: true });
  }

  private async command(args: string[], input: string): Promise<void> {
    const where = ["--url", this.server, "--data-dir", join(this.folder, "data")];
    const done = run(binary(), [...args, ...where]);
    done.child.stdin?.end(`${input}\n`);
    await done;
  }

  private spawn(
    name: string,
    command: string,
    args: string[],
    cwd = this.folder,
    more: Record<string, string> = {},
  ): void {
    // A shell of its own to write the log; `exec` makes the child itself the process that is ended.
    const log = join(this.folder, `${name}.log`);
    const quoted = [command, ...args].map((text) => `'${text.replaceAll("'", "'\\''")}'`).join(" ");
    // Several servers run side by side: each has its receivers of OpenTelemetry where there is room.
    const anywhere = "127.0.0.1:0";
    const receivers = {
      WATCHKEEPER_SERVER__OTLP__GRPC_LISTEN: anywhere,
      WATCHKEEPER_SERVER__OTLP__HTTP_LISTEN: anywhere,
    };
    const env = { ...process.env, ...receivers, ...more };
    const child = spawn("sh", ["-c", `exec ${quoted} >>'${log}' 2>&1`], { cwd, env, stdio: "ignore" });
    names.set(child, name);
    this.children.push(child);
  }

  private log(name: string): Promise<string> {
    return readFile(join(this.folder, `${name}.log`), "utf8");
  }
}

const names = new WeakMap<ChildProcess, string>();

function binary(): string {
  const path = process.env.WATCHKEEPER_BINARY;
  if (!path) throw new Error("WATCHKEEPER_BINARY names the binary under test; `make test` sets it");
  return path;
}

/** Ends a process, kindly at first. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await gone;
  clearTimeout(force);
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? done(address.port) : fail(new Error("no port")),
      );
    });
  });
}

/** Tries until it succeeds; the last error is told when the time runs out. */
async function eventually(what: string, attempt: () => Promise<unknown>): Promise<void> {
  const until = Date.now() + 60_000;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > until) throw new Error(`waited for: ${what}`, { cause: error });
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}
