/** Gathers what the quality report shows and writes it as one file. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Context, Recogniser } from './context.ts';
import { type FaceRecord, faceRecords } from './face-records.ts';
import type { ImageOutcome } from './run-images.ts';

/** A face of the report: its record with a picture and what similarities are computed from. */
export type ReportFace = Omit<FaceRecord, 'image'> & {
  /** The aligned face as a data address. */
  readonly picture: string;
  readonly embedding: Float32Array;
};

export interface ReportImage {
  /** As the user gave it: any text, to be escaped by the page. */
  readonly name: string;
  /** Of the upright image, which boxes and landmarks refer to, in pixels. */
  readonly width: number;
  readonly height: number;
  /** A smaller copy as a data address. */
  readonly picture: string;
  readonly faces: readonly ReportFace[];
}

export interface ReportData {
  readonly model: Recogniser['model'];
  readonly images: readonly ReportImage[];
  readonly failures: readonly {
    readonly image: string;
    readonly error: { readonly code: string; readonly message: string };
  }[];
}

/** Photos in the page are at most this wide and high: sharp on a laptop's screen, about 100 kB each. */
const photoSide = 960;

export interface ReportFile {
  start(model: Recogniser['model']): void;
  add(outcome: ImageOutcome): Promise<void>;
  /** Writes the page; nothing when no model could be loaded. */
  close(): Promise<void>;
}

export function createReport(file: string, { cwd, services }: Pick<Context, 'cwd' | 'services'>): ReportFile {
  const images: ReportImage[] = [];
  const failures: ReportData['failures'][number][] = [];
  let model: Recogniser['model'] | undefined;
  return {
    start: (loaded) => {
      model = loaded;
    },
    add: async (outcome) => {
      const records = faceRecords(outcome);
      failures.push(...records.flatMap((record) => ('error' in record ? [record] : [])));
      const faces = records.flatMap((record) => ('error' in record ? [] : [record]));
      if ('faces' in outcome) images.push(await reportImage(outcome, faces));
    },
    close: async () => {
      if (model === undefined) return;
      await writeFile(resolve(cwd, file), await services.qualityReport({ model, images, failures }));
    },
  };
}

async function reportImage(
  { file, size, faces }: Extract<ImageOutcome, { readonly faces: unknown }>,
  records: readonly FaceRecord[],
): Promise<ReportImage> {
  const { cropPicture, thumbnail } = await import('./pictures.ts');
  const shown = records.map(async ({ image: _, ...record }, at) => {
    const { crop, embedding } = faces[at]!;
    return { ...record, picture: await cropPicture(crop), embedding };
  });
  return { name: file.name, ...size, picture: await thumbnail(file.path, photoSide), faces: await Promise.all(shown) };
}
