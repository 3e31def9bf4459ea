// Loaded before a program of Node.js: its clock is so many milliseconds behind. What it signs ends so much earlier.
const behind = Number(process.env.KUBELAB_TEST_CLOCK_BEHIND ?? 0);
const RealDate = Date;

globalThis.Date = class extends RealDate {
    constructor(...values) {
        super(...(values.length === 0 ? [RealDate.now() - behind] : values));
    }

    static now() {
        return RealDate.now() - behind;
    }
};
