import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configPage } from "./config-page";
import { conformancePage } from "./conformance-page";
import { exercisesPage } from "./exercises-page";

/** Writes the pages of docs/ that are generated: `node --require tsx/cjs scripts/docs/main.ts`. */
const page = (name: string, content: string): void => writeFileSync(join(__dirname, "../../docs", name), content);
page("config.md", configPage());
page("conformance.md", conformancePage());
page("exercises.md", exercisesPage(readFileSync(join(__dirname, "../../docs/exercises.md"), "utf8")));
