/**
 * A process has no file system of its own, so the paths of a container are translated: what lies under a mount
 * becomes the directory behind it, and a parent of mounts becomes a directory made of links to them.
 */
export interface Mount {
  /** Without a slash at its end. */
  readonly mountPath: string;
  /** Where it really is. */
  readonly target: string;
}

export class MountTable {
  readonly #mounts: readonly Mount[];
  readonly #linkRoot: string;

  /** `linkRoot` holds, for each mount, a link of the same path. */
  constructor(mounts: readonly Mount[], linkRoot: string) {
    // The longest first: /a/b before /a.
    this.#mounts = [...mounts].sort((a, b) => b.mountPath.length - a.mountPath.length);
    this.#linkRoot = linkRoot;
  }

  /** A path of the container as a path of this machine; anything that no mount concerns stays. */
  path(path: string): string {
    const trimmed = path.length > 1 ? path.replace(/\/+$/, '') : path;
    for (const { mountPath, target } of this.#mounts) {
      if (trimmed === mountPath) return target;
      if (trimmed.startsWith(`${mountPath}/`)) return target + trimmed.slice(mountPath.length);
    }
    const isParent =
      trimmed !== '/' && this.#mounts.some(({ mountPath }) => mountPath.startsWith(`${trimmed}/`));
    return isParent ? this.#linkRoot + trimmed : path;
  }

  /** An argument or environment value: `PATH`, `--flag=PATH`, `unix:PATH`, `file://PATH`. */
  text(text: string): string {
    const match = /^((?:--?[\w-]+=)?(?:unix:|file:)?(?:\/\/)?)(\/.*)$/s.exec(text);
    if (match === null) return text;
    const [, prefix = '', path = ''] = match;
    // `//host/path` is a URL without scheme, not a path with a prefix.
    if (prefix.endsWith('//') && !/(unix|file):\/\/$/.test(prefix)) return text;
    return prefix + this.path(path);
  }
}
