import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { configPage } from "./config-page";

/** Writes the pages of docs/ that are generated: `node --require tsx/cjs scripts/docs/main.ts`. */
writeFileSync(join(__dirname, "../../docs/config.md"), configPage());
