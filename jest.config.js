/** Where CI or a terminal would colour what the program prints, tests still read it plain. */
const setupFiles = ["<rootDir>/test/support/plain-output.ts"];
const transform = { "^.+\\.ts$": ["ts-jest", { isolatedModules: true, diagnostics: false }] };

/** @type {import("jest").Config} */
module.exports = {
    // By default jest leaves one core alone; of two that is half of them.
    maxWorkers: "100%",
    testTimeout: 30_000,
    projects: [
        {
            displayName: "unit",
            testMatch: [
                "<rootDir>/test/*.test.ts",
                "<rootDir>/test/components/**/*.test.ts",
                "<rootDir>/test/scripts/**/*.test.ts",
            ],
            setupFiles,
            transform,
        },
        {
            displayName: "e2e",
            testMatch: ["<rootDir>/test/e2e/**/*.test.ts"],
            testEnvironment: "<rootDir>/test/support/story-environment.ts",
            setupFiles,
            transform,
        },
    ],
};
