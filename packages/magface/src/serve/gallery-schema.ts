/** Schemas of the wire format for people: enrolment, search, and the management of the gallery. */
import { z } from 'zod';
import { defaultMinQuality, minQualityOf } from '../gallery/enrolment-gate.ts';
import { longestName } from '../gallery/person-name.ts';
import { type AlignedQuery, aligned, type CompareQuery, flag, fmr, fmrAsked, measuredRate, numeric } from './schema.ts';

export interface EnrolmentQuery extends AlignedQuery {
  readonly minQuality?: number | undefined;
  readonly largest: boolean;
  readonly acceptDoubtful: boolean;
  readonly consent?: string | undefined;
  readonly retainDays?: number | undefined;
}

export const enrolmentQuery: z.ZodType<EnrolmentQuery> = z.strictObject({
  aligned,
  minQuality: numeric(z.coerce.number().min(0).max(100))
    .optional()
    .describe(
      `A face of lower quality is rejected. Default: ${defaultMinQuality}, or ${minQualityOf(undefined)} if the model's scale is not fitted to failures.`,
    ),
  largest: flag.describe('Use the largest face of an image with several, instead of rejecting the image.'),
  acceptDoubtful: flag.describe(
    'Accept faces of a new person who resembles somebody enrolled, and faces unlike the person’s other ones.',
  ),
  consent: z.string().min(1).max(1000).optional().describe('What the person agreed to, and how it is known.'),
  retainDays: numeric(z.coerce.number().int().min(1).max(36_500))
    .optional()
    .describe('Days after which the faces are deleted; by default they are kept.'),
});

export interface EnrolmentReply {
  readonly person: string;
  readonly faces: {
    readonly face: number;
    readonly magnitude: number;
    readonly quality: number | null;
    readonly known: boolean;
  }[];
  readonly total: number;
}

export const enrolmentReply: z.ZodType<EnrolmentReply> = z
  .object({
    person: z.string(),
    faces: z.array(
      z.object({
        face: z.int(),
        magnitude: z.number(),
        quality: z.number().nullable(),
        known: z.boolean().describe('The person already had this picture, under that number: nothing was added.'),
      }),
    ),
    total: z.int().describe('Number of faces that the person has now.'),
  })
  .meta({ id: 'Enrolment' });

export interface RemovalReply {
  readonly person: string;
  readonly removed: number;
}

export const removalReply: z.ZodType<RemovalReply> = z
  .object({ person: z.string(), removed: z.int().describe('Number of deleted faces.') })
  .meta({ id: 'Removal' });

export interface PeopleQuery {
  readonly limit: number;
  readonly after?: string | undefined;
}

export const peopleQuery: z.ZodType<PeopleQuery> = z.strictObject({
  limit: numeric(z.coerce.number().int().min(1).max(1000)).default(100).describe('Maximum number of people.'),
  after: z.string().optional().describe('Only people whose names come after this one: the last of the page before.'),
});

export interface ListedPersonReply {
  readonly person: string;
  readonly faces: number;
  readonly quality: number | null;
  readonly added: string;
  readonly expires: string | null;
  readonly consent: string | null;
}

export interface PeopleReply {
  readonly people: ListedPersonReply[];
  readonly total: number;
}

const times = {
  added: z.string().describe('ISO 8601, UTC.'),
  expires: z.string().nullable().describe('When it will be deleted; null for never.'),
};
const consent = z.string().nullable().describe('What the person agreed to, as it was recorded.');

export const peopleReply: z.ZodType<PeopleReply> = z
  .object({
    people: z
      .array(
        z.object({
          person: z.string(),
          faces: z.int().describe('Number of faces.'),
          quality: z.number().nullable().describe('Of the best face.'),
          ...times,
          consent,
        }),
      )
      .describe('By name.'),
    total: z.int().describe('Number of people in the gallery.'),
  })
  .meta({ id: 'People' });

export interface PersonQuery {
  readonly embedding: boolean;
}

export const personQuery: z.ZodType<PersonQuery> = z.strictObject({
  embedding: flag.describe(
    'Also return each face’s embedding: then the answer is everything that is stored of the person.',
  ),
});

export interface PersonReply {
  readonly person: string;
  readonly consent: string | null;
  readonly faces: {
    readonly face: number;
    readonly image: string | null;
    readonly magnitude: number;
    readonly quality: number | null;
    readonly added: string;
    readonly expires: string | null;
    readonly embedding?: string | undefined;
  }[];
}

export const personReply: z.ZodType<PersonReply> = z
  .object({
    person: z.string(),
    consent,
    faces: z.array(
      z.object({
        face: z.int().describe('Its number.'),
        image: z.string().nullable().describe('Name of the image that it was enrolled from.'),
        magnitude: z.number(),
        quality: z.number().nullable(),
        ...times,
        embedding: z.string().optional().describe('Little-endian float32 in base64, not normalized; only on request.'),
      }),
    ),
  })
  .meta({ id: 'Person' });

export interface RenameQuery {
  readonly to: string;
}

