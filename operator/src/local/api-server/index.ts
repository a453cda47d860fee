import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { FlashpodError, messageOf } from '../../errors.js';
import { Api, type WriteOptions } from './api.js';
import { ApiError } from './api-error.js';
import { Collector } from './collector.js';
import { expireEvents } from './expiry.js';
import { listen } from './http-server.js';
import { type Json, type JsonObject, stringAt } from './json.js';
import { crdKind } from './kinds/crd.js';
import { OpenApi } from './openapi/index.js';
import { route } from './routes.js';
import type { Services } from './services.js';
import { StateDirectory } from './state/state-directory.js';
import { Storage } from './storage.js';
import { makeIdentity } from './tls.js';

export interface ApiServerOptions {
  /** Directory of CustomResourceDefinitions, *.yaml, one or more a file. */
  readonly crdDir?: string;
  /** 0 = chosen. */
  readonly port?: number;
  /** Made up when absent. */
  readonly token?: string;
  /** Where objects are kept between runs; in memory only when absent. */
  readonly stateDir?: string;
  /** Where the node writes the logs of pods: `NAMESPACE_POD/CONTAINER.log`. */
  readonly podLogs?: string;
  /** Where the kubeconfig is written; a fresh private directory when absent. */
  readonly kubeconfigPath?: string;
}

export interface ApiServer {
  readonly url: string;
  readonly token: string;
  /** The one to trust, PEM. */
  readonly certificate: string;
  readonly kubeconfigPath: string;
  /** Objects of an earlier run are there. */
  readonly restored: boolean;
  /** What ends namespaces, definitions and dependents; can be held to look at what is in between. */
  readonly controllers: { hold(): void; release(): void };
  stop(): Promise<void>;
}

/** What every cluster has. */
const NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];
const OWN_WRITE: WriteOptions = { fieldValidation: 'Strict', dryRun: false, manager: 'kube-apiserver' };

/** An API server for one machine, on 127.0.0.1, guarded by a token. See README.md for what it serves. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const state = options.stateDir === undefined ? undefined : StateDirectory.open(options.stateDir);
  try {
    return await serve(options, state);
  } catch (error) {
    state?.close();
    if (!(error instanceof ApiError)) throw error;
    // What a new server writes first had no room.
    throw new FlashpodError('local.state-directory', messageOf(error), { cause: error });
  }
}

async function serve(options: ApiServerOptions, state: StateDirectory | undefined): Promise<ApiServer> {
  const api = new Api(new Storage(state));
  for (const definition of api.storage.list(crdKind.storage)) api.registry.define(definition);
  const namespaces = api.registry.find('', 'v1', 'namespaces');
  for (const name of NAMESPACES) {
    if (api.storage.get(namespaces.storage, name) === undefined)
      api.create(namespaces, undefined, { metadata: { name } }, OWN_WRITE);
  }
  if (options.crdDir !== undefined) await loadDefinitions(api, options.crdDir);

  const token = options.token ?? randomBytes(24).toString('base64url');
  const identity = makeIdentity(new Date());
  const services: Services = {
    api,
    openapi: new OpenApi(() => api.registry.all()),
    podLogs: options.podLogs,
  };
  const server = await listen((call) => route(services, call), options.port ?? 0, token, identity);
  const collector = new Collector(api);
  const stopExpiry = expireEvents(api);
  let ownDir: string | undefined;
  const stop = async () => {
    collector.stop();
    stopExpiry();
    await server.stop();
    if (ownDir !== undefined) await rm(ownDir, { recursive: true, force: true });
  };
  let { kubeconfigPath } = options;
  try {
    if (kubeconfigPath === undefined) {
      ownDir = await mkdtemp(join(tmpdir(), 'flashpod-kube-'));
      kubeconfigPath = join(ownDir, 'kubeconfig');
    }
    await writePrivate(kubeconfigPath, kubeconfig(server.url, token, identity.certificate));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: server.url,
    token,
    certificate: identity.certificate,
    kubeconfigPath,
    controllers: collector,
    restored: (state?.restored.objects.length ?? 0) > 0,
    stop: async () => {
      await stop();
      state?.close();
    },
  };
}

/** Whole or not at all, and for its owner only, also where a file that others may read was before. */
async function writePrivate(path: string, content: string): Promise<void> {
  const unfinished = `${path}.${process.pid}`;
  await rm(unfinished, { force: true });
  await writeFile(unfinished, content, { mode: 0o600, flag: 'wx' });
  await rename(unfinished, path);
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
    const kept = api.storage.get(crdKind.storage, stringAt(object, 'metadata', 'name') ?? '');
    if (kept === undefined) api.create(crdKind, undefined, object, OWN_WRITE);
    // A newer checkout may bring a newer schema.
    else {
      const patch = { spec: (object as JsonObject)['spec'] ?? null };
      api.patch(crdKind, undefined, kept.metadata.name, { type: 'merge', patch }, '', OWN_WRITE);
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new FlashpodError('local.crd-invalid', `${path}: ${messageOf(error)}`, { cause: error });
  }
}

function kubeconfig(url: string, token: string, certificate: string): string {
  const authority = Buffer.from(certificate).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'flashpod-local',
    clusters: [{ name: 'flashpod-local', cluster: { server: url, 'certificate-authority-data': authority } }],
    users: [{ name: 'flashpod-local', user: { token } }],
    contexts: [
      {
        name: 'flashpod-local',
        context: { cluster: 'flashpod-local', user: 'flashpod-local', namespace: 'default' },
      },
    ],
  });
}
