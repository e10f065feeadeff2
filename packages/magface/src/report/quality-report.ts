/** One self-contained page on a run: every face with its quality, its place in its photo, and similar faces. */
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
import type { ReportData, ReportImage, ShownImage } from './report-data.ts';

/** Larger pages open slowly; charts and counts always cover the whole run. */
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

/** @returns a sentence on what the page omits; empty if it shows everything */
function leftOut(data: ReportData, images: number, faces: number, all: number): string {
  if (images === data.images.length && faces === all) return '';
  return `To stay quick to open, this page shows the first ${counted(images, 'image')} of ${data.images.length} and ${counted(faces, 'face')} of ${all}; counts and histogram cover the whole run.`;
}
