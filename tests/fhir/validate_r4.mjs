// Validates every FHIR R4 resource below a folder (NDJSON) with the npm package fhir: structure, cardinality, required value
// sets, unknown elements.
//   node validate_r4.mjs FOLDER-OF-PACKAGES FOLDER      exit status 1 where a resource is not valid
import { createRequire } from "node:module";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";

const [packages, folder] = process.argv.slice(2);
const { Fhir } = createRequire(path.resolve(packages) + "/")("fhir");
const fhir = new Fhir();

function faults(resource) {
  const { messages } = fhir.validate(resource, { errorOnUnexpected: true });
  return messages.filter(({ severity }) => ["error", "fatal"].includes(severity)).map(({ location, message }) => `${location}: ${message}`);
}

let valid = 0, invalid = 0;
const samples = {};
for (const name of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".ndjson")).sort()) {
  readFileSync(path.join(folder, name), "utf8").split("\n").forEach((line, at) => {
    if (!line) return;
    const resource = JSON.parse(line);
    samples[resource.resourceType] ??= resource;
    const found = faults(resource);
    if (found.length === 0) valid++;
    else if (++invalid <= 10) console.log(`${name}:${at + 1}: ${found.join("; ").slice(0, 300)}`);
  });
}
console.log(`r4, fhir: ${valid.toLocaleString("en")} valid, ${invalid.toLocaleString("en")} invalid`);
// A validator that accepts everything is found out by resources with a fault put in.
const { status, ...withoutStatus } = samples.Encounter;
const accepted = [withoutStatus, { ...samples.Encounter, ward: "7" }, { ...samples.Patient, gender: "m" }].filter((resource) => faults(resource).length === 0);
if (accepted.length > 0) console.log(`the validator accepts ${accepted.length} of 3 resources with a fault`);
process.exit(valid === 0 || invalid > 0 || accepted.length > 0 ? 1 : 0);
