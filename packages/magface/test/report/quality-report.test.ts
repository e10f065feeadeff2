import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { qualityReport } from '../../src/report/quality-report.ts';
import type { ReportData, ReportFace, ReportImage } from '../../src/report/report-data.ts';
import { openChromium, withoutChromium } from '../support/chromium.ts';

const picture = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';
const name = (k: number): string => `<script>alert("${k}")</script>&'.jpg`;

function faceOf(face: number, magnitude: number, quality: number | null): ReportFace {
  const x = 10 + 60 * face;
  const landmarks: ReportFace['landmarks'] = [
    [x + 10, 30],
    [x + 30, 30],
    [x + 20, 40],
    [x + 12, 50],
    [x + 28, 50],
  ];
  const reasons: ReportFace['reasons'] = magnitude < 18 ? [{ code: 'blurred', value: 12 }] : [];
  const embedding = Float32Array.of(magnitude * Math.cos(face), magnitude * Math.sin(face));
  const box = { x, y: 10, width: 40, height: 50 };
  const estimates: ReportFace['estimates'] = magnitude < 18 ? [{ code: 'blurred', quality: 44 }] : [];
  return { face, box, landmarks, detection: 0.9, magnitude, quality, reasons, estimates, picture, embedding };
}

/** Images of as many faces as said, magnitudes 16, 17, ... over all of them. */
function madeUp(counts: readonly number[], { scored = true } = {}): ReportData {
  let magnitude = 15;
  const images = counts.map((count, k): ReportImage => {
    const faces = Array.from({ length: count }, (_, face) => {
      magnitude++;
      return faceOf(face, magnitude, scored ? Math.min(100, 10 * (magnitude - 15)) : null);
    });
    return { name: name(k), width: 400, height: 300, picture, faces };
  });
  const calibration = { centre: 20, width: 2, source: 'faces <b>of</b> a test' };
  const licence = { spdx: 'Apache-2.0', notice: 'Made & up.' };
  const contract = { embeddingLength: 2, licence, ...(scored && { calibration }) };
  const error = { code: 'no_face', message: 'Expected a face but <img src=x> shows none: try another.' };
  return {
    model: { name: 'model "<i>"', digest: 'ab12', assumed: ['Pixels are RGB.'], contract },
    detector: { name: 'finder', digest: 'cd34', assumed: [], contract: {} },
    images,
    failures: [{ image: 'empty <b>.jpg', error }],
  };
}

type Page = ReturnType<typeof parseHTML>['document'];
const texts = (document: Page, selector: string): string[] =>
  [...document.querySelectorAll(selector)].map((element) => element.textContent ?? '');

test('names a reason only if at least half of the poor faces have it, with their number', () => {
  const verdict = (faces: number): string[] => {
    const data = madeUp([faces]);
    const images = data.images.map((image) => ({
      ...image,
      faces: image.faces.map((face) => ({ ...face, quality: 10 })),
    }));
    return texts(parseHTML(qualityReport({ ...data, images })).document, '.verdict');
  };
  // Two of them are blurred.
  expect(verdict(5)).toEqual(['0 of 5 faces are good (quality 50 or more), 5 are poor (below 20).']);
  expect(verdict(3)).toEqual(['0 of 3 faces are good (quality 50 or more), 3 are poor (below 20: 2 of them blurred).']);
  expect(verdict(2)[0]).toContain('2 are poor (below 20: all of them blurred)');
});

test('shows every face with its numbers in strip, photo, table and heat map', () => {
  const { document } = parseHTML(qualityReport(madeUp([2, 3])));
  expect(texts(document, '.counts dd')).toEqual(['3', '5', '2', '1']);
  expect(texts(document, '.verdict')).toEqual([
    '1 of 5 faces is good (quality 50 or more), 1 is poor (below 20: blurred).',
  ]);
  expect(texts(document, '.strip li')).toEqual(['1016.0', '2017.0', '3018.0', '4019.0', '5020.0']);
  expect(texts(document, '.photo span')).toEqual(['10', '20', '30', '40', '50']);
  expect(document.querySelectorAll('.photo rect.box')).toHaveLength(5);
  expect(texts(document, '#faces-table tbody tr:first-child td').slice(2)).toEqual([
    '10',
    '16.00',
    name(0),
    '40 × 50',
    '0.90',
    'blurred: edges 12 pixels wide in the aligned face, at most 1.35 is goodin focus: about 44 (estimate)',
  ]);
  // Each face with itself, the two pairs whose features point one way both ways round, and face 1 on both axes.
  const ones = texts(document, '.scroll:not(.charts) svg text').filter((text) => text === '1');
  expect(ones).toHaveLength(5 + 4 + 2);
  expect(texts(document, '#failures td')[0]).toBe('empty <b>.jpg');
  expect(texts(document, '.card dd').slice(0, 4)).toEqual([
    'model "<i>"',
    'ab12',
    '2 numbers',
    'centre 20, width 2: faces <b>of</b> a test',
  ]);
});

