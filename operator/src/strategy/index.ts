// Strategies: what may run (accept), what an instance may do (policyFor), and how the one becomes the other (plan).

export { accept, coreFor } from './accept.js';
export { catalog } from './catalog.generated.js';
export { strategyController } from './controller.js';
export { ParameterChecks } from './parameters.js';
export { plan } from './plan.js';
export { podHash, strategyPod } from './pod.js';
export { covers, type Policy, policyFor } from './policy.js';
export { stopIsProven } from './proof.js';
export { runsHashOf } from './runs.js';
