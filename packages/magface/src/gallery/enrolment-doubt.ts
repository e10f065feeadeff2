/** Whether a face fits the name that it is to be enrolled under. */
import type { DecisionThreshold } from '../decision.ts';
import { ImageError } from '../errors.ts';
import { similarityAt } from '../false-match-rate.ts';
import type { Gallery } from './gallery.ts';
import type { GalleryMatch } from './gallery-types.ts';

/** A face that is to be enrolled. */
export interface Enrolment {
  readonly person: string;
  readonly embedding: Float32Array;
  /** The user's name for the image. */
  readonly image: string;
  /** Thresholds of the model. @default none: nothing is doubted */
  readonly thresholds?: readonly DecisionThreshold[] | undefined;
  /** Name of the option that accepts the face all the same, for error messages. @default `acceptDoubtful` */
  readonly flag?: string | undefined;
}

/** Wrong doubts expected per enrolment of a new person. */
const expectedWrongDoubts = 0.01;

const digits = (similarity: number): string => similarity.toFixed(2);

/**
 * Rejects a face of a new person who is already enrolled under another name, and one that does not resemble its person. The first
 * needs a similarity to somebody that one in a hundred new people reaches by chance, however many people there are; the second a
 * similarity below the model's loosest threshold, or a greater one to somebody else.
 *
 * @throws {ImageError} `already_enrolled` or `differs_from_person`
 */
export async function expectConsistent(
  gallery: Pick<Gallery, 'search' | 'count' | 'similarityTo'>,
  { person, embedding, image, thresholds, flag = '`acceptDoubtful`' }: Enrolment,
): Promise<void> {
  if (thresholds === undefined || thresholds.length === 0) return;
  const { people } = await gallery.count();
  if (people === 0) return;
  const matches = await gallery.search(embedding, { limit: 2 });
  const own = await gallery.similarityTo(person, embedding);
  const other = matches.find((match) => match.person !== person);
  const certain = similarityAt(Math.min(0.5, expectedWrongDoubts / people), thresholds);
  if (own === undefined) {
    if (other !== undefined && other.similarity >= certain) throw alreadyEnrolled({ person, image, flag }, other);
    return;
  }
  const loosest = Math.min(...thresholds.map(({ threshold }) => threshold));
  const rival = other !== undefined && other.similarity >= certain && other.similarity > own ? other : undefined;
  if (own < loosest || rival !== undefined) throw differs({ person, image, flag }, own, rival);
}

type Named = Required<Pick<Enrolment, 'person' | 'image' | 'flag'>>;

function alreadyEnrolled({ person, image, flag }: Named, other: GalleryMatch): ImageError {
  return new ImageError('already_enrolled', image, {
    expected: `a new person, ${person}, in ${image}`,
    problem: `it shows ${other.person}, who is already enrolled (similarity ${digits(other.similarity)})`,
    remedy: `enrol it as ${other.person}, or accept it with ${flag}`,
  });
}

function differs({ person, image, flag }: Named, own: number, rival: GalleryMatch | undefined): ImageError {
  const instead = rival === undefined ? '' : `, and it resembles ${rival.person} more (${digits(rival.similarity)})`;
  return new ImageError('differs_from_person', image, {
    expected: `${person} in ${image}`,
    problem: `its similarity to ${person}'s other faces is ${digits(own)}${instead}`,
    remedy: `check who it shows, or accept it with ${flag}`,
  });
}
