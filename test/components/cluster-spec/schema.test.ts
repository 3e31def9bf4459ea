import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { parse } from "yaml";
import { CONFIG, CONFIG_KEYS } from "../../../components/cluster-spec/schema";
import { specOf } from "./support";

interface Declaration {
    readonly type?: string;
    readonly default?: unknown;
    readonly description?: string;
}

const ROOT = join(__dirname, "../../..");
const read = (file: string): { name: string; config: Record<string, Declaration> } =>
    parse(readFileSync(join(ROOT, file), "utf8")) as { name: string; config: Record<string, Declaration> };
const DECLARED = read("Pulumi.yaml").config;

test("Pulumi.yaml declares the keys that the program reads, and no others", () => {
    expect(Object.keys(DECLARED)).toEqual(CONFIG_KEYS.map((key) => `kubelab:${key}`));
});

test.each(CONFIG_KEYS)("Pulumi.yaml and the program agree on the type and default of %s", (key) => {
    const { type, default: value } = CONFIG[key];
    const declared = DECLARED[`kubelab:${key}`];
    // Pulumi refuses `type: object` before 3.186, and an array needs a type for its items.
    expect(declared?.type).toBe(type === "object" || type === "array" ? undefined : type);
    expect(declared?.default).toEqual(value);
});

test.each(CONFIG_KEYS)("the description of %s names every value or setting that it takes", (key) => {
    const schema = CONFIG[key].schema as z.ZodType;
    const inner = schema instanceof z.ZodOptional ? (schema.unwrap() as z.ZodType) : schema;
    const shaped = inner instanceof z.ZodArray ? (inner.element as z.ZodType) : inner;
    const names =
        shaped instanceof z.ZodEnum ? shaped.options : shaped instanceof z.ZodObject ? Object.keys(shaped.shape) : [];
    const description = DECLARED[`kubelab:${key}`]?.description ?? "";
    expect(description).toMatch(/\.$/);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(description))).toEqual([]);
});

test("the defaults of Pulumi.yaml, as Pulumi hands them to the program, describe the same cluster as no config", () => {
    const handed = Object.entries(DECLARED).map(([key, { default: value }]) => [
        key.replace("kubelab:", ""),
        typeof value === "string" ? value : JSON.stringify(value),
    ]);
    expect(specOf(Object.fromEntries(handed) as Record<string, string>)).toStrictEqual(specOf({}));
});

test("the stack kubenet is one control plane and two workers", () => {
    const entries = Object.entries(read("Pulumi.kubenet.yaml").config);
    const raw = Object.fromEntries(entries.map(([key, value]) => [key.replace("kubelab:", ""), value]));
    expect(specOf(raw).nodes.map(({ name }) => name)).toEqual(["cp-1", "worker-1", "worker-2"]);
});
