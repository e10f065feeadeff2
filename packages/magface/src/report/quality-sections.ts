/** The sections of the quality report, each a function from data to HTML; an empty section is an empty string. */
import type { ReasonCode } from '../face.ts';
import type { Calibration } from '../quality.ts';
import { describeReason } from '../reasons.ts';
import { describeEstimate } from '../what-if.ts';
import { counted, escaped, threeFigures } from './page.ts';
import { magnitudeChart, similarityChart } from './quality-charts.ts';
import type { QualityScale } from './quality-colours.ts';
import type { ReportData, ReportFace, ReportModel, ShownFace, ShownImage } from './report-data.ts';

/** Maximum faces of the strip (evenly spaced by rank) and of the heat map (the best). */
const [stripAtMost, heatMapAtMost] = [60, 40] as const;

/** Scores from `good` are the better half of ordinary faces, those below `poor` the lowest fifth. */
const [good, poor] = [50, 20] as const;

export function headerOf(
  { images, failures, date }: ReportData,
  faces: readonly ReportFace[],
  leftOut: string,
): string {
  const counts: [string, number][] = [
    ['Images', images.length + failures.length],
    ['Faces', faces.length],
    ['With something wrong', faces.filter(({ reasons }) => reasons.length > 0).length],
    ['Images without a result', failures.length],
  ];
  return `<header><div><h1>Face quality</h1><p class="verdict">${escaped(verdict(faces))}</p></div><button id="theme" type="button" hidden>Dark / light</button></header>
<dl class="counts">${counts.map(([what, count]) => `<div><dt>${what}</dt><dd>${count.toLocaleString('en')}</dd></div>`).join('')}</dl>
${leftOut && `<p class="soft left-out">${escaped(leftOut)}</p>`}${date ? `<p class="soft">${date.toISOString().slice(0, 16).replace('T', ' ')} UTC</p>` : ''}`;
}

/** The run in one sentence. */
function verdict(faces: readonly ReportFace[]): string {
  if (faces.length === 0) return 'No face was found.';
  const sorted = faces.map(({ magnitude }) => magnitude).sort((a, b) => a - b);
  const [least, median, most] = [0, sorted.length >> 1, sorted.length - 1].map((at) => threeFigures(sorted[at]!));
  const scores = faces.flatMap(({ quality }) => (quality === null ? [] : [quality]));
  if (scores.length === 0) return `Magnitudes run from ${least} to ${most}, half of them above ${median}.`;
  const above = scores.filter((score) => score >= good).length;
  const below = faces.filter(({ quality }) => quality !== null && quality < poor);
  const cause = commonest(below);
  const why = cause ? `: ${cause}` : '';
  const rest =
    below.length === 0
      ? 'none is poor'
      : `${below.length} ${below.length === 1 ? 'is' : 'are'} poor (below ${poor}${why})`;
  return `${above} of ${counted(scores.length, 'face')} ${above === 1 ? 'is' : 'are'} good (quality ${good} or more), ${rest}.`;
}

/** A reason of at least half of the faces, with a count: `7 of them turned away`. */
function commonest(faces: readonly ReportFace[]): string | undefined {
  const counts = new Map<ReasonCode, number>();
  for (const { reasons } of faces) for (const { code } of reasons) counts.set(code, (counts.get(code) ?? 0) + 1);
  const [first] = [...counts].sort((a, b) => b[1] - a[1]);
  if (first === undefined || 2 * first[1] < faces.length) return undefined;
  const [code, count] = first;
  const among = count < faces.length ? `${count} of them ` : count === 1 ? '' : 'all of them ';
  return among + code.replaceAll('_', ' ');
}

export function stripSection(faces: readonly ShownFace[], scale: QualityScale): string {
  if (faces.length === 0) return '';
  const rising = faces.toSorted((a, b) => a.magnitude - b.magnitude);
  const shown = evenly(rising, stripAtMost);
  const words =
    shown.length < rising.length ? `${shown.length} of ${rising.length} faces, evenly spaced by rank.` : 'Every face.';
  const items = shown.map((face) => {
    const { number, picture, quality, magnitude } = face;
    const figures =
      quality === null
        ? `<b>${threeFigures(magnitude)}</b>`
        : `<b>${Math.round(quality)}</b><small>${threeFigures(magnitude)}</small>`;
    return `<li data-face="${number}" style="${scale.css(face)}"><img src="${escaped(picture)}" alt="Face ${number}" title="Face ${number}, ${escaped(face.image)}">${figures}</li>`;
  });
  const below = rising[0]!.quality === null ? 'the magnitude' : 'the score and, small, the magnitude';
  return `<section><h2>In rising quality</h2><p class="soft">${words} Below each ${below}.</p><ol class="strip">${items.join('')}</ol></section>`;
}

