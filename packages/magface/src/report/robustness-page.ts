/** One self-contained page: how quality and similarity fall with each kind of damage, with one example face. */

import * as Plot from '@observablehq/plot';
import type { DamageReport, Estimate, RobustnessReport } from '../eval/robustness.ts';
import { type Calibration, qualityScore } from '../quality.ts';
import { draw } from './draw.ts';
import { counted, escaped, page, threeFigures } from './page.ts';
import { switchThemes } from './page-script.ts';

/** One face through every kind of damage. */
export interface DamageExample {
  /** The user's name. */
  readonly name: string;
  readonly rows: readonly {
    readonly kind: string;
    readonly steps: readonly {
      /** In the damage's own unit; `clean` for none. */
      readonly damage: string;
      /** As a data URL. */
      readonly picture: string;
      readonly magnitude: number;
      /** Cosine to the clean face. */
      readonly similarity: number;
    }[];
  }[];
}

/** Data of the page. */
export interface RobustnessPage {
  readonly model: { readonly name: string; readonly calibration: Calibration | undefined };
  readonly report: RobustnessReport;
  readonly example: DamageExample;
}

/** @returns the whole HTML file; it loads nothing */
export function robustnessPage({ model, report, example }: RobustnessPage): string {
  const heading = `Robustness: ${model.name}`;
  const body = `<header><div><h1>${escaped(heading)}</h1><p class="verdict">${escaped(verdict(report))}</p></div><button id="theme" type="button" hidden>Dark / light</button></header>
<main>
<section><h2>Curves</h2><p class="soft">Medians over ${counted(report.faces, 'face')} with their quartiles. Quality is worth most where the lines fall together.</p>
<ul class="legend"><li><i style="background:${lineColours.magnitude}"></i>magnitude, as a share of the clean faces’</li><li><i style="background:${lineColours.similarity}"></i>cosine similarity to the clean face</li></ul>
<div class="photos">${report.kinds.map((kind) => `<figure>${damageChart(kind)}<figcaption>${title(kind.kind)}</figcaption></figure>`).join('')}</div></section>
${figuresSection(report)}
${exampleSection(example, model.calibration)}
</main>`;
  return page({ title: heading, body, scripts: [switchThemes] });
}

/** Limits of a reliable correlation. */
const [clear, weak] = [0.9, 0.5] as const;

/** The run in one or two sentences. */
function verdict({ kinds, loss }: RobustnessReport): string {
  const named = (list: typeof kinds): string => list.map(({ kind }) => kind).join(', ');
  const falling = kinds.filter(({ fall }) => (fall.value ?? 0) <= -clear);
  const deaf = kinds.filter(({ fall }) => (fall.value ?? 0) > -weak);
  const first =
    falling.length === kinds.length
      ? 'Quality falls step by step under every kind of damage'
      : falling.length === 0
        ? 'Quality falls step by step under no kind of damage'
        : `Quality falls step by step under ${named(falling)}`;
  const second = deaf.length === 0 ? '' : `; it does not tell ${named(deaf)}`;
  return `${first}${second}. What it loses foretells the loss of similarity with rank correlation ${shown(loss.value)}.`;
}

const shown = (value: number | null): string => (value === null ? '–' : value.toFixed(2).replace('-', '−'));
const title = (kind: string): string => (kind === 'jpeg' ? 'JPEG' : kind.charAt(0).toUpperCase() + kind.slice(1));

function figuresSection({ kinds, fall, loss }: RobustnessReport): string {
  const estimate = ({ value, interval }: Estimate): string =>
    `<td class="number">${shown(value)}</td><td class="number soft" style="text-align:left">${interval === null ? '' : `${shown(interval[0])} to ${shown(interval[1])}`}</td>`;
  const rows = [...kinds, { kind: 'all', fall, loss }].map(
    (of) => `<tr><td>${escaped(title(of.kind))}</td>${estimate(of.fall)}${estimate(of.loss)}</tr>`,
  );
  return `<section><h2>Rank correlations</h2><p class="soft">Spearman’s ρ with 95 % intervals by a bootstrap over faces. Of magnitude with damage, for each face, −1 is best; of the magnitude lost with the cosine lost, over faces and steps, 1.</p>
<div class="scroll"><table><thead><tr><th>Damage</th><th colspan="2">Magnitude by damage</th><th colspan="2">Magnitude lost by cosine lost</th></tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`;
}

function exampleSection({ name, rows }: DamageExample, calibration: Calibration | undefined): string {
  const figures = (magnitude: number): string =>
    calibration === undefined
      ? `<b>${threeFigures(magnitude)}</b>`
      : `<b>${Math.round(qualityScore(magnitude, calibration))}</b><small>${threeFigures(magnitude)}</small>`;
  const strips = rows.map(({ kind, steps }) => {
    const items = steps.map(
      ({ damage, picture, magnitude, similarity }) =>
        `<li style="cursor:default"><img src="${escaped(picture)}" alt="${escaped(`${kind}, ${damage}`)}">${figures(magnitude)}<br><small>${escaped(damage)}<br>cosine ${shown(similarity)}</small></li>`,
    );
    return `<h3>${escaped(title(kind))}</h3><ol class="strip" style="grid-template-columns:repeat(auto-fill,minmax(96px,1fr));max-width:1100px">${items.join('')}</ol>`;
  });
  const below = calibration === undefined ? 'the magnitude' : 'the score and, small, the magnitude';
  return `<section><h2>One face through all steps</h2><p class="soft">The face of median magnitude, ${escaped(name)}. Below each step ${below}, what was done, and the cosine to the clean face.</p>${strips.join('\n')}</section>`;
}

/** Distinct for any colour vision (Okabe and Ito), on white and on black. */
const lineColours = { magnitude: '#d55e00', similarity: '#0072b2' } as const;

/** Median and quartiles of magnitude, relative to clean faces, and of the cosine to the clean face. */
function damageChart({ kind, steps }: DamageReport): string {
  const clean = steps[0]!.magnitude.p50;
  const lines = (['magnitude', 'similarity'] as const).flatMap((of) => {
    const scale = of === 'magnitude' ? clean : 1;
    const points = steps.map((step) => ({
      strength: step.strength,
      low: step[of].p25 / scale,
      middle: step[of].p50 / scale,
      high: step[of].p75 / scale,
    }));
    const colour = lineColours[of];
    return [
      Plot.areaY(points, { x: 'strength', y1: 'low', y2: 'high', fill: colour, fillOpacity: 0.16 }),
      Plot.lineY(points, { x: 'strength', y: 'middle', stroke: colour, strokeWidth: 2 }),
      Plot.dot(points, { x: 'strength', y: 'middle', fill: colour, r: 2.5 }),
    ];
  });
  return draw({
    width: 360,
    height: 230,
    marginLeft: 40,
    marginBottom: 40,
    ariaLabel: `${kind}: magnitude and similarity by strength of damage`,
    style: { background: 'none', fontSize: '12px' },
    x: { label: 'Strength of damage', ticks: 5 },
    y: {
      domain: [Math.min(0, ...steps.map(({ similarity }) => similarity.p25)), 1.1],
      grid: true,
      ticks: 5,
      label: null,
    },
    marks: [Plot.ruleY([0], { strokeOpacity: 0.4 }), ...lines],
  });
}
