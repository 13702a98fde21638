// Judges Istio resources by the published TypeScript models of Istio's CRDs.
//
// Standard input: a JSON array of resources. Standard output: a JSON array of [index, fault] pairs, empty when all are
// taken. Exit code 1, with the reason on standard error, when the installed models are not the pinned ones.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as v1 from "@kubernetes-models/istio/networking.istio.io/v1";
import * as v1alpha3 from "@kubernetes-models/istio/networking.istio.io/v1alpha3";
import * as v1beta1 from "@kubernetes-models/istio/networking.istio.io/v1beta1";

const PACKAGE = "@kubernetes-models/istio";
const VERSIONS = {
  "networking.istio.io/v1": v1,
  "networking.istio.io/v1beta1": v1beta1,
  "networking.istio.io/v1alpha3": v1alpha3,
};

function main() {
  requirePinnedVersion();
  requireRecentIstio();
  const resources = JSON.parse(readFileSync(0, "utf8"));
  const verdicts = resources.flatMap((resource, index) => faultsOf(resource).map((fault) => [index, fault]));
  process.stdout.write(JSON.stringify(verdicts));
}

function faultsOf(resource) {
  const Model = VERSIONS[resource?.apiVersion]?.[resource?.kind];
  if (Model === undefined) {
    return [`no model of ${resource?.kind} in ${resource?.apiVersion}`];
  }
  try {
    new Model(resource).validate();
    return [];
  } catch (error) {
    return [error.message];
  }
}

// An installer that minds the packages' `engines` silently falls back to models of Istio 1.18 on Node 20.
function requirePinnedVersion() {
  const pinned = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")).dependencies[PACKAGE];
  const root = createRequire(import.meta.url).resolve.paths(PACKAGE)[0];
  const installed = JSON.parse(readFileSync(`${root}/${PACKAGE}/package.json`, "utf8")).version;
  if (installed !== pinned) {
    throw new Error(`${PACKAGE} is ${installed}, pinned is ${pinned}: run \`npm ci --prefix tests/oracle\``);
  }
}

// `retryBudget` came long after 1.18: models that do not know it would take this value, as they do with any field.
function requireRecentIstio() {
  const budget = { percent: "not a number" };
  const probe = {
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: "probe" },
    spec: { host: "probe", trafficPolicy: { retryBudget: budget } },
  };
  if (faultsOf(probe).length === 0) {
    throw new Error(`${PACKAGE} does not know \`retryBudget\`: its Istio is too old`);
  }
  budget.percent = 20;
  if (faultsOf(probe).length !== 0) {
    throw new Error(`${PACKAGE} refuses a valid retry budget: ${faultsOf(probe)}`);
  }
}

main();