/** @returns at most `count` of the values, first and last among them */
function evenly<T>(values: readonly T[], count: number): T[] {
  if (values.length <= count) return [...values];
  return Array.from({ length: count }, (_, k) => values[Math.round((k * (values.length - 1)) / (count - 1))]!);
}

export function photoSection(images: readonly ShownImage[], scale: QualityScale): string {
  if (images.length === 0) return '';
  const legend = scale.legend
    .map(({ colour, words }) => `<li><i style="background:${colour}"></i>${words}</li>`)
    .join('');
  return `<section><h2>Photos</h2><ul class="legend">${legend}</ul><div class="photos">${images.map((image) => photo(image, scale)).join('\n')}</div></section>`;
}

function photo({ name, width, height, picture, faces }: ShownImage, scale: QualityScale): string {
  const boxes = faces.map((face) => {
    const { x, y, width: w, height: h } = face.box;
    const place = `x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${w.toFixed(1)}" height="${h.toFixed(1)}" rx="${(w / 30).toFixed(1)}"`;
    const points = face.landmarks.map(
      ([px, py]) => `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="${(w / 45).toFixed(1)}"/>`,
    );
    return `<g data-face="${face.number}" style="${scale.css(face)}"><rect class="edge" ${place}/><rect class="box" ${place}/>${points.join('')}</g>`;
  });
  const labels = faces.map((face) => {
    const [left, top] = [share(face.box.x, width), share(face.box.y, height)];
    const inside = top < 6 ? ' class="inside"' : ''; // no room above the box
    return `<span${inside} data-face="${face.number}" style="${scale.css(face)};left:${left}%;top:${top}%">${face.quality === null ? threeFigures(face.magnitude) : Math.round(face.quality)}</span>`;
  });
  return `<figure><div class="photo"><img src="${escaped(picture)}" alt="${escaped(name)}" width="${width}" height="${height}"><svg viewBox="0 0 ${width} ${height}" aria-hidden="true">${boxes.join('')}</svg>${labels.join('')}</div><figcaption>${escaped(name)} · ${counted(faces.length, 'face')}</figcaption></figure>`;
}

/** Per cent, clamped to the picture. */
const share = (value: number, whole: number): number =>
  Number(Math.min(96, Math.max(0, (100 * value) / whole)).toFixed(2));

export function chartSection(faces: readonly ReportFace[], calibration: Calibration | undefined): string {
  if (faces.length === 0) return '';
  const chart = magnitudeChart(
    faces.map(({ magnitude }) => magnitude),
    calibration,
  );
  return `<section><h2>Magnitudes</h2><p class="soft">The length of a face’s feature: the longer, the easier the face is to recognise.</p><div class="charts scroll">${chart}</div></section>`;
}

export function tableSection(faces: readonly ShownFace[], scale: QualityScale, scored: boolean): string {
  if (faces.length === 0) return '';
  const titles = [
    'Face',
    '',
    ...(scored ? ['Quality'] : []),
    'Magnitude',
    'Image',
    'Size',
    'Detection',
    'What is wrong',
  ];
  const head = titles.map(
    (title) =>
      `<th scope="col"${['', 'Image', 'What is wrong'].includes(title) ? '' : ' class="number"'}>${title && `<button type="button">${title}</button>`}</th>`,
  );
  const number = (key: number, text: string): string => `<td class="number" data-key="${key}">${text}</td>`;
  const rows = faces.map((face) => {
    const { box, magnitude, quality, detection, reasons, estimates } = face;
    const told = [
      ...reasons.map((reason) => escaped(describeReason(reason))),
      ...estimates.map((estimate) => `<span class="soft">${escaped(describeEstimate(estimate))}</span>`),
    ];
    const [w, h] = [Math.round(box.width), Math.round(box.height)];
    const cells = [
      number(face.number, `<i></i>${face.number}`),
      `<td><img src="${escaped(face.picture)}" alt="" loading="lazy"></td>`,
      ...(scored ? [number(quality ?? 0, quality === null ? '–' : String(Math.round(quality)))] : []),
      number(magnitude, magnitude.toFixed(2)),
      `<td class="name" data-key="${escaped(face.image)}">${escaped(face.image)}</td>`,
      number(w * h, `${w} × ${h}`),
      number(detection, detection.toFixed(2)),
      `<td class="reasons" data-key="${reasons.length} ${reasons[0]?.code ?? ''}">${told.join('<br>')}</td>`,
    ];
    return `<tr data-face="${face.number}" data-value="${scored ? quality : magnitude}" data-flawed="${reasons.length > 0 ? 1 : 0}" style="${scale.css(face)}">${cells.join('')}</tr>`;
  });
  return `<section><h2>Faces</h2>
<form id="filters" hidden><input type="search" name="text" placeholder="Image or reason" aria-label="Image or reason"><label>At least <input type="number" name="least" step="any" aria-label="Least ${scored ? 'quality' : 'magnitude'}"> ${scored ? 'quality' : 'magnitude'}</label><label><input type="checkbox" name="flawed"> with something wrong</label><output class="soft"></output></form>
<div class="scroll"><table id="faces-table"><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div></section>`;
}

