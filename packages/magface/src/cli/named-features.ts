/** The features of images by the names that feature files give them. */
import type { BigRunFlags } from './big-run.ts';
import type { ImageFile } from './inputs.ts';
import type { ImageOutcome, RunFlags } from './run-images.ts';

export type EmbedFlags = RunFlags &
  BigRunFlags & { readonly output?: string | undefined; readonly allFaces?: boolean | undefined };

/** Names of the images that may have features. */
export const namesOf = (files: readonly ImageFile[]): string[] =>
  files.flatMap(({ name, error }) => (error === undefined ? [name] : []));

/** @returns `a.jpg` and its largest face's feature, with all faces also `a.jpg#1`, ... */
export function featuresOf(outcome: ImageOutcome, allFaces: boolean): [name: string, embedding: Float32Array][] {
  if ('error' in outcome) return [];
  const { name } = outcome.file;
  const faces = allFaces ? outcome.faces : outcome.faces.slice(0, 1);
  return faces.map(({ embedding }, at) => [at === 0 ? name : `${name}#${at}`, embedding]);
}
