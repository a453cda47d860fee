/** Local mode: an API server and a node, so that all of Flashpod runs without a cluster. */
export { type ApiServer, type ApiServerOptions, startApiServer } from './api-server/index.js';
export { repositoryOf } from './process-node/images.js';
export { type ProcessNodeOptions, type RunningNode, startProcessNode } from './process-node/index.js';
export { Reaper } from './process-node/reaper.js';
