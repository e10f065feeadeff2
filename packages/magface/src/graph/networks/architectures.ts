/** Looks up built-in networks by name, and custom ones by file. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError, firstLine } from '../../errors.ts';
import { isModuleFile } from '../../settings/setting.ts';
import type { Architecture } from './builder.ts';
import { edgeface, edgefaceNames } from './edgeface.ts';
import { ghostfacenet, ghostfacenetNames } from './ghostfacenet.ts';
import { iresnet, iresnetNames } from './iresnet.ts';
import { irse, irseNames } from './irse.ts';
import { mbf, mbfNames } from './mbf.ts';
import { mixfacenet, mixfacenetNames } from './mixfacenet.ts';
import { mobilefacenet, mobilefacenetNames, mobilefacenetRelu6 } from './mobilefacenet.ts';
import { pocketnet, pocketnetNames } from './pocketnet.ts';
import { vit, vitNames } from './vit.ts';

/** Describes a network whose feature has D values. */
export type BuildArchitecture = (embeddingLength: number) => Architecture;

/** A family's names, each with its network. */
const family = <Name extends string>(
  names: readonly Name[],
  build: (name: Name, embeddingLength: number) => Architecture,
): (readonly [string, BuildArchitecture])[] => names.map((name) => [name, (length) => build(name, length)]);

const known: ReadonlyMap<string, BuildArchitecture> = new Map([
  ...family(iresnetNames, iresnet),
  ...family(mobilefacenetNames, mobilefacenet),
  ['mobilefacenet-relu6', mobilefacenetRelu6],
  ...family(mbfNames, mbf),
  ...family(irseNames, irse),
  ...family(ghostfacenetNames, ghostfacenet),
  ...family(mixfacenetNames, mixfacenet),
  ...family(pocketnetNames, pocketnet),
  ...family(edgefaceNames, edgeface),
  ...family(vitNames, vit),
]);

/** The names that {@link architecture} accepts. */
export const architectureNames: readonly string[] = [...known.keys()];

/**
 * @param name - one of {@link architectureNames} (`--arch`)
 * @param embeddingLength - D (`--embedding-size`) @default 512
 * @throws {ConfigError} for another name
 */
export function architecture(name: string, embeddingLength = 512): Architecture {
  const build = known.get(name);
  if (build !== undefined) return build(embeddingLength);
  throw new ConfigError('arch', {
    expected: `arch to be one of ${architectureNames.join(', ')}`,
    received: name,
    remedy: 'give the file of a network of your own, as --arch ./net.mjs',
  });
}

/**
 * Opens a network by name, or from a custom file.
 *
 * @param name - a name as {@link architecture} takes it, or the path of a JavaScript module whose default export is a
 * {@link BuildArchitecture}; it is run
 * @throws {ConfigError} if the file does not exist or describes no network
 */
export async function openArchitecture(name: string, embeddingLength = 512): Promise<Architecture> {
  if (!isModuleFile(name)) return architecture(name, embeddingLength);
  const wrong = (why: string, cause?: unknown): ConfigError =>
    new ConfigError(
      'arch',
      {
        expected: `${name} to export by default a function that describes a network`,
        problem: why,
        remedy: 'correct the file',
      },
      { cause },
    );
  const { default: build } = (await import(pathToFileURL(resolve(name)).href).catch((cause: unknown) => {
    throw wrong(`it cannot be loaded (${firstLine(cause)})`, cause);
  })) as { readonly default?: BuildArchitecture };
  if (typeof build !== 'function') throw wrong('it exports none');
  const built = build(embeddingLength);
  const lacks = (['name', 'nodes', 'tensors', 'embeddingLength'] as const).find(
    (field) => built?.[field] === undefined,
  );
  if (lacks !== undefined) throw wrong(`what it gives has no ${lacks}`);
  return built;
}
