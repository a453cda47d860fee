// Runs commands through the recording proxy and turns what passed into scenes.
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reduce } from './documents.ts';
import type { Exchange, Scene, Value } from './format.ts';
import type { Normaliser } from './normalise.ts';
import type { Recorded, RecordingProxy } from './proxy.ts';

const KEPT_REQUEST = ['accept', 'content-type', 'if-none-match', 'user-agent'];
const KEPT_ANSWER = ['content-type', 'warning', 'etag', 'retry-after'];
const WITHIN_MS = 60_000;

export interface Run {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One scene in the making. */
export class Take {
  readonly #recorder: Recorder;
  readonly #commands: string[] = [];
  readonly #input: Record<string, string> = {};
  readonly #out: Run[] = [];

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** A file that commands name. */
  file(name: string, text: string): void {
    this.#input[name] = text;
    writeFileSync(join(this.#recorder.directory, name), text);
  }

  async kubectl(args: string, env: Record<string, string> = {}): Promise<Run> {
    this.#commands.push(`kubectl ${args}`);
    const run = await this.#recorder.run(args, env).finished;
    this.#out.push(run);
    return run;
  }

  /** A command that goes on while `meanwhile` happens, until it has printed so many lines or ended by itself. */
  async during(args: string, lines: number, meanwhile: () => Promise<void>, begun = 0): Promise<Run> {
    this.#commands.push(`kubectl ${args} &`);
    const { child, finished, printed } = this.#recorder.run(args, {});
    // It must have begun to watch, or what happens meanwhile would be part of its first list.
    await this.#recorder.until(() => this.#recorder.watches > 0 && printed() >= begun);
    await meanwhile();
    if (lines > 0) {
      await this.#recorder.until(() => printed() >= lines);
      child.kill('SIGINT');
    }
    const run = await finished;
    this.#out.push(run);
    return run;
  }

  /** A request of another program than kubectl. */
  async direct(method: string, path: string, body?: Value, type = 'application/json'): Promise<Value> {
    this.#commands.push(`${method} ${path}`);
    const answer = await fetch(this.#recorder.proxy.url + path, {
      method,
      headers: {
        'user-agent': 'transcript/1',
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': type }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return (text.startsWith('{') && !path.includes('watch=true') ? JSON.parse(text) : text) as Value;
  }

  /** Waits for something that the server does by itself; these questions are not written down. */
  async settled(path: string, ready: (body: Value, status: number) => boolean): Promise<void> {
    await this.#recorder.settled(path, ready);
  }

  finish(): Scene {
    const { normaliser } = this.#recorder;
    const lines = (text: string) =>
      normaliser
        .text(text)
        .split('\n')
        .filter((line) => line !== '');
    return {
      command: normaliser.text(this.#commands.join('\n')),
      ...(Object.keys(this.#input).length === 0 ? {} : { input: this.#input }),
      exit: this.#out.at(-1)?.exit ?? 0,
      stdout: this.#out.flatMap(({ stdout }) => lines(stdout)),
      stderr: this.#out.flatMap(({ stderr }) => lines(stderr)),
      exchanges: this.#recorder.takeExchanges(),
    };
  }
}

export class Recorder {
  readonly proxy: RecordingProxy;
  readonly normaliser: Normaliser;
  readonly directory: string;
  readonly #kubectl: string;
  readonly #settled: (path: string) => Promise<{ status: number; body: Value }>;

  constructor(options: {
    proxy: RecordingProxy;
    normaliser: Normaliser;
    directory: string;
    kubectl: string;
    ask: (path: string) => Promise<{ status: number; body: Value }>;
  }) {
    this.proxy = options.proxy;
    this.normaliser = options.normaliser;
    this.directory = options.directory;
    this.#kubectl = options.kubectl;
    this.#settled = options.ask;
  }

  async scene(script: (take: Take) => Promise<void>): Promise<Scene> {
    const take = new Take(this);
    await script(take);
    return take.finish();
  }

  get watches(): number {
    return this.proxy.watching();
  }

  run(
    args: string,
    env: Record<string, string>,
  ): { child: ChildProcess; finished: Promise<Run>; printed: () => number } {
    const child = spawn('sh', ['-c', `exec "$KUBECTL" ${args}`], {
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: this.directory,
        KUBECTL: this.#kubectl,
        KUBECONFIG: join(this.directory, 'kubeconfig'),
        TZ: 'UTC',
        ...env,
      },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk;
    });
    const finished = new Promise<Run>((resolve, reject) => {
      const limit = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`kubectl ${args} did not end\n${stdout}${stderr}`));
      }, WITHIN_MS);
      child.on('close', (code) => {
        clearTimeout(limit);
        resolve({ exit: code ?? -1, stdout, stderr });
      });
    });
    return { child, finished, printed: () => stdout.split('\n').length - 1 };
  }

  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const limit = Date.now() + WITHIN_MS;
    while (!(await condition())) {
      if (Date.now() > limit) throw new Error('the recording does not go on');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async settled(path: string, ready: (body: Value, status: number) => boolean): Promise<void> {
    await this.until(async () => {
      const { status, body } = await this.#settled(path);
      return ready(body, status);
    });
  }

  takeExchanges(): Exchange[] {
    const calls = this.proxy.take();
    return calls.map((call, index) => this.#exchange(call, index, calls.length));
  }

  #exchange(call: Recorded, index: number, count: number): Exchange {
    const watch = /[?&]watch=(true|1)/.test(call.url);
    const { normaliser } = this;
    const requestBody = parsed(call.requestBody, call.requestHeaders['content-type'] ?? '');
    return {
      request: {
        method: call.method,
        url: normaliser.url(call.url),
        headers: this.#headers(call.requestHeaders, KEPT_REQUEST),
        ...(requestBody === undefined ? {} : { body: normaliser.sent(requestBody) }),
      },
      answer: {
        status: call.status,
        headers: this.#headers(call.answerHeaders, KEPT_ANSWER),
        ...this.#answerBody(call, watch && call.status === 200),
      },
      // One that was still open at the end of its scene ends there.
      ...(watch && call.status === 200
        ? { endsBefore: call.endedAfter === 0 ? count : Math.max(call.endedAfter, index + 1) }
        : {}),
    };
  }

  #answerBody(call: Recorded, watch: boolean): { body?: Value } {
    if (call.answerBody.length === 0) return watch ? { body: [] } : {};
    if (!watch) {
      const body = reduce(
        call.url,
        parsed(call.answerBody, call.answerHeaders['content-type'] ?? '') ?? null,
      );
      return { body: this.normaliser.value(body) };
    }
    const lines = call.answerBody
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
    return { body: lines.map((line) => this.normaliser.value(JSON.parse(line) as Value)) };
  }

  #headers(headers: Record<string, string>, kept: readonly string[]): Record<string, string> {
    return Object.fromEntries(
      kept.flatMap((name) => {
        const value = headers[name];
        if (value === undefined) return [];
        const tag = name === 'etag' || name === 'if-none-match';
        // Version and machine are of no account; the first word becomes the manager of fields.
        if (name === 'user-agent') return [[name, value.split('/', 1)[0] ?? ''] as const];
        return [[name, tag ? this.normaliser.etag(value) : this.normaliser.text(value)] as const];
      }),
    );
  }
}

/** JSON as such, other text as text, protobuf in base64; the OpenAPI document of the whole server is too much. */
function parsed(body: Buffer, type: string): Value | undefined {
  if (body.length === 0) return undefined;
  if (type.includes('openapi')) return '<openapi v2>';
  if (type.includes('protobuf')) return { base64: body.toString('base64') };
  const text = body.toString('utf8');
  return /^[{[]/.test(text) ? (JSON.parse(text) as Value) : text;
}
