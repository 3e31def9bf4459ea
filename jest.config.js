const transform = { "^.+\\.ts$": ["ts-jest", { isolatedModules: true, diagnostics: false }] };

/** @type {import("jest").Config} */
module.exports = {
    projects: [
        {
            displayName: "unit",
            testMatch: ["<rootDir>/test/components/**/*.test.ts", "<rootDir>/test/scripts/**/*.test.ts"],
            transform,
        },
        { displayName: "e2e", testMatch: ["<rootDir>/test/e2e/**/*.test.ts"], transform },
    ],
};
