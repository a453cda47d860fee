// Halts: what they select. What they stop is the agents' to do.

export { haltController } from './controller.js';
export { haltStatus } from './plan.js';
export { type HaltWorld, type Selection, selectionOf } from './selects.js';
