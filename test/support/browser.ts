import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { source } from "axe-core";
import { type BrowserContext, chromium, type Page } from "playwright-core";

/** No services of its maker, nothing in the background. */
const FLAGS = [
    ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
    ...["--disable-component-update", "--disable-sync"],
];

/** Debian's Chromium without a window, with a profile of its own, and what it asked for. */
export class Browser {
    /** Every URL that a page asked for. */
    readonly asked: string[] = [];
    /** What pages had to complain of: errors, and what their policy refused. */
    readonly complaints: string[] = [];

    private constructor(
        private readonly directory: string,
        private readonly context: BrowserContext,
    ) {}

    static async start(): Promise<Browser> {
        const directory = mkdtempSync(join(tmpdir(), "kubelab-browser-"));
        const context = await chromium.launchPersistentContext(directory, {
            ...{
                executablePath: "/usr/bin/chromium",
                headless: true,
                args: FLAGS,
                viewport: { width: 1500, height: 1000 },
            },
        });
        return new Browser(directory, context);
    }

    async open(url: string): Promise<Page> {
        const page = await this.context.newPage();
        page.setDefaultTimeout(60_000);
        page.on("request", (request) => this.asked.push(request.url()));
        page.on("pageerror", (error) => this.complaints.push(error.message));
        page.on("console", (message) => {
            if (message.type() === "error" || message.type() === "warning") {
                this.complaints.push(message.text());
            }
        });
        await page.goto(url);
        return page;
    }

    async close(): Promise<void> {
        await this.context.close();
        rmSync(this.directory, { recursive: true, force: true });
    }
}

/** The rows of one of the page's lists: the texts of its cells, without the signs of states. */
export async function rowsOf(page: Page, list: string): Promise<string[][]> {
    return page.evaluate<string[][]>(
        `[...document.querySelectorAll("#table-${list} tbody tr")].map((row) =>
            [...row.children].map((cell) => cell.textContent.replace(/^[✓◔✕–?] /, "").trim()))`,
    );
}

/** The classes of an item of the drawing: its kind, its state, and what is brought out. */
export async function classesOf(page: Page, id: string): Promise<string[]> {
    const names = await page.locator(`[data-id="${id}"]`).getAttribute("class");
    return (names ?? "").split(" ");
}

interface Violation {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[];
}

/** What axe finds on a page that is serious or critical: the rule, where, and why. https://dequeuniversity.com/rules/axe/ */
export async function seriousViolations(page: Page): Promise<string[]> {
    // The page's policy keeps it from being added as an element.
    await page.evaluate(source);
    const { violations } = await page.evaluate<{ violations: readonly Violation[] }>("axe.run()");
    return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .flatMap(({ id, nodes }) =>
            nodes.map(({ target, failureSummary = "" }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
        );
}
