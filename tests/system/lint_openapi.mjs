// lint_openapi.mjs FILE - the document under the rules of redocly's linter, all that there are but for those named here.
import { readFileSync } from "node:fs";
import { createConfig, lint } from "@redocly/openapi-core";

const OFF = {
  "info-contact": "the project names no person",
  "info-license": "the project has no licence to name yet",
  "paths-kebab-case": "what is done to a thing stands behind it, /v1/quality/{id}:release: KEBAB below looks instead",
  "path-segment-plural": "v1, status and stream are no collections",
  "required-string-property-missing-min-length": "texts of answers may be empty: the unit of a ratio, the name of a rule",
  "scalar-property-missing-example": "each body has an example, whole and checked",
  "tags-alphabetical": "tags stand in reading order",
};
const rules = Object.fromEntries(Object.keys(OFF).map((rule) => [rule, "off"]));
rules["response-mime-type"] = {
  severity: "error",
  allowedValues: ["application/json", "application/problem+json", "text/event-stream", "text/plain"],
};

const config = await createConfig({ extends: ["all"], rules });
const problems = await lint({ ref: process.argv[2], config });
const KEBAB = /^(\/([a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)?|\{[a-z_]+\}(:[a-z]+(-[a-z]+)*)?))+$|^\/$/;
const odd = Object.keys(JSON.parse(readFileSync(process.argv[2], "utf8")).paths).filter((path) => !KEBAB.test(path));
for (const p of problems) console.log(`${p.ruleId} ${p.location[0]?.pointer}: ${p.message}`);
for (const path of odd) console.log(`paths-kebab-case ${path}: not in kebab case`);
console.log(`${problems.length + odd.length} problems`);
process.exit(problems.length + odd.length ? 1 : 0);
