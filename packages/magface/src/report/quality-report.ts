/** One self-contained page on a run: every face with its quality, where it stands in its photo, and whom it resembles. */
import type { DetectedFace } from '../face.ts';
import type { Calibration } from '../quality.ts';
import type { Reason } from '../reasons.ts';
import { counted, page } from './page.ts';
import { linkFaces, switchThemes, tendTable } from './page-script.ts';
import { qualityScale } from './quality-colours.ts';
import {
  chartSection,
  failureSection,
  headerOf,
  modelSection,
  photoSection,
  similaritySection,
  stripSection,
  tableSection,
} from './quality-sections.ts';

/** A face of the report. */
export interface ReportFace extends Pick<DetectedFace, 'box' | 'landmarks' | 'detection'> {
  /** From 0, the largest first. */
  readonly face: number;
  readonly magnitude: number;
  /** 0 to 100; null when the model has no calibration. */
  readonly quality: number | null;
  readonly reasons: readonly Reason[];
  /** The aligned face as a data address. */
  readonly picture: string;
  /** (D) float32, not normalized. */
  readonly embedding: Float32Array;
}

export interface ReportImage {
  /** As the user gave it: any text. */
  readonly name: string;
  /** Of the upright image, which boxes and landmarks refer to, in pixels. */
  readonly width: number;
  readonly height: number;
  /** A smaller copy as a data address. */
  readonly picture: string;
  readonly faces: readonly ReportFace[];
}

/** What the page says of a model. */
export interface ReportModel {
  readonly name: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string;
  /** One sentence for each thing that was taken for granted. */
  readonly assumed: readonly string[];
  readonly contract: {
    readonly arch?: string | undefined;
    readonly embeddingLength?: number;
    readonly calibration?: Calibration | undefined;
    readonly licence?: { readonly spdx: string; readonly notice: string } | undefined;
  };
}

export interface ReportData {
  readonly model: ReportModel;
  /** Absent when the images were aligned already. */
  readonly detector?: ReportModel | undefined;
  /** When the run ended. */
  readonly date?: Date | undefined;
  readonly images: readonly ReportImage[];
  readonly failures: readonly {
    readonly image: string;
    readonly error: { readonly code: string; readonly message: string };
  }[];
}

/** A face that the page shows, with its number there. */
export type ShownFace = ReportFace & { readonly number: number; readonly image: string };
export type ShownImage = Omit<ReportImage, 'faces'> & { readonly faces: readonly ShownFace[] };

/** A page beyond this is slow to open; charts and counts always cover the whole run. */
export const shownAtMost = { images: 200, faces: 500, failures: 200 } as const;

/** @returns the whole HTML file; it loads nothing, and all text in it is escaped */
export function qualityReport(data: ReportData): string {
  const all = data.images.flatMap(({ faces }) => faces);
  const images = shownOf(data.images);
  const faces = images.flatMap((image) => image.faces);
  const { calibration } = data.model.contract;
  const scale = qualityScale(all, calibration !== undefined);
  const body = [
    headerOf(data, all, leftOut(data, images.length, faces.length, all.length)),
    '<main>',
    stripSection(faces, scale),
    photoSection(images, scale),
    chartSection(all, calibration),
    tableSection(faces, scale, calibration !== undefined),
    similaritySection(faces),
    failureSection(data.failures, shownAtMost.failures),
    modelSection(data),
    '</main>',
  ];
  return page({
    title: `Face quality: ${counted(all.length, 'face')} in ${counted(data.images.length, 'image')}`,
    body: body.filter((part) => part !== '').join('\n'),
    scripts: [switchThemes, tendTable, linkFaces],
  });
}

function shownOf(images: readonly ReportImage[]): ShownImage[] {
  let number = 0;
  return images.slice(0, shownAtMost.images).map((image) => ({
    ...image,
    faces: image.faces
      .slice(0, shownAtMost.faces - number)
      .map((face) => ({ ...face, number: ++number, image: image.name })),
  }));
}

/** @returns a sentence on what the page does not show; empty when it shows everything */
function leftOut(data: ReportData, images: number, faces: number, all: number): string {
  if (images === data.images.length && faces === all) return '';
  return `To stay quick to open, this page shows the first ${counted(images, 'image')} of ${data.images.length} and ${counted(faces, 'face')} of ${all}; counts and histogram cover the whole run.`;
}
