import { FlashpodError } from '../../errors.js';

/** Image repository → the command that stands for its entry point. Tags and digests don't matter: there is one build. */
export type ImageMap = Readonly<Record<string, readonly [string, ...string[]]>>;

export function commandOf(images: ImageMap, image: string): readonly [string, ...string[]] {
  const repository = repositoryOf(image);
  const command = images[repository] ?? images[repository.replace(/^docker\.io\//, '')];
  if (command !== undefined) return command;
  const known = Object.keys(images).join(', ') || 'none';
  throw new FlashpodError(
    'local.image-unknown',
    `image "${image}" is not one that this node can run; it knows ${known}`,
  );
}

/** `registry:5000/team/name:1.2@sha256:…` → `registry:5000/team/name`. */
export function repositoryOf(image: string): string {
  const [name = ''] = image.split('@', 1);
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}
