/** Gathers the data of the quality report and writes it as one file. */
import { writeFile } from 'node:fs/promises';
import type { ReportData, ReportImage } from '../report/report-data.ts';
import type { Context } from './context.ts';
import { type FaceRow, faceRows } from './face-rows.ts';
import type { ImageOutcome } from './run-images.ts';
import type { Recogniser } from './services.ts';

/** Photos in the page are at most this wide and high: sharp on a laptop's screen, about 100 kB each. */
const photoSide = 960;

export interface ReportFile {
  start(models: Pick<Recogniser, 'model' | 'detector'>): void;
  add(outcome: ImageOutcome): Promise<void>;
  /** Writes the page, unless no model could be loaded. */
  close(): Promise<void>;
}

export function createReport(file: string, { services }: Pick<Context, 'services'>): ReportFile {
  const images: ReportImage[] = [];
  const failures: ReportData['failures'][number][] = [];
  let models: Pick<Recogniser, 'model' | 'detector'> | undefined;
  return {
    start: (loaded) => {
      models = loaded;
    },
    add: async (outcome) => {
      const rows = faceRows(outcome);
      failures.push(...rows.flatMap((row) => ('error' in row ? [row] : [])));
      const faces = rows.flatMap((row) => ('error' in row ? [] : [row]));
      if (!('faces' in outcome)) return;
      // Beyond the page's limits only numbers are kept, so that pictures do not fill the memory.
      const { shownAtMost } = await import('../report/quality-report.ts');
      images.push(
        images.length < shownAtMost.images ? await reportImage(outcome, faces) : countedImage(outcome, faces),
      );
    },
    close: async () => {
      if (models === undefined) return;
      const { model, detector } = models;
      const page = await services.qualityReport({ model, detector, date: new Date(), images, failures });
      await writeFile(file, page);
    },
  };
}

async function reportImage(
  { file, size, faces }: Extract<ImageOutcome, { readonly faces: unknown }>,
  rows: readonly FaceRow[],
): Promise<ReportImage> {
  const { cropPicture, thumbnail } = await import('./pictures.ts');
  const shown = rows.map(async ({ image: _, ...row }, at) => {
    const { crop, embedding } = faces[at]!;
    return { ...row, picture: await cropPicture(crop), embedding };
  });
  // Faces are already found: a photo deleted since then only leaves a gap in the page.
  const picture = await thumbnail(file.path, photoSide).catch(() => '');
  return { name: file.name, ...size, picture, faces: await Promise.all(shown) };
}

/** An image that is counted but not shown. */
function countedImage(
  { file, size }: Extract<ImageOutcome, { readonly faces: unknown }>,
  rows: readonly FaceRow[],
): ReportImage {
  const faces = rows.map(({ image: _, ...row }) => ({ ...row, picture: '', embedding: new Float32Array(0) }));
  return { name: file.name, ...size, picture: '', faces };
}
