// Kubernetes' own programs, built from the modules that go.mod names and go.sum pins, and kept outside the repository.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Program → the package that it is built from. */
const PACKAGES = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  'kube-proxy': 'k8s.io/kubernetes/cmd/kube-proxy',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
  kubelet: 'k8s.io/kubernetes/cmd/kubelet',
} as const;
export type Program = keyof typeof PACKAGES;
export const PROGRAMS = Object.keys(PACKAGES) as Program[];

const here = import.meta.dirname;

/** The version of Kubernetes, as go.mod requires it. */
export function kubernetesVersion(): string {
  const version = /^\s*(?:require )?k8s\.io\/kubernetes (v\d+\.\d+\.\d+)(?: \/\/ indirect)?$/m.exec(
    readFileSync(join(here, 'go.mod'), 'utf8'),
  )?.[1];
  if (version === undefined) throw new Error(`${here}/go.mod requires no version of k8s.io/kubernetes`);
  return version;
}

/** Where the programs of this go.sum are, built or not. */
export function binariesDir(): string {
  const cache = process.env['FLASHPOD_CACHE'] ?? join(homedir(), '.cache', 'flashpod');
  const hash = createHash('sha256').update(readFileSync(join(here, 'go.sum')));
  return join(cache, 'kubernetes', hash.digest('hex').slice(0, 16));
}

/** Builds what is missing, one program after the other (each takes up to minutes the first time); gives the paths. */
export function buildBinaries<P extends Program>(programs: readonly P[]): Record<P, string> {
  const directory = binariesDir();
  mkdirSync(directory, { recursive: true });
  const paths = programs.map((program) => {
    const path = join(directory, program);
    if (!existsSync(path)) build(program, path);
    return [program, path] as const;
  });
  return Object.fromEntries(paths) as Record<P, string>;
}

function build(program: Program, path: string): void {
  // Under a name of its own first: a build that was interrupted must not be taken for a finished one.
  const unfinished = `${path}.${process.pid}`;
  process.stderr.write(`building ${program} ${kubernetesVersion()}\n`);
  const args = ['build', '-mod=readonly', '-trimpath', '-ldflags', linkerFlags(), '-o', unfinished];
  const { status, error } = spawnSync('go', [...args, PACKAGES[program]], {
    cwd: here,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error !== undefined)
    throw new Error(`cannot run go, which ${program} is built with: ${error.message}`, { cause: error });
  if (status !== 0) {
    rmSync(unfinished, { force: true });
    throw new Error(`go build of ${program} ended with ${status}`);
  }
  renameSync(unfinished, path);
}

/** Without these, /version shows a placeholder that version checks dislike. */
function linkerFlags(): string {
  const version = kubernetesVersion();
  const [major = '', minor = ''] = version.slice(1).split('.');
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const flags = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((variables) =>
    Object.entries(values).map(([name, value]) => `-X ${variables}.${name}=${value}`),
  );
  return ['-s', '-w', ...flags].join(' ');
}
