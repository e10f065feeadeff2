/** The faces of `evaluate clusters` and their people: from a feature file, or from images and a model. */
import { ConfigError, ShapeError } from '../../errors.ts';
import { isIjbClusterList, readIjbClusters } from '../../eval/clusters/ijb-clusters.ts';
import { peopleOf, readPeople } from '../../eval/clusters/people-list.ts';
import { fileImage, type SetImage } from '../../eval/face-set.ts';
import { type FeatureSet, rowsOf } from '../../eval/feature-set.ts';
import { readFeatureFile } from '../../format/feature-reader.ts';
import { type Context, note } from '../context.ts';
import { findImages } from '../inputs.ts';
import { type EmbedSetFlags, embedFaces } from './embed.ts';
import { modelName } from './options.ts';

/** N faces of known people. */
export interface LabelledFaces {
  /** As the user typed it. */
  readonly name: string;
  readonly model?: string;
  readonly features: FeatureSet;
  /** (N) */
  readonly people: Uint32Array;
  /** IJB-B's hint on the number of people. */
  readonly hint?: number | undefined;
}

interface Flags extends EmbedSetFlags {
  readonly features?: string | undefined;
  readonly faces?: string | undefined;
  readonly people?: string | undefined;
}

/** @throws {ConfigError} with both or none of features and faces */
export async function labelledFaces(flags: Flags, context: Context): Promise<LabelledFaces> {
  const { features: file, faces } = flags;
  if ((file === undefined) === (faces === undefined)) {
    const given = file === undefined ? 'none' : 'both';
    throw new ConfigError('features', {
      expected: 'either --features or --faces',
      received: given,
      remedy: 'pass one of them',
    });
  }
  if (file !== undefined) {
    const features = await readFeatureFile(file);
    return { name: file, features, ...(await truthOf(features, flags.people)) };
  }
  const { model, features } = await embedded(faces!, flags, context);
  return {
    name: faces!,
    model: modelName(flags.model ?? model.name),
    features,
    ...(await truthOf(features, flags.people)),
  };
}

async function embedded(folder: string, flags: Flags, context: Context) {
  const onNote = flags.quiet === true ? undefined : (line: string) => note(context, line);
  const files = await findImages([folder], { ...context, onNote });
  const wrong = files.find(({ error }) => error !== undefined)?.error;
  if (wrong !== undefined) throw wrong;
  const images: SetImage[] = [];
  for (const { name, path } of files) images.push(await fileImage(name, path)); // one open file at a time
  const { model, images: found } = await embedFaces({ name: folder, images }, flags, context);
  const { values, dimension } = found;
  return { model, features: { values, dimension, names: images.map(({ name }) => name) } };
}

async function truthOf(
  features: FeatureSet,
  list: string | undefined,
): Promise<Pick<LabelledFaces, 'people' | 'hint'>> {
  if (list !== undefined && isIjbClusterList(list)) {
    const truth = await readIjbClusters(list);
    if (truth.people.length === rowsOf(features)) return truth;
    throw new ShapeError({
      expected: `${truth.people.length} features (one per line of ${list})`,
      received: rowsOf(features),
      remedy: 'embed all images of the list, in its order',
    });
  }
  if (list !== undefined) return { people: await readPeople(list, features) };
  if (features.names !== undefined) return { people: peopleOf(features.names) };
  throw new ConfigError('people', {
    expected: 'names of images or a list of people',
    problem: 'there are none',
    remedy: 'pass --people with one line per feature',
  });
}
