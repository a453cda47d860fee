// The process of a strategy pod, in parts that tests and other packages can hold.

export { CoreClock } from './clock.js';
export { type Config, readConfig, readToken } from './config.js';
export { CoreLink, type LinkEvents, type LinkOptions } from './link.js';
export { type Description, describeStrategy, strategyOf } from './package.js';
export { chosenStrategy, strategies, strategyNamed } from './registry.js';
export { Sidecar, type SidecarOptions, type SidecarStatus } from './sidecar.js';
