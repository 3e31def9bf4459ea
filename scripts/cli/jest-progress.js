/** A reporter of jest's that tells `scripts/lab test` which test is running: jest itself writes when a whole file is done. */
module.exports = class {
    onTestFileStart(test) {
        this.tell(test.path, "");
    }

    onTestCaseStart(test, { fullName }) {
        this.tell(test.path, fullName);
    }

    tell(path, name) {
        process.send?.({ file: path.replace(/^.*\/test\//, "").replace(/\.test\.ts$/, ""), name });
    }
};
