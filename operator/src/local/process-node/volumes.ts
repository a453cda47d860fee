import { mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import type { Container, KeyToPath, Pod, Volume } from '../../kube/pod.js';
import { type Mount, MountTable } from './mounts.js';
import type { Sources } from './sources.js';

/** Why a volume cannot be there yet; the pod waits and it is tried again. */
export class MountError extends Error {}

/** The volumes of one pod on disk: `pods/UID/v/NAME`, or for hostPath `host/PATH`. */
export class PodVolumes {
  readonly #root: string;
  readonly #directory: string;
  readonly #pod: Pod;
  readonly #sources: Sources;

  constructor(root: string, directory: string, pod: Pod, sources: Sources) {
    this.#root = root;
    this.#directory = directory;
    this.#pod = pod;
    this.#sources = sources;
  }

  /** Makes or refreshes all of them; throws MountError when something they need is missing. */
  async prepare(): Promise<void> {
    for (const volume of this.#pod.spec?.volumes ?? []) await this.#prepare(volume);
  }

  /** The translation of a container's paths, with the links for parents of its mounts in place. */
  async mount(container: Container): Promise<MountTable> {
    const linkRoot = join(this.#directory, 'c', container.name);
    await rm(linkRoot, { recursive: true, force: true });
    await mkdir(linkRoot, { recursive: true, mode: 0o700 });
    const mounts = (container.volumeMounts ?? []).map((mount): Mount => {
      const volume = this.#pod.spec?.volumes?.find(({ name }) => name === mount.name);
      if (volume === undefined) throw new MountError(`volumeMount "${mount.name}" has no volume`);
      const target =
        mount.subPath === undefined
          ? this.#pathOf(volume)
          : join(this.#pathOf(volume), inside(mount.subPath));
      return { mountPath: mount.mountPath.replace(/\/+$/, ''), target };
    });
    // Parents before children; a mount inside a mount keeps its translation, but has no link of its own.
    const byDepth = [...mounts].sort((a, b) => a.mountPath.length - b.mountPath.length);
    for (const [index, { mountPath, target }] of byDepth.entries()) {
      if (byDepth.slice(0, index).some((outer) => `${mountPath}/`.startsWith(`${outer.mountPath}/`)))
        continue;
      const link = join(linkRoot, mountPath);
      await mkdir(dirname(link), { recursive: true, mode: 0o700 });
      await symlink(target, link);
    }
    return new MountTable(mounts, linkRoot);
  }

  #pathOf(volume: Volume): string {
    if (volume.hostPath !== undefined) return join(this.#root, 'host', inside(volume.hostPath.path));
    return join(this.#directory, 'v', volume.name);
  }

  async #prepare(volume: Volume): Promise<void> {
    const path = this.#pathOf(volume);
    const namespace = this.#pod.metadata?.namespace ?? '';
    if (volume.hostPath !== undefined) {
      await prepareHostPath(path, volume.hostPath.type ?? '', volume.hostPath.path);
    } else if (volume.secret !== undefined) {
      const { secretName, items, optional } = volume.secret;
      const data = this.#sources.secret(namespace, secretName);
      if (data === undefined && optional !== true)
        throw new MountError(`volume "${volume.name}": secret "${secretName}" not found`);
      await writeFiles(path, data ?? {}, items, `secret "${secretName}"`);
    } else if (volume.configMap !== undefined) {
      const { name, items, optional } = volume.configMap;
      const data = this.#sources.configMap(namespace, name);
      if (data === undefined && optional !== true)
        throw new MountError(`volume "${volume.name}": configmap "${name}" not found`);
      await writeFiles(path, data ?? {}, items, `configmap "${name}"`);
    } else {
      await mkdir(path, { recursive: true, mode: 0o700 });
    }
  }
}

/** A path of an object must not lead out of its directory. */
function inside(path: string): string {
  return normalize(join('/', path));
}

async function prepareHostPath(path: string, type: string, shown: string): Promise<void> {
  switch (type) {
    case '':
    case 'DirectoryOrCreate':
      await mkdir(path, { recursive: true, mode: 0o700 });
      return;
    case 'Directory':
      if ((await stat(path).catch(() => undefined))?.isDirectory() !== true)
        throw new MountError(`hostPath ${shown} is not a directory`);
      return;
    default:
      throw new MountError(
        `hostPath type "${type}" is not supported; supported are Directory and DirectoryOrCreate`,
      );
  }
}

/** One file a key, 0600, each replaced in one step, so that a reader sees the old or the new value. */
async function writeFiles(
  directory: string,
  data: Readonly<Record<string, Buffer>>,
  items: readonly KeyToPath[] | undefined,
  source: string,
): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const files = new Map<string, Buffer>();
  for (const { key, path } of items ?? Object.keys(data).map((key) => ({ key, path: key }))) {
    const value = data[key];
    if (value === undefined) throw new MountError(`${source} has no key "${key}"`);
    files.set(path, value);
  }
  for (const [path, value] of files) {
    const file = join(directory, inside(path));
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const fresh = join(dirname(file), `..${path.replaceAll('/', '_')}.new`);
    await writeFile(fresh, value, { mode: 0o600 });
    await rename(fresh, file);
  }
  if (items === undefined) await removeOthers(directory, files);
}

async function removeOthers(directory: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!files.has(name)) await rm(join(directory, name), { recursive: true, force: true });
  }
}