test('escapes all text and loads nothing from elsewhere', () => {
  const html = qualityReport(madeUp([2, 1]));
  expect(html).not.toMatch(/<script>alert|<img src=x|<b>of|<i>"|NaN|undefined</);
  expect(html).not.toMatch(/\bsrc="(?!data:)|href="(?!data:)|@import|url\((?!data:)|<link/);
  expect(html.replaceAll(/xmlns(:\w+)?="[^"]*"/g, '')).not.toMatch(/https?:\/\//);
  expect(html).toContain("default-src 'none'");
});

test('shows magnitudes and no score anywhere without a calibration', () => {
  const { document } = parseHTML(qualityReport(madeUp([3], { scored: false })));
  expect(texts(document, '.verdict')).toEqual(['Magnitudes run from 16.0 to 18.0, half of them above 17.0.']);
  expect(texts(document, '.strip li')).toEqual(['16.0', '17.0', '18.0']);
  expect(texts(document, '#faces-table th')).not.toContain('Quality');
  expect(texts(document, '.legend li')[0]).toBe('16.0 to 16.4');
  expect(texts(document, '.card dd')[3]).toBe('none');
});

test('shortens a large run so that the page opens quickly, and says what it omits', () => {
  const { document } = parseHTML(qualityReport(madeUp(Array.from({ length: 210 }, () => 3))));
  expect(document.querySelectorAll('.photo')).toHaveLength(200);
  expect(document.querySelectorAll('#faces-table tbody tr')).toHaveLength(500);
  expect(document.querySelectorAll('.strip li')).toHaveLength(60);
  expect(texts(document, '.left-out')).toEqual([
    'To stay quick to open, this page shows the first 200 images of 210 and 500 faces of 630; counts and histogram cover the whole run.',
  ]);
  expect(texts(document, 'section').join()).toContain('The 40 faces of highest magnitude out of 500');
});

test('says that a run has no faces', () => {
  const { document } = parseHTML(qualityReport(madeUp([])));
  expect(texts(document, '.verdict')).toEqual(['No face was found.']);
  expect(texts(document, 'h2')).toEqual(['Images without a result', 'Model', 'Detector', 'How to read the numbers']);
});

test.skipIf(withoutChromium)(
  `fits a phone, sorts, filters and links boxes to rows in Chromium${withoutChromium ?? ''}`,
  async () => {
    const browser = await openChromium();
    try {
      const view = await browser.newPage({ viewport: { width: 390, height: 800 }, colorScheme: 'dark' });
      const said: string[] = [];
      view.on('console', (message) => said.push(message.text()));
      view.on('pageerror', (error) => said.push(String(error)));
      await view.setContent(qualityReport(madeUp([4, 2])));
      expect(await view.evaluate('document.documentElement.scrollWidth')).toBe(390);

      const numbers = (): Promise<string[]> =>
        view.locator('#faces-table tbody tr:visible td:first-child').allTextContents();
      await view.getByRole('button', { name: 'Magnitude' }).click();
      expect(await numbers()).toEqual(['1', '2', '3', '4', '5', '6']);
      await view.getByRole('button', { name: 'Magnitude' }).click();
      expect(await numbers()).toEqual(['6', '5', '4', '3', '2', '1']);
      await view.getByRole('checkbox').check();
      expect(await numbers()).toEqual(['2', '1']);
      await view.getByRole('spinbutton').fill('20');
      expect(await numbers()).toEqual(['2']);

      await view.locator('.photo rect.box').nth(1).hover();
      expect(await view.locator('tr.lit').getAttribute('data-face')).toBe('2');
      const paper = (): Promise<unknown> => view.evaluate('getComputedStyle(document.body).backgroundColor');
      expect(await paper()).toBe('rgb(18, 20, 23)');
      await view.getByRole('button', { name: 'Dark / light' }).click();
      expect(await paper()).toBe('rgb(255, 255, 255)');
      expect(said).toEqual([]);
    } finally {
      await browser.close();
    }
  },
  30_000,
);
