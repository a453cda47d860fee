// Execution cores: from the object to one pod with core and agent.

export { type CoreConfig, coreConfig } from './config.js';
export { coreController } from './controller.js';
export { planCore } from './plan.js';
export { corePod, corePodHash } from './pod.js';
