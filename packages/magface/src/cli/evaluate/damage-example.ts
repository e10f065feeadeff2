/** Pictures of one face at every kind and step of damage, for the page. */
import { type DamagedFaces, damaged, damageNames, describeDamage } from '../../eval/damage-faces.ts';
import { readAligned } from '../../infer/node/read-image.ts';
import type { DamageExample } from '../../report/robustness-page.ts';
import type { ImageFile } from '../inputs.ts';

/**
 * @param files - the damaged files
 * @returns the face of median magnitude: neither the best case nor the worst
 */
export async function damageExample(
  files: readonly ImageFile[],
  { faces, curves }: Pick<DamagedFaces, 'faces' | 'curves'>,
  strengths: readonly number[],
): Promise<DamageExample> {
  const { cropPicture } = await import('../pictures.ts');
  const magnitudeOf = (face: number): number => curves.get(damageNames[0]!)![face]!.magnitudes[0]!;
  const rising = faces.map((_, face) => face).sort((a, b) => magnitudeOf(a) - magnitudeOf(b));
  const chosen = rising[rising.length >> 1]!;
  const { index, seed } = faces[chosen]!;
  const clean = await readAligned(files[index]!.path);
  const rows = damageNames.map(async (kind) => {
    const { magnitudes, similarities } = curves.get(kind)![chosen]!;
    const steps = strengths.map(async (strength, step) => ({
      damage: step === 0 ? 'clean' : describeDamage(kind, strength),
      picture: await cropPicture(damaged(clean, kind, strength, seed)),
      magnitude: magnitudes[step]!,
      similarity: similarities[step]!,
    }));
    return { kind, steps: await Promise.all(steps) };
  });
  return { name: files[index]!.name, rows: await Promise.all(rows) };
}
