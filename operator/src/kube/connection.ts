import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { FlashpodError, messageOf } from '../errors.js';

/**
 * Server address and proof of identity out of a kubeconfig, or out of the service account in a pod.
 *
 * @kubernetes/client-node only supplies configuration and credentials (static token, token file, client
 * certificate, exec plug-in, OIDC); requests are ours.
 */
export interface Connection {
  readonly server: URL;
  /** Namespace of the current context. */
  readonly namespace: string;
  /** Credentials as of now; cheap to call for each request. */
  authorize(): Promise<{ dispatcher: Dispatcher; headers: Record<string, string> }>;
  close(): Promise<void>;
}

/** Credentials rotate under us (projected tokens, certificates): look again after this long. */
const RECHECK_MS = 10_000;

/** KUBECONFIG, then ~/.kube/config, then the pod's service account. */
export function loadConnection(kubeconfigPath?: string): Connection {
  const config = new KubeConfig();
  const from = kubeconfigPath ?? process.env['KUBECONFIG'] ?? '~/.kube/config';
  try {
    if (kubeconfigPath === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfigPath);
  } catch (error) {
    throw new FlashpodError('kube.config', `cannot read the kubeconfig ${from}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return connectionOf(config, from);
}

/** `from` names the kubeconfig in errors. */
export function connectionOf(config: KubeConfig, from = 'given'): Connection {
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    const found = config.currentContext
      ? `no cluster for its current context "${config.currentContext}"`
      : 'no current context';
    throw new FlashpodError('kube.config', `the kubeconfig ${from} has ${found}`);
  }
  const proxy = cluster.proxyUrl;
  if (proxy !== undefined && !/^https?:/.test(proxy)) {
    throw new FlashpodError(
      'kube.config',
      `proxy-url "${proxy}" is not supported: http:// and https:// proxies are`,
    );
  }
  return new ConfigConnection(config, new URL(cluster.server), proxy);
}

class ConfigConnection implements Connection {
  readonly server: URL;
  readonly namespace: string;
  readonly #config: KubeConfig;
  readonly #proxy: string | undefined;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #fingerprint = '';
  #dispatcher: Dispatcher | undefined;
  #headers: Record<string, string> = {};
  #refreshing: Promise<void> | undefined;

  constructor(config: KubeConfig, server: URL, proxy: string | undefined) {
    this.#config = config;
    this.server = server;
    this.#proxy = proxy;
    this.namespace = config.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
  }

  async authorize(): Promise<{ dispatcher: Dispatcher; headers: Record<string, string> }> {
    if (performance.now() - this.#checkedAt > RECHECK_MS) {
      this.#refreshing ??= this.#refresh().finally(() => {
        this.#refreshing = undefined;
      });
      await this.#refreshing;
    }
    if (this.#dispatcher === undefined) throw new FlashpodError('kube.config', 'the connection is closed');
    return { dispatcher: this.#dispatcher, headers: this.#headers };
  }

  async close(): Promise<void> {
    const dispatcher = this.#dispatcher;
    this.#dispatcher = undefined;
    this.#checkedAt = Number.POSITIVE_INFINITY;
    await dispatcher?.destroy();
  }

  async #refresh(): Promise<void> {
    const options: RequestOptions & { servername?: string } = { headers: {} };
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (error) {
      throw new FlashpodError('kube.config', `cannot load the credentials: ${messageOf(error)}`, {
        cause: error,
      });
    }
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {}))
      headers[name.toLowerCase()] = String(value);
    if (typeof options.auth === 'string') {
      headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    }
    this.#headers = headers;
    this.#useTls(options);
    this.#checkedAt = performance.now();
  }

  /** Keeps the connections unless the certificates changed; running watches end on the old ones by themselves. */
  #useTls(options: RequestOptions & { servername?: string }): void {
    const tls: Record<string, unknown> = {};
    const hash = createHash('sha256');
    for (const name of [
      'ca',
      'cert',
      'key',
      'pfx',
      'passphrase',
      'servername',
      'rejectUnauthorized',
    ] as const) {
      const value = options[name];
      if (value === undefined) continue;
      tls[name] = value;
      hash
        .update(name)
        .update('\0')
        .update(Buffer.isBuffer(value) ? value : String(value))
        .update('\0');
    }
    const fingerprint = hash.digest('hex');
    if (this.#dispatcher !== undefined && fingerprint === this.#fingerprint) return;
    const old = this.#dispatcher;
    this.#fingerprint = fingerprint;
    // One request a connection: a watch holds its socket, and a stalled one must not hold up a lease renewal.
    this.#dispatcher =
      this.#proxy === undefined
        ? new Agent({
            connect: { ...tls, keepAliveInitialDelay: 30_000, timeout: 10_000 },
            pipelining: 1,
            allowH2: false,
          })
        : new ProxyAgent({ uri: this.#proxy, requestTls: tls });
    old?.close().catch(() => {});
  }
}