export function similaritySection(faces: readonly ShownFace[]): string {
  const pointing = faces.filter(({ magnitude }) => magnitude > 0).sort((a, b) => b.magnitude - a.magnitude);
  if (pointing.length < 2) return '';
  const shown = pointing.slice(0, heatMapAtMost);
  const which =
    shown.length < pointing.length
      ? `The ${shown.length} faces of highest magnitude out of ${pointing.length}, the best first.`
      : 'Every face with every other, the best first.';
  return `<section><h2>Similarity</h2><p class="soft">${which} Cosine similarity: 1 is the same direction, about 0 are strangers; the stronger the colour, the more alike.</p><div class="scroll">${similarityChart(shown)}</div></section>`;
}

export function failureSection(failures: ReportData['failures'], atMost: number): string {
  if (failures.length === 0) return '';
  const rows = failures
    .slice(0, atMost)
    .map(
      ({ image, error }) =>
        `<tr><td class="name">${escaped(image)}</td><td>${escaped(error.code.replaceAll('_', ' '))}</td><td class="reasons">${escaped(error.message)}</td></tr>`,
    );
  const more = failures.length > atMost ? `<p class="soft">And ${failures.length - atMost} more.</p>` : '';
  return `<section><h2>Images without a result</h2><div class="scroll"><table id="failures"><thead><tr><th>Image</th><th>Kind</th><th>What happened</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>${more}</section>`;
}

export function modelSection({ model, detector }: ReportData): string {
  const scored = model.contract.calibration !== undefined;
  const reading = scored
    ? 'Quality is 0 to 100 by the calibration above, 50 is an ordinary face of its reference set, and more is about the percentile among those. It orders faces exactly as their magnitudes do.'
    : 'This model has no calibration, so that only magnitudes are shown: compare them with each other, not with those of another model. <code>magface calibrate</code> fits the scale of scores.';
  return `<section><h2>Model</h2>${card(model)}${detector ? `<h2>Detector</h2>${card(detector)}` : ''}
<h2>How to read the numbers</h2>
<p>The magnitude is the length of the face’s feature before it is normalized; MagFace learns it together with recognition, so that faces which are easy to recognise have long features. ${reading}</p>
<p>What is wrong with a face is measured on the picture by plain rules. It explains a score and never changes it. What a face would score without a defect is estimated from reference faces with and without it.</p></section>`;
}

function card({
  name,
  digest,
  assumed,
  contract: { arch, embeddingLength, calibration, licence },
}: ReportModel): string {
  const below = calibration?.widthBelow === undefined ? '' : ` (${calibration.widthBelow} below the centre)`;
  const scale =
    calibration && `centre ${calibration.centre}, width ${calibration.width}${below}: ${calibration.source}`;
  const lines: [string, string | undefined][] = [
    ['Name', name],
    ['Architecture', arch],
    ['SHA-256', digest],
    ['Feature', embeddingLength === undefined ? undefined : `${embeddingLength} numbers`],
    ['Calibration', embeddingLength === undefined ? undefined : (scale ?? 'none')],
    ['Licence', licence ? `${licence.spdx}. ${licence.notice}` : 'not stated'],
    ['Assumed', assumed.length === 0 ? undefined : assumed.join(' ')],
  ];
  return `<dl class="card">${lines.map(([what, text]) => (text === undefined ? '' : `<dt>${what}</dt><dd>${escaped(text)}</dd>`)).join('')}</dl>`;
}
