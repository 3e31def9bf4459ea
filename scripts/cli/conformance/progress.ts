/** What ginkgo's default reporter has told so far; https://onsi.github.io/ginkgo/#controlling-the-verbosity-of-the-output */
export class SuiteProgress {
    private selected = 0;
    private passed = 0;
    private skipped = 0;
    private readonly failures: string[] = [];
    private expectsName = false;

    /**
     * Takes a line of the output, without colours.
     *
     * @returns the full name of a spec that failed, when the line says it.
     */
    take(line: string): string | undefined {
        const will = /^Will run (\d+) of \d+ specs$/.exec(line);
        if (will !== null) {
            this.selected = Number(will[1]);
        } else if (/^•( \[[\d.]+ seconds\])?$/.test(line)) {
            this.passed++;
        } else if (/^• \[(FAILED|PANICKED|TIMEDOUT|INTERRUPTED|ABORTED)\]/.test(line)) {
            this.expectsName = true;
        } else if (line.startsWith("S [SKIPPED]")) {
            this.skipped++;
        } else if (this.expectsName && line.startsWith("[sig-")) {
            this.expectsName = false;
            // Where in the spec it failed, and at the end the labels.
            const name = line
                .replace(/ \[(It|[A-Za-z]+(Each|All)|DeferCleanup[^\]]*)\]/, "")
                .replace(/ \[sig-[^\]]*\]$/, "");
            this.failures.push(name);
            return name;
        }
        return undefined;
    }

    /** `17 of 446, 1 failed` */
    text(): string {
        const failed = this.failures.length > 0 ? `, ${this.failures.length} failed` : "";
        const done = this.passed + this.skipped + this.failures.length;
        return this.selected === 0 ? "looking which specs there are" : `${done} of ${this.selected}${failed}`;
    }
}
