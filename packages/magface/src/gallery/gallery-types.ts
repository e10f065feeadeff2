/** What goes into a gallery and comes out of it. */

/** The model of a gallery's embeddings; those of other models are not comparable. */
export interface GalleryModel {
  readonly name: string;
  /** SHA-256 of the model's file. */
  readonly digest: string;
  readonly embeddingLength: number;
}

/** A face to enrol; an `AnalyzedFace` is one. */
export interface GalleryFace {
  /** (D) float32, not normalized. */
  readonly embedding: Float32Array;
  /** 0 to 100, stored for information. @default none */
  readonly quality?: number | null | undefined;
}

/** What is recorded of an enrolment. */
export interface EnrolOptions {
  /** Where the face comes from: a path, say. @default nothing */
  readonly image?: string | undefined;
  /** When the face is to be deleted. @default never */
  readonly expires?: Date | undefined;
  /** What the person agreed to, and how it is known; replaces an earlier text. @default unchanged */
  readonly consent?: string | undefined;
  /** When the face was added, for copies of galleries. @default now */
  readonly added?: Date | undefined;
}

/** Result of an enrolment. */
export interface EnrolledFace {
  /** Its number. */
  readonly face: number;
  /** Number of the person's faces. */
  readonly faces: number;
  /** Whether the person already had this picture, by that number: nothing was added. */
  readonly known: boolean;
}

/** A person found by a search. */
export interface GalleryMatch {
  readonly person: string;
  /** Cosine to the person's template. */
  readonly similarity: number;
  /** Number of faces in the template. */
  readonly faces: number;
}

/** Number of people and faces. */
export interface GalleryCount {
  readonly people: number;
  readonly faces: number;
}

/** Options of a search. */
export interface SearchOptions {
  /** Maximum number. @default 5 */
  readonly limit?: number;
}

/** A person of a list. */
export interface ListedPerson {
  readonly person: string;
  readonly faces: number;
  /** Of the best face, 0 to 100; null if unknown. */
  readonly quality: number | null;
  /** When the first face was added: ISO 8601, UTC. */
  readonly added: string;
  /** When the first face will be deleted; null for never. */
  readonly expires: string | null;
  readonly consent: string | null;
}

/** A face of a person. */
export interface StoredFace {
  /** Its number, which stays the same. */
  readonly face: number;
  readonly image: string | null;
  /** Length of the embedding. */
  readonly magnitude: number;
  readonly quality: number | null;
  /** ISO 8601, UTC. */
  readonly added: string;
  readonly expires: string | null;
  /** (D) float32, not normalized. */
  readonly embedding: Float32Array;
}

/** Everything that is stored of a person. */
export interface StoredPerson {
  readonly person: string;
  readonly consent: string | null;
  /** In the order of their numbers. */
  readonly faces: readonly StoredFace[];
}

/** Why something was deleted. */
export type DeletionReason = 'person forgotten' | 'face forgotten' | 'expired';

/** An entry of the log of deletions. */
export interface Deletion {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** A digest of the name: `Gallery.deletions` finds the entries of a name. */
  readonly person: string;
  /** Number of deleted faces. */
  readonly faces: number;
  readonly reason: DeletionReason;
}
