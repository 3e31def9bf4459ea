import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMap, parseDocument } from "yaml";
import { fullKey, readProject } from "../engine/project";
import type { Stack } from "./stack";

/** Sets one setting of an object in the stack's config file, as `pulumi config set --path` does for a text; the rest stays as it is. */
export function setInStackFile(stack: Stack, key: string, setting: string, value: unknown): void {
    const file = join(stack.repository, `Pulumi.${stack.name}.yaml`);
    const text = readFileSync(file, "utf8");
    const document = parseDocument(text);
    const { name: project } = readProject(stack.repository);
    const full = fullKey(key, project);
    const config = document.get("config");
    const written = isMap(config)
        ? config.items.map((item) => String(item.key)).find((each) => fullKey(each, project) === full)
        : undefined;
    const path = ["config", written ?? full];
    const found = document.getIn(path);
    if (typeof found === "string") {
        // As `pulumi config set` writes an object.
        document.setIn(path, document.createNode(JSON.parse(found || "{}")));
    }
    document.setIn([...path, setting], document.createNode(value, { flow: true }));
    const indent = /^config:.*\n( +)/m.exec(text)?.[1]?.length ?? 2;
    writeFileSync(file, document.toString({ lineWidth: 0, indent }));
}
