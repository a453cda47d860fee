import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { FlashpodError, messageOf } from '../../errors.js';
import { Api } from './api.js';
import { ApiError } from './api-error.js';
import { Collector } from './collector.js';
import { expireEvents } from './expiry.js';
import { listen } from './http-server.js';
import type { Json } from './json.js';
import { crdKind } from './kinds/crd.js';

export interface ApiServerOptions {
  /** Directory of CustomResourceDefinitions, *.yaml, one or more a file. */
  readonly crdDir?: string;
  /** 0 = chosen. */
  readonly port?: number;
  /** Made up when absent. */
  readonly token?: string;
  /** Where the kubeconfig is written; a fresh private directory when absent. */
  readonly kubeconfigPath?: string;
}

export interface ApiServer {
  readonly url: string;
  readonly token: string;
  readonly kubeconfigPath: string;
  stop(): Promise<void>;
}

/** An API server for one machine: in memory, on 127.0.0.1, guarded by a token. See README.md for what it serves. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const api = new Api();
  const namespaces = api.registry.find('', 'v1', 'namespaces');
  for (const name of ['default', 'kube-system'])
    api.create(namespaces, undefined, { metadata: { name } }, { fieldValidation: 'Strict', dryRun: false });
  if (options.crdDir !== undefined) await loadDefinitions(api, options.crdDir);

  const token = options.token ?? randomBytes(24).toString('base64url');
  const server = await listen(api, options.port ?? 0, token);
  const collector = new Collector(api);
  const stopExpiry = expireEvents(api);
  const ownDir =
    options.kubeconfigPath === undefined ? await mkdtemp(join(tmpdir(), 'flashpod-kube-')) : undefined;
  const kubeconfigPath = options.kubeconfigPath ?? join(ownDir ?? '', 'kubeconfig');
  await writeFile(kubeconfigPath, kubeconfig(server.url, token), { mode: 0o600 });
  return {
    url: server.url,
    token,
    kubeconfigPath,
    stop: async () => {
      collector.stop();
      stopExpiry();
      await server.stop();
      if (ownDir !== undefined) await rm(ownDir, { recursive: true, force: true });
    },
  };
}

async function loadDefinitions(api: Api, directory: string): Promise<void> {
  const files = (await readdir(directory)).filter((file) => /\.ya?ml$/.test(file)).sort();
  for (const file of files) {
    const path = join(directory, file);
    for (const document of parseAllDocuments(await readFile(path, 'utf8'))) {
      const [problem] = document.errors;
      if (problem !== undefined) throw new FlashpodError('local.crd-invalid', `${path}: ${problem.message}`);
      const object = document.toJS() as Json;
      if (object !== null) define(api, path, object);
    }
  }
}

function define(api: Api, path: string, object: Json): void {
  try {
    api.create(crdKind, undefined, object, { fieldValidation: 'Strict', dryRun: false });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new FlashpodError('local.crd-invalid', `${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** insecure-skip-tls-verify: @kubernetes/client-node refuses plain http without it; there is no TLS to skip. */
function kubeconfig(url: string, token: string): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'flashpod-local',
    clusters: [{ name: 'flashpod-local', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'flashpod-local', user: { token } }],
    contexts: [
      {
        name: 'flashpod-local',
        context: { cluster: 'flashpod-local', user: 'flashpod-local', namespace: 'default' },
      },
    ],
  });
}
