// Checks resources of KEDA, a JSON list on standard input, by KEDA's own schemas. Prints each complaint.
import { readFileSync } from "node:fs";
import { ScaledObject, TriggerAuthentication } from "@kubernetes-models/keda/keda.sh/v1alpha1";

const kinds = { ScaledObject, TriggerAuthentication };
let wrong = 0;
for (const resource of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    new kinds[resource.kind](resource).validate();
  } catch (error) {
    wrong += 1;
    console.log(`${resource.kind} ${resource.metadata.name}: ${error.message}`);
  }
}
process.exit(wrong ? 1 : 0);
