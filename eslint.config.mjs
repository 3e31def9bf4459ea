import pulumi from "@pulumi/eslint-plugin";
import tseslint from "typescript-eslint";

export default tseslint.config(
    { ignores: ["node_modules", ".kubelab", "coverage"] },
    ...tseslint.configs.recommendedTypeChecked.map((config) => ({ ...config, files: ["**/*.ts", "**/*.tsx"] })),
    {
        files: ["**/*.ts", "**/*.tsx"],
        languageOptions: { parserOptions: { project: "./tsconfig.json" } },
        plugins: { "@pulumi": pulumi },
        rules: {
            "@pulumi/no-output-in-template-literal": "error",
            "@pulumi/no-output-instance-in-template-literal": "off",
            "@typescript-eslint/no-explicit-any": "error",
            "@typescript-eslint/switch-exhaustiveness-check": "error",
            "@typescript-eslint/restrict-template-expressions": "off",
        },
    },
    {
        // The page's code runs in browsers.
        files: ["scripts/view/page/*"],
        languageOptions: { parserOptions: { project: "./scripts/view/page/tsconfig.json" } },
    },
    {
        files: ["components/**/*.ts", "scripts/**/*.ts", "test/support/**/*.ts"],
        rules: {
            "no-restricted-syntax": [
                "error",
                {
                    selector: "ImportExpression[source.value=/^\\./]",
                    message: "Node.js loads no TypeScript by import() here: late() of scripts/support/late.ts does",
                },
            ],
        },
    },
);
