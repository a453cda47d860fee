import type { Api } from './api.js';
import type { OpenApi } from './openapi/index.js';

/** What requests are answered from. */
export interface Services {
  readonly api: Api;
  readonly openapi: OpenApi;
  /** Where the node writes what containers print, `NAMESPACE_POD/CONTAINER.log`; undefined where nothing runs. */
  readonly podLogs: string | undefined;
}