/** A name in a query: the gallery checks it. */
const otherName = z.string().min(1).max(longestName);

export const renameQuery: z.ZodType<RenameQuery> = z.strictObject({ to: otherName.describe('The new name.') });

export interface MergeQuery {
  readonly into: string;
}

export const mergeQuery: z.ZodType<MergeQuery> = z.strictObject({
  into: otherName.describe('The person who gets the faces.'),
});

export interface MoveReply {
  readonly person: string;
  readonly moved: number;
}

export const moveReply: z.ZodType<MoveReply> = z
  .object({ person: z.string().describe('The name that they have now.'), moved: z.int().describe('Number of faces.') })
  .meta({ id: 'Move' });

export interface CheckReply {
  readonly people: number;
  readonly faces: number;
  readonly twinThreshold: number | null;
  readonly twins: { readonly people: [string, string]; readonly similarity: number }[];
  readonly confusing: {
    readonly person: string;
    readonly face: number;
    readonly image: string | null;
    readonly quality: number | null;
    readonly own: number;
    readonly nearest: { readonly person: string; readonly similarity: number };
    readonly margin: { readonly now: number; readonly without: number };
  }[];
  readonly poor: {
    readonly person: string;
    readonly face: number;
    readonly image: string | null;
    readonly quality: number;
    readonly gain: number | null;
  }[];
}

const checkedFace = { person: z.string(), face: z.int(), image: z.string().nullable() };

export const checkReply: z.ZodType<CheckReply> = z
  .object({
    people: z.int(),
    faces: z.int(),
    twinThreshold: z.number().nullable().describe('Least similarity of probable twins; null without thresholds.'),
    twins: z
      .array(z.object({ people: z.tuple([z.string(), z.string()]), similarity: z.number() }))
      .describe('Pairs of people who are probably one.'),
    confusing: z
      .array(
        z.object({
          ...checkedFace,
          quality: z.number().nullable(),
          own: z.number().describe('Similarity to the person’s other faces.'),
          nearest: z.object({ person: z.string(), similarity: z.number() }),
          margin: z
            .object({ now: z.number(), without: z.number() })
            .describe('Similarity of the other faces to the template less that of the nearest other person.'),
        }),
      )
      .describe('Faces that resemble somebody else more than their own person.'),
    poor: z
      .array(
        z.object({
          ...checkedFace,
          quality: z.number(),
          gain: z.number().nullable().describe('By how much an ordinary photo would be more similar, about.'),
        }),
      )
      .describe('People with one face, which is poor.'),
  })
  .meta({ id: 'Check' });

export interface SearchQuery extends CompareQuery {
  readonly limit: number;
  readonly fpir?: number | undefined;
}

export const searchQuery: z.ZodType<SearchQuery> = z.strictObject({
  aligned,
  fmr,
  limit: numeric(z.coerce.number().int().min(1).max(100)).default(5).describe('Maximum number of matches.'),
  fpir: numeric(z.coerce.number().positive().lt(1))
    .optional()
    .describe('Name a person or nobody: the largest share of strangers for whom anybody may be named.'),
});

export interface SearchReply {
  readonly threshold: number | null;
  readonly fmr: number | null;
  readonly fmrAsked: number;
  readonly people: number;
  readonly expectedFalseHits: number | null;
  readonly named: string | null;
  readonly margin: number | null;
  readonly openSet: {
    readonly threshold: number;
    readonly fpir: number;
    readonly interval: [number, number] | null;
    readonly source: 'gallery' | 'model';
  } | null;
  readonly matches: {
    readonly person: string;
    readonly similarity: number;
    readonly faces: number;
    readonly same: boolean | null;
  }[];
}

export const searchReply: z.ZodType<SearchReply> = z
  .object({
    threshold: z.number().nullable(),
    fmr: measuredRate,
    fmrAsked,
    people: z.int().describe('Number of people that the face was compared with.'),
    expectedFalseHits: z
      .number()
      .nullable()
      .describe('Expected number of false matches for a stranger’s face: the rate times the number of people.'),
    named: z.string().nullable().describe('With `fpir`: the person that the face shows; null for nobody known.'),
    margin: z.number().nullable().describe('By how much the best person is more similar than the next.'),
    openSet: z
      .object({
        threshold: z.number().describe('Least similarity at which a person is named.'),
        fpir: z.number().describe('The requested rate.'),
        interval: z
          .tuple([z.number(), z.number()])
          .nullable()
          .describe('The rate lies here with a probability of 95 %; null if it comes from the model.'),
        source: z.enum(['gallery', 'model']).describe('`model` if the gallery has fewer than 20 people.'),
      })
      .nullable()
      .describe('Null without `fpir`.'),
    matches: z
      .array(
        z.object({
          person: z.string(),
          similarity: z.number().describe('Cosine similarity to the person’s template.'),
          faces: z.int().describe('Number of faces in the template.'),
          same: z.boolean().nullable().describe('Null if the model has no threshold.'),
        }),
      )
      .describe('Best first.'),
  })
  .meta({ id: 'Search' });
